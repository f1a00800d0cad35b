"""From a question to the bytes of an answer: through the reader, so through consent and the access log.

Promises: every answer about a patient is one look of ``recipient.reading``: decided now, recorded before it
leaves, with the categories of what this page shows. A page that cannot be given shows nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TypeVar

from recipient import audit
from recipient.errors import NotShared, ReasonNeeded
from recipient.fhir_api.addresses import handle_of_patient, handle_of_resource
from recipient.fhir_api.bundles import Links, body_of, searchset
from recipient.fhir_api.cursor import GOOD_FOR, Cursor, open_cursor, seal_cursor
from recipient.fhir_api.outcome import Unanswerable
from recipient.fhir_api.parameters import TYPES
from recipient.fhir_api.query import NOT_ASKED, Query, parse_everything, parse_search
from recipient.fhir_api.results import Found, Page, found_in, page_of, search
from recipient.fhir_api.scopes import READ, SEARCH, allows
from recipient.fhir_api.tokens import Caller
from recipient.holdings import Holding
from recipient.identity import Identity
from recipient.look import Item, Look
from recipient.reading import Chosen, Reader
from recipient.store import Store

Pairs = Sequence[tuple[str, str]]
PAGE = "_page"
_ChosenT = TypeVar("_ChosenT", bound=Chosen)


@dataclass(frozen=True, slots=True)
class Question:
    """One request: who asks, with which parameters, when."""

    caller: Caller
    pairs: tuple[tuple[str, str], ...]
    lenient: bool
    at: datetime


@dataclass(frozen=True, slots=True)
class One:
    """A single resource as it leaves, and when it came."""

    found: Found
    arrived_at: datetime

    @property
    def body(self) -> bytes:
        """Return the bytes."""
        return body_of(self.found)

    @property
    def items(self) -> Sequence[Item]:
        """Return what was shown."""
        return () if self.found.item is None else (self.found.item,)


@dataclass(frozen=True, slots=True)
class _Shown:
    """A page, as the reader wants to hear what was shown."""

    page: Page
    revision: int
    holdings: Sequence[Holding]

    @property
    def items(self) -> Sequence[Item]:
        return [found.item for found in self.page.found if found.item is not None]


class Answers:
    """Answers for one running service; one reader for each purpose that clients act for."""

    def __init__(self, store: Store, identity: Identity, *, base: str) -> None:
        self._store = store
        self._identity = identity
        self._base = base
        self._readers: dict[str, Reader] = {}

    def read(self, question: Question, kind: str, untrusted_id: str) -> One:
        """Return one resource.

        Raises:
            NotShared, Purged, Unanswerable: ``no_such_interaction``, ``scope``, ``unknown_parameter``.
        """
        _check_type(question.caller, kind, READ)
        if not question.lenient and any(name not in NOT_ASKED for name, _ in question.pairs):
            raise Unanswerable("unknown_parameter")
        whose = handle_of_patient(untrusted_id) if kind == "Patient" else None
        handle = whose or handle_of_resource(untrusted_id)
        if handle is None:
            raise NotShared

        def choose(look: Look) -> One:
            candidates = _people(look) if whose else found_in(handle, look.items)
            for one in candidates:
                if one.kind == kind and one.id == untrusted_id:
                    return One(one, one.item.received_at if one.item else look.holding.changed_at)
            raise NotShared

        return self._look(question, handle, action=audit.API_READ, choose=choose)

    def search(self, question: Question, kind: str) -> bytes:
        """Return a searchset of one type."""
        _check_type(question.caller, kind, SEARCH)
        cursor, pairs = self._cursor(question, kind)
        query = parse_search(kind, pairs, lenient=question.lenient or cursor is not None)
        if query.handle is None:
            shown = self._people(question, query, cursor)
        else:
            shown = self._of_one(question, query, cursor, handle=query.handle, action=audit.API_SEARCH)
        return self._bundle(question, query, shown, path=kind)

    def everything(self, question: Question, untrusted_id: str) -> bytes:
        """Return all of one patient that may be read under the token, in pages."""
        _check_type(question.caller, "Patient", READ)
        handle = handle_of_patient(untrusted_id)
        if handle is None:
            raise NotShared
        path = f"Patient/{untrusted_id}/$everything"
        cursor, pairs = self._cursor(question, path)
        query = parse_everything(handle, pairs, lenient=question.lenient or cursor is not None)
        shown = self._of_one(question, query, cursor, handle=handle, action=audit.API_ALL)
        return self._bundle(question, query, shown, path=path)

    def _of_one(
        self, question: Question, query: Query, cursor: Cursor | None, *, handle: str, action: str
    ) -> _Shown:
        may_read = _may(question.caller, SEARCH if query.kind else READ)

        def choose(look: Look) -> _Shown:
            candidates = found_in(handle, look.items)
            found = search(candidates, query, may_read=may_read, now=question.at)
            revision = look.holding.revision
            return _Shown(_page(found, query, cursor, revision=revision), revision, ())

        return self._look(question, handle, action=action, choose=choose)

    def _look(
        self, question: Question, handle: str, *, action: str, choose: Callable[[Look], _ChosenT]
    ) -> _ChosenT:
        caller = question.caller
        try:
            return self._reader(caller).choose(
                caller.account, handle, action=action, choose=choose, at=question.at
            )
        except ReasonNeeded as exc:
            # Whose purpose is not the one of this place learns nothing about what other purposes would open.
            if caller.client.purpose == self._identity.purpose:
                raise
            raise NotShared from exc

    def _people(self, question: Question, query: Query, cursor: Cursor | None) -> _Shown:
        def choose(looks: tuple[Look, ...]) -> _Shown:
            of_handle = {look.holding.handle: look for look in looks}
            candidates = [one for look in looks for one in _people(look)]
            found = search(candidates, query, may_read=_may(question.caller, SEARCH), now=question.at)
            each = tuple({one.handle: one for one in reversed(found)}.values())[::-1]
            page = _page(each, query, cursor, revision=0)
            return _Shown(page, 0, [of_handle[one.handle].holding for one in page.found])

        return self._reader(question.caller).choose_people(
            question.caller.account, choose=choose, at=question.at
        )

    def _cursor(self, question: Question, path: str) -> tuple[Cursor | None, Pairs]:
        """Return the cursor of a following page with the parameters of the first, or those that came."""
        sealed = [value for name, value in question.pairs if name == PAGE]
        if not sealed:
            return None, question.pairs
        if len(question.pairs) > 1:
            raise Unanswerable("bad_page")
        cursor = open_cursor(
            self._store, sealed[0], client=question.caller.client.id, path=path, at=question.at
        )
        return cursor, cursor.used

    def _bundle(self, question: Question, query: Query, shown: _Shown, *, path: str) -> bytes:
        links = Links(self._base, path, query.used, self._next(question, query, shown, path))
        return searchset(shown.page, links, ignored=query.ignored, at=question.at)

    def _next(self, question: Question, query: Query, shown: _Shown, path: str) -> str | None:
        start = shown.page.next_start
        if start is None:
            return None
        cursor = Cursor(
            client=question.caller.client.id,
            path=path,
            used=query.used,
            start=start,
            revision=shown.revision,
            digest=shown.page.digest,
            expires_at=question.at + GOOD_FOR,
        )
        return seal_cursor(self._store, cursor)

    def _reader(self, caller: Caller) -> Reader:
        purpose = caller.client.purpose
        if purpose not in self._readers:
            self._readers[purpose] = Reader(self._store, self._identity, purpose=purpose, origin="fhir")
        return self._readers[purpose]


def _check_type(caller: Caller, kind: str, letter: str) -> None:
    if kind not in TYPES:
        raise Unanswerable("no_such_interaction", status=404)
    if not allows(caller.scopes, kind, letter):
        raise Unanswerable("scope", status=403)


def _may(caller: Caller, letter: str) -> Callable[[str], bool]:
    return lambda kind: kind in TYPES and allows(caller.scopes, kind, letter)


def _page(found: Sequence[Found], query: Query, cursor: Cursor | None, *, revision: int) -> Page:
    page = page_of(found, start=cursor.start if cursor else 0, count=query.count)
    if cursor is not None:
        cursor.check(page, revision=revision)
    return page


def _people(look: Look) -> tuple[Found, ...]:
    """Return who a patient is by each source, all under her own id; one empty entry when not shared."""
    handle = look.holding.handle
    known = [item for item in look.items if item.resource.type == "Patient"]
    return tuple(Found(handle, item, as_person=True) for item in known or (None,))
