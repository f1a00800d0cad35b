"""The closed code lists of consent: what may be named in a rule, and what each name covers.

1. Every list is closed; a name outside it is `UnknownCode` when written, and void when read.
2. Purposes are HL7 v3-ActReason codes with *curated* closures, never the published hierarchy:
   there TREAT contains CLINTRL (trials) and ETREAT contains BTG (break the glass), so plain
   subsumption would turn a treatment grant into research.
3. A permit closure is small, a deny closure large: what is in doubt is not permitted.

>>> "CLINTRL" in PERMIT_CLOSURE["TREAT"], "CLINTRL" in DENY_CLOSURE["TREAT"]
(False, True)

Source: HL7 Terminology (UTG) CodeSystem v3-ActReason, value set PurposeOfUse
(https://terminology.hl7.org/CodeSystem-v3-ActReason.html); v3-ActCode, obligation and refrain
policies (https://terminology.hl7.org/CodeSystem-v3-ActCode.html).
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import Final, Literal

ANY: Final = "any"
AnyOf = Literal["any"]


class Category(StrEnum):
    """What kind of record a resource is; a resource may be of several."""

    PROBLEMS = "problems"
    MEDICATIONS = "medications"
    ALLERGIES = "allergies"
    VITALS = "vitals"
    LABS = "labs"
    VACCINATIONS = "vaccinations"
    PROCEDURES = "procedures"
    ENCOUNTERS = "encounters"
    DOCUMENTS = "documents"
    IMAGING = "imaging"
    CAREPLANS = "careplans"
    DIRECTIVES = "directives"
    GENETICS = "genetics"
    SELF_MEASURED = "self_measured"
    QUESTIONNAIRES = "questionnaires"
    SOCIAL = "social"
    FAMILY_HISTORY = "family_history"
    DEMOGRAPHICS = "demographics"
    ADMIN = "admin"


class Sensitivity(StrEnum):
    """A cluster of sensitive facts that a person opts in to by name."""

    SUBSTANCE = "substance"
    MENTAL = "mental"
    HIV = "hiv"
    STD = "std"
    SEXUAL = "sexual"
    VIOLENCE = "violence"
    GENETIC = "genetic"
    DISABILITY = "disability"
    TABOO = "taboo"


class Action(StrEnum):
    """What a recipient does with data."""

    VIEW = "view"
    COPY = "copy"
    EXTRACT = "extract"
    REUSE = "reuse"
    RESHARE = "reshare"
    RECONTACT = "recontact"
    WRITE = "write"


class Effect(StrEnum):
    """What a rule does."""

    PERMIT = "permit"
    DENY = "deny"


class Deidentification(StrEnum):
    """How far data must be stripped of identity, weakest first."""

    NONE = "none"
    PSEUD = "pseud"
    DEID = "deid"
    AGGREGATE = "aggregate"

    @property
    def rank(self) -> int:
        """Strictness, 0 (as is) to 3 (totals only)."""
        return _DEID_ORDER.index(self)


_DEID_ORDER: Final = tuple(Deidentification)


class Erase(StrEnum):
    """What a withdrawal asks a recipient to do with what it already holds."""

    NONE = "none"
    DELETE = "delete"
    DELETE_UNLOCKED = "delete_unlocked"


class ActorKind(StrEnum):
    """How an actor is named in a rule."""

    PERSON = "person"
    ORG = "org"
    TREATING_ROLE = "treating_role"
    ORGTYPE = "orgtype"
    CARETEAM = "careteam"
    REGISTRY = "registry"
    PROJECT = "project"
    CARER = "carer"


# Kinds that can describe one and the same asker. A clinician is a person acting for an
# organisation in a role, so a rule on one of these is undecided while the asker has not said it;
# a registry never is such a person, so there the answer is a plain no.
ACTOR_FAMILY: Final[Mapping[ActorKind, str]] = MappingProxyType(
    {
        ActorKind.PERSON: "care",
        ActorKind.ORG: "care",
        ActorKind.TREATING_ROLE: "care",
        ActorKind.ORGTYPE: "care",
        ActorKind.CARETEAM: "care",
        ActorKind.REGISTRY: "research",
        ActorKind.PROJECT: "research",
        ActorKind.CARER: "carer",
    }
)

# Permit covers downward, deny upward: who may copy may look; who may not look may not copy.
PERMIT_ACTIONS: Final[Mapping[Action, frozenset[Action]]] = MappingProxyType(
    {
        action: frozenset({action}) | extra
        for action, extra in (
            (Action.VIEW, frozenset[Action]()),
            (Action.COPY, frozenset({Action.VIEW})),
            (Action.EXTRACT, frozenset[Action]()),
            (Action.REUSE, frozenset({Action.EXTRACT})),
            (Action.RESHARE, frozenset[Action]()),
            (Action.RECONTACT, frozenset[Action]()),
            (Action.WRITE, frozenset[Action]()),
        )
    }
)
DENY_ACTIONS: Final[Mapping[Action, frozenset[Action]]] = MappingProxyType(
    {low: frozenset(high for high in Action if low in PERMIT_ACTIONS[high]) for low in Action}
)

# Children of each purpose as published (v3-ActReason 4.0.0), with TREAT's and ETREAT's odd members.
_PUBLISHED_CHILDREN: Final[Mapping[str, str]] = MappingProxyType(
    {
        "HOPERAT": "CAREMGT DONAT FRAUD GOV HACCRED HCOMPL HDECD HDIRECT HDM HLEGAL HOUTCOMS HPRGRP "
        "HQUALIMP HSYSADMIN MEMADMIN MILCDM PATADMIN PATSFTY PERFMSR RECORDMGT SYSDEV TRAIN MLTRAINING",
        "HSYSADMIN": "LABELING METAMGT",
        "SYSDEV": "HTEST",
        "HPAYMT": "CLMATTCH COVAUTH COVERAGE PMTDS REMITADV",
        "COVERAGE": "ELIGDTRM ELIGVER ENROLLM MILDCRG",
        "HRESCH": "BIORCH CLINTRCH DSRCH POARCH TRANSRCH",
        "CLINTRCH": "CLINTRCHNPC CLINTRCHPC PRECLINTRCH",
        "PATRQT": "FAMRQT PWATRNY SUPNWK",
        "PUBHLTH": "DISASTER THREAT",
        "TREAT": "CLINTRL COC ETREAT POPHLTH TREATDS",
        "ETREAT": "BTG ERTREAT",
        "HMARKT": "",
    }
)
# Research under another name: trials filed under treatment, model training under operations.
_DENY_LOOK_ALIKES: Final[Mapping[str, frozenset[str]]] = MappingProxyType(
    {"HRESCH": frozenset({"CLINTRL", "MLTRAINING"})}
)
_PERMIT_EXTRA: Final[Mapping[str, frozenset[str]]] = MappingProxyType(
    {
        "TREAT": frozenset({"COC", "ETREAT", "ERTREAT"}),
        "HRESCH": frozenset({"BIORCH", "DSRCH", "TRANSRCH"}),
    }
)


def _descendants(code: str) -> frozenset[str]:
    children = _PUBLISHED_CHILDREN.get(code, "").split()
    return frozenset({code}).union(*(_descendants(child) for child in children))


PURPOSES: Final[frozenset[str]] = frozenset().union(*(_descendants(code) for code in _PUBLISHED_CHILDREN))
PERMIT_CLOSURE: Final[Mapping[str, frozenset[str]]] = MappingProxyType(
    {code: frozenset({code}) | _PERMIT_EXTRA.get(code, frozenset()) for code in sorted(PURPOSES)}
)
DENY_CLOSURE: Final[Mapping[str, frozenset[str]]] = MappingProxyType(
    {code: _descendants(code) | _DENY_LOOK_ALIKES.get(code, frozenset()) for code in sorted(PURPOSES)}
)
RESEARCH_PURPOSES: Final[frozenset[str]] = DENY_CLOSURE["HRESCH"]

# HL7 v3-ActCode 4.0.1: ObligationPolicy and RefrainPolicy codes this engine carries to a recipient.
OBLIGATIONS: Final[frozenset[str]] = (
    frozenset({"ANONY", "AUDIT", "AUDTR", "CPLYPOL", "DEID", "DELAU", "ENCRYPT", "ENCRYPTR", "ENCRYPTT"})
    | {"ENCRYPTU", "HUAPRV", "MINEC", "PERSISTLABEL", "PRIVMARK", "PSEUD", "REDACT", "NOAUTH", "NOCOLLECT"}
    | {"NODSCLCD", "NODSCLCDS", "NOINTEGRATE", "NOLIST", "NOMOU", "NOORGPOL", "NOPAT", "NOPERSISTP"}
    | {"NORDSCLCD", "NORDSCLCDS", "NORDSCLW", "NORELINK", "NOREUSE", "NOVIP", "ORCON"}
)
RESEARCH_FLOOR: Final = Deidentification.DEID
RESEARCH_DUTY: Final = "NORELINK"
