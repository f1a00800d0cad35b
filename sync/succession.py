"""A new key in the place of an old one: signed by the old one, so that patients need not compare again.

A card proves only that its maker holds the key in it. When a recipient takes a new key, the old key signs a
succession: "after me comes this one". Whoever pinned the old key follows it without asking the patient; the
journal says that it happened. A recipient hands out all its successions, so an app that missed a few follows
them one after another.

`follow` goes in this order, and tests carry the same numbers:

1. each succession names this recipient and is signed by the key that it leaves;
2. from the pinned key on, one leads to the next; two different successors of one key are refused, because
   only one of them can be the recipient's and nobody can tell which;
3. the last one is the key in the card.

What it cannot show: that an old key was not stolen. Whoever holds it can name himself as its successor; so a
recipient that lost its key cannot repair that with a succession, and patients compare the fingerprint anew.

Source: RFC 6781 section 4.1 (double-signature roll-over) and TUF specification section 6.1 (key migration by
the old key) for the idea.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from crypto.canonical import canonical_bytes
from crypto.errors import CryptoError
from crypto.keys import SigningKey, VerifyKey
from crypto.signing import peek_jws, sign_jws, verify_jws
from sync.card import RecipientCard
from sync.errors import RemoteRuleError
from sync.reading import as_instant, as_text, as_whole, instant, malformed, read_object

SUCCESSION_VERSION = 1
MAX_SUCCESSIONS = 40
_TYPE = "pgo-succession+jws"
_MAX_BYTES = 4 * 1024
_MEMBERS = frozenset({"v", "id", "from", "to", "at"})


@dataclass(frozen=True, slots=True)
class Succession:
    """One step: from which key to which, and when."""

    recipient_id: str
    old: VerifyKey
    new: VerifyKey
    at: datetime


def sign_succession(recipient_id: str, *, old: SigningKey, new: VerifyKey, at: datetime) -> str:
    """Say with the old key which one comes after it."""
    body = canonical_bytes(
        {
            "v": SUCCESSION_VERSION,
            "id": recipient_id,
            "from": old.public.text,
            "to": new.text,
            "at": instant(at),
        }
    )
    return sign_jws(body, old, typ=_TYPE)


def parse_succession(token: str) -> Succession:
    """Read a succession and check the signature of the key that it leaves (step 1).

    Raises:
        RemoteRuleError: `bad_succession`.
    """
    try:
        payload = peek_jws(token, max_bytes=_MAX_BYTES).payload
        members = read_object(payload, _MEMBERS, max_bytes=_MAX_BYTES)
        if as_whole(members["v"]) != SUCCESSION_VERSION:
            raise malformed()
        old = VerifyKey.from_text(as_text(members["from"]))
        verify_jws(token, old, typ=_TYPE, max_bytes=_MAX_BYTES)
        return Succession(
            recipient_id=as_text(members["id"]),
            old=old,
            new=VerifyKey.from_text(as_text(members["to"])),
            at=as_instant(members["at"]),
        )
    except (CryptoError, RemoteRuleError) as exc:
        raise RemoteRuleError("bad_succession") from exc


def follow(pinned: VerifyKey, card: RecipientCard, tokens: Sequence[str]) -> tuple[Succession, ...]:
    """Follow the successions from the pinned key to the key in the card.

    Args:
        pinned: the key that the patient compared, or that was followed to before.
        card: a card that passed `parse_card`.
        tokens: untrusted, in any order.

    Returns:
        The steps taken, in order; empty when the card has the pinned key.

    Raises:
        RemoteRuleError: `card_key_changed`, they do not lead there.
    """
    if card.verify_key == pinned:
        return ()
    if len(tokens) > MAX_SUCCESSIONS:
        raise RemoteRuleError("card_key_changed")
    try:
        found = [parse_succession(token) for token in tokens]  # step 1
    except RemoteRuleError as exc:
        raise RemoteRuleError("card_key_changed") from exc
    steps: list[Succession] = []
    left = [one for one in found if one.recipient_id == card.id]
    key = pinned
    while key != card.verify_key:  # steps 2 and 3; each step uses one up, so this ends
        step = _next(key, left)
        left = [one for one in left if one.old != key]
        steps.append(step)
        key = step.new
    return tuple(steps)


def _next(key: VerifyKey, found: Iterable[Succession]) -> Succession:
    following = [one for one in found if one.old == key]
    if len({one.new.text for one in following}) != 1:
        raise RemoteRuleError("card_key_changed")
    return following[0]
