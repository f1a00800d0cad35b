"""What the patient wrote about the record: remarks, and requests to correct something.

Promises: the patient's own words, in full; which record they are about is only named when that record may be
shown; nothing claims that anybody acted on a request.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from pgo.health.record import remarks
from pgo.health.record.dates import date_text
from pgo.health.record.safe import text
from recipient.look import Item
from recipient.portal.text import day_text, shown
from recipient.portal.view import View


@dataclass(frozen=True, slots=True)
class Remark:
    """One remark or request.

    Attributes:
        id: its own record.
        about_id: the record it is about, None when that is not among what may be shown.
        about: title of that record.
        is_request: the patient asks for a correction.
        words: what the patient wrote, part by part; of a request what is wrong, then what it should be.
        when: when it was written.
    """

    id: int
    about_id: int | None
    about: str
    is_request: bool
    words: tuple[str, ...]
    when: str


def remarks_of(view: View, items: Iterable[Item]) -> list[Remark]:
    """Give every remark and request, the newest first."""
    said = [item for item in items if item.resource.type == "Communication"]
    said = [item for item in said if is_words(item.resource.body)]
    said.sort(key=lambda item: (text(item.resource.body, "sent"), item.id), reverse=True)
    known = _by_name(view)
    return [_remark(view, item, known) for item in said]


def is_words(body: Mapping[str, Any]) -> bool:
    """Say whether a record is a remark of the patient or a request to correct something."""
    return remarks.is_remark(body) or remarks.is_request(body)


def about(found: Iterable[Remark], record_id: int) -> list[Remark]:
    """Give those about one record."""
    return [one for one in found if one.about_id == record_id]


def _by_name(view: View) -> dict[str, Item]:
    known: dict[str, Item] = {}
    for item in view.look.items:
        for name in (item.reference, item.resource.reference):
            if name:
                known.setdefault(name, item)
    return known


def _remark(view: View, item: Item, known: dict[str, Item]) -> Remark:
    body = item.resource.body
    target = known.get(remarks.name_of_target(body))
    return Remark(
        id=item.id,
        about_id=target.id if target else None,
        about=shown(target.index.title) if target else "",
        is_request=remarks.is_request(body),
        words=tuple(shown(part) for part in remarks.words_of(body)),
        when=day_text(view.lang, date_text(text(body, "sent")) or item.index.start),
    )
