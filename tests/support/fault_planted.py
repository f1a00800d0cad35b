"""Faults planted in the product on purpose: a harness that does not report them proves nothing."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pgo.store import database
from pgo.store.vault import Vault


def _settings(synchronous: str) -> tuple[str, ...]:
    return tuple(
        f"PRAGMA synchronous = {synchronous}" if "synchronous" in setting else setting
        for setting in database._SETTINGS
    )


def _overwrite(path: Path, data: bytes, **_options: bool) -> None:
    """Save the plain way: the old content is gone before the new one is there."""
    path.write_bytes(data)


def _rename_unsynced(path: Path, data: bytes, **_options: bool) -> None:
    fresh = path.with_name(path.name + ".new")
    fresh.write_bytes(data)
    fresh.replace(path)


_REAL_WRITE = Vault.write


@contextlib.contextmanager
def _acknowledge_early(self: Vault, at: Any) -> Iterator[None]:
    """Leave the first transaction open and join all others to it: "saved" is said of memory only."""
    if "held" not in vars(self):
        vars(self)["held"] = _REAL_WRITE(self, at)
        vars(self)["held"].__enter__()
    yield


PLANTED: dict[str, dict[str, Any]] = {
    "synchronous=OFF": {"pgo.store.database._SETTINGS": _settings("OFF")},
    "synchronous=NORMAL": {"pgo.store.database._SETTINGS": _settings("NORMAL")},
    "plain overwrite": {"pgo.store.header.save_atomically": _overwrite},
    "rename without fsync": {"pgo.store.header.save_atomically": _rename_unsynced},
    "acknowledged before the commit": {"pgo.store.vault.Vault.write": _acknowledge_early},
}
"""Name to what is patched in the child, and with what."""
