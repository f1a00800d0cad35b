"""Log-in sessions of the portal, on the server only.

Promises (OWASP ASVS 5.0 chapter 7):
1. an id is 256 random bits, made new at every log-in and useless after log-out;
2. a session ends after 15 minutes without a request and after 10 hours in any case;
3. only a hash of the id is kept, in memory: a restart logs everybody out and a copied store holds no session;
4. the form token is bound to the cookie (HMAC), so that a token of another session is refused.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
import threading
from collections import OrderedDict
from dataclasses import dataclass, field
from datetime import datetime, timedelta

_MAX_SESSIONS = 2_000


@dataclass(slots=True)
class Session:
    """One logged-in browser. ``listed`` remembers whose names this session has shown (one event each)."""

    account_id: int
    started_at: datetime
    seen_at: datetime
    listed: set[str] = field(default_factory=set)


class Sessions:
    """All live sessions of one process."""

    def __init__(self, *, idle: timedelta, absolute: timedelta) -> None:
        self._idle = idle
        self._absolute = absolute
        self._form_key = secrets.token_bytes(32)
        self._lock = threading.Lock()
        self._live: OrderedDict[str, Session] = OrderedDict()

    def start(self, account_id: int, *, at: datetime) -> str:
        """Open a session and return its id for the cookie; the oldest gives way when there are too many."""
        session_id = new_id()
        with self._lock:
            self._live[_digest(session_id)] = Session(account_id, at, at)
            while len(self._live) > _MAX_SESSIONS:
                self._live.popitem(last=False)
        return session_id

    def find(self, session_id: str | None, *, at: datetime) -> Session | None:
        """Return the live session of a cookie value (untrusted) and mark it used, or None."""
        if not session_id:
            return None
        key = _digest(session_id)
        with self._lock:
            session = self._live.get(key)
            if session is None:
                return None
            if at - session.seen_at >= self._idle or at - session.started_at >= self._absolute:
                del self._live[key]
                return None
            session.seen_at = max(session.seen_at, at)
            return session

    def end(self, session_id: str | None) -> None:
        """Forget a session."""
        if session_id:
            with self._lock:
                self._live.pop(_digest(session_id), None)

    def form_token(self, cookie: str) -> str:
        """Return the token that forms of this cookie's browser must carry."""
        return hmac.new(self._form_key, cookie.encode("utf-8", "replace"), hashlib.sha256).hexdigest()

    def is_form_token(self, cookie: str | None, token: str) -> bool:
        """Tell whether a posted token (untrusted) belongs to the cookie."""
        if not cookie:
            return False
        return hmac.compare_digest(self.form_token(cookie).encode(), token.encode("utf-8", "replace"))


def new_id() -> str:
    """Return 256 random bits as text."""
    return secrets.token_urlsafe(32)


def _digest(session_id: str) -> str:
    return hashlib.sha256(session_id.encode("utf-8", "replace")).hexdigest()
