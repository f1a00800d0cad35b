"""Local accounts of the people who read, and the brake on guessing.

Promises:
1. accounts are made on the command line only; the password is kept as an Argon2id hash (RFC 9106);
2. a wrong password and an unknown or closed account cost the same work and give the same answer;
3. per account and per address at most ``tries`` failures a minute are looked at, then waiting doubles up to
   15 minutes; nobody is ever locked out for good, so nobody can lock out a colleague (OWASP ASVS 5.0 6.3.1);
4. tries are counted before the password is looked at, so that parallel guesses do not slip through.
"""

from __future__ import annotations

import re
import secrets
import threading
from collections import OrderedDict
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from crypto.errors import WrongKey
from crypto.passphrase import hash_password, verify_password
from crypto.strength import estimate
from recipient.errors import Refused, Throttled, Unusable
from recipient.instants import instant_text
from recipient.store import Store

MIN_PASSWORD_CHARACTERS = 12  # security.md 3.1: 12 characters, no composition rules
MAX_PASSWORD_CHARACTERS = 256
MIN_STRENGTH = (
    3  # of 4; zxcvbn calls 3 "safely unguessable: moderate protection from offline slow-hash scenario"
)
WINDOW = timedelta(minutes=1)
LONGEST_WAIT = timedelta(minutes=15)
FORGIVEN_AFTER = timedelta(hours=1)
_MAX_TRACKED = 10_000
_NAME = re.compile(r"[a-z][a-z0-9._-]{1,31}")


@dataclass(frozen=True, slots=True)
class Account:
    """A person who may log in; ``display`` and ``role`` are what patients see in their access log.

    ``place`` is the address of the device the person is at in this request, '' where nobody knows.
    """

    id: int
    name: str
    display: str
    role: str
    place: str = ""


def add_account(store: Store, *, name: str, display: str, role: str, password: str, at: datetime) -> Account:
    """Make an account.

    Args:
        store: open store.
        name: log-in name; lower-case letters, digits, ``._-``.
        display: full name as patients will see it.
        role: profession as patients will see it.
        password: at least 12 characters and not easily guessed.
        at: now.

    Returns:
        The new account.

    Raises:
        Unusable: ``bad_user_name``, ``bad_display``, ``password_too_short``, ``password_too_long``,
            ``password_weak``, ``user_exists``.
    """
    if not _NAME.fullmatch(name):
        raise Unusable("bad_user_name")
    for text in (display, role):
        if not (1 <= len(text.strip()) <= 80 and text.isprintable()):
            raise Unusable("bad_display")
    _check_password(password, words=(name, *display.split()))
    if store.row("SELECT 1 FROM account WHERE name = ?", (name,)):
        raise Unusable("user_exists")
    store.run(
        "INSERT INTO account (name, display, role, phc, created_at) VALUES (?, ?, ?, ?, ?)",
        (name, display.strip(), role.strip(), hash_password(password), instant_text(at)),
    )
    row = store.row("SELECT id FROM account WHERE name = ?", (name,))
    if row is None:
        raise Unusable("store_damaged")
    return Account(row[0], name, display.strip(), role.strip())


def set_password(store: Store, *, name: str, password: str) -> None:
    """Give an account a new password and open it again; see ``add_account`` for what is refused."""
    _check_password(password, words=(name,))
    if not store.run(
        "UPDATE account SET phc = ?, active = 1 WHERE name = ?", (hash_password(password), name)
    ):
        raise Unusable("no_such_user")


def close_account(store: Store, *, name: str) -> None:
    """Let an account log in no more; its name stays, because access logs point to it."""
    if not store.run("UPDATE account SET active = 0 WHERE name = ?", (name,)):
        raise Unusable("no_such_user")


def accounts(store: Store) -> tuple[tuple[Account, bool], ...]:
    """Return every account with whether it is open, by name."""
    rows = store.rows("SELECT id, name, display, role, active FROM account ORDER BY name")
    return tuple((Account(row[0], row[1], row[2], row[3]), bool(row[4])) for row in rows)


def active_account(store: Store, account_id: int) -> Account | None:
    """Return the account if it exists and is open; asked at every request, so closing works at once."""
    row = store.row("SELECT id, name, display, role FROM account WHERE id = ? AND active = 1", (account_id,))
    return Account(*row) if row else None


class Doorkeeper:
    """Checks log-ins for one running service; counts failures in memory, bounded."""

    def __init__(self, store: Store, *, tries: int) -> None:
        self._store = store
        self._brake = Brake(tries)
        # two hashes at a time: each takes 64 MiB, and a flood of log-ins must not become a flood of memory
        self._work = threading.BoundedSemaphore(2)
        self._decoy = hash_password(secrets.token_urlsafe(24))

    def log_in(self, name: str, password: str, *, address: str, at: datetime) -> Account:
        """Check a password.

        Args:
            name: untrusted.
            password: untrusted.
            address: of the browser, as the socket or the named proxy says.
            at: now.

        Returns:
            The account.

        Raises:
            Refused: ``login_failed``, the same for wrong and unknown.
            Throttled: ``too_many_tries``.
        """
        keys = (f"account:{name[:64]}", f"address:{address[:64]}")
        self._brake.take(keys, at=at)
        row = self._store.row(
            "SELECT id, name, display, role, phc FROM account WHERE name = ? AND active = 1", (name,)
        )
        try:
            with self._work:
                verify_password(row[4] if row else self._decoy, password[:MAX_PASSWORD_CHARACTERS])
        except WrongKey as exc:
            raise Refused("login_failed", status=401) from exc
        if row is None:  # the decoy is random: not reachable, but absent must mean no
            raise Refused("login_failed", status=401)
        self._brake.give_back(keys)
        return Account(row[0], row[1], row[2], row[3])


@dataclass(slots=True)
class _Tries:
    failures: int = 0
    recent: list[datetime] = field(default_factory=list)
    last_at: datetime | None = None
    closed_until: datetime | None = None


class Brake:
    """Counts tries per key; after ``tries`` within a minute the key waits, each time twice as long."""

    def __init__(self, tries: int) -> None:
        self._tries = tries
        self._lock = threading.Lock()
        self._known: OrderedDict[str, _Tries] = OrderedDict()

    def take(self, keys: tuple[str, ...], *, at: datetime) -> None:
        """Count one try for every key, or raise ``Throttled`` when one of them has to wait."""
        with self._lock:
            waits = [wait for key in keys if (wait := self._wait(key, at)) > timedelta(0)]
            if waits:
                raise Throttled(int(max(waits).total_seconds()) + 1)
            for key in keys:
                self._count(key, at)

    def give_back(self, keys: tuple[str, ...]) -> None:
        """Forget the last try of every key: it was a right one. The failures before it still count."""
        with self._lock:
            for key in keys:
                tries = self._known.get(key)
                if tries is not None and tries.recent:
                    tries.recent.pop()
                    tries.failures = max(0, tries.failures - 1)
                    tries.closed_until = None

    def _wait(self, key: str, at: datetime) -> timedelta:
        tries = self._known.get(key)
        if tries is None or tries.closed_until is None:
            return timedelta(0)
        return tries.closed_until - at

    def _count(self, key: str, at: datetime) -> None:
        tries = self._known.setdefault(key, _Tries())
        self._known.move_to_end(key)
        if tries.last_at is not None and at - tries.last_at > FORGIVEN_AFTER:
            tries.failures = 0
        tries.last_at = at
        tries.recent = [moment for moment in tries.recent if at - moment < WINDOW]
        tries.recent.append(at)
        tries.failures += 1
        tries.closed_until = None
        if len(tries.recent) >= self._tries:
            doubled = WINDOW * 2 ** max(0, tries.failures // self._tries - 1)
            tries.closed_until = at + min(doubled, LONGEST_WAIT)
        while len(self._known) > _MAX_TRACKED:
            self._known.popitem(last=False)


def _check_password(password: str, *, words: tuple[str, ...]) -> None:
    if len(password) < MIN_PASSWORD_CHARACTERS:
        raise Unusable("password_too_short")
    if len(password) > MAX_PASSWORD_CHARACTERS:
        raise Unusable("password_too_long")
    if estimate(password, words=words).score < MIN_STRENGTH:
        raise Unusable("password_weak")
