"""The gate in front of the screens: who may talk to the app on this machine.

Any program and any web page in any browser on this machine can reach a port on 127.0.0.1. This module
decides, without doing: `judge` takes what was knocked with and returns a verdict; `pgo.ui.host` carries it
out.

Numbered steps of `judge`, the first that fails ends it:

1. Exactly one Host header and it is ours, digit for digit: ends DNS rebinding. ``localhost`` is not ours.
2. Origin, when given, is ours; a WebSocket and every request that changes something must give it: ends
   cross-site WebSocket hijacking and CSRF. (Control requests come from a program: they must not give one.)
3. The control door takes POST with the control secret only, and nothing a browser would send.
4. The launch door takes GET with a one-time link that has not been used and has not run out.
5. Sec-Fetch-Site, when given, is ``same-origin`` or ``none``: ends probing by images, scripts and frames.
   Other ports of 127.0.0.1 are ``same-site`` and refused.
6. The path lies under the secret prefix of this run. Cookies are shared between the ports of 127.0.0.1, so
   the cookie's path is the secret prefix: another port never sees it.
7. The cookie is the one of the live session. (Only the sentence that a window has ended needs none: the
   window that gets it has just lost its cookie.)
8. Flet's own extra routes stay closed; methods other than GET and HEAD go to our two routes only.

Sources: guide security 3.12; OWASP ASVS 5.0 sections 3.3, 3.4 and 3.5; W3C Fetch Metadata Request Headers.
"""

from __future__ import annotations

import hmac
import re
import secrets
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import StrEnum
from http.cookies import CookieError, SimpleCookie
from typing import Final

LINK_SECONDS: Final = 120.0
TAKE_PATH: Final = "/take"
AWAKE_PATH: Final = "/awake"
ALIVE_PATH: Final = "/alive"
GONE_PATH: Final = "/gone"
LAUNCH_PATH: Final = "/launch"
CONTROL_PATH: Final = "/control"
_CLOSED: Final = re.compile(r"^/(docs|redoc|openapi\.json|oauth_callback|upload)(/|$)")


class Door(StrEnum):
    """Where an allowed request goes."""

    APP = "app"
    LAUNCH = "launch"
    CONTROL = "control"


@dataclass(frozen=True, slots=True)
class Allow:
    """Let it through, to this door."""

    door: Door


@dataclass(frozen=True, slots=True)
class Refuse:
    """Turn it away; the reason names the step, never what was sent."""

    status: int
    reason: str


@dataclass(frozen=True, slots=True)
class Knock:
    """What a request brought, all of it untrusted.

    Attributes:
        websocket: It asks for a WebSocket.
        method: HTTP method; "GET" for a WebSocket.
        path: Decoded path.
        query: Raw query string.
        hosts: All Host headers.
        origins: All Origin headers.
        fetch_site: Sec-Fetch-Site or "".
        cookie: Cookie header or "".
        authorization: Authorization header or "".
    """

    websocket: bool
    method: str
    path: str
    query: str
    hosts: tuple[str, ...]
    origins: tuple[str, ...]
    fetch_site: str
    cookie: str
    authorization: str

    @classmethod
    def from_scope(cls, scope: dict[str, object]) -> Knock:
        """Read an ASGI scope of type http or websocket."""
        raw = scope.get("headers")
        headers = [(k.lower(), v) for k, v in raw] if isinstance(raw, Iterable) else []

        def every(name: bytes) -> tuple[str, ...]:
            return tuple(v.decode("latin-1") for k, v in headers if k == name)

        query = scope.get("query_string")
        return cls(
            websocket=scope.get("type") == "websocket",
            method=str(scope.get("method", "GET")),
            path=str(scope.get("path", "")),
            query=query.decode("latin-1") if isinstance(query, bytes) else "",
            hosts=every(b"host"),
            origins=every(b"origin"),
            fetch_site=",".join(every(b"sec-fetch-site")),
            cookie="; ".join(every(b"cookie")),
            authorization=",".join(every(b"authorization")),
        )


class Keys:
    """Secrets and addresses of one run of the program.

    Args:
        port: The port we listen on.
        ticks: A clock that only goes forward, seconds.
    """

    def __init__(self, port: int, ticks: Callable[[], float]) -> None:
        self.authority = f"127.0.0.1:{port}"
        self.origin = f"http://{self.authority}"
        self.prefix = "/" + secrets.token_urlsafe(24)
        self.cookie_name = "pgo_" + secrets.token_hex(4)
        self.control_secret = secrets.token_urlsafe(32)
        self._cookie = secrets.token_urlsafe(32)
        self._links: dict[str, float] = {}
        self._ticks = ticks

    def __repr__(self) -> str:
        return f"Keys({self.authority})"

    def new_link(self, *, valid_seconds: float = LINK_SECONDS) -> str:
        """Make an address that opens the app once, within this many seconds."""
        now = self._ticks()
        self._links = {token: end for token, end in self._links.items() if end > now}
        token = secrets.token_urlsafe(32)
        self._links[token] = now + valid_seconds
        return f"{self.origin}{LAUNCH_PATH}?t={token}"

    def link_is_good(self, query: str) -> bool:
        """Whether this query string holds an unused link in time."""
        return self._find(query) is not None

    def use_link(self, query: str) -> str | None:
        """Use a link up: all links and the cookie before it end, a new cookie header comes back."""
        if self._find(query) is None:
            return None
        self._links.clear()
        self._cookie = secrets.token_urlsafe(32)
        return f"{self.cookie_name}={self._cookie}; Path={self.prefix}; HttpOnly; SameSite=Strict"

    def cookie_is_good(self, header: str) -> bool:
        """Whether the Cookie header holds the cookie of the live session."""
        try:
            jar = SimpleCookie(header)
        except CookieError:
            return False
        value = jar[self.cookie_name].value if self.cookie_name in jar else ""
        return hmac.compare_digest(value.encode(), self._cookie.encode())

    def control_is_good(self, authorization: str) -> bool:
        """Whether the Authorization header holds the control secret."""
        return hmac.compare_digest(authorization.encode(), f"Bearer {self.control_secret}".encode())

    def _find(self, query: str) -> str | None:
        given = query.removeprefix("t=").encode()
        now = self._ticks()
        for token, end in self._links.items():
            if end > now and hmac.compare_digest(given, token.encode()):
                return token
        return None


def judge(knock: Knock, keys: Keys) -> Allow | Refuse:
    """Decide about one request; the steps are numbered in the module's docstring."""
    control = knock.path == CONTROL_PATH and not knock.websocket
    changes = knock.websocket or knock.method not in ("GET", "HEAD")
    if knock.hosts != (keys.authority,):  # 1
        return Refuse(421, "wrong host")
    if knock.origins and knock.origins != (keys.origin,):  # 2
        return Refuse(403, "wrong origin")
    if changes and not knock.origins and not control:  # 2
        return Refuse(403, "no origin")
    if control:  # 3
        return _judge_control(knock, keys)
    if knock.path == LAUNCH_PATH and not changes:  # 4
        good = keys.link_is_good(knock.query)
        return Allow(Door.LAUNCH) if good else Refuse(403, "link used or too old")
    if knock.fetch_site not in ("", "same-origin", "none"):  # 5
        return Refuse(403, "cross site")
    if not knock.path.startswith(keys.prefix + "/"):  # 6
        return Refuse(404, "not found")
    if knock.path == keys.prefix + GONE_PATH and not changes:
        return Allow(Door.APP)
    if not keys.cookie_is_good(knock.cookie):  # 7
        return Refuse(403, "no session")
    return _judge_route(knock, knock.path[len(keys.prefix) :])  # 8


def _judge_control(knock: Knock, keys: Keys) -> Allow | Refuse:
    if knock.method != "POST" or knock.origins or knock.fetch_site:
        return Refuse(403, "not from a browser")
    if not keys.control_is_good(knock.authorization):
        return Refuse(403, "no control secret")
    return Allow(Door.CONTROL)


def _judge_route(knock: Knock, rest: str) -> Allow | Refuse:
    if _CLOSED.match(rest):
        return Refuse(404, "not found")
    if not knock.websocket and knock.method not in ("GET", "HEAD"):
        known = (rest == TAKE_PATH and knock.method == "PUT") or (
            rest == AWAKE_PATH and knock.method == "POST"
        )
        return Allow(Door.APP) if known else Refuse(405, "method not allowed")
    return Allow(Door.APP)
