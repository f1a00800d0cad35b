"""Who this recipient is: name, keys and address; and the signed card that patients' apps pin.

Promises: one identity per store, made once by ``init``; a new signing key comes only by
``recipient.rotation``, signed by the one before; opening keys may be added (newest on the card) and old ones
still open queued mail.

Source: security.md's key rules as built in ``sync.card``; RFC 9180 (HPKE) for what the opening key is for.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from crypto.keys import KeyId, OpeningKey, SigningKey
from recipient.errors import Unusable
from recipient.instants import instant_text
from recipient.store import Store
from sync.card import RecipientCard, sign_card
from sync.errors import LocalRuleError
from sync.identifiers import BY_SCHEME, check_identifiers

KINDS = ("clinic", "registry")
CARD_VALID = timedelta(days=365)  # opening keys are renewed yearly; the card announces the newest
# What the portal asks consent for: v3-ActReason codes, http://terminology.hl7.org/CodeSystem/v3-ActReason
PURPOSE_OF_KIND: Mapping[str, str] = {"clinic": "TREAT", "registry": "HRESCH"}
# A scheme and a value; those of ``sync.identifiers`` have a form of their own
_ID = re.compile(r"[a-z][a-z0-9-]{1,15}:[A-Za-z0-9._-]{1,64}")


@dataclass(frozen=True, slots=True)
class Identity:
    """The installation's own facts; ``repr`` shows no secret because the key types do not."""

    recipient_id: str
    name: str
    kind: str
    url: str | None
    port: int | None
    signing: SigningKey
    opening: Mapping[KeyId, OpeningKey]
    newest_opening: OpeningKey
    numbers: tuple[tuple[str, str], ...] = ()

    @property
    def purpose(self) -> str:
        """The purpose for which people here look at data."""
        return PURPOSE_OF_KIND[self.kind]

    @property
    def actor_kind(self) -> str:
        """How consent names a recipient of this kind, as on its card."""
        return "registry" if self.kind == "registry" else "org"


def create_identity(
    store: Store, *, recipient_id: str, name: str, kind: str, url: str | None, at: datetime
) -> None:
    """Write the one identity of a fresh store.

    Args:
        store: without identity.
        recipient_id: scheme and value, for example ``ura:00000123``.
        name: as patients will read it on their screen.
        kind: ``clinic`` or ``registry``.
        url: public address, already checked, or None for this machine only.
        at: now.

    Raises:
        Unusable: ``bad_id``, ``bad_name``, ``bad_kind``.
    """
    check_identity(recipient_id=recipient_id, name=name, kind=kind)
    with store.transaction():
        store.run(
            "INSERT INTO identity VALUES (1, ?, ?, ?, ?, NULL, ?, ?)",
            (
                recipient_id,
                name.strip(),
                kind,
                url,
                store.secrets.seal("signing_seed", SigningKey.generate().seed),
                instant_text(at),
            ),
        )
        _insert_opening_key(store, at=at)


def check_identity(*, recipient_id: str, name: str, kind: str) -> None:
    """Refuse what could not stand on a card, before anything is written.

    Raises:
        Unusable: ``bad_id``, ``bad_name``, ``bad_kind``.
    """
    try:
        check_identifiers(recipient_id, ())
    except LocalRuleError as exc:
        raise Unusable("bad_id") from exc
    if not _ID.fullmatch(recipient_id):
        raise Unusable("bad_id")
    if not (1 <= len(name.strip()) <= 120 and name.isprintable()):
        raise Unusable("bad_name")
    if kind not in KINDS:
        raise Unusable("bad_kind")


def load_identity(store: Store) -> Identity:
    """Read the identity.

    Raises:
        Unusable: ``not_initialised`` when ``init`` never finished.
    """
    row = store.row("SELECT recipient_id, name, kind, url, port, signing_seed FROM identity")
    seeds = store.rows("SELECT seed FROM opening_key ORDER BY id")
    if row is None or not seeds:
        raise Unusable("not_initialised")
    keys = [OpeningKey.from_seed(store.secrets.open("opening_seed", seed)) for (seed,) in seeds]
    recipient_id, name, kind, url, port, signing_seed = row
    return Identity(
        recipient_id=recipient_id,
        name=name,
        kind=kind,
        url=url,
        port=port,
        signing=SigningKey.from_seed(store.secrets.open("signing_seed", signing_seed)),
        opening={key.public.id: key for key in keys},
        newest_opening=keys[-1],
        numbers=tuple(
            (str(system), str(number))
            for system, number in store.rows("SELECT system, value FROM own_number ORDER BY system")
        ),
    )


def add_opening_key(store: Store, *, at: datetime) -> None:
    """Make a new opening key; the next card carries it, older ones keep opening mail on its way."""
    with store.transaction():
        _insert_opening_key(store, at=at)


def remember_port(store: Store, port: int) -> None:
    """Keep the port that was free, so that the address on handed-out cards survives a restart."""
    store.run("UPDATE identity SET port = ?", (port,))


def build_card(identity: Identity, *, endpoint: str, at: datetime) -> tuple[RecipientCard, str]:
    """Build and sign the card.

    Returns:
        The card and its signed text.
    """
    scheme, _, value = identity.recipient_id.partition(":")
    own = BY_SCHEME.get(scheme)
    others = tuple(one for one in identity.numbers if own is None or one[0] != own.system)
    card = RecipientCard(
        version=1,
        id=identity.recipient_id,
        kind=identity.kind,
        name=identity.name,
        identifiers=(*(((own.system, value),) if own else ()), *others),
        endpoint=endpoint,
        verify_key=identity.signing.public,
        sealing_key=identity.newest_opening.public,
        issued_at=at,
        expires_at=at + CARD_VALID,
    )
    return card, sign_card(card, identity.signing)


def _insert_opening_key(store: Store, *, at: datetime) -> None:
    store.run(
        "INSERT INTO opening_key (seed, created_at) VALUES (?, ?)",
        (store.secrets.seal("opening_seed", OpeningKey.generate().seed), instant_text(at)),
    )
