"""What a log-in service says about itself: its addresses and its keys, fetched when needed and kept a while.

Promises:
1. the document is fetched from below the issuer and must name that issuer exactly, so that one service cannot
   speak for another (OpenID Connect Discovery 1.0 section 4.3);
2. every address in it is checked like one that was typed, before it is used;
3. a service that cannot do the code flow, PKCE with S256 or one of our signature algorithms is refused;
4. an unknown key makes us fetch the keys once more, at most once a minute, so that a service may renew its
   keys at any time and forged key names cost it nothing;
5. a service that does not answer is left alone for ten seconds, and holds up few workers of ours.

Sources: OpenID Connect Discovery 1.0 sections 3 and 4; RFC 8414; RFC 9207 section 3; RFC 7636 section 6.2.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from crypto.canonical import JsonValue, parse_strict
from crypto.errors import Malformed
from crypto.provider_keys import ProviderKey, parse_key_set
from recipient.errors import Refused
from recipient.login.fetch import MAX_ANSWER_BYTES, ProviderWeb, may_be_asked

ALGORITHMS = frozenset({"RS256", "PS256", "ES256", "EdDSA"})
KEPT = timedelta(hours=1)
BETWEEN_FETCHES = timedelta(minutes=1)
AFTER_FAILURE = timedelta(seconds=10)
LONGEST_WAIT_SECONDS = 5.0
_DOCUMENT = "/.well-known/openid-configuration"


@dataclass(frozen=True, slots=True)
class Metadata:
    """The parts of a service's document that we use.

    Attributes:
        authorization: where the browser is sent.
        token: where a code becomes a token.
        keys: where its public keys are.
        end_session: where the browser is sent to log out there, '' for a service without that.
        algorithms: those of ours it signs with.
        says_issuer: whether its answers carry ``iss`` (RFC 9207); then one without is refused.
        basic: whether a client says its password in a header, else in the form.
    """

    authorization: str
    token: str
    keys: str
    end_session: str
    algorithms: frozenset[str]
    says_issuer: bool
    basic: bool


@dataclass(slots=True)
class _Known:
    metadata: Metadata
    keys: tuple[ProviderKey, ...]
    document_at: datetime
    keys_at: datetime


@dataclass(slots=True)
class _Entry:
    """One service: what is known of it, when it last failed, and who is asking it now."""

    asking: threading.Lock = field(default_factory=threading.Lock)
    known: _Known | None = None
    failed_at: datetime | None = None


class Directory:
    """What this process knows of the services."""

    def __init__(self, web: ProviderWeb) -> None:
        self._web = web
        self._entries: dict[str, _Entry] = {}

    def metadata(self, issuer: str, *, at: datetime) -> Metadata:
        """Return where a service is to be asked what.

        Raises:
            Refused: ``service_unreachable`` (503), ``service_unfit`` (502).
        """
        with self._entry(issuer) as entry:
            return self._known(issuer, entry, at).metadata

    def keys(self, issuer: str, *, at: datetime, renewed: bool = False) -> tuple[ProviderKey, ...]:
        """Return the keys of a service.

        Args:
            issuer: which.
            at: now.
            renewed: a token named a key that is not among those returned before; they are fetched anew
                unless that was done less than a minute ago.

        Raises:
            Refused: ``service_unreachable`` (503), ``service_unfit`` (502).
        """
        with self._entry(issuer) as entry:
            known = self._known(issuer, entry, at)
            if renewed and at - known.keys_at >= BETWEEN_FETCHES:
                known.keys_at = at  # before asking: a service that does not answer is not asked again at once
                known.keys = self._fetch_keys(known.metadata)
            return known.keys

    @contextmanager
    def _entry(self, issuer: str) -> Iterator[_Entry]:
        """One asks, the others wait for the answer, and not long: they are workers of the portal."""
        entry = self._entries.setdefault(issuer, _Entry())
        if not entry.asking.acquire(timeout=LONGEST_WAIT_SECONDS):
            raise Refused("service_unreachable", status=503)
        try:
            yield entry
        finally:
            entry.asking.release()

    def _known(self, issuer: str, entry: _Entry, at: datetime) -> _Known:
        known = entry.known
        if known is not None and timedelta(0) <= at - known.document_at < KEPT:
            return known
        if entry.failed_at is not None and timedelta(0) <= at - entry.failed_at < AFTER_FAILURE:
            raise Refused("service_unreachable", status=503)
        entry.failed_at = at
        metadata = parse_metadata(self._web.get(issuer.rstrip("/") + _DOCUMENT), issuer=issuer)
        entry.known = known = _Known(metadata, self._fetch_keys(metadata), at, at)
        entry.failed_at = None
        return known

    def _fetch_keys(self, metadata: Metadata) -> tuple[ProviderKey, ...]:
        try:
            return parse_key_set(self._web.get(metadata.keys))
        except Malformed as exc:
            raise Refused("service_unfit", status=502) from exc


def parse_metadata(data: bytes, *, issuer: str) -> Metadata:
    """Read an untrusted discovery document.

    Raises:
        Refused: ``service_unfit``: not a document of this issuer, or it cannot do what we need.
    """
    try:
        value = parse_strict(data, max_bytes=MAX_ANSWER_BYTES, max_depth=16)
    except Malformed as exc:
        raise Refused("service_unfit", status=502) from exc
    if not isinstance(value, Mapping) or value.get("issuer") != issuer:  # promise 1
        raise Refused("service_unfit", status=502)
    algorithms = ALGORITHMS & _texts(value, "id_token_signing_alg_values_supported", ("RS256",))
    pkce = _texts(value, "code_challenge_methods_supported", ("S256",))  # many do not say; all get S256
    flows = _texts(value, "response_types_supported", ())
    ways = _texts(value, "token_endpoint_auth_methods_supported", ("client_secret_basic",))
    if not algorithms or "S256" not in pkce or "code" not in flows:  # promise 3
        raise Refused("service_unfit", status=502)
    ends = value.get("end_session_endpoint")
    return Metadata(
        authorization=_address(value, "authorization_endpoint", issuer),
        token=_address(value, "token_endpoint", issuer),
        keys=_address(value, "jwks_uri", issuer),
        end_session=_address(value, "end_session_endpoint", issuer) if ends is not None else "",
        algorithms=algorithms,
        says_issuer=value.get("authorization_response_iss_parameter_supported") is True,
        basic="client_secret_basic" in ways,
    )


def _address(value: Mapping[str, JsonValue], name: str, issuer: str) -> str:
    url = value.get(name)
    if not isinstance(url, str) or not may_be_asked(url, issuer=issuer):  # promise 2
        raise Refused("service_unfit", status=502)
    return url


def _texts(value: Mapping[str, JsonValue], name: str, default: tuple[str, ...]) -> frozenset[str]:
    listed = value.get(name, list(default))
    return (
        frozenset(one for one in listed if isinstance(one, str)) if isinstance(listed, list) else frozenset()
    )
