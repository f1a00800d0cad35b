"""The R4 object that is being made: takes items where R4 has room for them, keeps the rest in extensions.

Items are collected per element and written in the order of the standard at the end, so that the same source
always gives the same bytes.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from pgo.health.record.stu3.tables import ABSENT_URL, Spec, r4_choices, r4_type


@dataclass(frozen=True, slots=True)
class Item:
    """One value of an element: an object, or a primitive with the object beside it (``_name``)."""

    value: Any
    twin: Mapping[str, Any] | None = None


@dataclass(slots=True)
class Target:
    """An R4 object in the making; ``kind`` is its R4 type."""

    kind: str
    elements: dict[str, list[Item]] = field(default_factory=dict)
    inner: dict[str, Target] = field(default_factory=dict)
    overrides: dict[str, str] = field(default_factory=dict)

    def spec(self, name: str) -> Spec | None:
        """Give the form R4 has for an element, or ``None``."""
        return r4_type(self.kind).get(name)

    def put(self, name: str, items: list[Item]) -> bool:
        """Add items of one element; ``False``, and nothing added, when R4 has no room for them."""
        spec = self.spec(name)
        present = self.elements.get(name, [])
        if spec is None or (not spec.many and len(present) + len(items) > 1):
            return False
        self.elements[name] = [*present, *items]
        return True

    def within(self, name: str) -> Target:
        """Give the object below an element that several STU3 elements share."""
        spec = self.spec(name)
        if spec is None:
            raise ValueError(f"no element {name} in {self.kind}")
        return self.inner.setdefault(name, Target(spec.kind))

    def keep(self, extensions: Iterable[Mapping[str, Any]]) -> None:
        """Add extensions that carry what R4 has no place for."""
        self.elements.setdefault("extension", []).extend(Item(one) for one in extensions)

    def emit(self, *, demanded: frozenset[str]) -> dict[str, Any]:
        """Write the object.

        Args:
            demanded: Elements whose absence is a fault of the source, so they are not marked absent.
        """
        for name, shared in self.inner.items():
            made = shared.emit(demanded=frozenset()) if shared.elements else None
            if made is not None and not self.put(name, [Item(made)]):
                raise ValueError(f"two ways to make {self.kind}.{name}")
        self._mark_absent(demanded)
        body: dict[str, Any] = {}
        for name, spec in r4_type(self.kind).items():
            if name in self.elements:
                _write(body, name, spec, self.elements[name])
        return body

    def _mark_absent(self, demanded: frozenset[str]) -> None:
        """Mark what R4 demands and STU3 did not (https://hl7.org/fhir/R4/extension-data-absent-reason.html)."""
        for name, spec in r4_type(self.kind).items():
            if spec.required and name not in self.elements and name not in demanded:
                self.elements[name] = [_absent(spec)]
        for names in r4_choices(self.kind):
            if demanded.isdisjoint(names) and not any(name in self.elements for name in names):
                chosen = next((name for name in names if r4_type(self.kind)[name].primitive), names[0])
                self.elements[chosen] = [_absent(r4_type(self.kind)[chosen])]


def _absent(spec: Spec) -> Item:
    reason = {"extension": [{"url": ABSENT_URL, "valueCode": "unknown"}]}
    return Item(None, reason) if spec.primitive else Item(reason)


def _write(body: dict[str, Any], name: str, spec: Spec, items: list[Item]) -> None:
    if not spec.primitive:
        body[name] = [item.value for item in items] if spec.many else items[0].value
        return
    for label, values in ((name, [i.value for i in items]), (f"_{name}", [i.twin for i in items])):
        if any(value is not None for value in values):
            body[label] = values if spec.many else values[0]
