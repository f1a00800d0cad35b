"""How we log in at a FHIR server: not at all, with a token somebody gave, or as a SMART backend service.

1. A secret is never shown again and never in a `repr`.
2. SMART: the endpoint is found through `.well-known/smart-configuration`; it must say that it takes
   `private_key_jwt` with the algorithm of our key. The address it names passes the checks of any address.
3. A token is kept in memory only, until `EARLY` before its end; after a 401 it is asked for once more.
4. Scopes: what we need and no more, `system/*.cruds`, or what the person typed.

Sources: SMART App Launch 2.1, Backend Services (https://hl7.org/fhir/smart-app-launch/backend-services.html)
and Conformance (conformance.html#using-well-known); RFC 6750 (bearer), RFC 7523 (assertion).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final, Protocol, TypeAlias
from urllib.parse import urlencode

from crypto.canonical import JsonValue, parse_strict
from crypto.client_keys import ClientKey
from crypto.errors import Malformed
from sync.endpoint import Endpoint, parse_endpoint
from sync.errors import LocalRuleError, RemoteRuleError, Unreachable
from sync.transport import Answer, retry_after

DISCOVERY: Final = "/.well-known/smart-configuration"
DEFAULT_SCOPE: Final = "system/*.cruds"
EARLY: Final = timedelta(seconds=30)
LONGEST_TOKEN_LIFE: Final = timedelta(hours=1)
DEFAULT_TOKEN_LIFE: Final = timedelta(minutes=5)
"""What the source recommends; taken when the answer does not say."""

MAX_TOKEN_LENGTH: Final = 8 * 1024
_MAX_BYTES: Final = 256 * 1024
_ASSERTION_TYPE: Final = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"


class HttpCaller(Protocol):
    """A checked way out over HTTP; `sync.transport.InboxTransport.call` is the real one."""

    def call(
        self,
        method: str,
        endpoint: Endpoint,
        path: str,
        *,
        headers: Mapping[str, str] = ...,
        body: bytes = ...,
        max_answer_bytes: int = ...,
        going: Callable[[], bool] = ...,
    ) -> Answer:
        """Ask one thing of an address; see there."""
        ...


@dataclass(frozen=True, slots=True)
class NoLogin:
    """A server that asks nothing: on this machine, or behind something else that keeps others out."""


@dataclass(frozen=True, slots=True)
class BearerLogin:
    """A token that the server's owner handed out."""

    token: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class SmartLogin:
    """A registered client with a private key.

    Attributes:
        client_id: as the server registered us.
        key: signs the assertions.
        scope: what we ask for.
    """

    client_id: str
    key: ClientKey
    scope: str = DEFAULT_SCOPE


Login: TypeAlias = NoLogin | BearerLogin | SmartLogin


def check_token(token: str) -> str:
    """Check the form of a bearer token that was typed (RFC 6750 section 2.1) and return it.

    Raises:
        LocalRuleError: `bad_token`.
    """
    text = token.strip()
    if not 0 < len(text) <= MAX_TOKEN_LENGTH or not text.isascii() or not text.isprintable() or " " in text:
        raise LocalRuleError("bad_token")
    return text


class Tokens:
    """The access token of one server, fetched when it is needed (rules 2 and 3)."""

    def __init__(self, caller: HttpCaller, endpoint: Endpoint, login: Login) -> None:
        self._caller = caller
        self._endpoint = endpoint
        self._login = login
        self._token = ""
        self._until: datetime | None = None

    def header(self, *, at: datetime) -> Mapping[str, str]:
        """The header that logs a request in.

        Raises:
            Unreachable: the token endpoint did not answer.
            RemoteRuleError: `fhir_no_smart`, `fhir_login_refused`.
        """
        match self._login:
            case NoLogin():
                return {}
            case BearerLogin(token):
                return {"authorization": f"Bearer {token}"}
            case SmartLogin() as smart:
                if self._until is None or at >= self._until - EARLY:
                    self._fetch(smart, at=at)
                return {"authorization": f"Bearer {self._token}"}

    def refused(self) -> bool:
        """Forget a token that the server did not take. Returns whether another can be asked for."""
        self._token, self._until = "", None
        return isinstance(self._login, SmartLogin)

    def _fetch(self, smart: SmartLogin, *, at: datetime) -> None:
        endpoint = self._token_endpoint(smart)
        assertion = smart.key.sign_assertion(client_id=smart.client_id, audience=endpoint.url(), at=at)
        form = {
            "grant_type": "client_credentials",
            "scope": smart.scope,
            "client_assertion_type": _ASSERTION_TYPE,
            "client_assertion": assertion,
        }
        headers = {"content-type": "application/x-www-form-urlencoded", "accept": "application/json"}
        answer = self._caller.call(
            "POST",
            endpoint,
            "",
            headers=headers,
            body=urlencode(form).encode("ascii"),
            max_answer_bytes=_MAX_BYTES,
        )
        if answer.status in (400, 401, 403):
            raise RemoteRuleError("fhir_login_refused", status=answer.status)
        body = _object(answer)
        token, kind = body.get("access_token"), body.get("token_type")
        if not isinstance(token, str) or not isinstance(kind, str) or kind.lower() != "bearer":
            raise RemoteRuleError("fhir_login_refused")
        try:
            self._token = check_token(token)
        except LocalRuleError as exc:
            raise RemoteRuleError("fhir_login_refused") from exc
        self._until = at + _life(body.get("expires_in"))

    def _token_endpoint(self, smart: SmartLogin) -> Endpoint:
        headers = {"accept": "application/json"}
        answer = self._caller.call(
            "GET", self._endpoint, DISCOVERY, headers=headers, max_answer_bytes=_MAX_BYTES
        )
        if answer.status in (404, 410):
            raise RemoteRuleError("fhir_no_smart", status=answer.status)
        body = _object(answer)
        methods = _texts(body.get("token_endpoint_auth_methods_supported"))
        algorithms = _texts(body.get("token_endpoint_auth_signing_alg_values_supported"))
        url = body.get("token_endpoint")
        if "private_key_jwt" not in methods or smart.key.algorithm not in algorithms:
            raise RemoteRuleError("fhir_no_smart")
        if not isinstance(url, str):
            raise RemoteRuleError("fhir_no_smart")
        try:
            return parse_endpoint(url)
        except LocalRuleError as exc:
            raise RemoteRuleError("fhir_no_smart") from exc


def _object(answer: Answer) -> Mapping[str, JsonValue]:
    if answer.status in (429, 503):
        raise Unreachable("busy", retry_after_seconds=retry_after(answer.headers))
    if answer.status != 200:
        raise Unreachable("no_proof")
    try:
        body = parse_strict(answer.body, max_bytes=_MAX_BYTES)
    except Malformed as exc:
        raise Unreachable("no_proof") from exc
    if not isinstance(body, Mapping):
        raise Unreachable("no_proof")
    return body


def _life(value: JsonValue) -> timedelta:
    if isinstance(value, bool) or not isinstance(value, int) or value <= 0:
        return DEFAULT_TOKEN_LIFE
    return min(timedelta(seconds=min(value, 86_400)), LONGEST_TOKEN_LIFE)


def _texts(value: JsonValue) -> list[str]:
    return [one for one in value if isinstance(one, str)] if isinstance(value, list) else []
