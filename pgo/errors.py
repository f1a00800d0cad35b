"""What can go wrong in the patient's app, by who must act.

::

    AppError            something the app tells the person in one clear sentence
     +- Locked          the session was closed; unlock again
     +- WrongPassphrase the passphrase or recovery code does not open this vault; nothing changed
     +- KeyLost         the vault is there, the way to its key is not; a backup or the recovery code is needed
     +- VaultBusy       another program holds this vault open
     +- StoreFull       the disk is full; the change was undone, the vault is as before
     +- DiskFailed      the disk did not do what it was told; the change was undone
     +- StoreDamaged    the store is not what it was when we last wrote it; nothing was created or repaired
     +- BackupRefused   a backup cannot be made, read or put back; the vault is as before
     +- VaultTooNew     a later version of the app wrote this vault; the app must be updated, nothing changed
     +- KeyringRefused  the key ring of this computer cannot or will not help; the passphrase still opens
     +- NotFound        no such record, draft, grant or recipient (any more)
     +- InputRefused    what was typed or handed over cannot be used; nothing changed

Rules: every class has a stable ``code`` (the translation key ``error.<code>``); attributes are for machines;
no member and no message ever holds personal data, a path or a passphrase. A refusal by consent is no error
but a ``consent.decision.Deny``.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType


class AppError(Exception):
    """Base of everything the app raises on purpose.

    Attributes:
        code: stable key, also the translation key ``error.<code>``.
    """

    code: str = "app_error"

    def __init__(self, code: str | None = None) -> None:
        if code is not None:
            self.code = code
        super().__init__(self.code)


class Locked(AppError):
    """The session is closed; the person must unlock the vault again."""

    code = "locked"


class WrongPassphrase(AppError):
    """The passphrase or recovery code opens no slot of this vault."""

    code = "wrong_passphrase"


class KeyLost(AppError):
    """A database is there but no header that could open it."""

    code = "key_lost"


class VaultBusy(AppError):
    """Another process holds the lock of this vault."""

    code = "vault_busy"


class StoreDamaged(AppError):
    """The store on disk cannot be trusted; it was left exactly as found.

    Attributes:
        reason: closed list: ``header``, ``database_missing``, ``database_empty``, ``database_plaintext``,
            ``database_unreadable``, ``database_changed``, ``database_behind``, ``database_foreign``,
            ``engine_without_encryption``, ``schema``, ``journal``, ``ledger``, ``copy`` (a copy is not
            equal to its source).
    """

    code = "store_damaged"

    def __init__(self, reason: str) -> None:
        self.reason = reason
        super().__init__()
        self.args = (f"{self.code}: {reason}",)


class VaultTooNew(AppError):
    """The vault has a form that only a later version of the app can read; it was left as found."""

    code = "vault_too_new"


class KeyringRefused(AppError):
    """The operating system's key ring did not give or take the key; nothing changed.

    Attributes:
        code: ``keyring_absent`` (no key ring that can be trusted), ``keyring_locked`` (it did not answer or
            refused), ``keyring_empty`` (it has no key for this vault any more).
    """

    code = "keyring_absent"


class StoreFull(AppError):
    """There is no room on the disk; the change was undone."""

    code = "store_full"


class DiskFailed(AppError):
    """The disk refused to read or write; what was committed before is still there."""

    code = "disk_failed"


class BackupRefused(AppError):
    """A backup was not made, not believed or not put back; the vault is as it was.

    Attributes:
        code: closed list: ``backup_unknown`` (no backup at all), ``backup_damaged``, ``backup_newer`` (made
            by a newer program), ``backup_other_vault``, ``backup_older`` (than what is there; the person may
            insist), ``backup_folder`` (cannot be reached or written), ``backup_running`` (one at a time),
            ``backup_stopped`` (by the person, or because the vault was locked).
    """

    code = "backup_damaged"


class NotFound(AppError):
    """No such thing in this vault.

    Attributes:
        what: kind of thing: ``record``, ``draft``, ``grant``, ``recipient``, ``questionnaire``, ``vault``,
            ``set_aside``.
    """

    code = "not_found"

    def __init__(self, what: str) -> None:
        self.what = what
        super().__init__()
        self.args = (f"{self.code}: {what}",)


class InputRefused(AppError):
    """What the person typed or chose cannot be used; the store is unchanged.

    Attributes:
        code: what is wrong, for example ``not_json``, ``weak_passphrase``, ``form_invalid``,
            ``card_invalid``.
        detail: where, without personal data (``line 3``), may be empty.
        fields: for forms, field name to message key.
    """

    code = "input_refused"

    def __init__(self, code: str, detail: str = "", *, fields: Mapping[str, str] | None = None) -> None:
        super().__init__(code)
        self.detail = detail
        self.fields: Mapping[str, str] = MappingProxyType(dict(fields or {}))
