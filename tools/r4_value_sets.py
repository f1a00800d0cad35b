"""Expand the value sets of R4 that bind codes, as far as they can be enumerated from their own definitions.

A value set that names a code system outside the package (languages, media types, units), or a filter, has
no finite list here: ``short_name`` gives ``None`` and nothing is bound. Nothing is guessed.

Source: HL7 FHIR R4, https://hl7.org/fhir/R4/valueset.html (compose), /terminologies.html#required
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

Codes = dict[str, list[str]]


class ValueSets:
    """Value sets and code systems by address, and what they expand to."""

    def __init__(self, resources: Iterable[dict[str, Any]]) -> None:
        self._sets: dict[str, dict[str, Any]] = {}
        self._systems: dict[str, dict[str, Any]] = {}
        for one in resources:
            kept = self._sets if one["resourceType"] == "ValueSet" else self._systems
            kept[one["url"]] = one
        self._expanded: dict[str, Codes] = {}

    def short_name(self, address: str) -> str | None:
        """Name a value set that can be enumerated; ``None`` for any other."""
        url = address.partition("|")[0]
        codes = self._expand(url, ())
        if not codes:
            return None
        name = url.rpartition("/")[2]
        if self._expanded.setdefault(name, codes) != codes:
            raise SystemExit(f"two value sets are called {name}")
        return name

    def codes(self, name: str) -> Codes:
        """Give the codes of a value set that ``short_name`` named, per code system, sorted."""
        return {system: sorted(set(codes)) for system, codes in sorted(self._expanded[name].items())}

    def _expand(self, url: str, on_the_way: tuple[str, ...]) -> Codes | None:
        found = self._sets.get(url)
        if found is None or url in on_the_way or found.get("compose", {}).get("exclude"):
            return None
        codes: Codes = {}
        for part in found.get("compose", {}).get("include", ()):
            more = self._part(part, (*on_the_way, url))
            if more is None:
                return None
            for system, listed in more.items():
                codes.setdefault(system, []).extend(listed)
        return codes

    def _part(self, part: dict[str, Any], on_the_way: tuple[str, ...]) -> Codes | None:
        if part.get("filter") or ("valueSet" in part and "system" in part):
            return None
        if "valueSet" in part:
            found = [self._expand(url.partition("|")[0], on_the_way) for url in part["valueSet"]]
            return found[0] if len(found) == 1 else None
        if "concept" in part:
            return {part["system"]: [one["code"] for one in part["concept"]]}
        system = self._systems.get(part["system"])
        if system is None or system.get("content") != "complete" or not system.get("concept"):
            return None
        return {part["system"]: list(_all_codes(system["concept"]))}


def _all_codes(concepts: Iterable[dict[str, Any]]) -> Iterable[str]:
    for concept in concepts:
        yield concept["code"]
        yield from _all_codes(concept.get("concept", ()))
