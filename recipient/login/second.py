"""The second step: a code from an authenticator app, or one of the recovery codes on paper.

Promises:
1. the secret of an account is sealed at rest; nobody sees it after it was set up, not even its owner;
2. a code works once, also when two processes get it at the same moment;
3. recovery codes are shown once, kept as keyed hashes, and each works once;
4. an account without a second step cannot pass, except one made for a trial, and that on this machine only
   (``recipient.portal.login`` looks at the address).

Sources: RFC 6238; NIST SP 800-63B-4 sections 3.1.2 (look-up secrets) and 3.1.4; OWASP ASVS 5.0 6.5.
"""

from __future__ import annotations

import secrets
from datetime import datetime

from crypto.errors import Malformed
from crypto.one_time import OneTimeSecret, new_one_time_secret
from crypto.recovery import ALPHABET
from recipient.accounts import account_id
from recipient.instants import instant_text
from recipient.login.sealed import LOGIN_ROWS, keyed_hash, open_text, seal_text
from recipient.store import Store

RECOVERY_CODES = 10
RECOVERY_LETTERS = 16  # of 32 letters: 80 bits, out of reach for guessing at any speed we allow
_USE = "second-step"
_LOOK_ALIKES = str.maketrans("OIL", "011", "- \t")  # Crockford's decoding table


def is_enrolled(store: Store, account: int) -> bool:
    """Tell whether an account has set up its second step."""
    return store.row("SELECT 1 FROM login_totp WHERE account = ?", (account,)) is not None


def recovery_codes_left(store: Store, account: int) -> int:
    """Count the recovery codes that still work."""
    row = store.row("SELECT count(*) FROM login_recovery WHERE account = ?", (account,))
    return int(row[0]) if row else 0


def enrol(store: Store, account: int, secret: OneTimeSecret, code: str, *, at: datetime) -> tuple[str, ...]:
    """Set the second step up when the code shows that the app has the secret; what was before ends.

    Args:
        store: open store.
        account: whose.
        secret: as shown to its owner.
        code: untrusted, as typed.
        at: now.

    Returns:
        The recovery codes, to be shown once; empty when the code is wrong and nothing was changed.
    """
    step = secret.matching_step(_digits(code), at=at, after=-1)
    if step is None:
        return ()
    codes = tuple(_new_recovery_code() for _ in range(RECOVERY_CODES))
    sealed = seal_text(store, secret.raw.hex(), use=_USE, place=str(account))
    with store.transaction(about=LOGIN_ROWS):
        _forget(store, account)
        store.run(
            "INSERT INTO login_totp (account, secret, last_step, since) VALUES (?, ?, ?, ?)",
            (account, sealed, step, instant_text(at)),
        )
        for one in codes:
            store.run(
                "INSERT INTO login_recovery (account, hash) VALUES (?, ?)", (account, _hash(store, one))
            )
    return codes


def passes(store: Store, account: int, typed: str, *, at: datetime) -> bool:
    """Tell whether a code is right, and use it up.

    Args:
        store: open store.
        account: whose.
        typed: untrusted; six digits of the app, or a recovery code.
        at: now.
    """
    if is_recovery_code(typed):
        return _passes_recovery(store, account, typed)
    row = store.row("SELECT secret, last_step FROM login_totp WHERE account = ?", (account,))
    if row is None:
        return False
    secret = _opened(store, account, row[0])
    step = secret.matching_step(_digits(typed), at=at, after=int(row[1]))
    if step is None:
        return False
    # of two that saw the same last step, one changes the row
    used = "UPDATE login_totp SET last_step = ? WHERE account = ? AND last_step < ?"
    return store.run(used, (step, account, step)) == 1


def is_recovery_code(typed: str) -> bool:
    """Tell whether something typed is meant as a recovery code and not as six digits."""
    return len(_digits(typed)) > RECOVERY_LETTERS // 2


def reset_second_step(store: Store, *, name: str) -> None:
    """Forget the second step of an account; its owner sets it up again at the next log-in.

    Raises:
        Unusable: ``no_such_user``.
    """
    account = account_id(store, name)
    with store.transaction(about=LOGIN_ROWS):
        _forget(store, account)
        store.run("DELETE FROM login_session WHERE account = ?", (account,))


def is_for_trial(store: Store, account: int) -> bool:
    """Tell whether an account was made to go without a second step, on this machine only."""
    return store.row("SELECT 1 FROM login_trial WHERE account = ?", (account,)) is not None


def has_trial_accounts(store: Store) -> bool:
    """Tell whether the log-in page has to say that somebody goes without a second step."""
    return store.row("SELECT 1 FROM login_trial LIMIT 1") is not None


def new_secret() -> OneTimeSecret:
    """Make a secret to show to its owner."""
    return new_one_time_secret()


def parse_secret(hex_text: str) -> OneTimeSecret:
    """Read back the secret that waits for its first code.

    Raises:
        Malformed: it is none.
    """
    try:
        return OneTimeSecret(bytes.fromhex(hex_text))
    except ValueError as exc:
        raise Malformed("key_form") from exc


def _forget(store: Store, account: int) -> None:
    store.run("DELETE FROM login_totp WHERE account = ?", (account,))
    store.run("DELETE FROM login_recovery WHERE account = ?", (account,))


def _opened(store: Store, account: int, sealed: str) -> OneTimeSecret:
    return parse_secret(open_text(store, sealed, use=_USE, place=str(account)))


def _passes_recovery(store: Store, account: int, typed: str) -> bool:
    used = "DELETE FROM login_recovery WHERE account = ? AND hash = ?"
    return store.run(used, (account, _hash(store, typed))) == 1


def _hash(store: Store, code: str) -> str:
    return keyed_hash(store, code.upper().translate(_LOOK_ALIKES), use="recovery")


def _new_recovery_code() -> str:
    letters = "".join(secrets.choice(ALPHABET) for _ in range(RECOVERY_LETTERS))
    return "-".join(letters[start : start + 4] for start in range(0, RECOVERY_LETTERS, 4))


def _digits(typed: str) -> str:
    return "".join(typed[:64].split())
