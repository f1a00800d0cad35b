"""The facts of R4 that checking needs, as frozen types over the tables in ``assets/fhir``.

Everything is looked up by type name and kept; nothing is loaded before the first look-up.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from pgo.health.assets import load_table

ELEMENT = "Element"
"""The twin ``_name`` of a primitive: an id and extensions. Source: https://hl7.org/fhir/R4/element.html"""


@dataclass(frozen=True, slots=True)
class Element:
    """One element of a type.

    Attributes:
        name: As in JSON, ``valueQuantity`` for one of a choice.
        kind: Type name; a small first letter means a primitive, ``Resource`` any resource.
        many: Whether it is a list.
        required: Whether it must be there.
        choice: Name of the choice it belongs to (``value``), or empty.
        value_set: Name of the value set of a required binding, for ``codes_of``; empty when nothing is bound.
    """

    name: str
    kind: str
    many: bool
    required: bool
    choice: str
    value_set: str

    @property
    def primitive(self) -> bool:
        """Whether its values are JSON texts, numbers or booleans."""
        return self.kind[0].islower()


@cache
def resource_types() -> frozenset[str]:
    """Names of the resource types of R4."""
    return frozenset(_elements()["resources"])


@cache
def elements_of(kind: str) -> Mapping[str, Element]:
    """Elements of a data type, a resource type or a backbone element, by name, in the order of R4."""
    if kind == ELEMENT:
        rows: Mapping[str, str] = {"id": "string", "extension": "Extension*"}
    else:
        rows = _elements()["types"][kind]
    groups: list[str] = _elements()["choices"].get(kind, [])
    return {name: _element(kind, name, row, groups) for name, row in rows.items()}


@cache
def required_choices(kind: str) -> tuple[tuple[str, ...], ...]:
    """Element names of each choice of which one must be there."""
    return tuple(
        names
        for group, names in choices_of(kind).items()
        if group in _elements()["required_choices"].get(kind, ())
    )


@cache
def choices_of(kind: str) -> Mapping[str, tuple[str, ...]]:
    """Choice to the names of its elements (``value`` to ``valueQuantity``, ...)."""
    found: dict[str, tuple[str, ...]] = {}
    for element in elements_of(kind).values():
        if element.choice:
            found[element.choice] = (*found.get(element.choice, ()), element.name)
    return found


@cache
def codes_of(value_set: str) -> frozenset[tuple[str, str]]:
    """What a value set allows, as (system, code)."""
    listed: Mapping[str, list[str]] = _bindings()["value_sets"][value_set]
    return frozenset((system, code) for system, codes in listed.items() for code in codes)


@cache
def words_of(value_set: str) -> frozenset[str]:
    """What a value set allows where only the code is written."""
    return frozenset(code for _, code in codes_of(value_set))


def _element(owner: str, name: str, row: str, groups: list[str]) -> Element:
    kind = row.rstrip("*!")
    choice = next((group for group in groups if name == group + kind[0].upper() + kind[1:]), "")
    value_set: str = _bindings()["bindings"].get(f"{owner}.{name}", "")
    return Element(name, kind, "*" in row, "!" in row, choice, value_set)


def _elements() -> Any:
    return load_table("fhir/r4-elements.json")


def _bindings() -> Any:
    return load_table("fhir/r4-bindings.json")
