"""Asking a log-in service something: bounded answers, deadlines, no redirects.

Promises: what ``sync.transport.InboxTransport.call`` promises about addresses and sizes, with two differences
that fit an address which the operator of this installation typed: a hospital's own service may have a private
address and any port; and certificates are judged by the authorities of this machine, where a hospital's own
one is installed. At most ``AT_ONCE`` questions are under way, so that a service that hangs does not take
every worker of ours with it.

Source: OWASP Server-Side Request Forgery Prevention Cheat Sheet; RFC 6749 section 2.3.1 (client password).
"""

from __future__ import annotations

import base64
import ssl
import threading
from collections.abc import Mapping
from urllib.parse import quote_plus, urlencode

from recipient.errors import Refused
from sync.endpoint import parse_endpoint
from sync.errors import LocalRuleError, SyncError
from sync.transport import Answer, InboxTransport

CONNECT_SECONDS = 5.0
STEP_SECONDS = 8.0
DEADLINE_SECONDS = 15.0
MAX_ANSWER_BYTES = 256 * 1024
AT_ONCE = 8
_FORM = "application/x-www-form-urlencoded"


class ProviderWeb:
    """The way to log-in services, shared by all threads of a process."""

    def __init__(self, *, tls: ssl.SSLContext | None = None) -> None:
        self._tls = tls or ssl.create_default_context()
        self._places = threading.BoundedSemaphore(AT_ONCE)

    def get(self, url: str) -> bytes:
        """Fetch a document.

        Raises:
            Refused: ``service_unreachable`` (503).
        """
        answer = self._call("GET", url, {"accept": "application/json"}, b"")
        if answer.status != 200:
            raise Refused("service_unreachable", status=503)
        return answer.body

    def post_form(self, url: str, fields: Mapping[str, str], *, basic: tuple[str, str] | None) -> bytes:
        """Send a form, with a client's name and password when given.

        Raises:
            Refused: ``service_unreachable`` (503), ``service_refused`` (403) for an answer in the 400s.
        """
        headers = {"accept": "application/json", "content-type": _FORM}
        if basic is not None:  # RFC 6749 section 2.3.1: each part encoded as in a form first
            pair = ":".join(quote_plus(part) for part in basic).encode("ascii")
            headers["authorization"] = f"Basic {base64.b64encode(pair).decode('ascii')}"
        answer = self._call("POST", url, headers, urlencode(fields).encode("ascii"))
        if 400 <= answer.status < 500 and answer.status != 429:
            raise Refused("service_refused", status=403)
        if answer.status != 200:
            raise Refused("service_unreachable", status=503)
        return answer.body

    def _call(self, method: str, url: str, headers: Mapping[str, str], body: bytes) -> Answer:
        if not self._places.acquire(timeout=CONNECT_SECONDS):
            raise Refused("service_unreachable", status=503)
        try:
            endpoint = parse_endpoint(url)
            line = InboxTransport(
                connect_seconds=CONNECT_SECONDS,
                step_seconds=STEP_SECONDS,
                deadline_seconds=DEADLINE_SECONDS,
                https_ports=frozenset({endpoint.port}),
                allow_private=True,
                ssl_context=self._tls,
            )
            return line.call(
                method, endpoint, "", headers=headers, body=body, max_answer_bytes=MAX_ANSWER_BYTES
            )
        except SyncError as exc:
            raise Refused("service_unreachable", status=503) from exc
        finally:
            self._places.release()


def may_be_asked(url: str, *, issuer: str) -> bool:
    """Tell whether an address that a service gave is one we ask, or send a browser to.

    By our rules; and on this machine only when the service itself is here, so that one elsewhere cannot point
    us at ourselves.
    """
    try:
        here, asked_here = parse_endpoint(issuer).is_loopback, parse_endpoint(url).is_loopback
    except LocalRuleError:
        return False
    return here or not asked_here
