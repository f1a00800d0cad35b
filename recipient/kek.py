"""The key that wraps the data keys (key-encrypting key, KEK), outside the database and replaceable.

Promises:
1. a KEK lies in a file of its own beside the store, for the owner only, never in the database or its dumps;
2. ``renew`` puts a fresh KEK beside the old ones, ``keep_only`` destroys those by which nothing is wrapped
   any more; a crash in between leaves a file that opens everything;
3. a KEK that another process put in place is used from then on.

Callers of ``wrap``, ``renew`` and ``keep_only`` hold a transaction of the store: it keeps processes apart
that share the file.

``Wrapping`` is all the rest of the program knows, so that a key-management service can take the file's place:
it too wraps, unwraps, makes new versions and destroys old ones.

Source: NIST SP 800-57 part 1 rev. 5, sections 5.3.6 and 8.3.4 (key-wrapping keys, destruction).
"""

from __future__ import annotations

import json
import secrets
import threading
from base64 import b64decode, b64encode
from collections.abc import Mapping
from pathlib import Path
from typing import Protocol

from crypto.aead import AeadKey
from crypto.errors import CryptoError
from recipient.errors import Unusable
from recipient.key_files import read_private, replace_private, write_private

_ID_BYTES = 8


class Wrapping(Protocol):
    """What wraps data keys."""

    def wrap(self, key: AeadKey, *, aad: bytes) -> tuple[str, bytes]:
        """Wrap a data key under the newest KEK; return that one's id and the wrapped key."""

    def unwrap(self, kek: str, wrapped: bytes, *, aad: bytes) -> AeadKey:
        """Open a wrapped data key.

        Raises:
            Unusable: ``kek_missing``, the KEK is destroyed or was never here; ``key_wrong``.
        """

    def renew(self) -> str:
        """Make a fresh KEK the newest one; return its id."""

    def keep_only(self, used: frozenset[str]) -> int:
        """Destroy every KEK but the newest and those in use; return how many."""

    def known(self) -> frozenset[str]:
        """Return the ids of all KEKs that are here."""


class KekFile:
    """KEKs in a file, newest last."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = threading.RLock()
        self._keys: Mapping[str, AeadKey] = _read(path)

    def wrap(self, key: AeadKey, *, aad: bytes) -> tuple[str, bytes]:
        """Wrap under the newest in the file: one that was read earlier may be destroyed by now."""
        with self._lock:
            self._keys = _read(self._path)
            newest, kek = list(self._keys.items())[-1]
        return newest, kek.wrap(key, aad=aad)

    def unwrap(self, kek: str, wrapped: bytes, *, aad: bytes) -> AeadKey:
        """Open; look into the file again for a KEK that came since it was read."""
        with self._lock:
            if kek not in self._keys:
                self._keys = _read(self._path)
            found = self._keys.get(kek)
        if found is None:
            raise Unusable("kek_missing")
        try:
            return found.unwrap(wrapped, aad=aad)
        except CryptoError as exc:
            raise Unusable("key_wrong") from exc

    def renew(self) -> str:
        """Write the file anew with one more."""
        with self._lock:
            keys = dict(_read(self._path))
            name, key = _fresh()
            keys[name] = key
            replace_private(self._path, _written(keys))
            self._keys = keys
            return name

    def keep_only(self, used: frozenset[str]) -> int:
        """Write the file anew without the others."""
        with self._lock:
            keys = _read(self._path)
            newest = list(keys)[-1]
            kept = {name: key for name, key in keys.items() if name in used or name == newest}
            if len(kept) < len(keys):
                replace_private(self._path, _written(kept))
            self._keys = kept
            return len(keys) - len(kept)

    def known(self) -> frozenset[str]:
        """Read the file again and name what is in it."""
        with self._lock:
            self._keys = _read(self._path)
            return frozenset(self._keys)


def make_kek_file(path: Path) -> KekFile:
    """Make the file with a first KEK where there is none."""
    name, key = _fresh()
    write_private(path, _written({name: key}))
    return KekFile(path)


def _fresh() -> tuple[str, AeadKey]:
    return secrets.token_hex(_ID_BYTES), AeadKey.generate()


def _written(keys: Mapping[str, AeadKey]) -> bytes:
    listed = [{"id": name, "key": b64encode(key.raw()).decode("ascii")} for name, key in keys.items()]
    return json.dumps({"version": 1, "keys": listed}, indent=1).encode("ascii")


def _read(path: Path) -> Mapping[str, AeadKey]:
    text = read_private(path, missing="kek_missing")
    try:
        said = json.loads(text)
        keys = {str(one["id"]): AeadKey(b64decode(one["key"], validate=True)) for one in said["keys"]}
    except (ValueError, KeyError, TypeError, CryptoError) as exc:
        raise Unusable("key_unsafe") from exc
    if said.get("version") != 1 or not keys:
        raise Unusable("key_unsafe")
    return keys
