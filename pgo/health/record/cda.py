"""Keep a CDA document as a document: its bytes unchanged, its text made readable, its person named.

Rules:

1. The file becomes a DocumentReference with the whole XML as attachment. Nothing in it is turned into
   separate records: that is another standard's work, and a guess would look like a fact.
2. Its sections are shown as plain text. Only characters are taken over, every mark-up of the source is
   left behind; rows and list items stand on lines of their own.
3. The patient it names stands in the record (contained), so that a document about somebody else is noticed.
4. Kind, title, date, language and confidentiality are taken over where they are clear, else left out.

Sources: HL7 CDA R2, https://hl7.org/cda/stds/core/; C-CDA 2.1; FHIR R4 DocumentReference and its CDA mapping,
https://hl7.org/fhir/R4/documentreference-mappings.html.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date
from html import escape
from typing import Any
from xml.etree.ElementTree import Element

from defusedxml.common import DefusedXmlException
from defusedxml.ElementTree import ParseError, fromstring

from pgo.health.record.documents import attachment
from pgo.health.record.person import BSN
from pgo.health.record.resource import Refused, Resource
from pgo.health.record.writer import write_exact
from pgo.health.record.xml_tree import MAX_DEPTH, XHTML

_V3 = "{urn:hl7-org:v3}"
MAX_SHOWN_CHARACTERS = 200_000
_LINE_ENDERS = frozenset({"tr", "item", "paragraph", "br", "caption", "title", "list", "table"})
_CELLS = frozenset({"td", "th"})
# HL7 OID registry, https://www.hl7.org/oid/, and https://terminology.hl7.org/external_terminologies.html
# The last is the Dutch person number, https://simplifier.net/nictiz-r4-zib2020/bsn.
_SYSTEMS = {
    "2.16.840.1.113883.6.1": "http://loinc.org",
    "2.16.840.1.113883.6.96": "http://snomed.info/sct",
    "2.16.840.1.113883.2.4.6.3": BSN,
}
_CONFIDENTIALITY = "http://terminology.hl7.org/CodeSystem/v3-Confidentiality"
_GENDERS = {"M": "male", "F": "female", "UN": "other"}
_TIME = re.compile(
    r"(?P<y>\d{4})(?:(?P<mo>\d\d)(?:(?P<d>\d\d)(?:(?P<h>\d\d)(?P<mi>\d\d)(?P<s>\d\d)?(?:\.\d+)?(?P<z>[+-]\d{4})?)?)?)?\Z"
)


def read_cda(data: bytes) -> Resource:
    """Make the record of a CDA document.

    Args:
        data: The XML file, untrusted; its root is known to be ``ClinicalDocument``.

    Raises:
        Refused: ``xml_dtd``, ``not_xml``, ``too_deep`` or ``too_large``.
    """
    root = _parsed(data)
    code, title = root.find(f"{_V3}code"), _words(root.find(f"{_V3}title"))
    kept = attachment(data, "text/xml", title=title)
    language = _attribute(root.find(f"{_V3}languageCode"), "code")
    created = _moment(_attribute(root.find(f"{_V3}effectiveTime"), "value"))
    patient = _patient(root.find(f"{_V3}recordTarget/{_V3}patientRole"))
    body = {
        "resourceType": "DocumentReference",
        "text": _narrative(root),
        "contained": [patient] if patient else None,
        "masterIdentifier": _identifier(root.find(f"{_V3}id")),
        "status": "current",
        "type": _concept(code),
        "subject": {"reference": "#patient"} if patient else None,
        "author": _authors(root) or None,
        "description": title or None,
        "securityLabel": _label(_attribute(root.find(f"{_V3}confidentialityCode"), "code")),
        "content": [{"attachment": {**kept, **_known(language=language, creation=created)}}],
    }
    body = _known(**body)
    return Resource(write_exact(body), body, "DocumentReference", None, None)


def _known(**members: Any) -> dict[str, Any]:
    return {name: value for name, value in members.items() if value}


def _parsed(data: bytes) -> Element:
    try:
        root: Element = fromstring(data, forbid_dtd=True)
    except DefusedXmlException as exc:
        raise Refused("xml_dtd", "a document type or entity declaration") from exc
    except (ParseError, ValueError, LookupError) as exc:
        raise Refused("not_xml", "") from exc
    level = [root]
    for _ in range(MAX_DEPTH):
        level = [child for element in level for child in element]
    if level:
        raise Refused("too_deep", f"more than {MAX_DEPTH} elements deep")
    return root


def _narrative(root: Element) -> dict[str, str] | None:
    """Write the sections as FHIR narrative made of headings and paragraphs of plain text only."""
    parts: list[str] = []
    room = MAX_SHOWN_CHARACTERS
    for section in root.iter(f"{_V3}section"):
        heading = _words(section.find(f"{_V3}title"))
        lines = _lines(section.find(f"{_V3}text"))
        for mark, words in (("h3", [heading] if heading else []), ("p", lines)):
            for line in words:
                room -= len(line)
                if room < 0:
                    return _div(parts)
                parts.append(f"<{mark}>{escape(line)}</{mark}>")
    return _div(parts) if parts else None


def _div(parts: list[str]) -> dict[str, str]:
    return {"status": "generated", "div": f'<div xmlns="{XHTML}">{"".join(parts)}</div>'}


def _lines(holder: Element | None) -> list[str]:
    """Give the text of an element, a line for each row, item or paragraph."""
    written = "".join(_characters(holder)) if holder is not None else ""
    return [words for line in written.split("\n") if (words := " ".join(line.split()).strip("| "))]


def _characters(element: Element) -> Iterator[str]:
    """Walk without recursion: depth is bounded, but a stack of our own costs nothing."""
    waiting: list[Element | str] = [element]
    while waiting:
        now = waiting.pop()
        if isinstance(now, str):
            yield now
            continue
        name = now.tag.rpartition("}")[2] if isinstance(now.tag, str) else ""
        ending = "\n" if name in _LINE_ENDERS else " | " if name in _CELLS else ""
        waiting += [" ".join((now.tail or "").split("\n")) if now is not element else "", ending]
        waiting += reversed(now)
        waiting.append(" ".join((now.text or "").split("\n")) if isinstance(now.tag, str) else "")


def _words(element: Element | None) -> str:
    return " ".join(_lines(element))


def _attribute(element: Element | None, name: str) -> str:
    return (element.get(name) or "").strip() if element is not None else ""


def _system(oid: str) -> str:
    return _SYSTEMS.get(oid) or (f"urn:oid:{oid}" if "." in oid else f"urn:uuid:{oid.lower()}")


def _concept(code: Element | None) -> dict[str, Any] | None:
    value, oid = _attribute(code, "code"), _attribute(code, "codeSystem")
    if not value or not oid:
        return None
    return {"coding": [_known(system=_system(oid), code=value, display=_attribute(code, "displayName"))]}


def _identifier(element: Element | None) -> dict[str, str] | None:
    """An instance identifier; without extension the root is the value (R4 datatypes.html#Identifier)."""
    root, value = _attribute(element, "root"), _attribute(element, "extension")
    if not root:
        return None
    if value:
        return {"system": _system(root), "value": value}
    return {"system": "urn:ietf:rfc:3986", "value": _system(root)}


def _label(code: str) -> list[dict[str, Any]] | None:
    return [{"coding": [{"system": _CONFIDENTIALITY, "code": code}]}] if code else None


def _authors(root: Element) -> list[dict[str, str]]:
    names = [
        _words(author.find(f"{_V3}assignedAuthor/{_V3}assignedPerson/{_V3}name"))
        or _words(author.find(f"{_V3}assignedAuthor/{_V3}representedOrganization/{_V3}name"))
        for author in root.findall(f"{_V3}author")
    ]
    return [{"display": name} for name in dict.fromkeys(filter(None, names))]


def _patient(role: Element | None) -> dict[str, Any] | None:
    if role is None:
        return None
    person = role.find(f"{_V3}patient")
    name = person.find(f"{_V3}name") if person is not None else None
    family = _words(name.find(f"{_V3}family")) if name is not None else ""
    given = [_words(part) for part in name.findall(f"{_V3}given")] if name is not None else []
    birth = _moment(_attribute(person.find(f"{_V3}birthTime"), "value")) if person is not None else ""
    gender = _attribute(person.find(f"{_V3}administrativeGenderCode"), "code") if person is not None else ""
    identifiers = [found for element in role.findall(f"{_V3}id") if (found := _identifier(element))]
    found = _known(
        identifier=identifiers,
        name=[_known(family=family, given=[part for part in given if part])]
        if family or any(given)
        else None,
        gender=_GENDERS.get(gender, ""),
        birthDate=birth.partition("T")[0],
    )
    return {"resourceType": "Patient", "id": "patient", **found} if found else None


def _is_day(year: str, month: str, day: str) -> bool:
    try:
        date(int(year), int(month), int(day))
    except ValueError:
        return False
    return True


def _moment(value: str) -> str:
    """Turn an HL7 point in time into a FHIR one of the same precision; a time without zone loses its time."""
    found = _TIME.match(value)
    if found is None:
        return ""
    day = "-".join(part for part in found.group("y", "mo", "d") if part)
    if not _is_day(found["y"], found["mo"] or "01", found["d"] or "01"):
        return ""
    zone = found["z"]
    if not found["h"] or not zone:
        return day
    return f"{day}T{found['h']}:{found['mi']}:{found['s'] or '00'}{zone[:3]}:{zone[3:]}"
