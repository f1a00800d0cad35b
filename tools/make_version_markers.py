"""Make assets/fhir/version-markers.json: by what a resource of STU3 or R5 gives itself away.

The markers are the types and the top-level elements that exist in STU3 or R5 in a form that R4 does not
have. R4 comes from ``assets/fhir/r4-elements.json`` (``tools/make_r4_validator.py``), the other releases
from the models of the ``fhir.resources`` package.

Run: ``python tools/make_version_markers.py`` (writes), ``--check`` (compares).
"""

from __future__ import annotations

import importlib
import json
import pkgutil
import sys
import typing
from pathlib import Path
from typing import Any

ASSETS = Path(__file__).resolve().parents[1] / "assets" / "fhir"

ABSTRACT = ("Resource", "DomainResource")
PRIMITIVES = {
    "Base64Binary": "base64Binary", "Boolean": "boolean", "Canonical": "canonical", "Code": "code",
    "Date": "date", "DateTime": "dateTime", "Decimal": "decimal", "Id": "id", "Instant": "instant",
    "Integer": "integer", "Integer64": "integer64", "Markdown": "markdown", "Oid": "oid",
    "PositiveInt": "positiveInt", "String": "string", "Time": "time", "UnsignedInt": "unsignedInt",
    "Uri": "uri", "Url": "url", "Uuid": "uuid", "UuidVersion": "uuid", "Xhtml": "xhtml",
}  # fmt: skip


class Element(typing.NamedTuple):
    """One element of a type: its name, its type, list or not, required or not, and its choice group."""

    name: str
    type: str
    many: bool
    required: bool
    choice: str | None


def models(package: str) -> dict[str, Any]:
    """Give every model class of a release by its FHIR type name (``ObservationComponent`` style)."""
    root = importlib.import_module(package)
    found: dict[str, Any] = {}
    for module in pkgutil.iter_modules(root.__path__):
        if module.ispkg or module.name in ("fhirtypes", "fhirtypesvalidators"):
            continue
        for value in vars(importlib.import_module(f"{package}.{module.name}")).values():
            own = getattr(value, "__module__", "") == f"{package}.{module.name}"
            if own and isinstance(value, type) and hasattr(value, "elements_sequence"):
                found[value.__name__] = value
    return found


def kind_of(annotation: Any) -> tuple[str, bool] | None:
    """Read (type name, is a list) from a model annotation; ``None`` when it is no FHIR type."""
    if annotation is bool:
        return "boolean", False
    origin, parts = typing.get_origin(annotation), typing.get_args(annotation)
    if origin is list:
        inner = kind_of(parts[0])
        return (inner[0], True) if inner else None
    for mark in getattr(annotation, "__metadata__", ()):
        if type(mark).__name__ in PRIMITIVES:
            return PRIMITIVES[type(mark).__name__], False
    if origin is None:
        name = getattr(annotation, "__name__", "")
        return (name.removesuffix("Type"), False) if name.endswith("Type") and name != "NoneType" else None
    return next((found for part in parts if (found := kind_of(part))), None)


def elements(model: Any) -> list[Element]:
    """Give the elements of one model in the order of the standard."""
    by_alias = {field.alias or name: field for name, field in model.model_fields.items()}
    rows = []
    for name in model.elements_sequence():
        field = by_alias[name]
        kind = kind_of(field.annotation)
        if kind is None:
            raise SystemExit(f"no type for {model.__name__}.{name}: {field.annotation!r}")
        extra = field.json_schema_extra or {}
        needed = bool(extra.get("element_required")) or field.is_required()
        choice = extra.get("one_of_many")
        if choice and extra.get("one_of_many_required"):
            rows.append(Element(name, kind[0], kind[1], False, f"{choice}!"))
        else:
            rows.append(Element(name, kind[0], kind[1], needed and not choice, choice))
    return rows


def is_resource(model: Any) -> bool:
    """Say whether a model is a resource (it has the elements of ``Resource``) and not a data type."""
    return any(base.__name__ == "Resource" for base in model.__mro__)


def shape(kind: str, many: bool) -> str:
    """Give the JSON shape letter: p primitive, o object, upper case for a list."""
    letter = "p" if kind[0].islower() else "o"
    return letter.upper() if many else letter


def markers(package: str, table: dict[str, Any]) -> dict[str, Any]:
    """Find what another release has and R4 has not: types, and top-level elements with their shape."""
    known = set(table["resources"])
    only_types, per_type, ours_only = [], {}, {}
    for name, model in sorted(models(package).items()):
        if not is_resource(model) or name in ABSTRACT:
            continue
        if name not in known:
            only_types.append(name)
            continue
        ours = table["types"].get(name)
        if ours is None:
            continue
        own = {key: shape(kind.rstrip("!*"), "*" in kind) for key, kind in ours.items()}
        theirs = {element.name: shape(element.type, element.many) for element in elements(model)}
        found = {key: letter for key, letter in theirs.items() if own.get(key) != letter}
        if found:
            per_type[name] = found
            ours_only[name] = sorted(key for key, letter in own.items() if theirs.get(key) != letter)
    return {"types": only_types, "elements": per_type, "r4_only": ours_only}


def spelled(value: dict[str, Any], depth: int) -> str:
    """Write one member per line down to a depth, compact below: small, and diffs stay readable."""
    if depth == 0 or not isinstance(value, dict) or not value:
        return json.dumps(value)
    rows = (f"{json.dumps(key)}: {spelled(member, depth - 1)}" for key, member in value.items())
    return "{\n" + ",\n".join(rows) + "\n}"


def build() -> dict[Path, str]:
    """Give the text of the file."""
    table = json.loads((ASSETS / "r4-elements.json").read_bytes())
    marks = {
        "made_by": "tools/make_version_markers.py from the models of fhir.resources, beside R4 4.0.1",
        "notation": "p primitive, o object, upper case for a list; only what R4 does not have in that form",
        "stu3": markers("fhir.resources.STU3", table),
        "r5": markers("fhir.resources", table),
    }
    return {ASSETS / "version-markers.json": spelled(marks, 3) + "\n"}


def main() -> int:
    """Write the files, or compare them when asked with ``--check``."""
    check = "--check" in sys.argv[1:]
    stale = 0
    for path, text in build().items():
        if check:
            stale += int(not path.exists() or path.read_text(encoding="utf-8") != text)
        else:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
    return 1 if stale else 0


if __name__ == "__main__":
    sys.exit(main())
