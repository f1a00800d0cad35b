"""Classify one FHIR resource: categories, sensitive clusters, codes, dates, authors.

1. The resource type gives categories (`type_table`), for some types its category, code or profile.
2. Codes and names anywhere in it add clusters and categories (`sensitive_codes`).
3. `meta.security` adds clusters; a label never removes one.
4. Links: it inherits the clusters of what it names as reason, focus, diagnosis, result or part.
5. What a table cannot read (documents, attachments, free text alone, unknown types) is *opaque*:
   its sensitivity is unknown until somebody has looked. An ordinary coded resource outside the
   sensitive groups is not.

A deterministic table, versioned as `TABLE_VERSION`; never raises for odd content: what it cannot
read counts as unknown.

>>> facts = classify({"resourceType": "Immunization", "id": "i1", "occurrenceDateTime": "2024-05"})
>>> facts.reference, sorted(facts.categories)
('Immunization/i1', [<Category.VACCINATIONS: 'vaccinations'>])
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from functools import lru_cache
from types import MappingProxyType
from typing import Final

from consent import type_table as table
from consent.codes import Category, Sensitivity
from consent.dates import DateInterval
from consent.elements import at_path, choice, codings, days_of, references
from consent.facts import TABLE_VERSION, ResourceFacts
from consent.sensitive_codes import clusters_in_text, clusters_of, read_labels

__all__ = ["TABLE_VERSION", "ResourceFacts", "classify", "classify_all", "links_of"]

_NO_LINKS: Final[Mapping[str, ResourceFacts]] = MappingProxyType({})
_LOINC_IN_LINK: Final = re.compile(r"(?:^|/)(\d{1,6}-\d)$")
# The plain types first: asking an abstract class of every text costs more than all the rest of the walk.
_OBJECTS: Final = (dict, Mapping)
_CONTAINERS: Final = (dict, list, Mapping)
_MAX_DEPTH: Final = 64
# Systems of statuses, units and structure; they say nothing a person would limit a grant by.
_STRUCTURAL: Final = ("http://terminology.hl7.org/CodeSystem/", "http://unitsofmeasure.org", "urn:ietf:")


def classify(
    resource: Mapping[str, object], *, linked: Mapping[str, ResourceFacts] = _NO_LINKS
) -> ResourceFacts:
    """Classify one resource.

    Args:
        resource: a FHIR resource as read from JSON, untrusted.
        linked: facts of resources it may refer to, by "Type/id" or by full reference text.

    Returns:
        Its facts; with the type unknown, everything is possible and nothing certain.
    """
    facts = _own_facts(resource)
    for link in links_of(resource):
        facts = _inherit(facts, linked.get(link), content=False)
    for link in references(resource, table.CONTENT_LINKS):
        facts = _inherit(facts, linked.get(link), content=True)
    return facts


def _own_facts(resource: Mapping[str, object]) -> ResourceFacts:
    """Classify a resource by itself, its links not followed."""
    kind = resource.get("resourceType")
    resource_type = kind if isinstance(kind, str) else ""
    scan = _Scan()
    scan.walk(resource, 0)
    own = _own_categories(resource, resource_type, scan)
    categories = own | scan.categories
    named, unread_label = read_labels(_label_codes(resource))
    opaque = _is_opaque(resource, resource_type, scan)
    clusters = scan.clusters | clusters_in_text(scan.names) | named
    if Category.GENETICS in categories:
        clusters |= {Sensitivity.GENETIC}
    identifier = resource.get("id")
    return ResourceFacts(
        resource_type=resource_type,
        reference=f"{resource_type}/{identifier}" if isinstance(identifier, str) and resource_type else None,
        categories=categories,
        possible_categories=_possible(resource_type, own) - categories,
        sensitivity=clusters,
        sensitivity_unknown=opaque or unread_label,
        codes=frozenset(scan.codes),
        dates=_dates(resource, resource_type),
        author=frozenset(references(resource, table.AUTHORS)),
        encounter=frozenset(references(resource, table.ENCOUNTERS)),
        opaque=opaque,
    )


def classify_all(
    resources: Sequence[Mapping[str, object]], *, own: Sequence[ResourceFacts] | None = None
) -> list[ResourceFacts]:
    """Classify resources that may refer to each other, following links as far as they reach.

    Args:
        resources: as read from JSON, untrusted.
        own: what ``classify`` says of each of them alone, where that is known already.

    Returns:
        One facts object per resource, in order.
    """
    facts = [classify(resource) for resource in resources] if own is None else list(own)
    places: dict[str, list[int]] = {}
    for index, resource in enumerate(resources):
        for name in _names_of(resource, facts[index]):
            places.setdefault(name, []).append(index)
    users: dict[int, list[tuple[int, bool]]] = {}
    for index, resource in enumerate(resources):
        content = set(references(resource, table.CONTENT_LINKS))
        for link in links_of(resource):
            for target in places.get(link, ()):
                users.setdefault(target, []).append((index, link in content))
    waiting = list(range(len(facts)))
    while waiting:  # ends: clusters only grow, and there are nine of them
        target = waiting.pop()
        for user, content_link in users.get(target, ()):
            richer = _inherit(facts[user], facts[target], content=content_link)
            if richer != facts[user]:
                facts[user] = richer
                waiting.append(user)
    return facts


def links_of(resource: Mapping[str, object]) -> frozenset[str]:
    """Return the references whose clusters this resource inherits."""
    return frozenset(references(resource, table.LINKS))


class _Scan:
    """One walk over a resource that collects codings and the names beside them."""

    def __init__(self) -> None:
        self.codes: set[str] = set()
        self.names: set[str] = set()
        self.clusters: frozenset[Sensitivity] = frozenset()
        self.categories: frozenset[Category] = frozenset()
        self.attachment = False
        self.too_deep = False

    def walk(self, value: Mapping[str, object] | list[object], depth: int) -> None:
        """Visit every object below `value`; what lies too deep to visit counts as unread."""
        if depth > _MAX_DEPTH:
            self.too_deep = True
        elif isinstance(value, _OBJECTS):
            self._visit(value)
            for name, child in value.items():
                if not isinstance(child, str) and isinstance(child, _CONTAINERS) and name != "meta":
                    self.walk(child, depth + 1)
        else:
            for child in value:
                if not isinstance(child, str) and isinstance(child, _CONTAINERS):
                    self.walk(child, depth + 1)

    def _visit(self, item: Mapping[str, object]) -> None:
        code, system = item.get("code"), item.get("system")
        if isinstance(code, str) and isinstance(system, str):
            self._coding(system, code)
        for name in ("display", "text"):
            text = item.get(name)
            if isinstance(text, str):
                self.names.add(text)
        link_id = item.get("linkId")
        if isinstance(link_id, str) and (loinc := _LOINC_IN_LINK.search(link_id)):
            self._coding("http://loinc.org", loinc.group(1))
        if "contentType" in item and ("data" in item or "url" in item):
            self.attachment = True

    def _coding(self, system: str, code: str) -> None:
        if not system.startswith(_STRUCTURAL):
            self.codes.add(f"{system}|{code}")
        marks = clusters_of(system, code)
        self.clusters |= marks.sensitivity
        self.categories |= marks.categories


def _own_categories(resource: Mapping[str, object], kind: str, scan: _Scan) -> frozenset[Category]:
    if kind in table.TYPES:
        return _with_attachment(table.TYPES[kind], kind, scan)
    if kind == "Observation":
        return _observation(resource, scan)
    if kind == "DiagnosticReport":
        found = _by_category(resource) | _by_profile(resource) or frozenset({Category.LABS})
        return _with_attachment(found, kind, scan)
    if kind == "Media":
        return frozenset({Category.DOCUMENTS, Category.IMAGING})
    if kind == "List":
        return _by_profile(resource)
    if kind == "Consent":
        # Dutch treatment and advance directives are Consent resources: clinical data, not policy.
        scopes = {code for _, code in codings(resource.get("scope"))}
        clinical = bool(scopes & {"treatment", "adr"}) or Category.DIRECTIVES in _by_profile(resource)
        return frozenset({Category.DIRECTIVES} if clinical else {Category.DIRECTIVES, Category.ADMIN})
    return frozenset()


def _with_attachment(found: frozenset[Category], kind: str, scan: _Scan) -> frozenset[Category]:
    is_document = scan.attachment and kind in ("DiagnosticReport", "CarePlan")
    return found | {Category.DOCUMENTS} if is_document else found


def _observation(resource: Mapping[str, object], scan: _Scan) -> frozenset[Category]:
    found = _by_category(resource) | _by_profile(resource)
    own = {f"{system}|{code}" for system, code in codings(resource.get("code"))}
    if own & table.VITAL_CODES:
        found |= {Category.VITALS}
    if own & table.SOCIAL_CODES:
        found |= {Category.SOCIAL}
    if _is_note(resource):
        found |= {Category.DOCUMENTS}
    authors = set(references(resource, ("performer",)))
    if authors and all(name.startswith("Patient/") for name in authors):
        measured = found & {Category.VITALS, Category.LABS} or not found
        return found | {Category.SELF_MEASURED} if measured else found
    return found | scan.categories


def _by_category(resource: Mapping[str, object]) -> frozenset[Category]:
    found: set[Category] = set()
    for system, code in codings(resource.get("category")):
        maps = (
            ("observation-category", table.OBSERVATION_CATEGORY),
            ("0074", table.DIAGNOSTIC_SECTION),
            ("snomed.info/sct", table.SNOMED_CATEGORY),
            ("2.16.840.1.113883.9.195.4.61", {"RSLT": Category.LABS}),
        )
        found.update(m[code] for part, m in maps if part in system and code in m)
    return frozenset(found)


def _by_profile(resource: Mapping[str, object]) -> frozenset[Category]:
    return frozenset[Category]().union(*map(_categories_of_profile, _profiles(resource)))


@lru_cache(maxsize=4096)
def _categories_of_profile(address: str) -> frozenset[Category]:
    plain = _plain(address)
    return frozenset(category for word, category in table.PROFILE_CATEGORY if word in plain)


@lru_cache(maxsize=4096)
def _plain(address: str) -> str:
    return re.sub(r"[^a-z0-9]", "", address.lower())


def _profiles(resource: Mapping[str, object]) -> Iterator[str]:
    """Yield the profile addresses, also that of the STU3 form it was read from."""
    meta = resource.get("meta")
    found = [*at_path(meta, "profile")]
    found += [
        item.get("valueUri")
        for item in at_path(meta, "extension")
        if isinstance(item, Mapping) and item.get("url") == table.OLD_PROFILE
    ]
    yield from (address for address in found if isinstance(address, str))


def _is_note(resource: Mapping[str, object]) -> bool:
    """Say whether an observation is a line of a consultation note."""
    names = map(_plain, _profiles(resource))
    by_profile = any(word in name for name in names for word in table.NOTE_PROFILES)
    return by_profile or any(system in table.NOTE_SYSTEMS for system, _ in codings(resource.get("code")))


def _possible(kind: str, own: frozenset[Category]) -> frozenset[Category]:
    if own:
        return frozenset()
    return table.OBSERVATION_KINDS if kind == "Observation" else table.ALL_CATEGORIES


def _is_opaque(resource: Mapping[str, object], kind: str, scan: _Scan) -> bool:
    if scan.too_deep or kind in table.OPAQUE_TYPES:
        return True
    if kind not in table.TYPES and kind not in table.READ_FURTHER:
        return True
    if scan.attachment and kind != "Patient":  # a patient's photo is what it says it is
        return True
    if kind == "Observation" and _is_note(resource):
        return True
    if kind == "Consent":
        return Category.ADMIN in _own_categories(resource, kind, scan)
    main = table.MAIN_CONCEPT.get(kind)
    if main is None or any(_coded(resource.get(name)) for name in main):
        return False
    return not _written_by_patient(resource)


def _coded(value: object) -> bool:
    if isinstance(value, Mapping) and isinstance(value.get("reference"), str):
        return True
    items = value if isinstance(value, list) else [value]
    return any(True for item in items for _ in codings(item)) or any(
        _coded(item.get("itemCodeableConcept")) for item in items if isinstance(item, Mapping)
    )


def _written_by_patient(resource: Mapping[str, object]) -> bool:
    """Say whether the patient typed it: own words are read by their author, and by the name list."""
    names = ("recorder", "informationSource", "performer", "author", "requester")
    writers = set(references(resource, names))
    return bool(writers) and all(name.startswith("Patient/") for name in writers)


def _label_codes(resource: Mapping[str, object]) -> Iterator[str]:
    """Yield the codes of meta.security here and in contained resources; a code-less label is unread."""
    contained = resource.get("contained")
    for item in (resource, *(contained if isinstance(contained, list) else ())):
        meta = item.get("meta") if isinstance(item, Mapping) else None
        security = meta.get("security") if isinstance(meta, Mapping) else None
        if security is None:
            continue
        for label in security if isinstance(security, list) else [security]:
            code = label.get("code") if isinstance(label, Mapping) else None
            yield code.upper() if isinstance(code, str) else "?"


def _names_of(resource: Mapping[str, object], facts: ResourceFacts) -> Iterator[str]:
    if facts.reference is not None:
        yield facts.reference
        yield f"urn:uuid:{resource.get('id')}"


def _inherit(facts: ResourceFacts, other: ResourceFacts | None, *, content: bool) -> ResourceFacts:
    """Add the clusters of a linked resource; unread content is inherited only where it is our content."""
    if other is None:
        return facts
    unknown = facts.sensitivity_unknown or (content and other.sensitivity_unknown)
    if other.sensitivity <= facts.sensitivity and unknown == facts.sensitivity_unknown:
        return facts
    return replace(facts, sensitivity=facts.sensitivity | other.sensitivity, sensitivity_unknown=unknown)


def _dates(resource: Mapping[str, object], kind: str) -> tuple[DateInterval, ...]:
    found: list[DateInterval] = []
    for field_group in table.DATES.get(kind, ()):
        for path in field_group.split("|"):
            days = [day for value in choice(resource, path) for day in days_of(value)]
            found.extend(days)
            if days:
                break
    return tuple(sorted(set(found), key=lambda d: (str(d.first), str(d.last))))
