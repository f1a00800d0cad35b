"""The operating system's key ring, and the only owner of the library ``keyring``.

Promises: a secret is given to a key ring of the operating system or to nobody. The library also has plug-ins
that write to files; those, its chain of several and its own "fail" and "null" back-ends are not taken, and a
machine without a known key ring is told so by name (``KeyringRefused``), never worked around.

What the key ring keeps is a random secret for one key slot (``slots.keyring_slot``), not the vault key:
without the header it opens nothing, and dropping the slot makes it worthless wherever it was copied to.

Source: https://keyring.readthedocs.io/ (back-ends: Windows Credential Locker, macOS Keychain, Secret
Service, KWallet).
"""

from __future__ import annotations

import contextlib
from importlib import import_module
from typing import Any, Protocol

from crypto.canonical import b64url, b64url_decode
from crypto.errors import CryptoError
from crypto.secret import Secret
from pgo.errors import KeyringRefused

SECRET_BYTES = 32
SERVICE = "pgo-vault"
_TRUSTED = frozenset(
    f"keyring.backends.{name}" for name in ("Windows", "macOS", "SecretService", "libsecret", "kwallet")
)
_FOREIGN_ERRORS = (("secretstorage.exceptions", "SecretStorageException"), ("jeepney", "DBusErrorResponse"))


class KeyKeeper(Protocol):
    """Keeps one secret per vault."""

    def secret_of(self, vault_id: str) -> bytes:
        """The secret kept for a vault.

        Raises:
            KeyringRefused: there is none, or the keeper did not answer.
        """
        ...

    def keep(self, vault_id: str, secret: bytes) -> None:
        """Keep a secret in the place of an earlier one.

        Raises:
            KeyringRefused: it was not taken.
        """
        ...

    def forget(self, vault_id: str) -> None:
        """Remove the secret of a vault, if there is one; never fails, for the slot is gone already."""
        ...


class OsKeyring(Secret):
    """A ``KeyKeeper`` over one back-end of the library."""

    def __init__(self, backend: Any) -> None:
        self._backend = backend

    def secret_of(self, vault_id: str) -> bytes:
        """See ``KeyKeeper``."""
        try:
            kept = self._backend.get_password(SERVICE, vault_id)
        except _failures() as exc:
            raise KeyringRefused("keyring_locked") from exc
        if kept is None:
            raise KeyringRefused("keyring_empty")
        try:
            secret = b64url_decode(kept)
        except (CryptoError, ValueError) as exc:
            raise KeyringRefused("keyring_empty") from exc
        if len(secret) != SECRET_BYTES:
            raise KeyringRefused("keyring_empty")
        return secret

    def keep(self, vault_id: str, secret: bytes) -> None:
        """See ``KeyKeeper``; reads back what was written, because a key ring may take it and keep nothing."""
        try:
            self._backend.set_password(SERVICE, vault_id, b64url(secret))
        except _failures() as exc:
            raise KeyringRefused("keyring_locked") from exc
        if self.secret_of(vault_id) != secret:
            raise KeyringRefused("keyring_locked")

    def forget(self, vault_id: str) -> None:
        """See ``KeyKeeper``."""
        with contextlib.suppress(*_failures()):
            self._backend.delete_password(SERVICE, vault_id)


def find_os_keyring() -> OsKeyring:
    """The best key ring of this operating system.

    Raises:
        KeyringRefused: ``keyring_absent``, there is none that can be trusted.
    """
    from keyring.backend import get_all_keyring

    found = [backend for backend in get_all_keyring() if type(backend).__module__ in _TRUSTED]
    if not found:
        raise KeyringRefused("keyring_absent")
    return OsKeyring(max(found, key=lambda backend: float(backend.priority)))


def _failures() -> tuple[type[Exception], ...]:
    """What key rings raise: the library's own errors, and those of Linux's that it lets through."""
    from keyring.errors import KeyringError

    found: list[type[Exception]] = [KeyringError, OSError, RuntimeError]
    for module, name in _FOREIGN_ERRORS:
        with contextlib.suppress(ImportError):
            found.append(getattr(import_module(module), name))
    return tuple(found)
