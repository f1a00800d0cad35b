"""Local accounts of the people who read, and their passwords.

Promises:
1. accounts are made on the command line, or at the first log-in by a service whose roles the operator named
   (``recipient.login.admission``); the password is kept as an Argon2id hash (RFC 9106);
2. a wrong password, an unknown or closed account and one without a password cost the same work and give the
   same answer;
3. guessing is slowed per account and per address (``recipient.login.brake``);
4. closing an account, and a new password, end its sessions in the same transaction.
"""

from __future__ import annotations

import re
import secrets
import threading
from dataclasses import dataclass
from datetime import datetime

from crypto.errors import WrongKey
from crypto.passphrase import hash_password, verify_password
from crypto.strength import estimate
from recipient.errors import Refused, Unusable
from recipient.instants import instant_text
from recipient.login.brake import Brake
from recipient.login.sealed import LOGIN_ROWS
from recipient.store import Store

MIN_PASSWORD_CHARACTERS = 12  # security.md 3.1: 12 characters, no composition rules
MAX_PASSWORD_CHARACTERS = 256
MIN_STRENGTH = (
    3  # of 4; zxcvbn calls 3 "safely unguessable: moderate protection from offline slow-hash scenario"
)
_NO_PASSWORD = ""  # no hash at all: nothing typed can fit
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


def add_account(
    store: Store,
    *,
    name: str,
    display: str,
    role: str,
    password: str | None,
    at: datetime,
    second_step: bool = True,
) -> Account:
    """Make an account.

    Args:
        store: open store.
        name: log-in name; lower-case letters, digits, ``._-``.
        display: full name as patients will see it.
        role: profession as patients will see it.
        password: at least 12 characters and not easily guessed; None for who logs in elsewhere only.
        at: now.
        second_step: False for a trial: on this machine the password alone is enough, elsewhere never.

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
    phc = _NO_PASSWORD if password is None else _hashed(password, words=(name, *display.split()))
    with store.transaction(about=LOGIN_ROWS):
        made = store.rows(
            "INSERT INTO account (name, display, role, phc, created_at) VALUES (?, ?, ?, ?, ?) "
            "ON CONFLICT (name) DO NOTHING RETURNING id",
            (name, display.strip(), role.strip(), phc, instant_text(at)),
        )
        if not made:
            raise Unusable("user_exists")
        if not second_step:
            store.run("INSERT INTO login_trial (account) VALUES (?)", (made[0][0],))
    return Account(made[0][0], name, display.strip(), role.strip())


def set_password(store: Store, *, name: str, password: str) -> None:
    """Give an account a new password and open it again; see ``add_account`` for what is refused."""
    if not _NAME.fullmatch(name):  # the closed account of a program (recipient.fhir_api.clients) stays closed
        raise Unusable("no_such_user")
    account = account_id(store, name)
    phc = _hashed(password, words=(name,))
    with store.transaction(about=LOGIN_ROWS):
        store.run("UPDATE account SET phc = ?, active = 1 WHERE id = ?", (phc, account))
        store.run("DELETE FROM login_session WHERE account = ?", (account,))


def change_password(store: Store, account: Account, password: str, *, keep: str) -> None:
    """Give an account the new password that its owner chose.

    Args:
        store: open store.
        account: of who asks; the old password was checked (``Doorkeeper.log_in``).
        password: untrusted; see ``add_account`` for what is refused.
        keep: key of the session that asks; all others end.
    """
    phc = _hashed(password, words=(account.name, *account.display.split()))
    with store.transaction(about=LOGIN_ROWS):
        store.run("UPDATE account SET phc = ? WHERE id = ?", (phc, account.id))
        store.run("DELETE FROM login_session WHERE account = ? AND key <> ?", (account.id, keep))


def has_password(store: Store, account: int) -> bool:
    """Tell whether an account can log in with a password here."""
    return store.row("SELECT 1 FROM account WHERE id = ? AND phc <> ''", (account,)) is not None


def close_account(store: Store, *, name: str) -> None:
    """Let an account log in no more, and end its sessions; its name stays: access logs point to it."""
    account = account_id(store, name)
    with store.transaction(about=LOGIN_ROWS):
        store.run("UPDATE account SET active = 0 WHERE id = ?", (account,))
        store.run("DELETE FROM login_session WHERE account = ?", (account,))


def account_id(store: Store, name: str) -> int:
    """Return the number of an account, open or closed.

    Raises:
        Unusable: ``no_such_user``.
    """
    row = store.row("SELECT id FROM account WHERE name = ?", (name,))
    if row is None:
        raise Unusable("no_such_user")
    return int(row[0])


def accounts(store: Store) -> tuple[tuple[Account, bool], ...]:
    """Return every account with whether it is open, by name."""
    rows = store.rows("SELECT id, name, display, role, active FROM account ORDER BY name")
    return tuple((Account(row[0], row[1], row[2], row[3]), bool(row[4])) for row in rows)


def active_account(store: Store, account_id: int) -> Account | None:
    """Return the account if it exists and is open; asked at every request, so closing works at once."""
    row = store.row("SELECT id, name, display, role FROM account WHERE id = ? AND active = 1", (account_id,))
    return Account(*row) if row else None


class Doorkeeper:
    """Checks passwords for one running service."""

    def __init__(self, store: Store, *, tries: int) -> None:
        self._store = store
        self._brake = Brake(store, tries=tries)
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
            "SELECT id, name, display, role, phc FROM account WHERE name = ? AND active = 1 AND phc <> ''",
            (name,),
        )
        try:
            with self._work:
                verify_password(row[4] if row else self._decoy, password[:MAX_PASSWORD_CHARACTERS])
        except WrongKey as exc:
            raise Refused("login_failed", status=401) from exc
        if row is None:  # the decoy is random: not reachable, but absent must mean no
            raise Refused("login_failed", status=401)
        self._brake.give_back(keys, at=at)
        return Account(row[0], row[1], row[2], row[3])


def _hashed(password: str, *, words: tuple[str, ...]) -> str:
    """Hash a password that is fit to be one."""
    if len(password) < MIN_PASSWORD_CHARACTERS:
        raise Unusable("password_too_short")
    if len(password) > MAX_PASSWORD_CHARACTERS:
        raise Unusable("password_too_long")
    if estimate(password, words=words).score < MIN_STRENGTH:
        raise Unusable("password_weak")
    return hash_password(password)
