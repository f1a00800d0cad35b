"""Sort the resources of a file by the person they are about, so that two people never mix.

Rules:
1. A resource names its person by reference; the Patient resources of the file say who that is. A reference
   without a Patient resource is known only if the vault has taken that reference before.
2. Same person (or known reference): taken. Anybody else: set aside, as soon as somebody in the file does
   match.
3. Nobody in the file matches: with one person in question the patient is asked; with several nothing is
   taken.
4. A vault without a person takes the one person of its first file; with several nothing is taken: picking
   is guessing. Only a note of our own export (``linked``) says that several are one.
5. A resource that carries its own Patient inside is about that person, when enough is said to tell people
   apart.
6. What is about nobody (organisations, medicines, a device) goes along with the rest.

Pure: no store, no clock.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import Enum

from pgo.health.record.person import Match, contained_person, mention, same_person, subject_of
from pgo.health.record.resolve import short_reference
from pgo.health.record.resource import PersonMention, Resource

_NAMELESS = "Patient/"
"""Stands for a Patient resource that has neither id nor full url."""
_INSIDE = "#"
"""Starts the name of a person that a resource carries inside itself."""


class Verdict(Enum):
    """What to do with a file."""

    TAKE = "take"
    ASK = "ask"
    SEVERAL = "several"


@dataclass(frozen=True, slots=True)
class Sorted:
    """The outcome for one file.

    Attributes:
        verdict: take the resources in ``ours``, ask about ``stranger`` first, or take nothing.
        ours: indexes of the resources to take.
        others: indexes of the resources of other people.
        stranger: the person to ask about.
        certain: the stranger is somebody else for certain.
        references: references that mean the person of this vault, for later files.
    """

    verdict: Verdict
    ours: tuple[int, ...]
    others: tuple[int, ...]
    stranger: PersonMention | None = None
    certain: bool = False
    references: frozenset[str] = frozenset()


@dataclass(slots=True)
class _Group:
    """One person of the file: its mentions and the references that mean it."""

    mentions: list[PersonMention] = field(default_factory=list)
    references: set[str] = field(default_factory=set)

    def match(self, person: PersonMention | None, known: frozenset[str]) -> Match:
        if not self.mentions:
            return Match.SAME if self.references & known else Match.UNCLEAR
        if person is None:
            return Match.UNCLEAR
        found = {same_person(person, one) for one in self.mentions}
        if Match.SAME in found:
            return Match.SAME
        return Match.DIFFERENT if found == {Match.DIFFERENT} else Match.UNCLEAR

    def face(self) -> PersonMention:
        if self.mentions:
            return self.mentions[0]
        return PersonMention(min(self.references), None, frozenset(), "", "", "")


def sort_by_person(
    resources: Sequence[Resource],
    *,
    person: PersonMention | None,
    known: frozenset[str],
    accept: bool,
    linked: frozenset[str] = frozenset(),
) -> Sorted:
    """Decide which resources of a file belong in the vault.

    Args:
        resources: what the reader took, in file order.
        person: whom the vault is about, None while unknown.
        known: references that mean that person.
        accept: the patient said that the person in question is them.
        linked: references that the file itself says are one person; counts for an empty vault only.
    """
    groups, whose = _groups(resources)
    same = [group for group in groups if group.match(person, known) is Match.SAME]
    if not groups or same:
        return _taken(whose, same)
    named = [group for group in groups if group.mentions]
    in_question = [group for group in groups if group.match(person, known) is not Match.DIFFERENT] or groups
    if person is None and not known:
        # A Patient without an id, or inside a record, cannot be pointed at; in an export it can only be
        # this person: somebody else's never came in.
        one_person = [
            g for g in groups if linked and (g.references & linked or not any(map(_lasts, g.references)))
        ]
        if one_person:
            return _taken(whose, one_person)
        first = named if len(named) == 1 else groups
        return _taken(whose, first) if len(first) == 1 else _nothing(whose, Verdict.SEVERAL)
    if len(in_question) != 1:
        return _nothing(whose, Verdict.SEVERAL)
    if accept:
        return _taken(whose, in_question)
    certain = in_question[0].match(person, known) is Match.DIFFERENT
    nothing = _nothing(whose, Verdict.ASK)
    return Sorted(nothing.verdict, (), nothing.others, stranger=in_question[0].face(), certain=certain)


def _groups(resources: Sequence[Resource]) -> tuple[list[_Group], list[_Group | None]]:
    """The persons of a file, and for each resource whose it is (None: about nobody)."""
    groups: list[_Group] = []
    for resource in resources:
        if resource.type == "Patient":
            _add_mention(groups, mention(resource))
    carried = {index: one for index, resource in enumerate(resources) if (one := contained_person(resource))}
    for index, one in carried.items():
        _add_mention(groups, one, {f"{_INSIDE}{index}"})
    by_reference = {name: group for group in groups for name in group.references}
    whose: list[_Group | None] = []
    for index, resource in enumerate(resources):
        name = f"{_INSIDE}{index}" if index in carried else _person_reference(resource)
        if name is not None and name not in by_reference:
            group = _Group(references={name})
            groups.append(group)
            by_reference[name] = group
        whose.append(by_reference[name] if name is not None else None)
    return groups, whose


def _add_mention(groups: list[_Group], one: PersonMention, names: set[str] | None = None) -> None:
    names = names or set(filter(None, (one.reference, one.full_url)))
    if one.reference is not None:
        names.add(f"urn:uuid:{one.reference.partition('/')[2]}")
    for group in groups:
        if group.references & names or any(same_person(one, other) is Match.SAME for other in group.mentions):
            group.mentions.append(one)
            group.references |= names
            return
    groups.append(_Group([one], names or {_NAMELESS}))


def _person_reference(resource: Resource) -> str | None:
    """The reference to a person, None when a resource is about no person (a group, a device, nobody)."""
    if resource.type == "Patient":
        return resource.reference or resource.full_url or _NAMELESS
    subject = subject_of(resource)
    if subject is None or subject.startswith("#"):
        return None
    short = short_reference(subject)
    if short is not None:
        return short if short.startswith("Patient/") else None
    return subject if subject.startswith("urn:") else None


def _taken(whose: Sequence[_Group | None], accepted: Sequence[_Group]) -> Sorted:
    mine = {id(group) for group in accepted}
    ours = tuple(index for index, group in enumerate(whose) if group is None or id(group) in mine)
    others = tuple(index for index, group in enumerate(whose) if group is not None and id(group) not in mine)
    references = frozenset(name for group in accepted for name in group.references if _lasts(name))
    return Sorted(Verdict.TAKE, ours, others, references=references)


def _lasts(name: str) -> bool:
    """Say whether a reference means the person in other files too."""
    return name != _NAMELESS and not name.startswith(_INSIDE)


def _nothing(whose: Sequence[_Group | None], verdict: Verdict) -> Sorted:
    others = tuple(index for index, group in enumerate(whose) if group is not None)
    return Sorted(verdict, (), others)
