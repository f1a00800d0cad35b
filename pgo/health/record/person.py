"""Say who a record is about, and whether two mentions are the same person.

Rules of ``same_person``; never a guess, ``UNCLEAR`` means that a person has to answer:

1. A shared identifier (same system, same value) is the same person, unless the birth dates contradict each
   other.
2. Two different values in the same person-number system (Dutch BSN) are different persons.
3. Otherwise equal birth date and equal name parts are the same person; names that only overlap are unclear.
4. Different complete birth dates are different persons. Everything else is unclear.

Test data mark family names with a prefix such as ``XXX_``, which is shown as it is but does not count when
names are compared. How a name is written is in ``names``.

Sources: https://hl7.org/fhir/R4/patient.html, http://fhir.nl/fhir/NamingSystem/bsn.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import replace
from enum import StrEnum

from pgo.health.record.names import human_name
from pgo.health.record.resource import PersonMention, Resource
from pgo.health.record.safe import obj, objs, text

BSN = "http://fhir.nl/fhir/NamingSystem/bsn"
_PERSON_NUMBERS = frozenset({BSN, "http://hl7.org/fhir/sid/us-ssn"})
_MARK = re.compile(r"^(?:x+[_-]|tst[_-])", re.IGNORECASE)
_SUBJECT_ELEMENTS = ("subject", "patient", "beneficiary", "individual", "for")


class Match(StrEnum):
    """Whether two mentions are about one person."""

    SAME = "same"
    DIFFERENT = "different"
    UNCLEAR = "unclear"


def mention(resource: Resource) -> PersonMention:
    """Read who a Patient resource speaks of."""
    body = resource.body
    identifiers = frozenset(
        (text(item, "system"), text(item, "value"))
        for item in objs(body, "identifier")
        if text(item, "system") and text(item, "value")
    )
    return PersonMention(
        resource.reference,
        resource.full_url,
        identifiers,
        human_name(body),
        text(body, "birthDate"),
        text(body, "gender"),
    )


def subject_of(resource: Resource) -> str | None:
    """Give the reference text of the person a resource is about, or ``None`` when it names none."""
    if resource.type == "Patient":
        return resource.reference or resource.full_url
    for name in _SUBJECT_ELEMENTS:
        reference = text(obj(resource.body, name), "reference")
        if reference:
            return reference
    return None


def contained_person(resource: Resource) -> PersonMention | None:
    """Read the person a resource carries inside itself and is about (a document names its patient so).

    Returns:
        ``None`` when it carries none, or too little of one to tell people apart.
    """
    reference = subject_of(resource) or ""
    inner = next(
        (
            one
            for one in objs(resource.body, "contained")
            if text(one, "resourceType") == "Patient" and reference == f"#{text(one, 'id')}"
        ),
        None,
    )
    if inner is None:
        return None
    found = replace(mention(Resource(b"", inner, "Patient", None, None)), reference=None)
    return found if found.identifiers or (found.name and found.birth_date) else None


def same_person(one: PersonMention, other: PersonMention) -> Match:
    """Compare two mentions by the rules of this module."""
    birth = _compare_dates(one.birth_date, other.birth_date)
    if one.identifiers & other.identifiers:
        return Match.UNCLEAR if birth is Match.DIFFERENT else Match.SAME
    if _numbers_contradict(one, other) or birth is Match.DIFFERENT:
        return Match.DIFFERENT
    ours, theirs = _words(one.name), _words(other.name)
    if birth is Match.SAME and ours and ours == theirs:
        return Match.SAME
    if birth is Match.SAME and ours and theirs and not ours & theirs:
        return Match.DIFFERENT
    return Match.UNCLEAR


def _numbers_contradict(one: PersonMention, other: PersonMention) -> bool:
    ours = {system: value for system, value in one.identifiers if system in _PERSON_NUMBERS}
    theirs = {system: value for system, value in other.identifiers if system in _PERSON_NUMBERS}
    return any(ours[system] != theirs[system] for system in ours.keys() & theirs.keys())


def _compare_dates(one: str, other: str) -> Match:
    """Compare birth dates of any precision: equal and complete is SAME, a contradiction is DIFFERENT."""
    if not one or not other:
        return Match.UNCLEAR
    if one == other:
        return Match.SAME if len(one) == len("2000-01-01") else Match.UNCLEAR
    return Match.UNCLEAR if one.startswith(other) or other.startswith(one) else Match.DIFFERENT


def _words(name: str) -> frozenset[str]:
    plain = unicodedata.normalize("NFKD", name).casefold()
    plain = "".join(letter for letter in plain if not unicodedata.combining(letter))
    return frozenset(_MARK.sub("", word) for word in re.split(r"[\s,.]+", plain) if _MARK.sub("", word))
