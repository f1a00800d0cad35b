"""Read one file of health records: JSON resource, Bundle (any type, nested), NDJSON, or FHIR R4 XML.

Bytes in, bytes out: every resource keeps the exact bytes it stood in. One bad entry is set aside with its
reason and the rest goes on; only when nothing of the file can be used is the file refused.

Rules:

1. A file is at most 50 MB, a line of NDJSON at most 5 MB, and there are at most 200,000 lines or entries.
2. Each entry passes the strict JSON reader (``crypto.canonical.parse_strict``) on its own, then the light
   R4 check (``pgo.health.record.shape``). The reason of the first broken rule is kept, with the bytes.
3. A Bundle inside a Bundle is opened, at most four deep. The Bundle itself is packaging and is not kept.
4. What is recognised but not read says so by name: STU3, R5, HL7 version 3, CDA, zip, PDF.
5. No clock, no disk, no network; progress is told to the caller as (entries done, entries in all).

Sources: HL7 FHIR R4, https://hl7.org/fhir/R4/bundle.html, /json.html, /nd-json.html; RFC 8259.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from typing import TypeAlias

from crypto.canonical import parse_strict
from crypto.errors import Malformed
from pgo.health.record import slicing
from pgo.health.record.person import mention
from pgo.health.record.resource import Intake, PersonMention, Refused, Resource, SetAside
from pgo.health.record.shape import check_resource

__all__ = ["Intake", "PersonMention", "Refused", "Resource", "SetAside", "read_records", "take_body"]

MAX_FILE_BYTES = 50_000_000
MAX_LINE_BYTES = 5_000_000
MAX_ENTRIES = 200_000
MAX_DEPTH = 64
MAX_BUNDLE_DEPTH = 4
PROGRESS_EVERY = 64

Progress: TypeAlias = Callable[[int, int], None]
_SPACE = b" \t\r\n"
_TYPE_NAME = re.compile(r"[A-Za-z]{1,64}\Z")
_TOP_MEMBER = re.compile(rb'\{\s*"resourceType"\s*:\s*"Bundle"')


def read_records(data: bytes, *, name: str, on_progress: Progress | None = None) -> Intake:
    """Read every resource of one file.

    Args:
        data: The file as it came, untrusted.
        name: File name, used only for its ending; never stored here.
        on_progress: Called with (done, total) entries now and then, and once at the end.

    Returns:
        Resources in file order, what was set aside, and the persons the taken Patient resources speak of.

    Raises:
        Refused: when nothing of the file can be used; the code says why.
    """
    if len(data) > MAX_FILE_BYTES:
        raise Refused("too_large", f"more than {MAX_FILE_BYTES} bytes")
    if not data.strip(_SPACE):
        raise Refused("empty", "no content")
    _refuse_other_formats(data)
    report = on_progress or _silent
    if _looks_like_xml(data):
        from pgo.health.record.xml import read_xml  # the XML parser is needed for few files

        return _intake(read_xml(data, report), "xml")
    if data.startswith(b"\xef\xbb\xbf"):
        raise Refused("byte_order_mark", "start of file")
    if _looks_like_lines(data, name):
        return _intake(_read_lines(data, report), "ndjson")
    return _intake(_read_document(data, report), "json")


def _intake(found: Iterable[Resource | SetAside], form: str) -> Intake:
    taken: list[Resource] = []
    aside: list[SetAside] = []
    for piece in found:
        if isinstance(piece, Resource):
            taken.append(piece)
        else:
            aside.append(piece)
    persons = tuple(mention(resource) for resource in taken if resource.type == "Patient")
    return Intake(tuple(taken), tuple(aside), persons, form)


def _refuse_other_formats(data: bytes) -> None:
    if data.startswith(b"PK\x03\x04"):
        raise Refused("zip", "a zip archive; unpack it first")
    if data.startswith(b"%PDF-"):
        raise Refused("pdf", "a PDF document")
    if data[:2] in (b"\xfe\xff", b"\xff\xfe"):
        raise Refused("not_utf8", "UTF-16")


def _looks_like_xml(data: bytes) -> bool:
    return data.removeprefix(b"\xef\xbb\xbf").lstrip(_SPACE).startswith(b"<")


def _looks_like_lines(data: bytes, name: str) -> bool:
    if name.lower().endswith((".ndjson", ".phr", ".jsonl")):
        return True
    first, _, rest = data.lstrip(_SPACE).partition(b"\n")
    if not rest.strip(_SPACE) or not first.rstrip(_SPACE).endswith(b"}"):
        return False
    try:
        slicing.members(first)
    except slicing.NotSliceable:
        return False
    return True


def _read_lines(data: bytes, report: Progress) -> Iterator[Resource | SetAside]:
    lines = [(number, line.strip(_SPACE)) for number, line in enumerate(data.split(b"\n"), start=1)]
    lines = [(number, line) for number, line in lines if line]
    if len(lines) > MAX_ENTRIES:
        raise Refused("too_large", f"more than {MAX_ENTRIES} lines")
    for done, (number, line) in enumerate(lines):
        where = f"line {number}"
        if len(line) > MAX_LINE_BYTES:
            yield SetAside(where, None, None, "too_large", f"more than {MAX_LINE_BYTES} bytes", None)
        else:
            yield from _read_entry_resource(line, where, None, 1)
        _tell(report, done + 1, len(lines))


def _read_document(data: bytes, report: Progress) -> Iterator[Resource | SetAside]:
    """Read a single resource or a Bundle; here a fault of the one resource is a fault of the file."""
    data = data.strip(_SPACE)
    if _is_bundle(data):
        return _read_bundle(data, "", 1, report)
    found = _take(data, "file", None)
    if isinstance(found, SetAside):
        raise Refused(found.code, found.detail)
    report(1, 1)
    return iter((found,))


def _is_bundle(data: bytes) -> bool:
    if _TOP_MEMBER.match(data):
        return True
    if b'"Bundle"' not in data:
        return False
    try:
        return slicing.members(data).get("resourceType", b"").strip() == b'"Bundle"'
    except slicing.NotSliceable:
        return False


def _read_bundle(
    data: bytes, inside: str, level: int, report: Progress | None
) -> Iterator[Resource | SetAside]:
    """Open a Bundle. Faults of the package itself raise ``Refused``; faults of an entry are set aside."""
    try:
        parts = slicing.members(data)
        entries = slicing.items(parts["entry"]) if "entry" in parts else []
    except slicing.NotSliceable as exc:
        raise Refused("not_json", "the file is no complete JSON") from exc
    if len(entries) > MAX_ENTRIES:
        raise Refused("too_large", f"more than {MAX_ENTRIES} entries")
    _check_package(data, parts)
    return _bundle_entries(entries, inside, level, report)


def _check_package(data: bytes, parts: dict[str, bytes]) -> None:
    """Pass the package without its entries through the strict reader, so that rule 2 holds for it as well."""
    listed = parts.get("entry")
    shell = data
    if listed is not None:
        start = data.find(listed)
        shell = data[:start] + b"[]" + data[start + len(listed) :]
    try:
        parse_strict(shell, max_bytes=MAX_FILE_BYTES, max_depth=MAX_DEPTH)
    except Malformed as exc:
        raise Refused(exc.reason, "outside the entries") from exc


def _bundle_entries(
    entries: list[bytes], inside: str, level: int, report: Progress | None
) -> Iterator[Resource | SetAside]:
    for number, entry in enumerate(entries, start=1):
        yield from _read_bundle_entry(entry, f"entry {inside}{number}", level)
        if report is not None:
            _tell(report, number, len(entries))
    if report is not None and not entries:
        report(0, 0)


def _read_bundle_entry(entry: bytes, where: str, level: int) -> Iterator[Resource | SetAside]:
    try:
        parts = slicing.members(entry)
    except slicing.NotSliceable:
        yield SetAside(where, None, None, *_reason_of(entry), entry)
        return
    if "resource" not in parts:
        code, detail = _reason_of(entry)
        yield SetAside(where, None, None, code, detail, entry)
        return
    shell_fault = _shell_fault(entry, parts["resource"])
    if shell_fault is not None:
        yield SetAside(where, None, None, shell_fault, "around the resource", entry)
        return
    yield from _read_entry_resource(parts["resource"], where, _full_url(parts.get("fullUrl")), level)


def _reason_of(entry: bytes) -> tuple[str, str]:
    """Say why an entry gives no resource: broken text, or nothing in it (a search note, a deletion)."""
    try:
        body = parse_strict(entry, max_bytes=MAX_FILE_BYTES, max_depth=MAX_DEPTH)
    except Malformed as exc:
        return exc.reason, "entry"
    return ("empty", "no resource in the entry") if isinstance(body, dict) else ("bad_structure", "entry")


def _shell_fault(entry: bytes, resource: bytes) -> str | None:
    start = entry.find(resource)
    try:
        parse_strict(
            entry[:start] + b"0" + entry[start + len(resource) :],
            max_bytes=MAX_FILE_BYTES,
            max_depth=MAX_DEPTH,
        )
    except Malformed as exc:
        return exc.reason
    return None


def _full_url(raw: bytes | None) -> str | None:
    if raw is None:
        return None
    value = parse_strict(raw, max_bytes=MAX_LINE_BYTES)
    return value if isinstance(value, str) and value else None


def _read_entry_resource(
    raw: bytes, where: str, full_url: str | None, level: int
) -> Iterator[Resource | SetAside]:
    if not _is_bundle(raw):
        yield _take(raw, where, full_url)
        return
    if level >= MAX_BUNDLE_DEPTH:
        yield SetAside(where, "Bundle", None, "too_deep", "Bundle in Bundle", raw)
        return
    try:
        yield from _read_bundle(raw, where.removeprefix("entry ") + ".", level + 1, None)
    except Refused as exc:
        yield SetAside(where, "Bundle", None, exc.code, exc.detail, raw)


def _take(raw: bytes, where: str, full_url: str | None) -> Resource | SetAside:
    try:
        body = parse_strict(raw, max_bytes=MAX_FILE_BYTES, max_depth=MAX_DEPTH)
    except Malformed as exc:
        return SetAside(where, None, None, exc.reason, _position(exc), raw)
    return take_body(body, raw, where, full_url)


def take_body(body: object, raw: bytes, where: str, full_url: str | None) -> Resource | SetAside:
    """Turn a decoded body into a resource, or set it aside with the first broken rule."""
    problem = check_resource(body, raw=raw)
    members = body if isinstance(body, dict) else {}
    kind, identity = members.get("resourceType"), members.get("id")
    known_id = identity if isinstance(identity, str) else None
    if problem is None:
        return Resource(raw, members, str(kind), known_id, full_url)
    shown = kind if isinstance(kind, str) and _TYPE_NAME.match(kind) else None
    return SetAside(where, shown, known_id, problem.code, problem.detail, raw)


def _position(exc: Malformed) -> str:
    return "" if exc.position is None else f"at {exc.position}"


def _silent(done: int, total: int) -> None:
    """Tell nobody."""


def _tell(report: Progress, done: int, total: int) -> None:
    if done % PROGRESS_EVERY == 0 or done == total:
        report(done, total)
