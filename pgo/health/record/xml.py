"""Read FHIR XML: one resource or a Bundle, entry by entry, with the same promises as for JSON.

Rules:

1. Other XML of health care is recognised by its name space and refused by name: CDA (``cda``), HL7 version 3
   messages (``hl7_v3``). XML of another FHIR release says so per entry, as for JSON.
2. Each resource becomes JSON by the table of its release (``xml_json``) and then goes the way of JSON from
   outside (``taking``). ``raw`` is R4 as JSON, ``original`` the exact XML it stood in.
3. One bad entry is set aside with its XML; the rest goes on. A file that is no XML at all is refused.

Source: https://hl7.org/fhir/R4/xml.html; CDA R2 and HL7 version 3 name space ``urn:hl7-org:v3``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace

from crypto.canonical import parse_strict
from crypto.errors import Malformed
from pgo.health.record.resource import Refused, Resource, SetAside
from pgo.health.record.shape import Problem, profile_problem, type_problem, xml_version_problem
from pgo.health.record.stu3 import is_convertible
from pgo.health.record.taking import Piece, names_stu3, set_aside, take_body, take_stu3
from pgo.health.record.xml_json import R4_TABLE, STU3_TABLE, NotConvertible, resource_json
from pgo.health.record.xml_tree import FHIR, MAX_DEPTH, Node, parse_xml

HL7_V3 = "urn:hl7-org:v3"
MAX_ENTRIES = 200_000
MAX_BUNDLE_DEPTH = 4
PROGRESS_EVERY = 16


def read_xml(data: bytes, report: Callable[[int, int], None]) -> Iterable[Resource | SetAside]:
    """Read every resource of an XML file.

    Args:
        data: The file, untrusted, at most the size the caller allows.
        report: Told (done, total) entries; the total is counted from the text and may be a little off.

    Returns:
        Resources and set-aside pieces in file order.

    Raises:
        Refused: When nothing of the file can be used.
    """
    reading = _Reading(data, report)
    try:
        root = parse_xml(data, reading.finished)
    except Refused as exc:
        if exc.code == "not_xml" and HL7_V3.encode() in data[:4096]:
            raise Refused(_hl7_kind(data[:4096]), "damaged") from exc
        raise
    _refuse_foreign(root)
    if root.name == "Bundle":
        report(reading.count, reading.count)
        return reading.found
    found = _convert(root, data, Piece("file", None, data[root.start : root.end], "xml", names_stu3(data)))
    if isinstance(found, SetAside):
        raise Refused(found.code, found.detail)
    report(1, 1)
    return (found,)


def _hl7_kind(head: bytes) -> str:
    return "cda" if b"ClinicalDocument" in head else "hl7_v3"


def _refuse_foreign(root: Node) -> None:
    if root.name == "ClinicalDocument":
        raise Refused("cda", "a CDA document")
    if root.namespace == HL7_V3 or _holds_v3(root):
        raise Refused("hl7_v3", "an HL7 version 3 message")
    if root.namespace != FHIR:
        raise Refused("not_fhir", "another XML format")


def _holds_v3(root: Node) -> bool:
    """Look two levels deep: such messages travel inside a SOAP envelope."""
    inner = [child for node in root.children for child in (node, *node.children)]
    return root.namespace != FHIR and any(node.namespace == HL7_V3 for node in inner)


class _Reading:
    """Takes each entry of the outermost Bundle as soon as the parser has closed it."""

    def __init__(self, data: bytes, report: Callable[[int, int], None]) -> None:
        self._data = data
        self._report = report
        self._stu3 = names_stu3(data)
        self._total = data.count(b"<entry>") + data.count(b"<entry ")
        self.count = 0
        self.found: list[Resource | SetAside] = []

    def finished(self, above: list[Node], node: Node) -> bool:
        """Convert an entry of the outermost Bundle and let the parser forget it."""
        if node.name != "entry" or len(above) != 1 or above[0].name != "Bundle" or node.namespace != FHIR:
            return False
        self.count += 1
        if self.count > MAX_ENTRIES:
            raise Refused("too_large", f"more than {MAX_ENTRIES} entries")
        self.found += _entry(node, self._data, f"entry {self.count}", 1, self._stu3)
        if self.count % PROGRESS_EVERY == 0:
            self._report(min(self.count, self._total), self._total)
        return True


def _entry(
    entry: Node, data: bytes, where: str, level: int, stu3_file: bool
) -> Iterator[Resource | SetAside]:
    holder = entry.child("resource")
    if holder is None or not holder.children:
        yield SetAside(where, None, None, "empty", "no resource in the entry", data[entry.start : entry.end])
        return
    node = holder.children[0]
    if node.name != "Bundle":
        source = data[node.start : node.end]
        yield _convert(node, data, Piece(where, entry.value("fullUrl") or None, source, "xml", stu3_file))
        return
    if level >= MAX_BUNDLE_DEPTH:
        yield SetAside(where, "Bundle", None, "too_deep", "Bundle in Bundle", data[node.start : node.end])
        return
    for number, inner in enumerate(node.all("entry"), start=1):
        yield from _entry(inner, data, f"{where}.{number}", level + 1, stu3_file)


def _convert(node: Node, data: bytes, piece: Piece) -> Resource | SetAside:
    problem = _problem(node)
    if problem is not None and problem.code == "wrong_version_stu3" and is_convertible(node.name):
        return _read_as(STU3_TABLE, node, data, piece)
    if problem is not None:
        return set_aside(_shown(node), piece, problem)
    if piece.stu3_file and is_convertible(node.name):
        found = _read_as(STU3_TABLE, node, data, piece)
        if isinstance(found, Resource):
            return found
    found = _read_as(R4_TABLE, node, data, piece)
    strange = isinstance(found, SetAside) and found.detail.endswith("unknown element")
    if strange and is_convertible(node.name):
        second = _read_as(STU3_TABLE, node, data, piece)
        return second if isinstance(second, Resource) else found
    return found


def _read_as(table: str, node: Node, data: bytes, piece: Piece) -> Resource | SetAside:
    """Write the element as JSON of one release and take it."""
    try:
        raw = resource_json(node, data, table=table).encode("utf-8")
        body = parse_strict(raw, max_bytes=len(raw), max_depth=MAX_DEPTH)
    except NotConvertible as exc:
        both = table == STU3_TABLE and exc.detail.endswith("unknown element")
        return set_aside(_shown(node), piece, Problem("stu3_ambiguous" if both else exc.code, exc.detail))
    except Malformed as exc:
        return set_aside(_shown(node), piece, Problem(exc.reason, ""))
    if table == STU3_TABLE and isinstance(body, dict):
        return take_stu3(body, piece)
    return take_body(body, replace(piece, stu3_file=False), raw=raw)


def _shown(node: Node) -> dict[str, str]:
    """Give type and id as far as they can be read without converting anything."""
    identity = node.value("id")
    return {"resourceType": node.name, **({"id": identity} if identity else {})}


def _problem(node: Node) -> Problem | None:
    """Look for another release first: its elements would otherwise only show as unknown ones."""
    if node.namespace != FHIR:
        return Problem("not_fhir", "namespace")
    if problem := type_problem(node.name):
        return problem
    meta = node.child("meta")
    profiles = [profile.attributes.get("value", "") for profile in meta.all("profile")] if meta else []
    letters = ((child.name, "p" if "value" in child.attributes else "o") for child in node.children)
    return profile_problem(profiles) or xml_version_problem(node.name, letters)
