"""A new signing key in the place of the old one, and the numbers that stand on the card.

Promises:
1. the old key signs the new one, and is destroyed in the same transaction: afterwards nobody, ourselves
   included, can name another successor;
2. every succession stays on the card for ever, so that an app that was away for years still finds its way;
3. an answer that was given under a former key is given again under the present one, word for word, because
   the app that repeats its message may know only the present one by then;
4. a number has the form of its register, or does not stand on the card.

Source: ``sync.succession``; security.md 3.9.
"""

from __future__ import annotations

from datetime import datetime

from crypto.errors import CryptoError
from crypto.keys import SigningKey, VerifyKey
from crypto.signing import sign_jws, verify_jws
from recipient.errors import Unusable
from recipient.identity import Identity, load_identity
from recipient.instants import instant_text
from recipient.store import Store
from sync.errors import LocalRuleError
from sync.identifiers import BY_SCHEME, check_identifiers
from sync.receipt import MAX_RECEIPT_BYTES, RECEIPT_TYPE
from sync.succession import sign_succession


def rotate_signing_key(store: Store, *, at: datetime) -> VerifyKey:
    """Take a new signing key, named by the old one; return what patients may compare from now on."""
    new = SigningKey.generate()
    with store.transaction():
        identity = load_identity(store)
        token = sign_succession(identity.recipient_id, old=identity.signing, new=new.public, at=at)
        store.run(
            "INSERT INTO succession (token, former_key, at) VALUES (?, ?, ?)",
            (token, identity.signing.public.text, instant_text(at)),
        )
        store.run("UPDATE identity SET signing_seed = ?", (store.secrets.seal("signing_seed", new.seed),))
    store.fold()  # the old key shall not wait in the WAL
    return new.public


def successions(store: Store) -> tuple[str, ...]:
    """Return all successions, oldest first."""
    return tuple(str(row[0]) for row in store.rows("SELECT token FROM succession ORDER BY id"))


def in_present_hand(store: Store, identity: Identity, receipt: str) -> str:
    """Return a stored receipt as it is, or under the present key when a former one signed it (promise 3)."""
    formers = store.rows("SELECT former_key FROM succession ORDER BY id DESC")
    for key in (identity.signing.public, *(VerifyKey.from_text(str(row[0])) for row in formers)):
        try:
            payload = verify_jws(receipt, key, typ=RECEIPT_TYPE, max_bytes=MAX_RECEIPT_BYTES)
        except CryptoError:
            continue
        if key == identity.signing.public:
            return receipt
        return sign_jws(payload, identity.signing, typ=RECEIPT_TYPE)
    raise Unusable("store_damaged")  # a receipt that none of our keys signed was not written by us


def add_number(store: Store, number: str) -> None:
    """Put one more number on the card.

    Args:
        store: with an identity.
        number: scheme and value, for example ``agb:01234567``; one per scheme, a new one takes its place.

    Raises:
        Unusable: ``bad_number``.
    """
    scheme, _, value = number.partition(":")
    known = BY_SCHEME.get(scheme)
    if known is None:
        raise Unusable("bad_number")
    try:
        check_identifiers(load_identity(store).recipient_id, ((known.system, value),))
    except LocalRuleError as exc:
        raise Unusable("bad_number") from exc
    with store.transaction():
        store.run(
            "INSERT INTO own_number (system, value) VALUES (?, ?) "
            "ON CONFLICT (system) DO UPDATE SET value = excluded.value",
            (known.system, value),
        )
