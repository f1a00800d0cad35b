"""Read an advance or treatment directive: what it is about, and whether it says yes or no.

A directive is clinical data, not a permission to share, even though it is a FHIR ``Consent``: nothing in this
app grants anything because of it. Whether it says "do" or "do not" must never get lost on the way to the
screen, so a directive without a readable decision says that it is not clear.

Sources: zib TreatmentDirective2-v1.0(2020) (``provision.type`` permit or deny; SpecificationOther for
"other"), zib TreatmentDirective-v3.1(2017) (modifier extension TreatmentPermitted: JA, JA_MAAR, NEE), zib
AdvanceDirective-v3.1.1(2020) (kind of directive in ``provision.code``, 2017 in ``category``); https://zibs.nl.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

from pgo.health.record.safe import extension, obj, objs, text
from pgo.health.record.words import concept_text


class Decision(StrEnum):
    """What a directive says about a treatment; ``NONE`` for a document that names no treatment."""

    YES = "yes"
    LIMITED = "limited"
    NO = "no"
    OTHER = "other"
    UNCLEAR = "unclear"
    NONE = ""


@dataclass(frozen=True, slots=True)
class Directive:
    """A directive in words of its source.

    Attributes:
        title: the treatment, or the kind of directive.
        decision: whether the treatment may be given.
        remarks: restrictions, other wishes, comments, the reason it ended.
    """

    title: str
    decision: Decision
    remarks: tuple[str, ...]


# SNOMED CT: "behandelaanwijzing" (2017) and "verrichting met expliciete context" (2020).
_TREATMENT: Final = frozenset({"11291000146105", "129125009"})
# SNOMED CT "levenstestament en wilsverklaring in dossier", HL7 consentcategorycodes "acd"; these words only
# say that it is a directive, so they are the last choice for a title.
_GENERAL: Final = frozenset({*_TREATMENT, "11341000146107", "acd"})
_PERMITTED: Final[Mapping[str, Decision]] = {
    "JA": Decision.YES,
    "JA_MAAR": Decision.LIMITED,
    "NEE": Decision.NO,
}
_REMARKS: Final = (
    "Restrictions",
    "SpecificationOther",
    "Comment",
    "ReasonForEnding",
)


def read_directive(body: Mapping[str, Any]) -> Directive:
    """Read a Consent resource as a directive; never fails."""
    return Directive(_title(body), _decision(body), tuple(dict.fromkeys(_remarks(body))))


def _title(body: Mapping[str, Any]) -> str:
    treatment = concept_text(obj(extension(body, "TreatmentDirective-Treatment"), "valueCodeableConcept"))
    named = [concept_text(item) for item in objs(body, "provision", "code")]
    categories = sorted(objs(body, "category"), key=lambda item: _code(item) in _GENERAL)
    kinds = [concept_text(item) for item in categories]
    return next(filter(None, (treatment, *named, *kinds, concept_text(obj(body, "scope")))), "")


def _code(concept: Mapping[str, Any]) -> str:
    return text(concept, "coding", "code")


def _decision(body: Mapping[str, Any]) -> Decision:
    if not any(_code(item) in _TREATMENT for item in objs(body, "category")):
        return Decision.NONE
    modifiers = {"extension": body.get("modifierExtension")}
    if text(extension(modifiers, "SpecificationOther"), "valueString"):
        return Decision.OTHER
    permitted = obj(extension(modifiers, "TreatmentDirective-TreatmentPermitted"), "valueCodeableConcept")
    if permitted:
        return _PERMITTED.get(_code(permitted), Decision.UNCLEAR)
    said = text(body, "provision", "type")
    return {"permit": Decision.YES, "deny": Decision.NO}.get(said, Decision.UNCLEAR)


def _remarks(body: Mapping[str, Any]) -> Iterator[str]:
    provision = obj(body, "provision")
    holders = (body, {"extension": body.get("modifierExtension")}, provision, *objs(provision, "provision"))
    for holder in holders:
        for item in objs(holder, "extension"):
            if text(item, "url").endswith(_REMARKS) and (words := text(item, "valueString")):
                yield words
