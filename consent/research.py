"""Limits on research: what a rule says of a study, what a study says of itself, how they compare.

1. Every topic a study names must lie inside a granted topic. A study that names none is about
   anything, so it lies inside nothing: an empty list is never "all of them".
2. Methods, commercial use, population origins and training of models are opted in one by one; silence
   in a permit is no.
3. Conditions (non-profit, ethics approval, region) are met only when the study says so; a fact that
   is not known (None) is MAYBE, and a permit needs YES.
4. In a deny the same members say which studies it strikes; MAYBE is enough to strike.
5. A question that describes no study asks for none of the opt-ins and leaves everything else unknown.
6. A moratorium on publishing and returning results are duties that go with a permit.

Source: Data Use Ontology DS, NMDS, NCU, NPU, POA, IRB, GS, MOR, RTN (http://purl.obolibrary.org/obo/duo.owl);
guide consent.md section 2.2, `use`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from types import MappingProxyType
from typing import Final, TypeAlias

from consent.tri import MAYBE, NO, YES, Tri, tri, turned

Subsumption: TypeAlias = Callable[[str, str], Tri]
"""`inside(asked, granted)`: YES same or narrower, MAYBE broader or unknown, NO another branch."""

OPT_INS: Final = ("methods", "commercial", "poa", "train_models")
CONDITIONS: Final = ("nonprofit_only", "ethics_required")
DUTIES: Final = ("return_results",)
FLAGS: Final = (*OPT_INS, *CONDITIONS, *DUTIES)
# https://european-union.europa.eu/principles-countries-history/eu-countries_en ; EEA Agreement, parties.
_EU: Final = frozenset(
    "AT BE BG CY CZ DE DK EE ES FI FR GR HR HU IE IT LT LU LV MT NL PL PT RO SE SI SK".split()  # noqa: SIM905
)
REGIONS: Final[Mapping[str, frozenset[str]]] = MappingProxyType(
    {"EU": _EU, "EEA": _EU | {"EU", "IS", "LI", "NO"}}
)


@dataclass(frozen=True, slots=True)
class ResearchUse:
    """What a rule says of research. Texts of `topics` are codes, "system|code" or bare."""

    topics: frozenset[str] = frozenset()
    regions: frozenset[str] = frozenset()
    methods: bool = False
    commercial: bool = False
    poa: bool = False
    train_models: bool = False
    nonprofit_only: bool = False
    ethics_required: bool = False
    return_results: bool = False
    moratorium: date | None = None


@dataclass(frozen=True, slots=True)
class Study:
    """What an asker says of its study; None is not known, False is no."""

    topics: frozenset[str] | None = frozenset()
    regions: frozenset[str] | None = None
    methods: bool | None = False
    commercial: bool | None = False
    poa: bool | None = False
    train_models: bool | None = False
    nonprofit: bool | None = False
    ethics: bool | None = False


UNDESCRIBED: Final = Study(topics=None, nonprofit=None, ethics=None)


def least_study(use: ResearchUse | None) -> Study:
    """Describe the study that asks for the least of what these limits allow.

    Sending data to be held for research asks whether *some* study could use them; every real use is asked
    again with the study it is for.
    """
    limits = use or ResearchUse()
    return Study(topics=limits.topics, regions=limits.regions or None, nonprofit=True, ethics=True)


def topics_inside(use: ResearchUse | None, study: Study, *, inside: Subsumption) -> Tri:
    """Say whether every topic asked lies inside a granted one (permit reading)."""
    if use is None or not use.topics:
        return YES
    if study.topics is None:
        return MAYBE
    if not study.topics:
        return NO
    return min(max(inside(asked, granted) for granted in use.topics) for asked in study.topics)


def conditions_met(use: ResearchUse | None, study: Study) -> Tri:
    """Say whether opt-ins and conditions allow this study (permit reading)."""
    limits = use or ResearchUse()
    answers = [YES if getattr(limits, name) else turned(tri(getattr(study, name))) for name in OPT_INS]
    if limits.nonprofit_only:
        answers.append(tri(study.nonprofit))
    if limits.ethics_required:
        answers.append(tri(study.ethics))
    if limits.regions:
        answers.append(_regions(limits.regions, study.regions, covers=True))
    return min(answers)


def struck(use: ResearchUse, study: Study, *, inside: Subsumption) -> Tri:
    """Say whether a deny with these members strikes this study: every member named must touch it."""
    answers: list[Tri] = [tri(getattr(study, name)) for name in OPT_INS if getattr(use, name)]
    if use.nonprofit_only:
        answers.append(tri(study.nonprofit))
    if use.ethics_required:
        answers.append(tri(study.ethics))
    if use.regions:
        answers.append(_regions(use.regions, study.regions, covers=False))
    if use.topics:
        answers.append(_topics_touched(use.topics, study.topics, inside))
    return min(answers, default=YES)


def _topics_touched(named: frozenset[str], asked: frozenset[str] | None, inside: Subsumption) -> Tri:
    if not asked:
        # Unknown, or about no topic in particular: the named one cannot be ruled out.
        return MAYBE
    return max(inside(topic, name) for topic in asked for name in named)


def _regions(named: frozenset[str], asked: frozenset[str] | None, *, covers: bool) -> Tri:
    if not asked:
        return MAYBE
    answers = [max(_region(region, name) for name in named) for region in asked]
    return min(answers) if covers else max(answers)


def _region(asked: str, named: str) -> Tri:
    if asked == named or asked in REGIONS.get(named, ()):
        return YES
    return MAYBE if named in REGIONS.get(asked, ()) else NO


def use_duties(use: ResearchUse | None) -> frozenset[str]:
    """Return the duties a permit's research limits bring: DUO MOR (with its day) and RTN."""
    if use is None:
        return frozenset()
    duties = {"RTN"} if use.return_results else set[str]()
    if use.moratorium is not None:
        duties.add(f"MOR:{use.moratorium.isoformat()}")
    return frozenset(duties)


def use_words(use: ResearchUse | None) -> tuple[str, ...]:
    """Name the opt-ins and conditions of a rule, for showing what was granted."""
    if use is None:
        return ()
    return tuple(name for name in FLAGS if getattr(use, name)) + tuple(sorted(use.regions))


def unmet_words(use: ResearchUse | None, study: Study | None) -> tuple[str, ...]:
    """Name what keeps this study from the rule: opt-ins it needs, conditions it does not meet."""
    limits, asked = use or ResearchUse(), study or UNDESCRIBED
    words = [n for n in OPT_INS if not getattr(limits, n) and getattr(asked, n) is not False]
    if limits.nonprofit_only and asked.nonprofit is not True:
        words.append("nonprofit")
    if limits.ethics_required and asked.ethics is not True:
        words.append("ethics")
    if limits.regions and _regions(limits.regions, asked.regions, covers=True) != YES:
        words += sorted(asked.regions or {"?"})
    return tuple(words)
