"""Log-in sessions of the portal, on the server only.

Promises (OWASP ASVS 5.0 chapter 7):
1. an id is 256 random bits, made new at every log-in and useless after log-out;
2. a session ends after 15 minutes without a request and after 10 hours in any case;
3. only a keyed hash of the id is kept, in the store: a copied store opens no session, and several processes
   of one installation know the same sessions;
4. the form token is bound to the cookie (HMAC), so that a token of another session is refused;
5. who is logged in can see all sessions of the account and end them.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from recipient.instants import instant_text, parse_instant
from recipient.login.sealed import LOGIN_ROWS, keyed_hash
from recipient.store import Store

MAX_PER_ACCOUNT = 20
_ROWS_AT_ONCE = 200
_COLUMNS = "key, account, started_at, seen_at, via, browser"
_FIND = f"SELECT {_COLUMNS} FROM login_session WHERE key = ?"  # noqa: S608  no values in it
_MARK_USED = (
    "UPDATE login_session SET seen_at = CASE WHEN seen_at < ? THEN ? ELSE seen_at END "
    "WHERE key = ? AND seen_at > ? AND started_at > ?"
)


class ShownNames(set[str]):
    """Whose names a session has shown; kept, so that every name is one access event per session."""

    def __init__(self, store: Store, session: str) -> None:
        super().__init__(
            sub for (sub,) in store.rows("SELECT sub FROM login_listed WHERE session = ?", (session,))
        )
        self._store = store
        self._session = session

    def update(self, *others: Iterable[str]) -> None:
        """Remember more of them."""
        new = sorted(set().union(*others) - self)
        for start in range(0, len(new), _ROWS_AT_ONCE):
            some = new[start : start + _ROWS_AT_ONCE]
            self._store.run(
                f"INSERT INTO login_listed (session, sub) VALUES {', '.join(['(?, ?)'] * len(some))} "  # noqa: S608  no values in it
                "ON CONFLICT (session, sub) DO NOTHING",
                [part for sub in some for part in (self._session, sub)],
            )
        super().update(new)


@dataclass(frozen=True, slots=True)
class Session:
    """One logged-in browser.

    Attributes:
        key: names the session in lists; not the id, from which alone it can be made.
        account_id: whose.
        started_at: when somebody logged in.
        seen_at: when it was last used.
        via: how: ``password`` or the name of a log-in service.
        browser: kind of browser, in a few words of its own.
    """

    key: str
    account_id: int
    started_at: datetime
    seen_at: datetime
    via: str
    browser: str


class Sessions:
    """The sessions of an installation, as one process sees them."""

    def __init__(self, store: Store, *, idle: timedelta, absolute: timedelta) -> None:
        self._store = store
        self._idle = idle
        self._absolute = absolute
        self._form_key = store.derived_key("recipient/1/form-token")

    def start(self, account_id: int, *, at: datetime, via: str = "password", browser: str = "") -> str:
        """Open a session; the account's oldest gives way when there are too many.

        Args:
            account_id: who logged in, all steps done.
            at: now.
            via: how.
            browser: kind of browser.

        Returns:
            The id for the cookie.
        """
        session_id = new_id()
        key = self._key(session_id)
        now = instant_text(at)
        with self._store.transaction(about=LOGIN_ROWS):
            self._store.run(
                f"INSERT INTO login_session ({_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?)",  # noqa: S608
                (key, account_id, now, now, via, browser[:80]),
            )
            self._store.run(
                "DELETE FROM login_session WHERE key IN (SELECT key FROM login_session WHERE account = ? "
                "ORDER BY started_at DESC, key LIMIT 100 OFFSET ?)",
                (account_id, MAX_PER_ACCOUNT),
            )
        return session_id

    def find(self, session_id: str | None, *, at: datetime) -> Session | None:
        """Return the live session of a cookie value (untrusted) and mark it used, or None."""
        if not session_id:
            return None
        key = self._key(session_id)
        row = self._store.row(_FIND, (key,))
        if row is None:  # a stranger's cookie costs one look and no write
            return None
        now = instant_text(at)
        if not self._store.run(_MARK_USED, (now, now, key, *self._oldest(at))):
            self._store.run("DELETE FROM login_session WHERE key = ?", (key,))
            return None
        return _session(row)

    def shown_names(self, session: Session) -> ShownNames:
        """Return whose names a session has shown."""
        return ShownNames(self._store, session.key)

    def of_account(self, account_id: int, *, at: datetime) -> tuple[Session, ...]:
        """Return the live sessions of an account, the last used first."""
        rows = self._store.rows(
            f"SELECT {_COLUMNS} FROM login_session WHERE account = ? AND seen_at > ? AND started_at > ? "  # noqa: S608
            "ORDER BY seen_at DESC, key",
            (account_id, *self._oldest(at)),
        )
        return tuple(_session(row) for row in rows)

    def end(self, session_id: str | None) -> None:
        """Forget the session of a cookie value."""
        if session_id:
            self._store.run("DELETE FROM login_session WHERE key = ?", (self._key(session_id),))

    def end_of_account(self, account_id: int, key: str) -> None:
        """Forget one session (untrusted key) of an account, and of no other account."""
        self._store.run("DELETE FROM login_session WHERE account = ? AND key = ?", (account_id, key))

    def end_others(self, session: Session) -> None:
        """Forget all sessions of an account but one."""
        self._store.run(
            "DELETE FROM login_session WHERE account = ? AND key <> ?", (session.account_id, session.key)
        )

    def tidy(self, *, at: datetime) -> None:
        """Remove what ended by itself."""
        with self._store.transaction(about=LOGIN_ROWS):
            self._store.run(
                "DELETE FROM login_session WHERE seen_at <= ? OR started_at <= ?", self._oldest(at)
            )
            self._store.run("DELETE FROM login_listed WHERE session NOT IN (SELECT key FROM login_session)")

    def form_token(self, cookie: str) -> str:
        """Return the token that forms of this cookie's browser must carry."""
        return hmac.new(self._form_key, cookie.encode("utf-8", "replace"), hashlib.sha256).hexdigest()

    def is_form_token(self, cookie: str | None, token: str) -> bool:
        """Tell whether a posted token (untrusted) belongs to the cookie."""
        if not cookie:
            return False
        return hmac.compare_digest(self.form_token(cookie).encode(), token.encode("utf-8", "replace"))

    def _oldest(self, at: datetime) -> tuple[str, str]:
        """Last use and beginning at which a session has just ended."""
        return instant_text(at - self._idle), instant_text(at - self._absolute)

    def _key(self, session_id: str) -> str:
        return keyed_hash(self._store, session_id, use="session")


def new_id() -> str:
    """Return 256 random bits as text."""
    return secrets.token_urlsafe(32)


def _session(row: tuple[object, ...]) -> Session:
    key, account, started_at, seen_at, via, browser = row
    return Session(
        str(key),
        int(str(account)),
        parse_instant(str(started_at)),
        parse_instant(str(seen_at)),
        str(via),
        str(browser),
    )
