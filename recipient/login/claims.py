"""What an ID token must say before anybody comes in by it.

``check_id_token`` goes in this order, and tests carry the same numbers:

1. signature: by a key of the service, an allowed algorithm, typ ``JWT`` or none (``crypto.provider_keys``);
2. ``iss`` is the issuer, character for character;
3. ``aud`` is us and nobody else: no other audience is one we trust (OpenID Connect Core 1.0 section 3.1.3.7,
   step 3); ``azp``, when there, is us as well;
4. ``exp`` lies in the future, ``iat`` in the last ten minutes, ``nbf``, when there, not in the future; clocks
   may differ by a minute;
5. ``nonce`` is the one of this log-in;
6. ``acr`` and ``amr`` say what the operator asks for;
7. ``sub`` is there: 1 to 255 printable ASCII characters (Core section 2).

Sources: OpenID Connect Core 1.0 sections 2 and 3.1.3.7, RFC 7519 section 4.1, RFC 8176, RFC 8725.
"""

from __future__ import annotations

import hmac
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TypeGuard

from crypto.canonical import JsonValue, parse_strict
from crypto.errors import BadSignature, Malformed
from crypto.provider_keys import MAX_TOKEN_BYTES, ProviderKey, verify_foreign_jws
from recipient.errors import Refused
from recipient.login.services import LoginService

CLOCK_SKEW = timedelta(minutes=1)
FRESH = timedelta(minutes=10)
_TYPES = frozenset({None, "jwt"})
_MAX_SUBJECT = 255
_MAX_ROLES = 1_000


@dataclass(frozen=True, slots=True)
class Person:
    """Who a service says logged in.

    Attributes:
        subject: the service's own name for this person, never given to another.
        email: only where the service says it verified it; '' otherwise.
        name: full name, '' when not said.
        roles: from the claim the operator named.
    """

    subject: str
    email: str
    name: str
    roles: frozenset[str]


class BadToken(Refused):
    """An ID token breaks a rule; ``rule`` names it, for the operator's log."""

    def __init__(self, rule: str) -> None:
        super().__init__("bad_token", status=403)
        self.rule = rule


def check_id_token(
    token: str,
    keys: Sequence[ProviderKey],
    *,
    service: LoginService,
    algorithms: frozenset[str],
    nonce: str,
    at: datetime,
) -> Person:
    """Check an ID token by the rules of this module.

    Args:
        token: untrusted.
        keys: of the service.
        service: whom we sent the browser to.
        algorithms: of those we allow, the ones the service uses.
        nonce: of this log-in.
        at: now.

    Returns:
        Who logged in.

    Raises:
        BadToken: a rule is broken.
        WrongKey: the token names no key we know; the service may have renewed its keys.
    """
    try:
        payload = verify_foreign_jws(token, keys, algorithms=algorithms, types=_TYPES)  # step 1
        claims = parse_strict(payload, max_bytes=MAX_TOKEN_BYTES, max_depth=16)
    except Malformed as exc:
        raise BadToken(exc.reason) from exc
    except BadSignature as exc:
        raise BadToken(exc.code) from exc
    if not isinstance(claims, Mapping):
        raise BadToken("not_an_object")
    _check_party(claims, service)
    _check_times(claims, at)
    said = claims.get("nonce")
    if not isinstance(said, str) or not hmac.compare_digest(said.encode(), nonce.encode()):  # step 5
        raise BadToken("nonce")
    _check_factors(claims, service)
    return _person(claims, service)


def _check_party(claims: Mapping[str, JsonValue], service: LoginService) -> None:
    if claims.get("iss") != service.issuer:  # step 2
        raise BadToken("issuer")
    if claims.get("aud") not in (service.client_id, [service.client_id]):  # step 3
        raise BadToken("audience")
    if claims.get("azp", service.client_id) != service.client_id:
        raise BadToken("authorized_party")


def _check_times(claims: Mapping[str, JsonValue], at: datetime) -> None:
    """Step 4. RFC 7519 section 2 allows fractions of a second; no service sends them, we refuse them."""
    now = at.timestamp()
    skew = CLOCK_SKEW.total_seconds()
    expires, issued, begins = (claims.get(name) for name in ("exp", "iat", "nbf"))
    if not _is_number(expires) or not now < expires + skew:
        raise BadToken("expired")
    if not _is_number(issued) or not now - FRESH.total_seconds() - skew <= issued <= now + skew:
        raise BadToken("issued_at")
    if begins is not None and (not _is_number(begins) or begins > now + skew):
        raise BadToken("not_before")


def _check_factors(claims: Mapping[str, JsonValue], service: LoginService) -> None:
    """Step 6."""
    if service.acr and claims.get("acr") not in service.acr:
        raise BadToken("acr")
    methods = claims.get("amr")
    if service.amr and not (isinstance(methods, list) and any(one in service.amr for one in methods)):
        raise BadToken("amr")


def _person(claims: Mapping[str, JsonValue], service: LoginService) -> Person:
    subject = claims.get("sub")  # step 7
    if not isinstance(subject, str) or not 1 <= len(subject) <= _MAX_SUBJECT:
        raise BadToken("subject")
    if not (subject.isascii() and subject.isprintable()):
        raise BadToken("subject")
    email, name = claims.get("email"), claims.get("name")
    verified = claims.get("email_verified") is True and isinstance(email, str)
    return Person(
        subject=subject,
        email=str(email).strip().lower() if verified else "",
        name=name.strip() if isinstance(name, str) else "",
        roles=_roles(claims, service.role_claim),
    )


def _roles(claims: Mapping[str, JsonValue], path: str) -> frozenset[str]:
    """Read roles: a list of texts, one text, or an object whose member names are the roles."""
    value: JsonValue = claims.get(path) if path else None
    if value is None and path:
        value = claims
        for part in path.split("."):
            value = value.get(part) if isinstance(value, Mapping) else None
    if isinstance(value, str):
        return frozenset({value})
    if isinstance(value, list | Mapping) and len(value) <= _MAX_ROLES:
        return frozenset(one for one in value if isinstance(one, str))
    return frozenset()


def _is_number(value: object) -> TypeGuard[int]:
    return isinstance(value, int) and not isinstance(value, bool)
