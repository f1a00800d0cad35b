"""Make assets/fhir/r4-elements.json and assets/fhir/version-markers.json.

The element table (type -> element -> type, list or not, required or not, in the order of the standard)
is what the XML reader and the light shape check of ``pgo.health.record`` need. It comes from the R4B
models of the ``fhir.resources`` package, which agree with R4 4.0.1 for every type they share except the
ones corrected below (HL7 FHIR R4B, https://hl7.org/fhir/R4B/diff.html). The markers are the top-level
elements that exist in STU3 or R5 in a form that R4 does not have.

Rules:
1. ``Evidence`` and ``EvidenceVariable`` were redesigned in R4B; their R4 form is not in the models, so they
   are listed as R4 types without an element table (JSON is read, XML is set aside).
2. Types that came with R4B are left out; R4 types that R4B dropped are listed by name only.
3. ``CodeableReference`` and ``RatioRange`` did not exist in R4 and are left out with the elements that use
   them.
4. ``ActivityDefinition.subjectCanonical`` and ``PlanDefinition.subjectCanonical`` came with R4B and are
   left out.

Run: ``python tools/make_r4_elements.py`` (writes), ``python tools/make_r4_elements.py --check`` (compares).
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

# R4 4.0.1 resource types that the R4B models lack. Source: https://hl7.org/fhir/R4/resourcelist.html
R4_ONLY = (
    "EffectEvidenceSynthesis",
    "RiskEvidenceSynthesis",
    "MedicinalProduct",
    "MedicinalProductAuthorization",
    "MedicinalProductContraindication",
    "MedicinalProductIndication",
    "MedicinalProductIngredient",
    "MedicinalProductInteraction",
    "MedicinalProductManufactured",
    "MedicinalProductPackaged",
    "MedicinalProductPharmaceutical",
    "MedicinalProductUndesirableEffect",
    "SubstanceNucleicAcid",
    "SubstancePolymer",
    "SubstanceProtein",
    "SubstanceReferenceInformation",
    "SubstanceSourceMaterial",
    "SubstanceSpecification",
)
# Types that came with R4B. Source: https://hl7.org/fhir/R4B/diff.html
R4B_NEW = (
    "AdministrableProductDefinition",
    "Citation",
    "ClinicalUseDefinition",
    "EvidenceReport",
    "Ingredient",
    "ManufacturedItemDefinition",
    "MedicinalProductDefinition",
    "NutritionProduct",
    "PackagedProductDefinition",
    "RegulatedAuthorization",
    "SubscriptionStatus",
    "SubscriptionTopic",
    "SubstanceDefinition",
)
REDESIGNED = ("Evidence", "EvidenceVariable")
NOT_R4_ELEMENTS = {("ActivityDefinition", "subjectCanonical"), ("PlanDefinition", "subjectCanonical")}
NOT_R4_DATATYPES = ("CodeableReference", "RatioRange")
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


def element_table() -> dict[str, Any]:
    """Build the R4 element table."""
    r4b = models("fhir.resources.R4B")
    left_out = (*R4B_NEW, *NOT_R4_DATATYPES, *REDESIGNED)
    types: dict[str, dict[str, str]] = {}
    choices: dict[str, list[str]] = {}
    resources = {*R4_ONLY, *REDESIGNED}
    for name, model in sorted(r4b.items()):
        if name.startswith(left_out):
            continue
        if is_resource(model) and name not in ABSTRACT:
            resources.add(name)
        rows = [e for e in elements(model) if e.type not in NOT_R4_DATATYPES]
        rows = [e for e in rows if (name, e.name) not in NOT_R4_ELEMENTS]
        types[name] = {e.name: e.type + ("*" if e.many else "") + ("!" if e.required else "") for e in rows}
        needed = sorted({e.choice[:-1] for e in rows if e.choice and e.choice.endswith("!")})
        if needed:
            choices[name] = needed
    return {
        "fhir": "4.0.1",
        "made_by": "tools/make_r4_elements.py from the R4B models of fhir.resources, corrected to R4",
        "notation": "type, * = list, ! = at least one; order as in the standard",
        "resources": sorted(resources),
        "types": types,
        "required_choices": choices,
    }


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
    """Give the text of both files."""
    table = element_table()
    marks = {
        "made_by": table["made_by"],
        "notation": "p primitive, o object, upper case for a list; only what R4 does not have in that form",
        "stu3": markers("fhir.resources.STU3", table),
        "r5": markers("fhir.resources", table),
    }
    return {
        ASSETS / "r4-elements.json": spelled(table, 2) + "\n",
        ASSETS / "version-markers.json": spelled(marks, 3) + "\n",
    }


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
