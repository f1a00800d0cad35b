"""The inbox: what a patient's app sends is checked in numbered steps, stored, and answered with proof.

Steps of ``Inbox.receive`` (1 to 10 are ``sync.envelope.open_message``; tests carry the same numbers):

 1 size, counted while streaming  2 form  3 version  4 audience  5 sender  6 outer signature
 7 time, unless the message is known already  8 our key  9 opening  10 inner signature
11. the same message id: same content gets the *stored* receipt, other content is a conflict;
12. the statement: signed by this sender for us, its sequence never goes back; the first one from an unknown
    key makes that key known (trust on first use: the patient pinned us, we only learn that a key writes);
13. a push or removal that was overtaken by a later one is refused (``recipient.removals``); what a removal
    names is erased; of a push each resource is classified here, together with all that is held, and what the
    statement does not permit for the stated purpose and actions is refused and listed in the receipt;
14. effect and receipt in one transaction;
15. the answer is sealed to the reply key of the statement in force.

A statement without scope is a withdrawal: nothing is shown from that transaction on, and what is held is
erased when it says so. What a narrower statement no longer covers is erased too.

Asking "who looked?" takes steps 1 to 10 and a known sender. Asking "what do you know of me?" takes steps 1
to 10; whoever is not known is told so, under signature, because an app that was put back must be able to
tell that from a stranger's refusal.

Source: security.md 3.7, 3.8; consent.md section 3.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from consent.classify import classify, classify_all
from consent.codes import Action, Erase
from consent.errors import ConsentError, NotTrusted, RolledBack
from consent.facts import ResourceFacts
from consent.rules import ActorRef
from consent.statement import Statement, statement_hash, verify_statement
from crypto.errors import CryptoError
from crypto.keys import SealingKey, VerifyKey
from recipient import audit, gaps, holdings, removals
from recipient.errors import Refused
from recipient.holdings import Held, Holding
from recipient.identity import Identity
from recipient.instants import instant_text
from recipient.parsed import Recent, parse_held
from recipient.rotation import in_present_hand
from recipient.scope import Refusal, actions_of, refusal_of
from recipient.store import Store
from sync.access import AccessRequest, parse_access_request, sign_access_log
from sync.access_full import sign_full_log
from sync.bundle import Item, Push, parse_push, parse_statement_content
from sync.envelope import OpenedMessage, open_message, refuse_conflict, seal_reply
from sync.errors import RemoteRuleError
from sync.head import parse_head_request, sign_head
from sync.receipt import Receipt, ReceiptState, sign_receipt
from sync.removal import parse_removal
from sync.wire import KEPT_BY_RECIPIENTS, Kind

MAX_HELD = 50_000
"""Resources of one sender; more than the largest records in our test data by a factor of ten."""

NEW_SENDERS_PER_HOUR = 60
"""Anybody who has the card can make keys; this bounds how fast the list of patients can be littered."""

TOO_MANY = "too_many"


@dataclass(frozen=True, slots=True)
class _Effect:
    """What a message did, for its receipt."""

    stored: int = 0
    refused: tuple[tuple[str, str], ...] = ()
    state: ReceiptState = ReceiptState.STORED


class Inbox:
    """Takes sealed messages, one at a time per call; safe to call from several threads."""

    def __init__(self, store: Store, identity: Identity) -> None:
        self._store = store
        self._identity = identity
        self._recent = Recent()
        self._actor = frozenset({ActorRef(identity.actor_kind, identity.recipient_id)})

    def receive(self, body: bytes, *, at: datetime) -> bytes:
        """Take a push, a statement or a removal.

        Args:
            body: untrusted; its size was counted by the caller.
            at: now.

        Returns:
            The sealed reply with the signed receipt.

        Raises:
            RemoteRuleError: with a code of ``sync.wire.REFUSALS``.
            Refused: ``too_many_new_senders``, try later.
        """
        opened = self._open(body, at=at, known_only=False)  # steps 1 to 10
        if opened.kind not in (Kind.PUSH, Kind.STATEMENT, Kind.REMOVAL):
            raise RemoteRuleError("malformed")
        with self._store.transaction(
            about=opened.sender.text
        ):  # step 14: one transaction around everything that follows
            receipt = self._answered(opened) or self._take_in(opened, at=at)
            reply = self._sealed(receipt, opened)
        if opened.kind in (Kind.STATEMENT, Kind.REMOVAL):
            self._store.fold()  # what was erased shall not wait in the WAL
        return reply

    def access(self, body: bytes, *, at: datetime) -> bytes:
        """Answer "who looked?" with the sender's own signed log.

        Raises:
            RemoteRuleError: with a code of ``sync.wire.REFUSALS``.
        """
        opened = self._open(body, at=at, known_only=True)
        if opened.kind is not Kind.ACCESS:
            raise RemoteRuleError("malformed")
        asked, sub = parse_access_request(opened.content), opened.sender.text
        with self._store.transaction(about=sub):
            token = self._full_log(sub, asked, at=at) if asked.full else self._short_log(sub, asked, at=at)
            return self._sealed(token, opened)

    def _short_log(self, sub: str, asked: AccessRequest, *, at: datetime) -> str:
        return sign_access_log(
            audit.entries_after(self._store, sub, asked.after),
            subject=sub,
            total=audit.head(self._store, sub).sequence,
            key=self._identity.signing,
            at=at,
        )

    def _full_log(self, sub: str, asked: AccessRequest, *, at: datetime) -> str:
        return sign_full_log(
            audit.lines_after(self._store, sub, asked.after),
            after=asked.after,
            head=audit.full_head(self._store, sub),
            subject=sub,
            key=self._identity.signing,
            at=at,
        )

    def head(self, body: bytes, *, at: datetime) -> bytes:
        """Answer "what do you know of me?" with the sender's own newest statement.

        Raises:
            RemoteRuleError: with a code of ``sync.wire.REFUSALS``.
        """
        opened = self._open(body, at=at, known_only=False)
        if opened.kind is not Kind.HEAD:
            raise RemoteRuleError("malformed")
        sub, reply_key = opened.sender.text, parse_head_request(opened.content)
        held = holdings.statement_held(self._store, sub)
        answer = sign_head(
            subject=sub,
            sequence=held[0] if held else 0,
            token=held[1] if held else "",
            key=self._identity.signing,
            at=at,
        )
        return seal_reply(
            answer.encode("ascii"),
            to=reply_key,
            signer=self._identity.signing,
            message_id=opened.message_id,
        )

    def erase_overdue(self, *, at: datetime) -> int:
        """Erase what patients gave until a day that has come (duty DELAU); return how many were looked at."""
        found = holdings.overdue(self._store, at=at)
        for sub in (holding.sub for holding in found):
            with self._store.transaction(about=sub):
                now = holdings.holding_of(self._store, sub)  # a newer statement may have come since
                if now is not None and now.state == holdings.ACTIVE:
                    self._erase_outside(sub, now.statement, at=at)
        if found:
            self._store.fold()
        return len(found)

    def _open(self, body: bytes, *, at: datetime, known_only: bool) -> OpenedMessage:
        return open_message(
            body,
            opening_keys=self._identity.opening,
            audience=self._identity.recipient_id,
            at=at,
            known_sender=self._known_sender if known_only else None,
            already_received=lambda sub, mid: holdings.answered(self._store, sub, mid) is not None,
        )

    def _known_sender(self, sub: str) -> VerifyKey | None:
        return VerifyKey.from_text(sub) if holdings.holding_of(self._store, sub) else None

    def _answered(self, opened: OpenedMessage) -> str | None:
        known = holdings.answered(self._store, opened.sender.text, opened.message_id)
        if known is None:
            return None
        payload_hash, receipt = known
        refuse_conflict(opened, stored_payload_hash=payload_hash)  # step 11
        return in_present_hand(self._store, self._identity, receipt)

    def _take_in(self, opened: OpenedMessage, *, at: datetime) -> str:
        is_new = holdings.statement_held(self._store, opened.sender.text) is None
        if opened.kind is Kind.REMOVAL:
            statement, effect = self._remove(opened, at=at)
        else:
            statement, effect = self._take_given(opened, at=at)
        gaps.note_number(self._store, opened.sender.text, opened.sequence, new=is_new, at=at)
        receipt = self._receipt(opened, statement, effect, at=at)
        holdings.save_answer(
            self._store,
            opened.sender.text,
            opened.message_id,
            kind=opened.kind.value,
            payload_hash=opened.payload_hash,
            receipt=receipt,
            at=at,
        )
        return receipt

    def _take_given(self, opened: OpenedMessage, *, at: datetime) -> tuple[Statement, _Effect]:
        push: Push | None = None
        if opened.kind is Kind.PUSH:
            push = parse_push(opened.content, subject_id=opened.sender.text)
            token = push.statement
        else:
            token = parse_statement_content(opened.content)
        statement, effect = self._install(opened.sender, token, at=at)  # step 12
        if push is not None:
            removals.take_in_order(self._store, opened.sender.text, sequence=opened.sequence)
            effect = self._store_push(opened.sender.text, statement, push, at=at)  # step 13
        return statement, effect

    def _remove(self, opened: OpenedMessage, *, at: datetime) -> tuple[Statement, _Effect]:
        """Erase what the patient threw away; that needs no permit, only a sender we know."""
        sub = opened.sender.text
        holding = holdings.holding_of(self._store, sub)
        if holding is None:
            raise RemoteRuleError("unknown_sender")
        gone = parse_removal(opened.content)
        removals.take_in_order(self._store, sub, sequence=opened.sequence)
        held = removals.remove(self._store, sub, gone, at=at)
        self._recent.forget(sub)
        return holding.statement, _Effect(stored=held, state=ReceiptState.ERASED)

    def _install(self, sender: VerifyKey, token: str, *, at: datetime) -> tuple[Statement, _Effect]:
        """Make the statement the one in force unless it is already; return it and what it did."""
        holding = holdings.holding_of(self._store, sender.text)
        if holding is not None and holding.statement_hash == statement_hash(token):
            return holding.statement, _Effect(state=_STATE_AFTER[holding.state])
        if holding is None:
            self._limit_new_senders(at=at)
        statement = self._verified(sender, token, holding, at=at)
        state = holdings.ACTIVE
        if not statement.scope:
            state = holdings.STOPPED if statement.erase is Erase.NONE else holdings.ERASED
        holdings.save_statement(self._store, statement, token=token, state=state, at=at)
        self._recent.forget(sender.text)
        if state == holdings.ERASED:
            holdings.erase_resources(self._store, sender.text)
        elif state == holdings.ACTIVE:
            self._erase_outside(sender.text, statement, at=at)
        return statement, _Effect(state=_STATE_AFTER[state])

    def _verified(self, sender: VerifyKey, token: str, holding: Holding | None, *, at: datetime) -> Statement:
        try:
            statement = verify_statement(
                token,
                sender,
                audience=self._identity.recipient_id,
                at=at,
                highest_seen=holding.sequence if holding else 0,
                previous_hash=holding.statement_hash if holding else None,
                honours=KEPT_BY_RECIPIENTS,  # a duty we cannot keep: better no data
            )
            SealingKey.from_text(statement.reply_key)
        except RolledBack as exc:
            raise RemoteRuleError("statement_rolled_back") from exc
        except NotTrusted as exc:
            # Final for a statement that breaks a rule; one that is dated ahead of us will be right later on.
            ahead = exc.reason == "from_the_future"
            raise RemoteRuleError("clock" if ahead else "statement_refused") from exc
        except (ConsentError, CryptoError) as exc:
            raise RemoteRuleError("statement_refused") from exc
        return statement

    def _limit_new_senders(self, *, at: datetime) -> None:
        row = self._store.row(
            "SELECT count(*) FROM sender WHERE first_at > ?", (instant_text(at - timedelta(hours=1)),)
        )
        if row is None or row[0] >= NEW_SENDERS_PER_HOUR:
            raise Refused("too_many_new_senders", status=503)

    def _erase_outside(self, sub: str, statement: Statement, *, at: datetime) -> None:
        """Erase what no rule of the new statement covers any more, for whatever it was given."""
        uses = {
            (purpose, action)
            for rule in statement.scope
            for purpose in rule.purpose or ()
            for action in rule.action or ()
        }
        tests = [
            self._refusal(statement, purpose=purpose, actions=frozenset({action}), at=at)
            for purpose, action in uses
        ]
        held = parse_held(holdings.held(self._store, sub))
        gone = [one.row.id for one in held if all(refusal(one.facts, one.resource.body) for refusal in tests)]
        holdings.erase_resources(self._store, sub, gone)

    def _store_push(self, sub: str, statement: Statement, push: Push, *, at: datetime) -> _Effect:
        if not statement.scope:
            raise RemoteRuleError("statement_refused")
        coming = {item.reference for item in push.items}
        kept = [row for row in holdings.held(self._store, sub) if row.reference not in coming]
        room = MAX_HELD - len(kept)
        refusal = self._refusal(statement, purpose=push.purpose, actions=actions_of(push.actions), at=at)
        refused: list[tuple[str, str]] = []
        taken: list[Item] = []
        own, among_others = self._classified(sub, push.items, kept)
        for item, facts in zip(push.items, among_others, strict=True):
            reason = refusal(facts, item.body)
            if reason is None and len(push.items) > room:
                reason = TOO_MANY
            if reason is None:
                taken.append(item)
            else:
                refused.append((item.reference, reason))
        holdings.put_resources(self._store, sub, taken, own=own, at=at)
        holdings.touch(self._store, sub, at=at)
        return _Effect(stored=len(push.items) - len(refused), refused=tuple(refused))

    def _classified(
        self, sub: str, items: Sequence[Item], kept: Sequence[Held]
    ) -> tuple[dict[str, ResourceFacts], list[ResourceFacts]]:
        """Classify what came, by itself and among what is held: a link may make it sensitive."""
        known = self._recent.read(sub, kept)
        bodies: list[Mapping[str, object]] = [item.body for item in items]
        alone = [classify(body) for body in bodies]
        bodies += [one.resource.body for one in known]
        among_others = classify_all(bodies, own=[*alone, *(one.own for one in known)])[: len(items)]
        return {item.reference: facts for item, facts in zip(items, alone, strict=True)}, among_others

    def _refusal(
        self, statement: Statement, *, purpose: str, actions: frozenset[Action], at: datetime
    ) -> Refusal:
        return refusal_of(statement, actor=self._actor, purpose=purpose, actions=actions, at=at)

    def _receipt(self, opened: OpenedMessage, statement: Statement, effect: _Effect, *, at: datetime) -> str:
        receipt = Receipt(
            message_id=opened.message_id,
            subject=opened.sender.text,
            kind=opened.kind,
            payload_hash=opened.payload_hash,
            statement_sequence=statement.sequence,
            stored_at=at,
            stored=effect.stored,
            refused=effect.refused,
            state=effect.state,
            messages=self._erased_messages(opened, effect),
        )
        return sign_receipt(receipt, self._identity.signing)

    def _erased_messages(self, opened: OpenedMessage, effect: _Effect) -> tuple[str, ...]:
        if opened.kind is Kind.REMOVAL or effect.state is not ReceiptState.ERASED:
            return ()  # a removal takes single records; no message is gone as a whole
        return holdings.pushes_of(self._store, opened.sender.text)

    def _sealed(self, token: str, opened: OpenedMessage) -> bytes:
        holding = holdings.holding_of(self._store, opened.sender.text)
        if holding is None:
            raise RemoteRuleError("unknown_sender")
        return seal_reply(  # step 15
            token.encode("ascii"),
            to=SealingKey.from_text(holding.statement.reply_key),
            signer=self._identity.signing,
            message_id=opened.message_id,
        )


_STATE_AFTER = {
    holdings.ACTIVE: ReceiptState.STORED,
    holdings.STOPPED: ReceiptState.STOPPED,
    holdings.ERASED: ReceiptState.ERASED,
}
