"""The programs that may ask for data: registered on the command line, known by their public keys.

Promises:
1. a client has a name, public keys (never a shared secret), scopes, and the role and purpose it acts for;
2. beside it stands a closed account: it can never log in to the portal, but access events and the patient's
   app name it like everybody else who looks;
3. a client that is closed is refused from its next request on, with every token it has;
4. research is no purpose of this interface: what is shared for research leaves by the extract only.

Source: SMART App Launch 2.2.0 backend-services.html, client-confidential-asymmetric.html (registration).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime

from consent.codes import PURPOSES, RESEARCH_PURPOSES
from crypto.errors import CryptoError
from crypto.provider_keys import ProviderKey, parse_key_set
from recipient.accounts import Account
from recipient.errors import Refused, Unusable
from recipient.fhir_api.scopes import Scopes, parse_scopes, scopes_text
from recipient.instants import instant_text
from recipient.store import Store

# SMART names RS384 and ES384 and lets a server take more; nothing that a shared secret could make.
ALGORITHMS = frozenset({"RS384", "ES384", "ES256", "EdDSA"})
_NAME = re.compile(r"[a-z][a-z0-9._-]{1,31}")
_NO_PASSWORD = "!"  # noqa: S105  (no Argon2id hash begins so: no password ever fits)
_SELECT = (
    "SELECT c.id, c.name, c.keys, c.scopes, c.purpose, c.person_needed, c.active, a.id, a.display, a.role "
    "FROM oauth_client c JOIN account a ON a.id = c.account"
)


@dataclass(frozen=True, slots=True)
class Client:
    """One registered program.

    Attributes:
        account: how access events name the program itself.
        person_needed: whether it must say, in each log-in, for which person it asks.
    """

    id: int
    name: str
    keys: tuple[ProviderKey, ...]
    scopes: Scopes
    purpose: str
    person_needed: bool
    active: bool
    account: Account


@dataclass(frozen=True, slots=True)
class Registration:
    """What the operator says of a client; texts as given on the command line."""

    name: str
    display: str
    key_set: bytes
    scopes: str
    acts_for: str
    person_needed: bool = False


def add_client(store: Store, wanted: Registration, *, at: datetime) -> Client:
    """Register a program.

    Args:
        store: open store.
        wanted: `acts_for` is ``role/purpose``, for example ``hospital record/TREAT``.
        at: now.

    Raises:
        Unusable: ``bad_client_name``, ``bad_display``, ``bad_key_set``, ``bad_scopes``, ``bad_purpose``,
            ``client_exists``.
    """
    role, purpose = _check(wanted)
    with store.transaction():
        if store.row("SELECT 1 FROM oauth_client WHERE name = ?", (wanted.name,)):
            raise Unusable("client_exists")
        account = _closed_account(store, wanted, role=role, at=at)
        store.run(
            "INSERT INTO oauth_client (name, account, keys, scopes, purpose, person_needed, created_at) "
            "VALUES (?, ?, ?, ?, ?, ?, ?)",
            (
                wanted.name,
                account,
                wanted.key_set.decode("utf-8"),
                scopes_text(parse_scopes(wanted.scopes)),
                purpose,
                int(wanted.person_needed),
                instant_text(at),
            ),
        )
    return client_named(store, wanted.name)


def close_client(store: Store, name: str) -> None:
    """Refuse a client from now on; its tokens are gone, its name stays because access logs point to it."""
    with store.transaction():
        if not store.run("UPDATE oauth_client SET active = 0 WHERE name = ?", (name,)):
            raise Unusable("no_such_client")
        store.run(
            "DELETE FROM oauth_token WHERE client IN (SELECT id FROM oauth_client WHERE name = ?)", (name,)
        )


def renew_keys(store: Store, name: str, key_set: bytes) -> None:
    """Give a client other keys; tokens it has go on until they end.

    Raises:
        Unusable: ``bad_key_set``, ``no_such_client``.
    """
    _keys(key_set)
    if not store.run("UPDATE oauth_client SET keys = ? WHERE name = ?", (key_set.decode("utf-8"), name)):
        raise Unusable("no_such_client")


def clients(store: Store) -> tuple[Client, ...]:
    """Return every client, open or closed, by name."""
    return tuple(_client(row) for row in store.rows(_SELECT + " ORDER BY c.name"))


def client_named(store: Store, name: str) -> Client:
    """Return a client by its name.

    Raises:
        Unusable: ``no_such_client``.
    """
    row = store.row(_SELECT + " WHERE c.name = ?", (name,))
    if row is None:
        raise Unusable("no_such_client")
    return _client(row)


def open_client(store: Store, untrusted_name: str) -> Client | None:
    """Return a client that may ask, None for unknown and closed ones."""
    row = store.row(_SELECT + " WHERE c.name = ? AND c.active = 1", (untrusted_name,))
    return _client(row) if row else None


def client_by_id(store: Store, client_id: int) -> Client | None:
    """Return a client that may ask, by its row; asked at every request, so closing works at once."""
    row = store.row(_SELECT + " WHERE c.id = ? AND c.active = 1", (client_id,))
    return _client(row) if row else None


def _check(wanted: Registration) -> tuple[str, str]:
    """Refuse what could not work; return role and purpose."""
    if not _NAME.fullmatch(wanted.name):
        raise Unusable("bad_client_name")
    role, _, purpose = wanted.acts_for.rpartition("/")
    for text in (wanted.display, role):
        if not (1 <= len(text.strip()) <= 80 and text.isprintable()):
            raise Unusable("bad_display")
    if purpose not in PURPOSES or purpose in RESEARCH_PURPOSES:
        raise Unusable("bad_purpose")
    _keys(wanted.key_set)
    try:
        parse_scopes(wanted.scopes)
    except Refused as exc:
        raise Unusable("bad_scopes") from exc
    return role.strip(), purpose


def _keys(key_set: bytes) -> tuple[ProviderKey, ...]:
    """Read public keys; each needs a name of its own, and one that can be used."""
    try:
        keys = tuple(key for key in parse_key_set(key_set) if key.algorithms & ALGORITHMS)
    except CryptoError as exc:
        raise Unusable("bad_key_set") from exc
    names = [key.kid for key in keys]
    if not keys or None in names or len(set(names)) != len(names):
        raise Unusable("bad_key_set")
    return keys


def _closed_account(store: Store, wanted: Registration, *, role: str, at: datetime) -> int:
    # A colon cannot stand in the name of a person's account, so nobody can open this one by a password.
    name = f"client:{wanted.name}"
    store.run(
        "INSERT INTO account (name, display, role, phc, active, created_at) VALUES (?, ?, ?, ?, 0, ?)",
        (name, wanted.display.strip(), role, _NO_PASSWORD, instant_text(at)),
    )
    row = store.row("SELECT id FROM account WHERE name = ?", (name,))
    if row is None:
        raise Unusable("store_damaged")
    return int(row[0])


def _client(row: tuple[object, ...]) -> Client:
    number, name, keys, scopes, purpose, person_needed, active, account, display, role = row
    return Client(
        id=int(str(number)),
        name=str(name),
        keys=_keys(str(keys).encode()),
        scopes=parse_scopes(str(scopes)),
        purpose=str(purpose),
        person_needed=bool(person_needed),
        active=bool(active),
        account=Account(int(str(account)), f"client:{name}", str(display), str(role)),
    )
