"""Effective grant statements: what one recipient may do now, signed for it alone.

A recipient never gets the ledger. It gets a feed of statements, each replacing the one before; an
empty scope with an erase order is how a withdrawal arrives. Verification follows the ten offline
checks of guide consent.md section 3; those of a statement alone are here, under their numbers:

1. the patient's key is the one pinned at first contact (the caller hands it over);
2. that pairwise key signs itself, no device key stands between (nothing to check);
3. algorithm from the key, `typ` ours, unknown `crit` refused;
4. the audience is me, the issuer is this patient;
5. the sequence follows the highest seen, `previous` names that statement, no gap;
6. now is before `next_update_at` (fresh enough to start anything) and before `until_at`;
9. duties I cannot honour are refused;
10. an unknown version or member is refused.

Checks 7 (this bundle, this purpose) and 8 (every resource by my own classifier) need the data:
`decide_under` answers them, at ingress and at each read.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import replace
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Final

from consent.codes import Action, ActorKind, Erase
from consent.dates import as_utc
from consent.decision import Decision, Deny, Evaluator, Reason
from consent.duties import EVERY_DUTY, erase_at, is_overdue, unmet
from consent.effective import Effective, Head, HeadState, Lineage, effective
from consent.errors import ExpiredDocument, Forked, InvalidDocument, NotTrusted, RolledBack
from consent.facts import ResourceFacts
from consent.floors import FRESH_CARE, FRESH_RESEARCH, floor_for
from consent.ledger import Ledger
from consent.matching import Asker
from consent.plan import Plan
from consent.record_json import read_object
from consent.records import By, Grant, GrantId, RecordHash, Shown, Withdrawal
from consent.research import Study, use_duties
from consent.rules import ActorRef, Period, Rule, is_research
from consent.scope import positive_scope
from consent.statement_json import Statement, statement_from_json, statement_to_json
from crypto.canonical import canonical_bytes, sha256_id
from crypto.errors import CryptoError
from crypto.keys import SigningKey, VerifyKey
from crypto.signing import peek_jws, sign_jws, verify_jws

TYP: Final = "pgo-statement+jws"
MAX_TOKEN_BYTES: Final = 64 * 1024
_HASH_TAG: Final = b"pgo/1/consent-statement\n"
_BASIS_TAG: Final = b"pgo/1/consent-basis\n"
# A recipient's clock may run a little behind the patient's.
CLOCK_SKEW: Final = timedelta(minutes=5)


def build_statement(
    ledger: Ledger,
    *,
    audience_actor: ActorRef,
    audience_id: str,
    subject: str,
    reply_key: str,
    sequence: int,
    previous: str | None,
    at: datetime,
    held: Collection[ResourceFacts] | None = None,
) -> Statement:
    """Compile what one recipient may do at this instant; an empty scope when nothing is in force.

    Args:
        ledger: the verified records of the person.
        audience_actor: how grants name the recipient.
        audience_id: the recipient's id on its card.
        subject: text of the pairwise key that will sign; becomes the issuer.
        reply_key: text of the key answers are sealed to.
        sequence: one more than the last statement to this recipient.
        previous: hash of that statement, None for the first.
        at: now.
        held: facts of everything the recipient may have; with it a record or an author can be left
            out without ending the rest (`consent.scope`, rule 4).
    """
    regions, issued_at, fresh_until, until = _compiled(effective(ledger, at), audience_actor, held)
    scope = tuple(dict.fromkeys(rule for _, rule in regions))
    return Statement(
        issuer=subject,
        audience=audience_id,
        sequence=sequence,
        previous=previous,
        issued_at=issued_at,
        next_update_at=fresh_until,
        until_at=until,
        scope=scope,
        erase=Erase.NONE if scope else _erase(ledger, audience_actor),
        duties=frozenset[str]().union(*map(_duties, scope)),
        reply_key=reply_key,
        basis=frozenset(basis_name(subject, head.grant.id) for head, _ in regions) or None,
    )


def basis_name(issuer: str, grant_id: GrantId) -> str:
    """Name a grant inside the statements to one recipient.

    Only who has the grant can tell which one it is, and two recipients of one grant read different
    names, so that it does not tell them that they know the same person. It is for the patient alone:
    a vault put back from a backup sees in it which of its grants were taken back since.
    """
    return sha256_id(_BASIS_TAG + f"{issuer}\n{grant_id}".encode())


def _compiled(
    state: Effective, audience: ActorRef, held: Collection[ResourceFacts] | None
) -> tuple[tuple[tuple[Head, Rule], ...], datetime, datetime, datetime]:
    """Return the regions, since when, until when they are fresh, and their one end: the first change."""
    regions = positive_scope(state, audience, held=held)
    fresh = FRESH_RESEARCH if audience.kind in (ActorKind.REGISTRY, ActorKind.PROJECT) else FRESH_CARE
    ends = {head.grant.period.until_at for head, _ in regions}
    until = min(ends | set(state.deny_starts)) if ends else state.at + fresh
    return regions, state.at, min(until, state.at + fresh), until


def _duties(rule: Rule) -> frozenset[str]:
    """Everything a recipient owes for acting under a rule, so that it can refuse before it has anything."""
    purpose = rule.purpose or frozenset()
    limits = use_duties(rule.research_use) if is_research(purpose) else frozenset[str]()
    return rule.obligation | floor_for(purpose).obligations | limits


_ERASE_ORDER: Final = (Erase.NONE, Erase.DELETE_UNLOCKED, Erase.DELETE)


def _erase(ledger: Ledger, audience: ActorRef) -> Erase:
    """The strictest order among the withdrawals that touch this recipient."""
    named = {
        signed.record.id
        for signed in ledger.records
        if isinstance(signed.record, Grant)
        and any(rule.actor is not None and audience in rule.actor for rule in signed.record.rules)
    }
    orders = [Erase.NONE]
    for signed in ledger.records:
        if isinstance(signed.record, Withdrawal):
            target = signed.record.target
            touches = (
                target.kind in ("all", "purpose")
                or (target.kind == "grant" and target.values[0] in named)
                or (target.kind == "actor" and ActorRef(*target.values) == audience)
            )
            orders += [signed.record.erase] if touches else []
    return max(orders, key=_ERASE_ORDER.index)


def sign_statement(statement: Statement, key: SigningKey) -> str:
    """Sign a statement with the pairwise key it names as issuer.

    Raises:
        ValueError: the key is not the issuer.
        InvalidDocument: longer than a recipient would read.
    """
    if statement.issuer != key.public.text:
        raise ValueError("the statement names another issuer")
    token = sign_jws(canonical_bytes(statement_to_json(statement)), key, typ=TYP)
    if len(token) > MAX_TOKEN_BYTES:
        raise InvalidDocument("too_large")
    return token


def statement_hash(token: str) -> str:
    """Return the id by which the next statement names this one."""
    return sha256_id(_HASH_TAG + token.rpartition(".")[0].encode("ascii"))


def open_statement(token: str, key: VerifyKey) -> Statement:
    """Read a signed statement without asking whether it is the newest (steps 1 to 3 and 10).

    For a statement that `verify_statement` accepted before and that was stored since.

    Raises:
        NotTrusted: the signature does not hold.
        InvalidDocument: signed, but not a statement this version can act on.
    """
    # Steps 1, 2, 3
    try:
        payload = verify_jws(token, key, typ=TYP, max_bytes=MAX_TOKEN_BYTES)
    except CryptoError as exc:
        raise NotTrusted("signature") from exc
    # Step 10
    statement = statement_from_json(read_object(payload, max_bytes=MAX_TOKEN_BYTES))
    # Step 4, issuer
    if statement.issuer != key.text:
        raise NotTrusted("issuer")
    return statement


def verify_statement(
    token: str,
    key: VerifyKey,
    *,
    audience: str,
    at: datetime,
    highest_seen: int,
    previous_hash: str | None,
    honours: Collection[str] = EVERY_DUTY,
) -> Statement:
    """Verify a newly arrived statement in the numbered steps of this module.

    Args:
        token: the signed statement, untrusted.
        key: the pinned pairwise key of the patient.
        audience: my own id.
        at: now.
        highest_seen: sequence of the newest statement I hold, 0 for none.
        previous_hash: its hash, None for none.
        honours: the kinds of duty I can honour.

    Raises:
        NotTrusted, RolledBack, Forked, ExpiredDocument, InvalidDocument: which step failed.
    """
    statement = open_statement(token, key)
    # Step 4
    if statement.audience != audience:
        raise NotTrusted("audience")
    _check_follows(statement, highest_seen, previous_hash)  # step 5
    _check_fresh(statement, as_utc(at))  # step 6
    # Step 9
    if unmet(statement.duties, honours):
        raise NotTrusted("duty")
    return statement


def _check_follows(statement: Statement, highest_seen: int, previous_hash: str | None) -> None:
    if statement.sequence <= highest_seen:
        raise RolledBack("sequence", position=statement.sequence)
    if statement.sequence != highest_seen + 1:
        raise NotTrusted("gap", position=statement.sequence)
    if statement.previous != previous_hash:
        raise Forked("previous", position=statement.sequence)


def _check_fresh(statement: Statement, now: datetime) -> None:
    if statement.scope and statement.issued_at > now + CLOCK_SKEW:
        raise NotTrusted("from_the_future")  # one that permits nothing is never too early: stop now
    if now >= statement.next_update_at:
        raise ExpiredDocument("next_update")


def reread_statement(token: str) -> Statement:
    """Read a statement that `verify_statement` accepted before and that was kept in an own store.

    No signature is checked: the store vouches for the token. Never for anything that just arrived.

    Raises:
        InvalidDocument: not a statement this version can act on.
    """
    try:
        payload = peek_jws(token).payload
    except CryptoError as exc:
        raise InvalidDocument("not_a_token") from exc
    return statement_from_json(read_object(payload, max_bytes=MAX_TOKEN_BYTES))


def decide_under(
    statement: Statement,
    *,
    actor: Collection[ActorRef],
    purpose: Collection[str],
    action: Collection[Action],
    facts: ResourceFacts,
    at: datetime,
    study: Study | None = None,
) -> Decision:
    """Decide for one resource under a statement: at ingress and at each read (steps 6, 7 and 8).

    Args:
        statement: the newest verified one.
        actor: who reads, always with the recipient itself among them.
        purpose: all purposes of this read.
        action: all actions of this read.
        facts: the recipient's own classification of the resource.
        at: now.
        study: what the recipient says of its research; None describes no study.
    """
    plan = statement_plan(statement, actor=actor, purpose=purpose, action=action, at=at, study=study)
    return plan(facts)


def statement_plan(
    statement: Statement,
    *,
    actor: Collection[ActorRef],
    purpose: Collection[str],
    action: Collection[Action],
    at: datetime,
    study: Study | None = None,
) -> Callable[[ResourceFacts], Decision]:
    """Prepare `decide_under` for many resources of one read; the answers are the same."""
    now = max(as_utc(at), statement.issued_at)
    if now >= statement.next_update_at:
        stale = Deny(Reason.STALE_STATUS, False, (), (), None)
        return lambda _facts: stale
    statement = still_allowed(statement, now)
    if not statement.scope:
        nothing = Deny(Reason.NO_GRANT, False, (), (), statement.next_update_at)
        return lambda _facts: nothing
    asker = Asker(frozenset(actor), frozenset(purpose), frozenset(action), study)
    lineage = _as_lineage(statement)
    state = Effective(now, lineage.heads[0].hash, (lineage,), (), ())
    return Plan(Evaluator(state, asker)).decide


def still_allowed(statement: Statement, at: datetime) -> Statement:
    """Return the statement without the regions whose day to erase everything has come (duty DELAU)."""
    left = tuple(rule for rule in statement.scope if not is_overdue(rule.obligation, at))
    if len(left) == len(statement.scope):
        return statement
    return replace(statement, scope=left, basis=statement.basis if left else None)


@lru_cache(maxsize=256)
def _as_lineage(statement: Statement) -> Lineage:
    """See the statement as one grant in force: the recipient knows nothing else."""
    own_hash = RecordHash(sha256_id(_HASH_TAG + canonical_bytes(statement_to_json(statement))))
    days = [day for rule in statement.scope if (day := erase_at(rule.obligation)) is not None]
    grant = Grant(
        id=GrantId(statement.audience),
        subject=statement.issuer,
        by=By(statement.issuer),
        at=statement.issued_at,
        period=Period(statement.issued_at, min([statement.next_update_at, *days])),
        rules=statement.scope,
        shown=Shown("und", "statement"),
    )
    return Lineage(grant.id, (Head(own_hash, grant, HeadState.IN_FORCE, frozenset(), frozenset()),))


__all__ = [
    "Statement",
    "basis_name",
    "build_statement",
    "decide_under",
    "open_statement",
    "reread_statement",
    "sign_statement",
    "statement_hash",
    "statement_plan",
    "still_allowed",
    "verify_statement",
]
