"""Read one STU3 object by the table of the standard: what is not in it, or has another form, is refused."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from pgo.health.record.stu3.tables import NotConvertible, Spec, stu3_type
from pgo.health.record.stu3.target import Item


@dataclass(frozen=True, slots=True)
class Element:
    """One element of an STU3 object: its name, type, path and items.

    Attributes:
        is_part: the type is a part of a resource (``ObservationComponent``), not a data type.
    """

    name: str
    kind: str
    path: str
    items: list[Item]
    is_part: bool

    @property
    def primitive(self) -> bool:
        """Whether it holds values, not objects."""
        return self.kind[0].islower()


def elements_of(source: Mapping[str, Any], kind: str, path: str) -> Iterator[Element]:
    """Give the elements of an object in its own order.

    Raises:
        NotConvertible: ``bad_structure`` for an element that STU3 does not have, or not in this form.
    """
    specs = stu3_type(kind)
    done: set[str] = set()
    for label in source:
        name = label.removeprefix("_") if label not in specs else label
        spec = specs.get(name)
        if spec is None or (label != name and not spec.primitive):
            raise NotConvertible("bad_structure", f"{path}: unknown element")
        if name not in done:
            done.add(name)
            where = f"{path}.{name}"
            items = _items(source.get(name), source.get(f"_{name}"), spec, where)
            yield Element(name, spec.kind, where, items, is_part=_is_part(spec.kind, path))


def _is_part(kind: str, path: str) -> bool:
    root = path.partition(".")[0]
    return kind != root and kind.startswith(root)


def _items(value: Any, twin: Any, spec: Spec, where: str) -> list[Item]:
    if spec.many:
        values = value if value is not None else []
        twins = twin if twin is not None else []
        if not isinstance(values, list) or not isinstance(twins, list):
            raise NotConvertible("bad_structure", where)
        longest = max(len(values), len(twins))
        values = [*values, *[None] * (longest - len(values))]
        twins = [*twins, *[None] * (longest - len(twins))]
    else:
        values, twins = [value], [twin]
    return [_item(one, beside, spec, where) for one, beside in zip(values, twins, strict=True)]


def _item(value: Any, twin: Any, spec: Spec, where: str) -> Item:
    if twin is not None and not (spec.primitive and isinstance(twin, Mapping)):
        raise NotConvertible("bad_structure", where)
    if value is None and twin is None:
        raise NotConvertible("bad_structure", where)
    if isinstance(value, list) or (value is not None and isinstance(value, Mapping) is spec.primitive):
        raise NotConvertible("bad_structure", where)
    return Item(value, twin)
