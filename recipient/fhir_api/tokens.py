"""Access tokens: 256 random bits for ten minutes, of which the store keeps a hash only.

Promises: a token says nothing by itself; it ends with its time, with its client and with ``recipient client
close``; it never covers more than its client is registered for at the moment of use.

Sources: RFC 6749 section 5, RFC 6750; SMART App Launch 2.2.0 backend-services.html (short-lived tokens).
"""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from recipient.accounts import Account
from recipient.fhir_api.assertion import Asserted, Person
from recipient.fhir_api.clients import Client, client_by_id
from recipient.fhir_api.scopes import Scopes, covered, scopes_text
from recipient.instants import instant_text
from recipient.store import Store

GOOD_FOR = timedelta(minutes=10)
_PREFIX = "pgo_"  # so that scanners for leaked secrets know one when they see it
_MAX_CHARACTERS = 128


@dataclass(frozen=True, slots=True)
class Caller:
    """Who asks, by a token: the client, the scopes, and the account that access events will name."""

    client: Client
    scopes: Scopes
    account: Account


def issue_token(store: Store, asserted: Asserted, scopes: Scopes, *, at: datetime) -> str:
    """Make a token; the caller holds the transaction of the log-in. Tokens that ended are swept."""
    token = _PREFIX + secrets.token_urlsafe(32)
    person = asserted.person
    store.run("DELETE FROM oauth_token WHERE expires_at <= ?", (instant_text(at),))
    store.run(
        "INSERT INTO oauth_token (hash, client, scopes, person, person_role, expires_at) "
        "VALUES (?, ?, ?, ?, ?, ?)",
        (
            _digest(token),
            asserted.client.id,
            scopes_text(scopes),
            person.name if person else None,
            person.role if person else None,
            instant_text(at + GOOD_FOR),
        ),
    )
    return token


def caller_of(store: Store, untrusted_token: str, *, at: datetime) -> Caller | None:
    """Return who a token stands for, None when it is no token, ended, or its client is closed."""
    if len(untrusted_token) > _MAX_CHARACTERS:
        return None
    row = store.row(
        "SELECT client, scopes, person, person_role FROM oauth_token WHERE hash = ? AND expires_at > ?",
        (_digest(untrusted_token), instant_text(at)),
    )
    client = client_by_id(store, row[0]) if row else None
    if row is None or client is None:
        return None
    scopes = covered(row[1], client.scopes)
    person = Person(row[2], row[3]) if row[2] is not None else None
    return Caller(client, scopes, _named(client, person))


def _named(client: Client, person: Person | None) -> Account:
    """Return how the access event names the look: the person and by which program, or the program alone."""
    if person is None:
        return client.account
    display = f"{person.name} ({client.account.display})"
    return replace(client.account, display=display, role=person.role)


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode("utf-8", "replace")).hexdigest()
