"""The tables of the STU3 converter, as types: what STU3 and R4 know, and the rule of each element."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from pgo.health.assets import load_table

KEPT_URL = "http://hl7.org/fhir/3.0/StructureDefinition/extension-"
"""Start of the address under which R4 keeps an STU3 element. https://hl7.org/fhir/R4/versions.html#extensions"""

ABSENT_URL = "http://hl7.org/fhir/StructureDefinition/data-absent-reason"

_OLD_SYSTEM = "http://hl7.org/fhir/"
_NEW_SYSTEM = "http://terminology.hl7.org/CodeSystem/"


class NotConvertible(Exception):
    """A resource does not fit STU3 or the rules; ``detail`` is the path of known element names."""

    def __init__(self, code: str, detail: str) -> None:
        """Keep code and detail; neither holds anything of the person."""
        super().__init__(f"{code} {detail}")
        self.code = code
        self.detail = detail


@dataclass(frozen=True, slots=True)
class Spec:
    """Form of one element: its type, list or not, demanded or not."""

    kind: str
    many: bool
    required: bool

    @property
    def primitive(self) -> bool:
        """Whether it is a value, not an object."""
        return self.kind[0].islower()


@dataclass(frozen=True, slots=True)
class Rule:
    """How one STU3 element travels; the members are those of the notation in ``stu3-rules.json``."""

    to: str
    into: str = ""
    codes: Mapping[str, str] | None = None
    concept: str = ""
    only: str = ""
    form: str = ""
    flag: Mapping[str, str] | None = None
    when: str = ""
    spread: bool = False
    split: Mapping[str, Any] | None = None
    keep: bool = False
    modifier: bool = False
    overflow: str = ""
    unless: str = ""
    coverage_class: str = ""
    name: str = ""
    blurred: tuple[str, ...] = ()
    also: Rule | None = None


@cache
def stu3_type(kind: str) -> Mapping[str, Spec]:
    """Give the elements of an STU3 type; empty for a type that no rule needs."""
    return _specs("fhir/stu3-elements.json", kind)


@cache
def r4_type(kind: str) -> Mapping[str, Spec]:
    """Give the elements of an R4 type; empty for an unknown one."""
    return _specs("fhir/r4-elements.json", kind)


def _specs(table: str, kind: str) -> Mapping[str, Spec]:
    rows: Mapping[str, str] = load_table(table)["types"].get(kind, {})
    return {name: Spec(text.rstrip("!*"), "*" in text, text.endswith("!")) for name, text in rows.items()}


@cache
def r4_choices(kind: str) -> tuple[tuple[str, ...], ...]:
    """Give the demanded choices of an R4 type: of each group one member must be there."""
    groups = load_table("fhir/r4-elements.json")["required_choices"].get(kind, ())
    names = r4_type(kind)
    return tuple(tuple(name for name in names if _in_group(name, group)) for group in groups)


def _in_group(name: str, group: str) -> bool:
    return name.startswith(group) and name[len(group) :][:1].isupper()


def resource_targets() -> Mapping[str, str]:
    """Give the R4 type of each STU3 resource type that has rules."""
    targets: Mapping[str, str] = load_table("fhir/stu3-rules.json")["resources"]
    return targets


@cache
def target_type(kind: str) -> str:
    """Give the R4 name of an STU3 type; most keep theirs."""
    named: str = _rows(kind).get("@to") or resource_targets().get(kind, kind)
    return named


@cache
def rules_of(kind: str) -> Mapping[str, Rule]:
    """Give the rules of one STU3 type, by element."""
    return {name: _rule(name, row) for name, row in _rows(kind).items() if name != "@to"}


def _rows(kind: str) -> Mapping[str, Any]:
    rows: Mapping[str, Any] = load_table("fhir/stu3-rules.json")["types"].get(kind, {})
    return rows


def _rule(name: str, row: Mapping[str, Any]) -> Rule:
    codes = row.get("codes")
    return Rule(
        to=row.get("to", name),
        into=row.get("into", ""),
        codes=dict(zip(codes, codes, strict=True)) if isinstance(codes, list) else codes,
        concept=row.get("concept", ""),
        only=row.get("only", ""),
        form=row.get("as", ""),
        flag=row.get("flag"),
        when=row.get("when", ""),
        spread=bool(row.get("spread")),
        split=row.get("split"),
        keep="keep" in row,
        modifier=bool(row.get("modifier")),
        overflow=row.get("overflow", ""),
        unless=row.get("unless", ""),
        coverage_class=row.get("class", ""),
        name=row.get("name", ""),
        blurred=tuple(row.get("blurred", ())),
        also=_rule(name, row["also"]) if "also" in row else None,
    )


@cache
def required_in_stu3(kind: str) -> frozenset[str]:
    """Give the R4 names of the elements that STU3 demanded as well: their absence is a fault."""
    rules = rules_of(kind)
    return frozenset(
        rules[name].to if name in rules else name for name, spec in stu3_type(kind).items() if spec.required
    )


@cache
def moved_system(address: str) -> str:
    """Give the R4 address of a code system; unchanged when it did not move."""
    name = address.removeprefix(_OLD_SYSTEM)
    if name == address:
        return address
    family, _, rest = name.partition("/")
    if family in ("v2", "v3") and rest:
        return f"{_NEW_SYSTEM}{family}-{rest}"
    return _NEW_SYSTEM + name if name in _moved() else address


@cache
def _moved() -> frozenset[str]:
    return frozenset(load_table("fhir/stu3-elements.json")["moved_systems"])


@cache
def renamed_types() -> Mapping[str, str]:
    """Give the resource types that have another name in R4."""
    return {old: new for old, new in resource_targets().items() if old != new}
