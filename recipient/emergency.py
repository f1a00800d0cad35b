"""Finding a patient in an emergency: who shares for emergencies only stands in no list, but must be found.

Promises:
1. nobody is found by browsing: at least two letters of the name and the whole date of birth, both as the
   patient's own record says, and only where the grant lets them be shown for emergencies (``ETREAT``);
2. before a name is shown two events are in that patient's log: the emergency with what the person wrote about
   it, and the name that was seen;
3. a search that found nobody stands in no patient's log; the service's log counts every search;
4. what opens then is what is permitted for emergencies, for as long as a reason holds;
5. dates of birth are not guessed: after ``IN_VAIN`` searches in a minute that found nobody an account waits,
   at first a minute (``recipient.login.brake``).

A grant for treatment covers emergency treatment (``consent.codes.PERMIT_CLOSURE``), so patients of the
ordinary list are found here too; the other way round never.

Sources: HL7 v3-ActReason ETREAT, http://terminology.hl7.org/CodeSystem/v3-ActReason ; NEN 7513:2018 section
6 (purpose and grounds of a look).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from pgo.health.record.words import folded
from recipient.accounts import Account
from recipient.directory import SharedPatient, Wish
from recipient.errors import NotShared, Purged, Refused
from recipient.glass import Glass
from recipient.identity import Identity
from recipient.login.brake import Brake
from recipient.logs import event
from recipient.reading import Reader
from recipient.store import Store
from recipient.treating import PURPOSES, Reason, parse_reason

MOST_FOUND = 5
IN_VAIN = 5
MIN_NAME_LETTERS = 2
MAX_NAME_CHARACTERS = 80


@dataclass(frozen=True, slots=True)
class Sought:
    """Who is looked for, and why; checked."""

    name: str
    birth_date: str
    note: str


class Emergency:
    """The way to a patient for whom there is no time to be asked."""

    def __init__(self, store: Store, identity: Identity, glass: Glass) -> None:
        self._reader = Reader(store, identity, purpose=PURPOSES[Reason.EMERGENCY])
        self._glass = glass
        self._brake = Brake(store, tries=IN_VAIN)

    def find(self, account: Account, sought: Sought, *, at: datetime) -> tuple[SharedPatient, ...]:
        """Return who fits, at most ``MOST_FOUND``; for each of them the reason is given from now on.

        Raises:
            Throttled: too many searches that found nobody.
        """
        tried = (f"emergency:{account.id}",)
        self._brake.take(tried, at=at)
        wish = Wish(query=sought.name, born=sought.birth_date, length=MOST_FOUND)
        page = self._reader.list_patients(account, wish, already_listed=set(), at=at)
        event("emergency_search", count=page.found)
        if page.patients:
            self._brake.give_back(tried, at=at)
        return tuple(one for one in page.patients if self._is_given(account, one, sought.note, at=at))

    def _is_given(self, account: Account, found: SharedPatient, note: str, *, at: datetime) -> bool:
        """Give the reason; False for somebody who stopped sharing in this very moment."""
        try:
            self._glass.give(account, found.holding.handle, Reason.EMERGENCY, note, at=at)
        except (NotShared, Purged, Refused):
            return False
        return True


def parse_sought(name: str, birth_date: str, note: str) -> Sought:
    """Read what a form says, untrusted.

    Raises:
        Refused: ``bad_search``, not enough to find one person by; ``bad_reason``, none or too long a one.
    """
    words = " ".join(name.split())
    if len(words) > MAX_NAME_CHARACTERS or max(map(len, folded(words).split()), default=0) < MIN_NAME_LETTERS:
        raise Refused("bad_search")
    try:
        born = date.fromisoformat(birth_date.strip())
    except ValueError as exc:
        raise Refused("bad_search") from exc
    _, said = parse_reason(Reason.EMERGENCY, note)
    if not said:
        raise Refused("bad_reason")
    return Sought(words, born.isoformat(), said)
