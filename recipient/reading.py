"""Every look at shared data goes through here: decide, show only what is permitted, write it down.

Promises:
1. each resource of each look is put to ``consent.statement.statement_plan`` with the statement in force now;
   what is not permitted does not exist for the caller, also not behind a reference;
2. the audit event and the answer belong to one transaction: no event, no data; a refused look is
   an event too;
3. what a look recorded is what it showed: action, categories, purpose, who, when (NEN 7513);
4. somebody outside the treating relation gives a reason first (``recipient.treating``);
5. parsed resources are kept in memory per patient for as long as nothing changed, never longer.
"""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import cache, partial
from typing import Protocol, TypeVar

from consent.codes import Action
from consent.decision import Permit
from consent.facts import ResourceFacts
from consent.rules import ActorRef
from consent.statement import statement_plan
from pgo.health.record.index import RecordIndex, build_index
from pgo.health.record.resolve import nothing, resolver
from pgo.health.record.resource import Resolve, Resource
from pgo.health.record.series import Series, build_series, join_units, measured
from pgo.health.record.views import PersonView, person_view
from recipient import audit, looks
from recipient.accounts import Account
from recipient.directory import Directory, Entry, PeoplePage, SharedPatient, Wish, search
from recipient.errors import NotShared, Purged
from recipient.glass import Glass, is_shared_for, is_shared_only_for
from recipient.holdings import Holding, held, holding_in_force, holding_of, holdings_in_force
from recipient.identity import Identity
from recipient.parsed import Parsed, parse_held
from recipient.store import Store
from recipient.treating import Grounds
from sync.access import REFUSED

_MAX_CACHED = 32


@dataclass(frozen=True, slots=True)
class Item:
    """One permitted resource, ready to show."""

    id: int
    reference: str
    resource: Resource
    facts: ResourceFacts
    index: RecordIndex
    received_at: datetime


@dataclass(frozen=True, slots=True)
class Look:
    """What one look at one patient may show; ``since`` is the end of one's last visit, None for none."""

    holding: Holding
    person: PersonView | None
    items: tuple[Item, ...]
    resolve: Resolve
    grounds: Grounds
    since: datetime | None = None
    lines: Callable[[], tuple[Series, ...]] = tuple

    def item(self, item_id: int) -> Item:
        """Return one item; ``NotShared`` when it is not among the permitted ones."""
        for item in self.items:
            if item.id == item_id:
                return item
        raise NotShared

    def series(self) -> tuple[Series, ...]:
        """Return all measurements as lines over time; a point's ``record_id`` is an item id."""
        return self.lines()


@dataclass(slots=True)
class _Known:
    """What stays in memory of one patient: all that is held, and the last permitted part made ready."""

    revision: int
    parsed: tuple[Parsed, ...]
    shown: tuple[int, ...] = ()
    items: tuple[Item, ...] = ()
    resolve: Resolve = nothing
    lines: Callable[[], tuple[Series, ...]] = tuple


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
        self._cache: OrderedDict[str, _Known] = OrderedDict()
        self._directory = Directory(store, self._who)

    def list_patients(
        self, account: Account, wish: Wish, *, already_listed: set[str], at: datetime
    ) -> PeoplePage:
        """Return one page of the people who share now.

        Showing a name is a look too: it is recorded once per patient and session, which ``already_listed``
        remembers. Who is not on the page was not shown.
        """
        live = self._directory.live(at=at)
        self._forget_all_but(entry.sub for entry in live)
        found = search(live, wish.query)
        self._sort(found, wish.order, account)
        page = found[wish.first : wish.first + wish.length]
        with self._store.transaction():
            now = [holding for entry in page if (holding := self._still_shared(entry.sub, at=at))]
            lines = tuple(self._line(account, holding, at=at) for holding in now)
            for line in lines:
                if line.holding.sub not in already_listed:
                    self._record_listed(account, line.holding, at=at)
        already_listed.update(line.holding.sub for line in lines)
        return PeoplePage(lines, found=len(found), total=len(live))

    def _sort(self, entries: list[Entry], order: str, account: Account) -> None:
        """By name; before that by end of the grant, or those with something new first."""
        entries.sort(key=lambda entry: (entry.name, entry.sub))
        if order == "ends":
            entries.sort(key=lambda entry: entry.until_at or datetime.max.replace(tzinfo=UTC))
        elif order == "new":
            newer = looks.counts_newer(self._store, account.id)
            entries.sort(key=lambda entry: entry.sub not in newer)

    def _still_shared(self, sub: str, *, at: datetime) -> Holding | None:
        """Return the holding as it is in this transaction; None when it ended since the list was made."""
        holding = holding_of(self._store, sub)
        if holding is None or not holding.in_force(at):
            return None
        return holding if is_shared_for(holding, self._purpose) else None

    def _who(self, holding: Holding, at: datetime) -> tuple[PersonView | None] | None:
        """Say who somebody is as far as that may be shown; None for somebody who shares nothing here."""
        if not is_shared_for(holding, self._purpose):
            return None
        patients = parse_held(held(self._store, holding.sub, resource_type="Patient"))
        permits = self._permits(holding, self._purpose, at=at)
        return (_person(one.resource for one in patients if permits(one.facts)),)

    def open_record(self, account: Account, handle: str, *, at: datetime) -> Look:
        """Return everything that may be shown of one patient, and note the day for what is new next time."""
        with self._looking(account, handle, audit.OPENED, at=at) as look:
            self._record(account, look, audit.OPENED, _categories(look.items), at=at)
            before = looks.note_look(self._store, account.id, look.holding.sub, at=at)
        return replace(look, since=before)

    def open_timeline(self, account: Account, handle: str, *, at: datetime) -> Look:
        """Return the same for the whole timeline."""
        with self._looking(account, handle, audit.TIMELINE, at=at) as look:
            self._record(account, look, audit.TIMELINE, _categories(look.items), at=at)
            before = looks.since(self._store, account.id, look.holding.sub, at=at)
        return replace(look, since=before)

    def open_print(self, account: Account, handle: str, *, at: datetime) -> Look:
        """Return everything that may be shown of one patient, to be put on paper."""
        with self._looking(account, handle, audit.PRINTED, at=at) as look:
            self._record(account, look, audit.PRINTED, _categories(look.items), at=at)
        return look

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
        with self._looking(account, handle, audit.TREND, at=at) as look:
            series = next((line for line in look.series() if opaque_key(line.key) == key), None)
            if series is None:
                raise NotShared
            drawn = {point.record_id for point in series.points}
            shown = _categories(item for item in look.items if item.id in drawn)
            self._record(account, look, audit.TREND, shown, at=at)
        return look, series

    def open_item(self, account: Account, handle: str, item_id: int, *, at: datetime) -> tuple[Look, Item]:
        """Return one resource with what it may refer to; ``NotShared`` when it may not be shown."""
        with self._looking(account, handle, audit.DETAILS, at=at) as look:
            item = look.item(item_id)
            self._record(account, look, audit.DETAILS, _categories([item]), at=at)
        return look, item

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
            choose: picks; may raise, then nothing was shown and nothing is recorded as shown.
            at: now.
        """
        with self._looking(account, handle, action, at=at) as look:
            chosen = choose(look)
            self._record(account, look, action, _categories(chosen.items), at=at)
        return chosen

    def choose_people(
        self, account: Account, *, choose: Callable[[tuple[Look, ...]], _PeopleT], at: datetime
    ) -> _PeopleT:
        """Let a program choose among the people who share; each look holds what says who it is."""
        with self._store.transaction():
            live = self._live(at=at)
            chosen = choose(tuple(self._person_look(holding, at=at) for holding in live))
            for holding in chosen.holdings:
                self._record_listed(account, holding, at=at)
        return chosen

    def _person_look(self, holding: Holding, *, at: datetime) -> Look:
        """Return a look at who somebody is, and at nothing else."""
        permits = self._permits(holding, self._purpose, at=at)
        rows = parse_held(held(self._store, holding.sub, resource_type="Patient"))
        permitted = [one for one in rows if permits(one.facts)]
        resolve = resolver(one.resource for one in permitted)
        items = tuple(_item(one, resolve) for one in permitted)
        return Look(holding, _person(item.resource for item in items), items, resolve, Grounds(self._purpose))

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

    @contextmanager
    def _looking(self, account: Account, handle: str, action: str, *, at: datetime) -> Iterator[Look]:
        """One look: a transaction, grounds, what may be shown; a refused look is written down as such."""
        try:
            with self._store.transaction():
                yield self._look(account, handle, at=at)
        except (NotShared, Purged):
            self._record_refusal(account, handle, action, at=at)
            raise

    def _look(self, account: Account, handle: str, *, at: datetime) -> Look:
        holding = holding_in_force(self._store, handle, at=at)
        grounds = self.glass.grounds(account, holding, at=at)
        known = self._known(holding)
        permits = self._permits(holding, grounds.purpose, at=at)
        permitted = tuple(one for one in known.parsed if permits(one.facts))
        shown = tuple(one.row.id for one in permitted)
        if known.shown != shown:  # titles look behind references, so they depend on the whole permitted set
            resolve = resolver(one.resource for one in permitted)
            known.items = tuple(_item(one, resolve) for one in permitted)
            known.shown, known.resolve = shown, resolve
            known.lines = cache(
                partial(_lines, known.items)
            )  # asked by most pages, and long for long records
        return Look(
            holding=holding,
            person=_person(item.resource for item in known.items),
            items=known.items,
            resolve=known.resolve,
            grounds=grounds,
            lines=known.lines,
        )

    def _live(self, *, at: datetime) -> list[Holding]:
        """Return who shares with the people here now, and drop everybody else from memory."""
        live = [one for one in holdings_in_force(self._store, at=at) if is_shared_for(one, self._purpose)]
        self._forget_all_but(holding.sub for holding in live)
        return live

    def _forget_all_but(self, live: Iterable[str]) -> None:
        """Drop from memory whom nobody may look at any more."""
        for sub in self._cache.keys() - set(live):
            self._cache.pop(sub, None)

    def _line(self, account: Account, holding: Holding, *, at: datetime) -> SharedPatient:
        who = self._who(holding, at)
        last = looks.last_look(self._store, account.id, holding.sub)
        return SharedPatient(
            holding=holding,
            person=who[0] if who else None,
            new_count=self._count_new(holding, last, at=at),
            never_seen=last is None,
        )

    def _count_new(self, holding: Holding, last: datetime | None, *, at: datetime) -> int:
        """Count what may be shown and came after a moment; what is held for others is not hinted at."""
        if is_shared_only_for(holding, self._purpose):
            return looks.count_newer(self._store, holding.sub, last)
        permits = self._permits(holding, self._purpose, at=at)
        came = (one for one in self._known(holding).parsed if last is None or one.row.received_at > last)
        return sum(permits(one.facts) for one in came)

    def _known(self, holding: Holding) -> _Known:
        """Return what is in memory of a patient if nothing changed since; callers hold the transaction."""
        known = self._cache.get(holding.sub)
        if known is None or known.revision != holding.revision:
            before = known.parsed if known else ()
            known = _Known(holding.revision, parse_held(held(self._store, holding.sub), before=before))
            self._cache[holding.sub] = known
        self._cache.move_to_end(holding.sub)
        while len(self._cache) > _MAX_CACHED:
            self._cache.popitem(last=False)
        return known

    def _record(
        self, account: Account, look: Look, action: str, categories: frozenset[str], *, at: datetime
    ) -> None:
        grounds = look.grounds
        seen = audit.Seen(
            action, categories, grounds.purpose, reason=grounds.reason, note=grounds.note, origin=self._origin
        )
        audit.append(self._store, look.holding.sub, account=account, seen=seen, at=at)

    def _record_listed(self, account: Account, holding: Holding, *, at: datetime) -> None:
        seen = audit.Seen(audit.LISTED, frozenset({"demographics"}), self._purpose, origin=self._origin)
        audit.append(self._store, holding.sub, account=account, seen=seen, at=at)

    def _record_refusal(self, account: Account, handle: str, action: str, *, at: datetime) -> None:
        with self._store.transaction():
            row = self._store.row("SELECT sub FROM sender WHERE handle = ?", (handle,))
            if row is not None:
                seen = audit.Seen(action, frozenset(), self._purpose, outcome=REFUSED, origin=self._origin)
                audit.append(self._store, row[0], account=account, seen=seen, at=at)


def opaque_key(text: str) -> str:
    """Return a short stand-in for a clinical key, for addresses: they stay behind in browser histories."""
    return hashlib.sha256(text.encode("utf-8")).hexdigest()[:24]


def _item(one: Parsed, resolve: Resolve) -> Item:
    return Item(
        id=one.row.id,
        reference=one.row.reference,
        resource=one.resource,
        facts=one.facts,
        index=build_index(one.resource, resolve=resolve),
        received_at=one.row.received_at,
    )


def _lines(items: Sequence[Item]) -> tuple[Series, ...]:
    numbers = ((item.id, number) for item in items for number in measured(item.resource))
    return join_units(build_series(numbers))


def _person(resources: Iterable[Resource]) -> PersonView | None:
    return next((person_view(resource) for resource in resources if resource.type == "Patient"), None)


def _categories(items: Iterable[Item]) -> frozenset[str]:
    return frozenset(str(category) for item in items for category in item.facts.categories)
