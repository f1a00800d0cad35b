"""Who a program is and for whom it asks: the signed assertion it hands over for an access token.

Verified in this order; tests carry the same numbers:

1. it names a client that is registered and open (looked up before anything is believed);
2. type, algorithm and key name are of that client, the signature holds (``crypto.provider_keys``);
3. ``iss`` and ``sub`` are the client, ``aud`` is our token endpoint and nothing else;
4. it ends within five minutes, has begun, and has not ended;
5. the person asked for, if named or needed, is named completely, and for the client's purpose;
6. its ``jti`` was never used by this client before; now it is (the caller holds the transaction).

The person: a hospital's record system logs its people in itself and vouches for them. It names them in the
``hl7-b2b`` extension of the signed assertion, so nobody between can change who asked, and the patient reads
that name in the list of who looked. Without it the system itself is named.

Sources: RFC 7523 sections 2.2 and 3; SMART App Launch 2.2.0 client-confidential-asymmetric.html; HL7 UDAP
Security IG 1.0.0 b2b.html section 5.2.1.1 (subject_name, subject_role, purpose_of_use); RFC 8725 section 3.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from crypto.canonical import JsonValue, b64url_decode, parse_strict
from crypto.errors import CryptoError
from crypto.provider_keys import verify_foreign_jws
from recipient.errors import Refused
from recipient.fhir_api.clients import ALGORITHMS, Client, open_client
from recipient.instants import instant_text
from recipient.store import Store

ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
LONGEST = timedelta(minutes=5)  # SMART: "no more than five minutes in the future"
SKEW = timedelta(seconds=60)  # for iat and nbf only: the end is the end
MAX_ASSERTION_CHARACTERS = 8_192
_TYPES: frozenset[str | None] = frozenset({None, "jwt"})
_ACT_REASON = ("urn:oid:2.16.840.1.113883.5.8#", "http://terminology.hl7.org/CodeSystem/v3-ActReason#")


@dataclass(frozen=True, slots=True)
class Person:
    """Who asks, as their own organisation vouches for it; shown to the patient."""

    name: str
    role: str


@dataclass(frozen=True, slots=True)
class Asserted:
    """A verified log-in of a client."""

    client: Client
    person: Person | None


def verify_assertion(store: Store, token: str, *, audience: str, at: datetime) -> Asserted:
    """Verify an untrusted assertion in the steps above; the caller holds the transaction.

    Args:
        store: open store.
        token: untrusted.
        audience: address of our token endpoint.
        at: now.

    Raises:
        Refused: ``invalid_client``, the same for every failed step: a stranger learns nothing from it.
    """
    client = open_client(store, _claimed_client(token))  # step 1
    if client is None:
        raise invalid_client()
    try:  # step 2
        payload = verify_foreign_jws(
            token, client.keys, algorithms=ALGORITHMS, types=_TYPES, kid_required=True
        )
        claims = parse_strict(payload, max_bytes=MAX_ASSERTION_CHARACTERS, max_depth=8)
    except CryptoError as exc:
        raise invalid_client() from exc
    if not isinstance(claims, Mapping) or not _is_meant_for_us(claims, client, audience):  # step 3
        raise invalid_client()
    ends_at = _end(claims, at)  # step 4
    person = _person(claims, client)  # step 5
    _note_use(store, client, claims.get("jti"), ends_at, at=at)  # step 6
    return Asserted(client, person)


def invalid_client() -> Refused:
    """Return the one refusal of a log-in that does not hold (RFC 6749 section 5.2)."""
    return Refused("invalid_client", status=401)


def _claimed_client(token: str) -> str:
    parts = token.split(".")
    if len(token) > MAX_ASSERTION_CHARACTERS or len(parts) != 3:
        raise invalid_client()
    try:
        claims = parse_strict(b64url_decode(parts[1]), max_bytes=MAX_ASSERTION_CHARACTERS, max_depth=8)
    except CryptoError as exc:
        raise invalid_client() from exc
    issuer = claims.get("iss") if isinstance(claims, Mapping) else None
    if not isinstance(issuer, str) or len(issuer) > 64:
        raise invalid_client()
    return issuer


def _is_meant_for_us(claims: Mapping[str, JsonValue], client: Client, audience: str) -> bool:
    return (
        claims.get("iss") == client.name
        and claims.get("sub") == client.name
        and claims.get("aud") in (audience, [audience])
    )


def _end(claims: Mapping[str, JsonValue], at: datetime) -> datetime:
    ends_at = _instant(claims.get("exp"))
    if ends_at is None or ends_at <= at or ends_at > at + LONGEST:
        raise invalid_client()
    for name in ("iat", "nbf"):
        if name in claims:
            begins_at = _instant(claims[name])
            if begins_at is None or begins_at > at + SKEW:
                raise invalid_client()
    return ends_at


def _instant(value: JsonValue) -> datetime | None:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < 2**40:
        return None
    try:
        return datetime.fromtimestamp(value, UTC)
    except (ValueError, OverflowError):
        return None


def _person(claims: Mapping[str, JsonValue], client: Client) -> Person | None:
    extensions = claims.get("extensions")
    said = extensions.get("hl7-b2b") if isinstance(extensions, Mapping) else None
    if extensions is None and not client.person_needed:
        return None
    if not isinstance(said, Mapping) or said.get("version") != "1":
        raise invalid_client()
    name, role = said.get("subject_name"), said.get("subject_role", client.account.role)
    if not _is_readable(name) or not _is_readable(role) or not _is_purpose(said, client.purpose):
        raise invalid_client()
    return Person(str(name).strip(), str(role).strip())


def _is_readable(text: JsonValue) -> bool:
    return isinstance(text, str) and 1 <= len(text.strip()) <= 80 and text.isprintable()


def _is_purpose(said: Mapping[str, JsonValue], purpose: str) -> bool:
    """Whether every purpose the person has is the one that the client is registered for."""
    named = said.get("purpose_of_use")
    allowed = {purpose, *(prefix + purpose for prefix in _ACT_REASON)}
    return named is None or (isinstance(named, list) and bool(named) and all(one in allowed for one in named))


def _note_use(store: Store, client: Client, jti: JsonValue, ends_at: datetime, *, at: datetime) -> None:
    if not isinstance(jti, str) or not 1 <= len(jti) <= 128 or not jti.isprintable():
        raise invalid_client()
    store.run("DELETE FROM oauth_assertion WHERE expires_at <= ?", (instant_text(at),))
    noted = store.run(
        "INSERT INTO oauth_assertion (client, jti, expires_at) VALUES (?, ?, ?) ON CONFLICT DO NOTHING",
        (client.id, jti, instant_text(ends_at)),
    )
    if noted != 1:
        raise invalid_client()
