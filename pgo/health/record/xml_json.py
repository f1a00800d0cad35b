"""Turn one FHIR resource from XML into JSON, by the table of its release of the standard.

Rules:

1. The table (``assets/fhir/r4-elements.json``, for STU3 ``stu3-elements.json``) says for every element its
   type and whether it is a list. What is not in the table is refused: a guess would lose or bend something.
2. Values are written as they stand. A decimal keeps its digits (``1.10`` stays ``1.10``); only its form is
   checked.
3. Narrative stays one string, the bytes between ``<div`` and ``</div>``.
4. ``id`` and extensions of a primitive go to its ``_name`` twin, with null where an item has none.

Source: https://hl7.org/fhir/R4/json.html, https://hl7.org/fhir/R4/xml.html, /datatypes.html (lexical forms).
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass

from pgo.health.assets import load_table
from pgo.health.record.xml_tree import FHIR, XHTML, Node

# Source: https://hl7.org/fhir/R4/datatypes.html
_DECIMAL = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?\Z")
_INTEGER = re.compile(r"-?(?:0|[1-9][0-9]*)\Z")
_NUMBERS = {
    "decimal": _DECIMAL,
    "integer": _INTEGER,
    "unsignedInt": _INTEGER,
    "positiveInt": _INTEGER,
}
R4_TABLE = "fhir/r4-elements.json"
STU3_TABLE = "fhir/stu3-elements.json"
_DIV_START = re.compile(r"<div\b")


class NotConvertible(Exception):
    """The XML does not fit the table; ``detail`` names the element by its path of known names."""

    def __init__(self, detail: str, code: str = "bad_structure") -> None:
        """Keep code and detail."""
        super().__init__(f"{code} {detail}")
        self.code = code
        self.detail = detail


def resource_json(node: Node, data: bytes, *, table: str = R4_TABLE) -> str:
    """Write a resource element as JSON text.

    Args:
        node: The element named after its type.
        data: The bytes the node came from, for narrative.
        table: ``R4_TABLE`` or ``STU3_TABLE``, the release to read it by.

    Raises:
        NotConvertible: When element, order of magnitude or lexical form do not fit the standard.
    """
    return _resource(node, _Document(data, load_table(table)["types"]))


@dataclass(frozen=True, slots=True)
class _Document:
    """The bytes of the file, and the elements of every type of its release."""

    data: bytes
    types: Mapping[str, Mapping[str, str]]


def _resource(node: Node, document: _Document) -> str:
    if node.namespace != FHIR:
        raise NotConvertible("namespace")
    if node.name not in document.types:
        raise NotConvertible("resource type", "unsupported_type")
    members = [f'"resourceType":{json.dumps(node.name)}', *_members(node, node.name, document, node.name)]
    return "{" + ",".join(members) + "}"


def _members(node: Node, kind: str, document: _Document, path: str) -> list[str]:
    table = document.types[kind]
    members: list[str] = []
    for name in ("id", "url"):
        if name in node.attributes and table.get(name, "x")[0].islower():
            members.append(f'"{name}":{_text(node.attributes[name])}')
    groups: dict[str, list[Node]] = {}
    for child in node.children:
        groups.setdefault(child.name, []).append(child)
    for name, nodes in groups.items():
        spec = table.get(name)
        if spec is None or nodes[0].namespace != (XHTML if spec.startswith("xhtml") else FHIR):
            raise NotConvertible(f"{path}: unknown element")
        members += _element(name, nodes, spec, document, f"{path}.{name}")
    return members


def _element(name: str, nodes: list[Node], spec: str, document: _Document, path: str) -> list[str]:
    kind, many = spec.rstrip("!*"), "*" in spec
    if len(nodes) > 1 and not many:
        raise NotConvertible(f"{path}: more than one")
    if kind[0].islower():
        return _primitives(name, nodes, kind, many, document, path)
    written = [_complex(node, kind, document, path) for node in nodes]
    return [f'"{name}":[{",".join(written)}]' if many else f'"{name}":{written[0]}']


def _complex(node: Node, kind: str, document: _Document, path: str) -> str:
    if kind == "Resource":
        if len(node.children) != 1:
            raise NotConvertible(f"{path}: one resource expected")
        return _resource(node.children[0], document)
    members = _members(node, kind, document, path)
    if not members:
        raise NotConvertible(f"{path}: empty")
    return "{" + ",".join(members) + "}"


def _primitives(
    name: str, nodes: list[Node], kind: str, many: bool, document: _Document, path: str
) -> list[str]:
    values = [_primitive(node, kind, document, path) for node in nodes]
    twins = [_twin(node, document, path) if kind != "xhtml" else None for node in nodes]
    members = []
    for label, items in ((name, values), (f"_{name}", twins)):
        if any(item is not None for item in items):
            listed = ",".join(item or "null" for item in items)
            members.append(f'"{label}":[{listed}]' if many else f'"{label}":{listed}')
    if not members or any(value is None and twin is None for value, twin in zip(values, twins, strict=True)):
        raise NotConvertible(f"{path}: empty")
    return members


def _primitive(node: Node, kind: str, document: _Document, path: str) -> str | None:
    if kind == "xhtml":
        return _text(_narrative(node, document, path))
    value = node.attributes.get("value")
    if value is None:
        return None
    form = _NUMBERS.get(kind)
    fits = form.match(value) if form else (value in ("true", "false") if kind == "boolean" else bool(value))
    if not fits:
        raise NotConvertible(f"{path}: not a {kind}")
    return value if form or kind == "boolean" else _text(value)


def _twin(node: Node, document: _Document, path: str) -> str | None:
    """Write what a primitive carries beside its value: ``id`` and extensions."""
    members = []
    if "id" in node.attributes:
        members.append(f'"id":{_text(node.attributes["id"])}')
    if any(child.name != "extension" or child.namespace != FHIR for child in node.children):
        raise NotConvertible(f"{path}: unknown element")
    if node.children:
        written = ",".join(
            _complex(child, "Extension", document, f"{path}.extension") for child in node.children
        )
        members.append(f'"extension":[{written}]')
    return "{" + ",".join(members) + "}" if members else None


def _narrative(node: Node, document: _Document, path: str) -> str:
    words = document.data[node.start : node.end].decode("utf-8")
    if not _DIV_START.match(words):
        raise NotConvertible(f"{path}: prefixed narrative")
    head = words[: words.index(">")]
    return words if "xmlns=" in head else words.replace("<div", f'<div xmlns="{XHTML}"', 1)


def _text(value: str) -> str:
    return json.dumps(value, ensure_ascii=False)
