"""Requests: what a recipient asks for, shown as the difference with what it already may.

Rules:
1. A request is taken in only when it is signed with the key of a card the patient added, is for this
   recipient alone, and its time to answer is not over. It has no authority: nothing changes by it.
2. Only the difference is shown: what is already granted is not asked again.
3. No answer is no; a request past its day is gone. Saying no is remembered, so the same request does not
   come back.
4. A recipient may have a few requests waiting and no more (`MAX_WAITING`), and a few a month (`MAX_A_MONTH`):
   nobody is worn down into a yes.
5. What cannot be said as one choice (``usecases.asked``) is shown and can be refused. A signed answer is
   never wider than what was asked.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from consent.delta import Delta, request_delta
from consent.errors import ConsentError, ExpiredDocument
from consent.request import MAX_TOKEN_BYTES, Request, verify_request
from consent.rules import Rule
from crypto.errors import CryptoError
from crypto.signing import peek_jws
from pgo.errors import InputRefused, NotFound
from pgo.store.journal import Event
from pgo.store.protocols import VaultStore
from pgo.usecases.asked import asked_choice, first_choice, is_within, not_offered, opt_ins
from pgo.usecases.cards import card_of, is_plain
from pgo.usecases.choices import ShareChoice
from pgo.usecases.consenting import load_ledger
from pgo.usecases.recipients import RecipientRow, recipient_row
from pgo.usecases.session import Session

MAX_WAITING: Final = 3
MAX_A_MONTH: Final = 6
_MONTH: Final = timedelta(days=30)
_SETTING: Final = "requests"
_LATER: Final = timedelta(days=7)
_FILE_HEAD: Final = "PGO-REQUEST 1"
_DAYS: Final = 90
_ID: Final = re.compile(r"[A-Za-z0-9._-]{1,64}")


@dataclass(frozen=True, slots=True)
class RequestRow:
    """A request that waits for an answer.

    Attributes:
        id: by which it is answered.
        recipient: who asks.
        words: what for, in their words, per language.
        study: name of the study, '' for none.
        ethics: reference of the ethics approval, '' for none.
        answer_by: no answer by then is no.
        arrived_at: when the patient took it in.
        also: per member of a rule, what is asked and not granted yet; empty when all is granted.
        has_something: whether this recipient has anything now.
        choice: where an answer starts: all that needs no yes of its own. None when this app cannot grant it.
        asked: all that is asked and can be given, None as above.
        opt_ins: uses of research the request asks for that each need a yes of their own.
        not_offered: actions it asks for that this app never gives.
    """

    id: str
    recipient: RecipientRow
    words: dict[str, str]
    study: str
    ethics: str
    answer_by: datetime
    arrived_at: datetime
    also: dict[str, tuple[str, ...]]
    has_something: bool
    choice: ShareChoice | None
    asked: ShareChoice | None = None
    opt_ins: tuple[str, ...] = ()
    not_offered: tuple[str, ...] = ()


def take_in(session: Session, text: str | bytes) -> str:
    """Check a request and put it into the inbox. Returns its id; the same one twice is one.

    Raises:
        InputRefused: ``request_invalid`` (no request, damaged, or of nobody whose card was added),
        ``request_expired``, ``request_refused_before``, ``request_too_many``.
    """
    token = _token(text)
    store, at = session.store, session.now()
    recipient_id, request = _verified(store, token, at=at)
    with store.write(at):
        kept = _kept(store)
        known = kept.get(request.id)
        if known is not None:
            if known["recipient"] != recipient_id:
                raise InputRefused("request_invalid")
            if known["state"] == "no":
                raise InputRefused("request_refused_before")
            return request.id
        _check_rate(store, kept, recipient_id, at=at)
        kept[request.id] = {
            "recipient": recipient_id,
            "token": token,
            "arrived": at.isoformat(),
            "state": "waiting",
            "rests": "",
        }
        store.settings.put(_SETTING, kept)
        store.journal.add(Event.REQUEST_RECEIVED, at=at, recipient=recipient_id, request=request.id)
    session.changed()
    return request.id


def requests(session: Session) -> tuple[RequestRow, ...]:
    """Requests that wait for an answer, oldest first; those put off come back after a week."""
    store, at = session.store, session.now()
    rows: list[RequestRow] = []
    for one in _kept(store).values():
        if one["state"] == "waiting" and not one["rests"] > at.isoformat():
            row = _row(session, one, at=at)
            if row is not None:
                rows.append(row)
    return tuple(sorted(rows, key=lambda row: row.arrived_at))


def request(session: Session, request_id: str) -> RequestRow:
    """One request that waits for an answer.

    Raises:
        NotFound: unknown, answered, or past its day.
    """
    store = session.store
    one = _kept(store).get(request_id)
    row = _row(session, one, at=session.now()) if one is not None and one["state"] == "waiting" else None
    if row is None:
        raise NotFound("request")
    return row


def say_no(session: Session, request_id: str) -> None:
    """Refuse; nobody is told, and the same request does not come back."""
    _answer(session, request_id, state="no")


def say_later(session: Session, request_id: str) -> None:
    """Put off for a week; until an answer it is no."""
    _answer(session, request_id, rests=(session.now() + _LATER).isoformat())


def answered(session: Session, request_id: str, rules: Iterable[Rule]) -> None:
    """A grant with these rules answers it.

    Raises:
        NotFound: unknown or past its day.
        InputRefused: ``answer_too_wide``, the grant gives more than was asked.
    """
    one = _kept(session.store).get(request_id)
    try:
        _, found = _verified(session.store, one["token"] if one else "", at=session.now())
    except InputRefused as exc:
        raise NotFound("request") from exc
    if not is_within(rules, found):
        raise InputRefused("answer_too_wide")
    _answer(session, request_id, state="yes")


def _answer(session: Session, request_id: str, *, state: str = "waiting", rests: str = "") -> None:
    store, at = session.store, session.now()
    with store.write(at):
        kept = _kept(store)
        if request_id not in kept:
            raise NotFound("request")
        kept[request_id] = {**kept[request_id], "state": state, "rests": rests}
        store.settings.put(_SETTING, kept)
        said = "later" if rests else state
        store.journal.add(Event.REQUEST_ANSWERED, at=at, request=request_id, answer=said)
    session.changed()


def _token(text: str | bytes) -> str:
    """The signed text, with or without the first line of the file form; white space does not count."""
    if len(text) > 2 * MAX_TOKEN_BYTES:
        raise InputRefused("request_invalid")
    try:
        said = text.decode("ascii") if isinstance(text, bytes) else text
    except UnicodeDecodeError as exc:
        raise InputRefused("request_invalid") from exc
    return "".join(said.strip().removeprefix(_FILE_HEAD).split())


def _verified(store: VaultStore, token: str, *, at: datetime) -> tuple[str, Request]:
    """The recipient whose pinned card key signed it, and the request."""
    try:
        kid = peek_jws(token).kid
    except CryptoError as exc:
        raise InputRefused("request_invalid") from exc
    for stored in store.recipients.all():
        if is_plain(stored):  # signs nothing, so it asks nothing
            continue
        card = card_of(stored)
        if card.verify_key.id != kid:
            continue
        try:
            found = verify_request(token, card.verify_key, at=at)
        except ExpiredDocument as exc:
            raise InputRefused("request_expired") from exc
        except ConsentError as exc:
            raise InputRefused("request_invalid") from exc
        if found.recipient != card.actor or not _ID.fullmatch(found.id):
            break  # signed by one and asked for another, or a name that could not stand in an address
        return stored.id, found
    raise InputRefused("request_invalid")


def _check_rate(store: VaultStore, kept: dict[str, Any], recipient_id: str, *, at: datetime) -> None:
    theirs = [one for one in kept.values() if one["recipient"] == recipient_id]
    waiting = [one for one in theirs if one["state"] == "waiting" and _is_open(store, one, at=at)]
    recent = [one for one in theirs if at - datetime.fromisoformat(one["arrived"]) < _MONTH]
    if len(waiting) >= MAX_WAITING or len(recent) >= MAX_A_MONTH:
        raise InputRefused("request_too_many")


def _is_open(store: VaultStore, one: dict[str, str], *, at: datetime) -> bool:
    try:
        _verified(store, one["token"], at=at)
    except InputRefused:
        return False
    return True


def _row(session: Session, one: dict[str, str], *, at: datetime) -> RequestRow | None:
    """A kept request, verified again; None when its time is over or its sender is no longer known."""
    store = session.store
    try:
        recipient_id, found = _verified(store, one["token"], at=at)
    except InputRefused:
        return None
    deltas = request_delta(load_ledger(store), found, at=at)
    return RequestRow(
        id=found.id,
        recipient=recipient_row(store.recipients.get(recipient_id)),
        words=dict(found.words),
        study=found.study_name or "",
        ethics=found.ethics or "",
        answer_by=found.answer_by,
        arrived_at=datetime.fromisoformat(one["arrived"]),
        also=_together(deltas),
        has_something=any(delta.nearest is not None for delta in deltas),
        choice=first_choice(found, recipient_id, today=session.today()),
        asked=asked_choice(found, recipient_id, today=session.today()),
        opt_ins=opt_ins(found),
        not_offered=not_offered(found),
    )


def _together(deltas: tuple[Delta, ...]) -> dict[str, tuple[str, ...]]:
    found: dict[str, set[str]] = {}
    for delta in deltas:
        for member, words in delta.also.items():
            found.setdefault(member, set()).update(words)
    return {member: tuple(sorted(words)) for member, words in found.items()}


def _kept(store: VaultStore) -> dict[str, Any]:
    kept = store.settings.get(_SETTING)
    return dict(kept) if isinstance(kept, dict) else {}
