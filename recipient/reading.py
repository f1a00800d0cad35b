"""Every look at shared data goes through here: decide, show only what is permitted, write it down.

Promises:
1. each resource of each look is put to ``consent.statement.statement_plan`` with the statement in force now;
   what is not permitted does not exist for the caller, also not behind a reference;
2. an answer leaves after its audit event is committed: no event, no data; a refused look is an event too;
3. what a look recorded is what it showed: action, categories, purpose, who, when (NEN 7513);
4. somebody outside the treating relation gives a reason first (``recipient.treating``).

Looks at different patients do not wait for each other, and of a look only the event waits for others at the
same patient: a chain has one end. So a look goes in two parts (``_show``):

1. read, decode, decide and choose, with no transaction;
2. in a transaction about this patient: is the holding still at the revision that was read, and do the grounds
   still stand? Then write the event. If not, everything once more, inside this transaction.

Every change of what is held or permitted raises the revision (``recipient.holdings``), and it is read first:
what was read under a revision that is still the present one was all there was to read.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Generic, Protocol, TypeAlias, TypeVar

from consent.codes import Action
from consent.decision import Permit
from consent.facts import ResourceFacts
from consent.rules import ActorRef
from consent.statement import statement_plan
from pgo.health.record.series import Series
from pgo.health.record.views import PersonView
from recipient import audit, looks
from recipient.accounts import Account
from recipient.directory import Directory, Entry, PeoplePage, SharedPatient, Wish, search
from recipient.errors import NotShared, Purged, Unusable
from recipient.glass import Glass, is_shared_for, is_shared_only_for
from recipient.holdings import Holding, held, holding_in_force, holding_of, holdings_in_force, is_unchanged
from recipient.identity import Identity
from recipient.look import Item, Look, categories_of, opaque_key, permitted_of, person_of
from recipient.memory import Memory
from recipient.parsed import Parsed, parse_held
from recipient.store import Store
from recipient.treating import Grounds
from sync.access import REFUSED


class Chosen(Protocol):
    """What a program took out of a look; only these resources leave, so only they are recorded."""

    @property
    def items(self) -> Sequence[Item]:
        """Return the resources that are shown."""


class ChosenPeople(Protocol):
    """Whose names a program took out of the list of people who share."""

    @property
    def holdings(self) -> Sequence[Holding]:
        """Return those that are shown."""


_ChosenT = TypeVar("_ChosenT", bound=Chosen)
_PeopleT = TypeVar("_PeopleT", bound=ChosenPeople)
_ShownT = TypeVar("_ShownT")
_Visit: TypeAlias = Callable[..., "datetime | None"]
_AllHeld: TypeAlias = Callable[[Holding], tuple[Parsed, ...]]


@dataclass(frozen=True, slots=True)
class _Picked(Generic[_ShownT]):
    """What one page or answer takes out of a look, and the resources that this shows."""

    what: _ShownT
    items: Sequence[Item]


class Reader:
    """Answers the portal's questions about shared data, and a program's."""

    def __init__(
        self, store: Store, identity: Identity, *, purpose: str | None = None, origin: str = audit.PORTAL
    ) -> None:
        self._store = store
        self._purpose = purpose or identity.purpose
        self._origin = origin
        self.glass = Glass(store, usual=self._purpose)
        self._actor = frozenset({ActorRef(identity.actor_kind, identity.recipient_id)})
        self._memory = Memory(store)
        self._directory = Directory(store, self._who)

    def list_patients(
        self, account: Account, wish: Wish, *, already_listed: set[str], at: datetime
    ) -> PeoplePage:
        """Return one page of the people who share now.

        Showing a name is a look too: it is recorded once per patient and session, which ``already_listed``
        remembers. Who is not on the page was not shown.
        """
        live = self._directory.live(at=at)
        self._memory.keep_only(entry.sub for entry in live)
        found = search(live, wish)
        self._sort(found, wish.order, account)
        page = found[wish.first : wish.first + wish.length]
        lines = [self._line(account, entry.sub, self._memory.parsed, at=at) for entry in page]
        shown = self._list(account, [line for line in lines if line], already_listed, at=at)
        already_listed.update(line.holding.sub for line in shown)
        return PeoplePage(tuple(shown), found=len(found), total=len(live))

    def _list(
        self, account: Account, lines: list[SharedPatient], already_listed: set[str], *, at: datetime
    ) -> list[SharedPatient]:
        """Write down which names are shown now that were not before; return the lines as they are then."""
        new = {line.holding.sub for line in lines} - already_listed
        if not new:
            return lines
        shown = []
        with self._store.transaction(about=new):
            for line in lines:
                now: SharedPatient | None = line
                if line.holding.sub in new:
                    if not is_unchanged(self._store, line.holding):
                        now = self._line(account, line.holding.sub, self._memory.afresh, at=at)
                    if now is not None:
                        self._record_listed(account, now.holding, at=at)
                shown.append(now)
        return [line for line in shown if line]

    def _sort(self, entries: list[Entry], order: str, account: Account) -> None:
        """By name; before that by end of the grant, or those with something new first."""
        entries.sort(key=lambda entry: (entry.name, entry.sub))
        if order == "ends":
            entries.sort(key=lambda entry: entry.until_at or datetime.max.replace(tzinfo=UTC))
        elif order == "new":
            newer = looks.counts_newer(self._store, account.id)
            entries.sort(key=lambda entry: entry.sub not in newer)

    def _who(self, holding: Holding, at: datetime) -> tuple[PersonView | None] | None:
        """Say who somebody is as far as that may be shown; None for somebody who shares nothing here."""
        if not is_shared_for(holding, self._purpose):
            return None
        patients = parse_held(held(self._store, holding.sub, resource_type="Patient"))
        permits = self._permits(holding, self._purpose, at=at)
        return (person_of(one.resource for one in patients if permits(one.facts)),)

    def open_record(self, account: Account, handle: str, *, at: datetime) -> Look:
        """Return everything that may be shown of one patient, and note the day for what is new next time."""
        look, before = self._show(account, handle, audit.OPENED, _whole, at=at, visit=looks.note_look)
        return replace(look, since=before)

    def open_timeline(self, account: Account, handle: str, *, at: datetime) -> Look:
        """Return the same for the whole timeline."""
        look, before = self._show(account, handle, audit.TIMELINE, _whole, at=at, visit=looks.since)
        return replace(look, since=before)

    def open_print(self, account: Account, handle: str, *, at: datetime) -> Look:
        """Return everything that may be shown of one patient, to be put on paper."""
        return self._show(account, handle, audit.PRINTED, _whole, at=at)[0]

    def open_trend(self, account: Account, handle: str, key: str, *, at: datetime) -> tuple[Look, Series]:
        """Return one measurement over time.

        Args:
            account: who looks.
            handle: untrusted.
            key: untrusted; of ``opaque_key``.
            at: now.

        Raises:
            NotShared: no such line among what may be shown.
        """

        def pick(look: Look) -> _Picked[tuple[Look, Series]]:
            series = next((line for line in look.series() if opaque_key(line.key) == key), None)
            if series is None:
                raise NotShared
            drawn = {point.record_id for point in series.points}
            return _Picked((look, series), [item for item in look.items if item.id in drawn])

        return self._show(account, handle, audit.TREND, pick, at=at)[0]

    def open_item(self, account: Account, handle: str, item_id: int, *, at: datetime) -> tuple[Look, Item]:
        """Return one resource with what it may refer to; ``NotShared`` when it may not be shown."""

        def pick(look: Look) -> _Picked[tuple[Look, Item]]:
            item = look.item(item_id)
            return _Picked((look, item), [item])

        return self._show(account, handle, audit.DETAILS, pick, at=at)[0]

    def choose(
        self,
        account: Account,
        handle: str,
        *,
        action: str,
        choose: Callable[[Look], _ChosenT],
        at: datetime,
    ) -> _ChosenT:
        """Let a program choose among what may be shown of one patient.

        Args:
            account: who looks.
            handle: untrusted.
            action: one of ``audit.ACTIONS``.
            choose: picks; may raise, then nothing was shown and nothing is recorded as shown. It is asked
                again when something changed before the look was written down; its last answer counts.
            at: now.
        """

        def pick(look: Look) -> _Picked[_ChosenT]:
            chosen = choose(look)
            return _Picked(chosen, chosen.items)

        return self._show(account, handle, action, pick, at=at)[0]

    def choose_people(
        self, account: Account, *, choose: Callable[[tuple[Look, ...]], _PeopleT], at: datetime
    ) -> _PeopleT:
        """Let a program choose among the people who share; each look holds what says who it is."""
        chosen = choose(self._people(at=at))
        shown = {holding.sub for holding in chosen.holdings}
        if not shown:
            return chosen
        with self._store.transaction(about=shown):
            if all(is_unchanged(self._store, holding) for holding in chosen.holdings):
                self._record_people(account, chosen, at=at)
                return chosen
        with self._store.transaction():  # somebody's share changed just now: once more, with nobody beside us
            chosen = choose(self._people(at=at))
            self._record_people(account, chosen, at=at)
        return chosen

    def _people(self, *, at: datetime) -> tuple[Look, ...]:
        """Return a look at who somebody is, and at nothing else, for each who shares with the people here."""
        live = [one for one in holdings_in_force(self._store, at=at) if is_shared_for(one, self._purpose)]
        self._memory.keep_only(holding.sub for holding in live)
        return tuple(self._person_look(holding, at=at) for holding in live)

    def _person_look(self, holding: Holding, *, at: datetime) -> Look:
        rows = parse_held(held(self._store, holding.sub, resource_type="Patient"))
        permitted = permitted_of(rows, self._permits(holding, self._purpose, at=at))
        return Look.of(holding, permitted, Grounds(self._purpose))

    def _permits(self, holding: Holding, purpose: str, *, at: datetime) -> Callable[[ResourceFacts], bool]:
        """Ask the statement in force what the people here may see; the answer is a test for resources."""
        decide = statement_plan(
            holding.statement,
            actor=self._actor,
            purpose=frozenset({purpose}),
            action=frozenset({Action.VIEW}),
            at=at,
        )
        return lambda facts: isinstance(decide(facts), Permit)

    def _show(
        self,
        account: Account,
        handle: str,
        action: str,
        pick: Callable[[Look], _Picked[_ShownT]],
        *,
        at: datetime,
        visit: _Visit = lambda *_, **__: None,
    ) -> tuple[_ShownT, datetime | None]:
        """One look in two parts (see the module); return what is shown, and when the last visit ended.

        A refused look is written down as such.
        """
        try:
            holding = holding_in_force(self._store, handle, at=at)
            ahead = self._look_ahead(account, holding, pick, at=at)
            with self._store.transaction(about=holding.sub):
                look, picked = ahead or (None, None)
                if look is None or picked is None or not self._stands(account, look, at=at):
                    look = self._look_alone(account, handle, at=at)
                    picked = pick(look)
                self._record(account, look, action, categories_of(picked.items), at=at)
                before = visit(self._store, account.id, look.holding.sub, at=at)
        except (NotShared, Purged):
            self._record_refusal(account, handle, action, at=at)
            raise
        return picked.what, before

    def _look_ahead(
        self, account: Account, holding: Holding, pick: Callable[[Look], _Picked[_ShownT]], *, at: datetime
    ) -> tuple[Look, _Picked[_ShownT]] | None:
        """The first part of a look; None when a key was changed while it was read."""
        grounds = self.glass.grounds(account, holding, at=at)
        permits = self._permits(holding, grounds.purpose, at=at)
        try:
            permitted = self._memory.permitted(holding, permits)
        except Unusable:  # if it is damage and not a change, the second part says so
            return None
        look = Look.of(holding, permitted, grounds)
        return look, pick(look)

    def _stands(self, account: Account, look: Look, *, at: datetime) -> bool:
        """Whether a look made outside is still what it would be inside the running transaction."""
        return (
            is_unchanged(self._store, look.holding)
            and self.glass.grounds(account, look.holding, at=at) == look.grounds
        )

    def _look_alone(self, account: Account, handle: str, *, at: datetime) -> Look:
        """Make a look inside the running transaction."""
        holding = holding_in_force(self._store, handle, at=at)
        grounds = self.glass.grounds(account, holding, at=at)
        permits = self._permits(holding, grounds.purpose, at=at)
        return Look.of(holding, permitted_of(self._memory.afresh(holding), permits), grounds)

    def _line(self, account: Account, sub: str, parsed: _AllHeld, *, at: datetime) -> SharedPatient | None:
        """Return a line of the list as it is now; None when the share ended since the list was made."""
        holding = holding_of(self._store, sub)
        who = self._who(holding, at) if holding is not None and holding.in_force(at) else None
        if holding is None or who is None:
            return None
        last = looks.last_look(self._store, account.id, sub)
        return SharedPatient(
            holding=holding,
            person=who[0],
            new_count=self._count_new(holding, last, parsed, at=at),
            never_seen=last is None,
        )

    def _count_new(self, holding: Holding, last: datetime | None, parsed: _AllHeld, *, at: datetime) -> int:
        """Count what may be shown and came after a moment; what is held for others is not hinted at."""
        if is_shared_only_for(holding, self._purpose):
            return looks.count_newer(self._store, holding.sub, last)
        permits = self._permits(holding, self._purpose, at=at)
        came = (one for one in parsed(holding) if last is None or one.row.received_at > last)
        return sum(permits(one.facts) for one in came)

    def _record(
        self, account: Account, look: Look, action: str, categories: frozenset[str], *, at: datetime
    ) -> None:
        grounds = look.grounds
        seen = audit.Seen(
            action, categories, grounds.purpose, reason=grounds.reason, note=grounds.note, origin=self._origin
        )
        audit.append(self._store, look.holding.sub, account=account, seen=seen, at=at)

    def _record_people(self, account: Account, chosen: ChosenPeople, *, at: datetime) -> None:
        for holding in chosen.holdings:
            self._record_listed(account, holding, at=at)

    def _record_listed(self, account: Account, holding: Holding, *, at: datetime) -> None:
        seen = audit.Seen(audit.LISTED, frozenset({"demographics"}), self._purpose, origin=self._origin)
        audit.append(self._store, holding.sub, account=account, seen=seen, at=at)

    def _record_refusal(self, account: Account, handle: str, action: str, *, at: datetime) -> None:
        row = self._store.row("SELECT sub FROM sender WHERE handle = ?", (handle,))
        if row is None:
            return
        with self._store.transaction(about=row[0]):
            seen = audit.Seen(action, frozenset(), self._purpose, outcome=REFUSED, origin=self._origin)
            audit.append(self._store, row[0], account=account, seen=seen, at=at)


def _whole(look: Look) -> _Picked[Look]:
    """Take everything that may be shown."""
    return _Picked(look, look.items)
