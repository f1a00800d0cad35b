"""Make msgspec structures of the facts of R4: what decodes into one has no issue in it.

They refuse more than the standard does (a required primitive must be there itself, not only its twin), never
less. How they stay fast (figures in ``docs/performance.md``):

1. A code of a required binding is a ``Literal``: one look-up in C. A pattern costs a call into ``re``.
2. In the types that make up most of a record (``Coding``, ``Quantity``) one look at system and code together
   replaces a pattern for each. It looks for the space only; ``quick`` makes spaces of its relatives, and what
   it refuses too much (a code of two words) is left to the walk.
3. A choice is counted in the structure itself, only in types that have one.
4. A resource inside a resource is cut out, not decoded.
5. Structures are made when the first resource of a type comes by, and kept.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from operator import attrgetter
from typing import Annotated, Any, ForwardRef, Literal, Optional, Union

import msgspec
from msgspec import UNSET, Meta, UnsetType

from pgo.health.fhir_r4.facts import (
    ELEMENT,
    Element,
    choices_of,
    codes_of,
    elements_of,
    resource_types,
    words_of,
)
from pgo.health.fhir_r4.lexical import FORMS, NUMBERS

Check = Callable[[Any], None]

_MARK = "e_"  # some elements are called like words of Python (``class``, ``import``)
CONTAINED = f"{_MARK}contained"
"""Attribute of a decoded resource that holds the raw bytes of its contained resources."""

_TEXT = Annotated[str, Meta(min_length=1)]
_FREE_TEXT = frozenset({"string", "markdown", "xhtml"})
_BYTES = Annotated[bytes, Meta(min_length=1)]
_NATIVE: dict[str, Any] = {
    "boolean": bool,
    "decimal": float,
    "base64Binary": _BYTES,
    "Resource": msgspec.Raw,
}
_NO_SPACE = frozenset({"uri", "code"})
_SYSTEM_AND_CODE = frozenset({"system", "code"})
# Every record is full of these, and hardly one has a twin: smaller structures, and the few go to the walk.
# (So do the twins of a choice, which count as one of its values.)
_WITHOUT_TWINS = frozenset(
    {"CodeableConcept", "Coding", "Extension", "Meta", "Narrative", "Quantity", "Reference"}
)
# Dutch names and addresses have the parts of a name or a street in the twins of these lists. The twins of
# other lists are rare and left to the walk.
_LISTED_TWINS = {"HumanName": "given", "Address": "line"}

made: dict[str, Any] = {}
"""Structure by name; annotations refer to it, because the types of R4 refer to each other in rings."""


@cache
def structure(kind: str) -> Any:
    """Make the structure of a resource type, and those it is built of."""
    waiting = [kind, ELEMENT]
    while waiting:
        name = waiting.pop()
        if name in made:
            continue
        made[name] = _structure(name)
        members = elements_of(name).values()
        waiting.extend(one.kind for one in members if not one.primitive and one.kind not in _NATIVE)
    return made[kind]


def _structure(kind: str) -> Any:
    checks = _choice_checks(kind)
    together = _SYSTEM_AND_CODE if _without_white_space(kind) >= _SYSTEM_AND_CODE else frozenset[str]()
    if together:
        checks.append(_system_and_code)
    if kind in _LISTED_TWINS:
        checks.append(_as_many(_LISTED_TWINS[kind]))
    return _defined(kind, kind, together, checks)


def _bound(element: Element) -> str:
    """Make the structure of a concept of which one coding must be of a value set."""
    name = f"{element.kind} of {element.value_set}"
    if name not in made:
        system, code, coding = (f"{_MARK}{word}" for word in ("system", "code", "coding"))
        codes = codes_of(element.value_set)

        def is_listed(value: Any) -> None:
            given = getattr(value, coding) if element.kind == "CodeableConcept" else (value,)
            if not any((getattr(one, system), getattr(one, code)) in codes for one in given):
                raise ValueError

        made[name] = _defined(name, element.kind, frozenset(), [is_listed])
    return name


def _defined(name: str, kind: str, together: frozenset[str], checks: list[Check]) -> Any:
    # In the order of the standard and the twins last: the decoder looks for the next member where it found
    # the one before, and nearly all JSON has this order.
    rows: list[Any] = [("resourceType", Literal[kind])] if kind in resource_types() else []
    twins: list[Any] = []
    for element in elements_of(kind).values():
        type_: Any = _TEXT if element.name in together else _type(element)
        if element.many:
            type_ = Annotated[list[type_], Meta(min_length=1)]
        if element.required:
            rows.append((element.name, type_))
        elif element.name in together:
            rows.append((element.name, type_, ""))
        else:
            rows.append((element.name, Union[type_, UnsetType], UNSET))  # noqa: UP007 (a name yet to come)
        if element.primitive and not (element.many or element.choice or kind in _WITHOUT_TWINS):
            twins.append((f"_{element.name}", Union[_reference(ELEMENT), UnsetType], UNSET))  # noqa: UP007
    if kind in _LISTED_TWINS:
        listed: Any = list[Optional[_reference(ELEMENT)]]  # type: ignore[misc]  # noqa: UP045
        twins.append((f"_{_LISTED_TWINS[kind]}", Union[listed, UnsetType], UNSET))  # noqa: UP007
    fields = [(f"{_MARK}{word}", *rest) for word, *rest in (*rows, *twins)]
    return msgspec.defstruct(
        f"R4 {name}",
        fields,
        rename={field: field.removeprefix(_MARK) for field, *_ in fields},
        namespace={"__post_init__": _one_after_the_other(checks)} if checks else {},
        module=__name__,
        forbid_unknown_fields=True,
        kw_only=True,
        gc=False,
    )


def _type(element: Element) -> Any:
    kind = element.kind
    if kind in _FREE_TEXT:
        return _TEXT
    if kind in _NATIVE:
        return _NATIVE[kind]
    if kind in NUMBERS:
        least, most = NUMBERS[kind]
        return Annotated[int, Meta(ge=least, le=most)]
    if kind == "code" and element.value_set:
        return Literal[tuple(sorted(words_of(element.value_set)))]
    if element.primitive:
        return Annotated[str, Meta(pattern=rf"\A(?:{FORMS[kind]})\Z")]
    return _reference(_bound(element) if element.value_set else kind)


def _reference(name: str) -> Any:
    return ForwardRef(f"made[{name!r}]", module=__name__)


def _without_white_space(kind: str) -> set[str]:
    """Name the members of a type that hold one text without white space, from no list."""
    return {
        one.name
        for one in elements_of(kind).values()
        if one.kind in _NO_SPACE and not (one.many or one.required or one.choice or one.value_set)
    }


def _system_and_code(value: Any) -> None:
    if " " in value.e_system or " " in value.e_code:
        raise ValueError


def _as_many(name: str) -> Check:
    values, twins = f"{_MARK}{name}", f"{_MARK}_{name}"

    def check(value: Any) -> None:
        listed = getattr(value, twins)
        if listed is not UNSET and (len(listed) != len(getattr(value, values)) or not any(listed)):
            raise ValueError

    return check


def _choice_checks(kind: str) -> list[Check]:
    if kind == "Extension":
        return [_extension]
    groups = [(_reader(names), len(names) - 1) for names in choices_of(kind).values() if len(names) > 1]

    def at_most_one_of_each(value: Any) -> None:
        for members, others in groups:
            if members(value).count(UNSET) < others:
                raise ValueError

    return [at_most_one_of_each] if groups else []


def _extension(value: Any) -> None:
    # An address and one thing more, be it a value or extensions, is what nearly all extensions have. Anything
    # else (an id as well, a value without its address, nothing but the address) is left to the walk.
    members = msgspec.structs.astuple(value)
    if len(members) - members.count(UNSET) != 2 or value.e_id is not UNSET:
        raise ValueError


def _reader(names: tuple[str, ...]) -> Callable[[Any], tuple[Any, ...]]:
    return attrgetter(*(f"{_MARK}{name}" for name in names))


def _one_after_the_other(checks: list[Check]) -> Check:
    if len(checks) == 1:
        return checks[0]

    def check(value: Any) -> None:
        for one in checks:
            one(value)

    return check
