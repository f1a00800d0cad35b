"""Which names a record has of the thing it is about: the reviewable table behind ``merge``.

Each row of ``RULES`` is one reason to take two records for the same thing, with the source that makes it one.
A rule that is not in the table does not exist. What is entered in error, refuted or not done is never taken
for anything else: it stays a line of its own.

Code systems of Dutch medicines (G-Standaard of Z-Index, as named in the zib PharmaceuticalProduct-v2.1.2
(2020), https://zibs.nl/wiki/PharmaceuticalProduct-v2.1.2(2020EN)): HPK is a trade product, PRK a product as
prescribed (substance, strength, form), GPK a generic product. An ATC code alone names a substance, not a
strength or a form.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from pgo.health.record.dates import date_text, when
from pgo.health.record.kinds import RecordKind, kind_of
from pgo.health.record.merge import Candidate
from pgo.health.record.resource import Resource
from pgo.health.record.safe import extension, obj, objs, text
from pgo.health.record.status import RecordStatus, status_of
from pgo.health.record.words import (
    codings,
    concept_code,
    concept_text,
    folded,
    quantity_text,
    unit_key,
    value_text,
)

HPK: Final = "urn:oid:2.16.840.1.113883.2.4.4.7"
PRK: Final = "urn:oid:2.16.840.1.113883.2.4.4.10"
GPK: Final = "urn:oid:2.16.840.1.113883.2.4.4.1"
ATC: Final = ("http://www.whocc.no/atc", "urn:oid:2.16.840.1.113883.6.73")
# Medication process 9 version 3.0 (R4) and 9.0.7 (STU3, kept by the conversion).
_TREATMENT: Final = ("ext-PharmaceuticalTreatment.Identifier", "zib-Medication-MedicationTreatment")
_ATC_SUBSTANCE: Final = 7  # a code of fifth level, https://atcddd.fhi.no/atc/structure_and_principles/
# Midnight is how many systems write "no time".
_DAY_ONLY: Final = re.compile(r"T00:00(?::00(?:\.0+)?)?(?:Z|[+-]\d\d:\d\d)?\Z")
_NEVER: Final = frozenset({"entered-in-error", "not-done", "refuted"})


@dataclass(frozen=True, slots=True)
class About:
    """A record with what its rules look at; ``medicine`` is the Medication behind a reference, or empty."""

    resource: Resource
    kind: RecordKind
    concept: Mapping[str, Any]
    medicine: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Rule:
    """One reason to take two records for the same thing.

    Attributes:
        id: stable name; also what the screen says (``merge.rule.<id>``).
        kinds: kinds of records it is about.
        reason: why sharing this name is certain enough.
        source: where that is written down.
        names: the names a record has by this rule, may be empty.
    """

    id: str
    kinds: frozenset[RecordKind]
    reason: str
    source: str
    names: Callable[[About], Iterable[str]]


def _identifiers(about: About) -> Iterator[str]:
    # Some laboratories give all results of one order the same number, so what was found belongs to the name.
    what = concept_code(about.concept) or folded(concept_text(about.concept))
    for item in objs(about.resource.body, "identifier"):
        system, value = text(item, "system"), text(item, "value")
        if system and value:
            yield f"{about.resource.type}|{system}|{value}|{what}"


def treatment_of(body: Mapping[str, Any]) -> str:
    """Give the identifier of the pharmaceutical treatment (MP9) as ``system|value``, or an empty text."""
    found = obj(extension(body, _TREATMENT), "valueIdentifier")
    value = text(found, "value")
    return f"{text(found, 'system')}|{value}" if value else ""


def _treatment(about: About) -> Iterator[str]:
    if found := treatment_of(about.resource.body):
        yield found


def _product(system: str) -> Callable[[About], Iterator[str]]:
    def names(about: About) -> Iterator[str]:
        yield from (code for found, code in codings(about.concept) if found == system)

    return names


def _substance_and_form(about: About) -> Iterator[str]:
    form = concept_code(obj(about.medicine, "form"))
    strengths = sorted(_strength(item) for item in objs(about.medicine, "ingredient"))
    for system, code in codings(about.concept):
        if system in ATC and len(code) == _ATC_SUBSTANCE and form:
            yield f"{code}|{form}|{';'.join(strengths)}"


def _strength(ingredient: Mapping[str, Any]) -> str:
    top, bottom = (obj(ingredient, "strength", part) for part in ("numerator", "denominator"))
    return f"{quantity_text(top)}/{quantity_text(bottom)}"


def _other_code(about: About) -> Iterator[str]:
    known = (HPK, PRK, GPK, *ATC)
    yield from (f"{system}|{code}" for system, code in codings(about.concept) if system not in known)


def _words(about: About) -> Iterator[str]:
    if words := folded(concept_text(about.concept)):
        yield words


def _place(body: Mapping[str, Any]) -> str:
    """Give the place on the body, side included: a left knee is no right knee."""
    parts = []
    for site in objs(body, "bodySite"):
        side = extension(site, "ext-AnatomicalLocation.Laterality")
        parts.append(concept_code(site) or folded(concept_text(site)))
        parts.append(concept_code(obj(side, "valueCodeableConcept")))
    return "@".join(sorted(filter(None, parts)))


def _problem(about: About) -> Iterator[str]:
    place = _place(about.resource.body)
    yield from (f"{system}|{code}@{place}" for system, code in codings(about.concept))


def _problem_words(about: About) -> Iterator[str]:
    if not codings(about.concept) and (words := folded(concept_text(about.concept))):
        yield f"{words}@{_place(about.resource.body)}"


def _substance(about: About) -> Iterator[str]:
    yield from (f"{system}|{code}" for system, code in codings(about.concept))
    if not codings(about.concept):
        yield from _words(about)


def _injection(about: About) -> Iterator[str]:
    day = date_text(text(about.resource.body, "occurrenceDateTime"))[:10]
    if len(day) == len("2000-01-01"):
        yield from (f"{name}@{day}" for name in _substance(about))


def _reading(about: About) -> Iterator[str]:
    body = about.resource.body
    moment, _ = when(about.resource.type, body)
    code = concept_code(about.concept) or folded(concept_text(about.concept))
    shown = _result(body)
    if moment and code and shown:
        yield f"{code}|{shown}|{_DAY_ONLY.sub('', moment)}"


def _result(body: Mapping[str, Any]) -> str:
    parts = [value_text(body), unit_key(obj(body, "valueQuantity"))]
    for item in objs(body, "component"):
        parts += [concept_code(obj(item, "code")), value_text(item), unit_key(obj(item, "valueQuantity"))]
    return "|".join(parts) if any(parts) else ""


_MEDICINE = frozenset({RecordKind.MEDICATION})
_IN_LISTS = frozenset(RecordKind) - {RecordKind.OTHER, RecordKind.PERSON}
_ZIB_PRODUCT = "zib PharmaceuticalProduct-v2.1.2(2020)"

RULES: Final[tuple[Rule, ...]] = (
    Rule(
        "identifier",
        _IN_LISTS,
        "The same number of the same numbering, for the same finding: the source says it is one.",
        "FHIR R4 resource.html#identifiers (business identifiers)",
        _identifiers,
    ),
    Rule(
        "treatment",
        _MEDICINE,
        "Agreements, dispenses and use that carry one treatment number belong together.",
        "Nictiz medication process 9 3.0, ext-PharmaceuticalTreatment.Identifier",
        _treatment,
    ),
    Rule("hpk", _MEDICINE, "The same trade product.", _ZIB_PRODUCT, _product(HPK)),
    Rule(
        "prk", _MEDICINE, "The same substance, strength and form as prescribed.", _ZIB_PRODUCT, _product(PRK)
    ),
    Rule(
        "gpk", _MEDICINE, "The same generic product: substance, strength, form.", _ZIB_PRODUCT, _product(GPK)
    ),
    Rule(
        "atc_form",
        _MEDICINE,
        "The same substance (ATC level 5) in the same form, with strengths that do not differ.",
        "WHO ATC structure and principles; zib PharmaceuticalProduct-v2.1.2(2020) Form, Strength",
        _substance_and_form,
    ),
    Rule(
        "code",
        _MEDICINE,
        "The same code in another system of medicines (RxNorm, SNOMED CT).",
        "FHIR R4 terminologies.html (a code is unique in its system)",
        _other_code,
    ),
    Rule(
        "name",
        _MEDICINE,
        "The same name, letter for letter: names of products carry strength and form.",
        "G-Standaard product names; own rule for what the patient typed",
        _words,
    ),
    Rule(
        "problem",
        frozenset({RecordKind.CONDITION}),
        "The same code at the same place of the body, both in force or both from the same day.",
        "zib Problem-v4.4(2020): ProblemName, ProblemAnatomicalLocation, ProblemStartDate",
        _problem,
    ),
    Rule(
        "problem_words",
        frozenset({RecordKind.CONDITION}),
        "The same words without any code, at the same place, both in force or from the same day.",
        "zib Problem-v4.4(2020)",
        _problem_words,
    ),
    Rule(
        "allergy",
        frozenset({RecordKind.ALLERGY}),
        "The same causative agent: one allergy, whoever wrote it down.",
        "zib AllergyIntolerance-v3.3(2020): CausativeAgent",
        _substance,
    ),
    Rule(
        "vaccination",
        frozenset({RecordKind.VACCINATION}),
        "The same vaccine on the same day: nobody gets it twice a day.",
        "zib Vaccination-v4.0(2020): VaccinationDate, ProductCode",
        _injection,
    ),
    Rule(
        "reading",
        frozenset({RecordKind.MEASUREMENT}),
        "The same test with the same result and unit at the same moment.",
        "zib LaboratoryTestResult-v4.6(2020): TestCode, TestResult, TestDateTime",
        _reading,
    ),
)

JOINED: Final[frozenset[RecordKind]] = frozenset[RecordKind]().union(*(rule.kinds for rule in RULES))
"""Kinds of which records can be about one thing at all; of the others each stands alone."""


def about(resource: Resource, concept: Mapping[str, Any], medicine: Mapping[str, Any]) -> About:
    """Bring together what the rules look at."""
    return About(resource, kind_of(resource.type), concept, medicine)


def names_of_thing(found: About) -> dict[str, str]:
    """Give every name of the thing a record is about, with the id of the rule that gave it."""
    if _stands_alone(found.resource):
        return {}
    return {
        f"{rule.id}|{name}": rule.id
        for rule in RULES
        if found.kind in rule.kinds
        for name in rule.names(found)
    }


def candidates(rows: Iterable[tuple[int, int, About, Mapping[str, str]]]) -> tuple[Candidate, ...]:
    """Make what ``merge`` asks for.

    Args:
        rows: Record number, number of the source it came from, the record, and its names.
    """
    counted: dict[tuple[str, int], int] = {}
    made = []
    for record_id, source_id, found, names in sorted(rows, key=lambda row: row[0]):
        links = frozenset(_numbered(name, source_id, counted) for name in names)
        made.append(Candidate(record_id, links, _anchor(found) if links else ""))
    return tuple(made)


def shared_rule(names: Sequence[Mapping[str, str]]) -> str:
    """Give the first rule of the table by which at least two records of a group hang together, or ''."""
    counted: dict[str, int] = {}
    for one in names:
        for name in one:
            counted[name] = counted.get(name, 0) + 1
    shared = {rule for one in names for name, rule in one.items() if counted[name] > 1}
    return next((rule.id for rule in RULES if rule.id in shared), "")


def _stands_alone(resource: Resource) -> bool:
    body = resource.body
    said = {text(body, "status"), text(obj(body, "verificationStatus", "coding"), "code")}
    return bool(said & _NEVER) or status_of(resource.type, body) is RecordStatus.ENTERED_IN_ERROR


def _anchor(found: About) -> str:
    """Give which occurrence of the thing a record is about; empty when it does not say."""
    body = found.resource.body
    if found.kind is RecordKind.MEDICATION and (treatment := treatment_of(body)):
        # Two treatments with the same medicine at one time may be a double prescription: the patient must
        # see both. The end mark keeps one number from being the beginning of another.
        return f"{treatment}\0"
    if found.kind is RecordKind.CONDITION:
        if status_of(found.resource.type, body) is not RecordStatus.PAST:
            return "now"  # a problem can only be in force once, whatever day each source wrote for its begin
        onset = text(body, "onsetDateTime") or text(body, "onsetPeriod", "start")
        return f"was {date_text(onset)[:10]}"
    return ""


def _numbered(name: str, source_id: int, counted: dict[tuple[str, int], int]) -> str:
    """Number equal readings of one source that name a day and no time.

    The same value twice on one day in one file was measured twice; the first of one source is the first of
    another.
    """
    rule, _, rest = name.partition("|")
    if rule != "reading" or "T" in rest.rpartition("|")[2]:
        return name
    counted[name, source_id] = counted.get((name, source_id), 0) + 1
    return f"{name}#{counted[name, source_id]}"
