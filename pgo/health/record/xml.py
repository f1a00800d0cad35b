"""Read FHIR R4 XML: one resource or a Bundle, entry by entry, with the same promises as for JSON.

Rules:

1. Other XML of health care is recognised by its name space and refused by name: CDA (``cda``), HL7 version 3
   messages (``hl7_v3``). XML of another FHIR release says so per entry, as for JSON.
2. Each resource becomes JSON by the table of the standard (``xml_json``) and then passes the same checks as
   JSON
   from outside. ``raw`` is that JSON, ``original`` the exact XML it stood in.
3. One bad entry is set aside with its XML; the rest goes on. A file that is no XML at all is refused.

Source: https://hl7.org/fhir/R4/xml.html; CDA R2 and HL7 version 3 name space ``urn:hl7-org:v3``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from crypto.canonical import parse_strict
from crypto.errors import Malformed
from pgo.health.record.resource import Refused, Resource, SetAside
from pgo.health.record.shape import (
    Problem,
    check_resource,
    profile_problem,
    type_problem,
    xml_version_problem,
)
from pgo.health.record.xml_json import NotConvertible, resource_json
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
    found = _convert(root, data, "file", None)
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
        self.found += _entry(node, self._data, f"entry {self.count}", 1)
        if self.count % PROGRESS_EVERY == 0:
            self._report(min(self.count, self._total), self._total)
        return True


def _entry(entry: Node, data: bytes, where: str, level: int) -> Iterator[Resource | SetAside]:
    holder = entry.child("resource")
    if holder is None or not holder.children:
        yield SetAside(where, None, None, "empty", "no resource in the entry", data[entry.start : entry.end])
        return
    node = holder.children[0]
    if node.name != "Bundle":
        yield _convert(node, data, where, entry.value("fullUrl") or None)
        return
    if level >= MAX_BUNDLE_DEPTH:
        yield SetAside(where, "Bundle", None, "too_deep", "Bundle in Bundle", data[node.start : node.end])
        return
    for number, inner in enumerate(node.all("entry"), start=1):
        yield from _entry(inner, data, f"{where}.{number}", level + 1)


def _convert(node: Node, data: bytes, where: str, full_url: str | None) -> Resource | SetAside:
    xml = data[node.start : node.end]
    kind = node.name if node.name.isascii() and node.name.isalpha() and len(node.name) <= 64 else None
    identity = node.value("id") or None
    problem = _problem(node)
    if problem is None:
        try:
            raw = resource_json(node, data).encode("utf-8")
            body = parse_strict(raw, max_bytes=len(raw), max_depth=MAX_DEPTH)
            problem = check_resource(body, raw=raw)
            if problem is None and isinstance(body, dict):
                return Resource(raw, body, node.name, identity, full_url, xml, "xml")
        except NotConvertible as exc:
            problem = Problem(exc.code, exc.detail)
        except Malformed as exc:
            problem = Problem(exc.reason, "")
    found = problem or Problem("not_fhir", "")
    return SetAside(where, kind, identity, found.code, found.detail, xml)


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
