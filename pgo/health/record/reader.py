"""Read one file of health records, whatever it is: the door that everything from outside comes through.

Bytes in, bytes out: every resource keeps the exact bytes it stood in. One bad entry is set aside with its
reason and the rest goes on; only when nothing of the file can be used is the file refused.

Rules:

1. What a file is shows in its bytes, never in its name (``forms``): FHIR as JSON, lines or XML, R4 or STU3
   (``json_files``, ``xml``, ``stu3``); zip and gzip around them (``containers``); PDF and images
   (``documents``); CDA documents (``cda``).
2. A file is at most 50 MB. Inside a zip each member is read as a file of its own; a fault of it is set aside.
3. What is recognised but not read says so by name: R5, HL7 version 3 messages.
4. No clock, no disk, no network; progress is told to the caller as (entries done, entries in all).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import TypeAlias

from pgo.health.record.forms import BYTE_ORDER_MARK, Form, form_of
from pgo.health.record.json_files import read_json
from pgo.health.record.person import mention
from pgo.health.record.resource import Intake, PersonMention, Refused, Resource, SetAside

__all__ = ["READER_VERSION", "Intake", "PersonMention", "Refused", "Resource", "SetAside", "read_records"]

READER_VERSION = 2
"""Rises when the reader learns to take what it set aside before; what waits is then tried again."""

MAX_FILE_BYTES = 50_000_000

Progress: TypeAlias = Callable[[int, int], None]
Pieces: TypeAlias = Iterator[Resource | SetAside]


def read_records(data: bytes, *, name: str, on_progress: Progress | None = None) -> Intake:
    """Read every resource of one file.

    Args:
        data: The file as it came, untrusted.
        name: File name, the title of a document that has no other; never asked what the file is.
        on_progress: Called with (done, total) entries now and then, and once at the end.

    Returns:
        Resources in file order, what was set aside, and the persons the taken Patient resources speak of.

    Raises:
        Refused: when nothing of the file can be used; the code says why.
    """
    form, pieces = read_pieces(data, name=name, report=on_progress or _silent)
    return gather(form, pieces)


def gather(form: str, pieces: Pieces) -> Intake:
    """Sort what was found into what was taken and what was set aside."""
    taken: list[Resource] = []
    aside: list[SetAside] = []
    for piece in pieces:
        if isinstance(piece, Resource):
            taken.append(piece)
        else:
            aside.append(piece)
    persons = tuple(mention(resource) for resource in taken if resource.type == "Patient")
    return Intake(tuple(taken), tuple(aside), persons, form)


def read_pieces(data: bytes, *, name: str, report: Progress) -> tuple[str, Pieces]:
    """Open a file and give what is found as it is read; see ``read_records``.

    Raises:
        Refused: at once or while the pieces are taken.
    """
    if len(data) > MAX_FILE_BYTES:
        raise Refused("too_large", f"more than {MAX_FILE_BYTES} bytes")
    form = form_of(data)
    if form is Form.ZIP:
        return "zip", _unzipped(data, report)
    if form is Form.GZIP:
        from pgo.health.record.containers import gunzip  # few files are packed

        return _read(gunzip(data), name, report)
    return _read(data, name, report)


def _read(data: bytes, name: str, report: Progress) -> tuple[str, Pieces]:
    form = form_of(data)
    if form is Form.JSON:
        return read_json(data, report)
    if form is Form.XML:
        return _xml(data, report)
    if form is Form.DOCUMENT:
        from pgo.health.record.documents import read_document  # few files are documents

        return "document", iter((read_document(data, title=name),))
    raise Refused(*_REFUSALS[form])


_REFUSALS = {
    Form.EMPTY: ("empty", "no content"),
    Form.UNKNOWN: ("unknown_format", "neither text nor a known document"),
    Form.UTF16: ("not_utf8", "UTF-16"),
    Form.MARKED_TEXT: ("byte_order_mark", "start of file"),
    Form.ZIP: ("zip", "a zip inside a zip or gzip"),
    Form.GZIP: ("damaged", "packed twice"),
}


def _xml(data: bytes, report: Progress) -> tuple[str, Pieces]:
    from pgo.health.record.xml import read_xml  # the XML parser is needed for few files

    try:
        return "xml", iter(read_xml(data, report))
    except Refused as exc:
        if exc.code != "cda" or exc.detail == "damaged":
            raise
    from pgo.health.record.cda import read_cda

    return "cda", iter((read_cda(data.removeprefix(BYTE_ORDER_MARK)),))


def _unzipped(data: bytes, report: Progress) -> Pieces:
    """Read each member as a file of its own; places count the members, their names are never looked at."""
    from pgo.health.record.containers import gunzip, zip_members

    for number, content in enumerate(zip_members(data), start=1):
        where = f"file {number}"
        if isinstance(content, Refused):
            yield SetAside(where, None, None, content.code, content.detail, None)
            continue
        try:
            inner = gunzip(content) if form_of(content) is Form.GZIP else content
            for piece in _read(inner, "", report)[1]:
                yield (
                    piece if isinstance(piece, Resource) else replace(piece, entry=f"{where}, {piece.entry}")
                )
        except Refused as exc:
            yield SetAside(where, None, None, exc.code, exc.detail, content)


def _silent(done: int, total: int) -> None:
    """Tell nobody."""
