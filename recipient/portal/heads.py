"""Who a page is about and under which grant it is shown: the head that stays in view."""

from __future__ import annotations

from dataclasses import dataclass

from recipient.portal.grant import GrantHead, grant_head
from recipient.portal.people import age_on, born_text, initials
from recipient.portal.text import number_text, shown, t
from recipient.portal.view import View

_GENDERS = ("male", "female", "other", "unknown")


@dataclass(frozen=True, slots=True)
class Head:
    """Who, under which grant, and how many records that grant shows now."""

    handle: str
    name: str
    initials: str
    born: str
    gender: str
    grant: GrantHead
    records: str


def head_of(view: View) -> Head:
    """Word who it is about and what the grant says."""
    person, lang = view.look.person, view.lang
    name = shown(person.name) if person and person.name else ""
    birth_date = person.birth_date if person else ""
    gender = person.gender if person else ""
    return Head(
        handle=view.look.holding.handle,
        name=name or t(lang, "person.no_name"),
        initials=initials(name),
        born=born_text(birth_date, lang=lang, age=age_on(birth_date, view.at.date())),
        gender=t(lang, f"gender.{gender}") if gender in _GENDERS else "",
        grant=grant_head(view.look.holding, purpose=view.look.grounds.purpose, lang=lang, at=view.at),
        records=number_text(lang, str(len(view.look.items))),
    )
