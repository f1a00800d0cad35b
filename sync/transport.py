"""Bytes to a recipient and bytes back. The only module that uses `httpx`, imported at the first send.

What `InboxTransport` promises:

1. It talks to the address it was given only: no redirects, no proxy from the environment, no cookies, no
   connection kept for the next message.
2. `https` under the certificate authorities that come with httpx (certifi) or those of `ssl_context`;
   `http` to a literal loopback address only.
3. A host name is resolved first; unless private addresses are allowed in the settings, every address
   it resolves to must be public, and the connection goes to the checked address (no second look-up that
   could answer differently).
4. No answer is larger than was allowed; each step has a time limit, and the body of the answer as a
   whole has one too, so an answer that drips in byte by byte ends.
5. What is taken back while it is being sent is broken off: asked before each piece, and little waits in the
   machine's own buffers (`SEND_BUFFER_BYTES`).
6. It decides what an answer is, not what it proves: 200 gives bytes; a refusal counts only in the form
   and with a code of `wire.REFUSALS`; everything else means "not reached, try later".

Source: OWASP Server-Side Request Forgery Prevention Cheat Sheet (checked address, no redirects);
RFC 9110 sections 10.2.3 (Retry-After) and 15.
"""

from __future__ import annotations

import functools
import socket
import ssl
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING, Protocol, runtime_checkable

from crypto.canonical import parse_strict
from crypto.errors import Malformed
from sync.card import MAX_FILE_BYTES, RecipientCard
from sync.endpoint import Endpoint, is_public, parse_endpoint
from sync.errors import LocalRuleError, RemoteRuleError, Unreachable
from sync.wire import MAX_BODY_BYTES, MEDIA_TYPE, REFUSALS

if TYPE_CHECKING:
    import httpx

CONNECT_SECONDS = 10.0
STEP_SECONDS = 30.0
DEADLINE_SECONDS = 120.0
MAX_REFUSAL_BYTES = 16 * 1024
CARD_PATH = "/v1/card"
PIECE_BYTES = 16 * 1024
SEND_BUFFER_BYTES = 64 * 1024
"""What the system may hold of a body (Linux doubles it): these bytes nobody can take back."""

Resolver = Callable[[str, int], tuple[str, ...]]
_NO_HEADERS: Mapping[str, str] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back: status, headers with lower-case names, and a body no larger than was allowed."""

    status: int
    headers: Mapping[str, str] = field(repr=False)
    body: bytes = field(repr=False)


class Transport(Protocol):
    """Carries one sealed message to a recipient."""

    def send(self, card: RecipientCard, path: str, body: bytes) -> bytes:
        """Deliver `body` to `path` below the card's endpoint and return the body of the answer.

        Raises:
            Unreachable: no answer that means anything; try later.
            RemoteRuleError: the recipient refused.
            LocalRuleError: the address is not one we talk to.
        """
        ...


@runtime_checkable
class CardSource(Protocol):
    """Fetches the present card of a recipient; not every way to a recipient has one."""

    def fetch_card(self, card: RecipientCard) -> bytes:
        """Ask at the address of the pinned card for the present one; the answer is untrusted.

        Raises:
            Unreachable, LocalRuleError: as `Transport.send`.
        """
        ...


@runtime_checkable
class Stoppable(Protocol):
    """A transport that can stop in the middle of a message."""

    def send_while(self, card: RecipientCard, path: str, body: bytes, *, going: Callable[[], bool]) -> bytes:
        """Deliver as `Transport.send` does, as long as `going` says so.

        Args:
            card: Of the recipient.
            path: Below its endpoint.
            body: The sealed message.
            going: Asked before each piece leaves, from the thread that sends.

        Raises:
            Unreachable: `taken_back`; and as `Transport.send`.
        """
        ...


def always() -> bool:
    """Say that nothing was taken back."""
    return True


def _pieces(body: bytes, going: Callable[[], bool]) -> Iterator[bytes]:
    for start in range(0, len(body), PIECE_BYTES):
        if not going():
            raise Unreachable("taken_back")
        yield body[start : start + PIECE_BYTES]


def resolve(host: str, port: int) -> tuple[str, ...]:
    """Look a host name up with the system's resolver."""
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except OSError as exc:
        raise Unreachable from exc
    return tuple(str(entry[4][0]) for entry in found)


@dataclass(frozen=True, slots=True)
class InboxTransport:
    """HTTP to a sealed inbox (`send`), and to any other address under the same checks (`call`).

    Attributes:
        connect_seconds: For the connection alone.
        step_seconds: Longest silence of the other side while sending or receiving.
        deadline_seconds: From the start of the exchange to the end of the answer.
        https_ports: Ports we talk to over https.
        allow_private: For a recipient inside a hospital's own network; off unless set by the person.
        resolver: Looks host names up.
        timer: Monotonic seconds, for the deadline.
        ssl_context: Certificate rules, for instance a hospital's own authority; None takes those of httpx.
    """

    connect_seconds: float = CONNECT_SECONDS
    step_seconds: float = STEP_SECONDS
    deadline_seconds: float = DEADLINE_SECONDS
    https_ports: frozenset[int] = frozenset({443})
    allow_private: bool = False
    resolver: Resolver = resolve
    timer: Callable[[], float] = time.monotonic
    ssl_context: ssl.SSLContext | None = None

    def send(self, card: RecipientCard, path: str, body: bytes) -> bytes:
        """Deliver one message; see `Transport.send`."""
        return self.send_while(card, path, body, going=always)

    def send_while(self, card: RecipientCard, path: str, body: bytes, *, going: Callable[[], bool]) -> bytes:
        """Deliver one message unless it is taken back; see `Stoppable.send_while`."""
        headers = {"content-type": MEDIA_TYPE, "accept": MEDIA_TYPE}
        endpoint = parse_endpoint(card.endpoint)
        return _judge(self.call("POST", endpoint, path, headers=headers, body=body, going=going))

    def fetch_card(self, card: RecipientCard) -> bytes:
        """Fetch the present card; see `CardSource.fetch_card`."""
        endpoint = parse_endpoint(card.endpoint)
        answer = self.call("GET", endpoint, CARD_PATH, max_answer_bytes=MAX_FILE_BYTES)
        if answer.status != 200:
            raise Unreachable(_reason(answer.status), retry_after_seconds=retry_after(answer.headers))
        return answer.body

    def call(
        self,
        method: str,
        endpoint: Endpoint,
        path: str,
        *,
        headers: Mapping[str, str] = _NO_HEADERS,
        body: bytes = b"",
        max_answer_bytes: int = MAX_BODY_BYTES,
        going: Callable[[], bool] = always,
    ) -> Answer:
        """Ask one thing of an address by rules 1 to 4, whatever it answers.

        Args:
            method: HTTP method.
            endpoint: From `parse_endpoint`.
            path: Below the endpoint, starting with a slash; may carry a query.
            headers: Added to those of the line itself.
            body: Sent as it is.
            max_answer_bytes: Largest body of an answer in the 200s; every other is held to
                `MAX_REFUSAL_BYTES`.
            going: Asked before each piece of the body; no means that nothing more leaves.

        Raises:
            Unreachable: no answer, or one that breaks rule 4; `taken_back`, `going` said no.
            LocalRuleError: the address is not one we talk to.
        """
        import httpx  # at the first send: 60 ms and 20 modules that a start-up does not need

        host = self._checked_address(endpoint)
        request = httpx.Request(
            method,
            endpoint.url(path, host=host),
            headers={
                **headers,
                **({"content-length": str(len(body))} if body else {}),
                "host": endpoint.authority,
                "accept-encoding": "identity",  # a compressed answer could be a bomb
                "connection": "close",
            },
            content=_pieces(body, going) if body else None,
            extensions={"sni_hostname": endpoint.host},
        )
        try:
            return self._exchange(request, max_answer_bytes)
        except (httpx.HTTPError, httpx.InvalidURL, httpx.StreamError) as exc:
            raise Unreachable from exc

    def _exchange(self, request: httpx.Request, limit: int) -> Answer:
        import httpx

        ends_at = self.timer() + self.deadline_seconds
        timeout = httpx.Timeout(self.step_seconds, connect=self.connect_seconds)
        verify = self.ssl_context or _authorities()
        options = [(socket.SOL_SOCKET, socket.SO_SNDBUF, SEND_BUFFER_BYTES)]
        line = httpx.HTTPTransport(verify=verify, trust_env=False, socket_options=options)
        with httpx.Client(transport=line, timeout=timeout, trust_env=False, follow_redirects=False) as client:
            # A request built by hand carries its own timeout, not that of the client.
            request.extensions = {**request.extensions, "timeout": timeout.as_dict()}
            response = client.send(request, stream=True)
            try:
                body = self._read(response, ends_at, limit)
            finally:
                response.close()
        return Answer(response.status_code, dict(response.headers), body)

    def _read(self, response: httpx.Response, ends_at: float, limit: int) -> bytes:
        if response.headers.get("content-encoding", "identity") != "identity":
            raise Unreachable("no_proof")
        limit = limit if response.is_success else MAX_REFUSAL_BYTES
        body = bytearray()
        for chunk in response.iter_raw():
            body += chunk
            if len(body) > limit:
                raise Unreachable("answer_too_large")
            if self.timer() > ends_at:
                raise Unreachable("timeout")
        return bytes(body)

    def _checked_address(self, endpoint: Endpoint) -> str | None:
        if endpoint.is_loopback:
            return None
        if endpoint.port not in self.https_ports:
            raise LocalRuleError("bad_endpoint")
        addresses = self.resolver(endpoint.host, endpoint.port)
        if not addresses:
            raise Unreachable
        if not self.allow_private and not all(is_public(address) for address in addresses):
            # Not our bug and not final: a sign-in page of a guest network answers like this for a while.
            raise Unreachable("private_address")
        return addresses[0]


def retry_after(headers: Mapping[str, str]) -> int | None:
    """Seconds the other side asks us to wait; None when it asks nothing in a form we take."""
    # Only the form in seconds; the form with a date would make us trust a clock that is not ours.
    text = headers.get("retry-after", "")
    return int(text) if text.isascii() and text.isdigit() and len(text) <= 9 else None


@functools.cache
def _authorities() -> ssl.SSLContext:
    """The certificate authorities of httpx; reading them takes longer than many a message."""
    import httpx

    return httpx.create_ssl_context(trust_env=False)


def _judge(answer: Answer) -> bytes:
    if answer.status == 200:
        return answer.body
    code, proof = _refusal(answer.body)
    if code is not None and REFUSALS.get(code) == answer.status:
        raise RemoteRuleError(code, status=answer.status, proof=proof)
    raise Unreachable(_reason(answer.status), retry_after_seconds=retry_after(answer.headers))


def _refusal(body: bytes) -> tuple[str | None, str | None]:
    try:
        value = parse_strict(body, max_bytes=MAX_REFUSAL_BYTES)
    except Malformed:
        return None, None
    if not isinstance(value, Mapping):
        return None, None
    code, proof = value.get("code"), value.get("time")
    return code if isinstance(code, str) else None, proof if isinstance(proof, str) else None


def _reason(status: int) -> str:
    return "busy" if status in (429, 503) else "no_proof"
