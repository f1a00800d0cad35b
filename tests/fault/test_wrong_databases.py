"""Every wrong database is refused or harmless: no vault is ever silently made anew (guide security, check 5).

Each is tried on a vault that was locked properly and on one that a crash left with its log.
"""

from __future__ import annotations

import os
import shutil
import sqlite3
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

from pgo.store.database import PAGE_BYTES
from pgo.store.migrations import migrate, schema_version
from pgo.store.vault import Vault
from tests.support.fault_bases import Base, make_bases
from tests.support.fault_examine import Found, State, examine
from tests.support.fault_figures import figures
from tests.support.fault_scenarios import VAULT


def _database(folder: Path) -> Path:
    return next(folder.glob("store-*.db"))


def _log(folder: Path) -> Path:
    return _database(folder).with_name(_database(folder).name + "-wal")


def _plain(folder: Path, _other: Path) -> None:
    _database(folder).unlink()
    with sqlite3.connect(folder / "store-1.db") as plain:
        plain.execute("CREATE TABLE meta (key, value)")
    plain.close()


def _folder_instead(folder: Path, _other: Path) -> None:
    path = _database(folder)
    path.unlink()
    path.mkdir()


def _flip(path: Path, at: int) -> None:
    data = bytearray(path.read_bytes())
    data[at] ^= 1
    path.write_bytes(data)


def _rewrite(change: Callable[[bytes], bytes]) -> Callable[[Path, Path], None]:
    def damage(folder: Path, _other: Path) -> None:
        _database(folder).write_bytes(change(_database(folder).read_bytes()))

    return damage


def _dangling(folder: Path, _other: Path) -> None:
    path = _database(folder)
    path.unlink()
    path.symlink_to(folder / "nowhere.db")


def _log_away(folder: Path, _other: Path) -> None:
    if not _log(folder).exists():
        _log(folder).write_bytes(b"not a log of ours" * 500)  # locked properly: one appears instead
    else:
        _log(folder).unlink()


WRONG: dict[str, Callable[[Path, Path], object]] = {
    "missing": lambda folder, _: _database(folder).unlink(),
    "a link to nothing": _dangling,
    "a folder": _folder_instead,
    "0 bytes": _rewrite(lambda _: b""),
    "plaintext": _plain,
    "one page": _rewrite(lambda data: data[:PAGE_BYTES]),
    "cut inside a page": _rewrite(lambda data: data[:-100]),
    "of another vault": lambda folder, other: shutil.copy(_database(other), _database(folder)),
    "random bytes": _rewrite(lambda data: os.urandom(len(data))),
    "first page zero": _rewrite(lambda data: bytes(PAGE_BYTES) + data[PAGE_BYTES:]),
    "one bit": lambda folder, _: _flip(_database(folder), _database(folder).stat().st_size // 2),
    "its log gone, or not its own": _log_away,
}


@pytest.fixture(scope="module")
def bases(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Base]:
    return make_bases(tmp_path_factory.mktemp("bases"))


def whole(base: Base, scratch: Path) -> State:
    found = examine(base.copy(scratch / "whole") / VAULT, code=base.code)
    assert found.state is not None, found.refused
    return found.state


def looks(folder: Path) -> dict[str, bytes | str]:
    """The folder as it lies there, without the log and the lock, which an opening may touch."""
    seen: dict[str, bytes | str] = {}
    for path in sorted(folder.iterdir()):
        if path.is_file() and not path.name.endswith(("-wal", "-shm", ".lock")):
            seen[path.name] = path.read_bytes()
        elif not path.is_file():
            seen[path.name] = "folder or broken link"
    return seen


def tried(folder: Path, base: Base, expected: State) -> tuple[str, Found]:
    """Open a damaged vault; say how it went."""
    logged, before = _log_there(folder), looks(folder)
    found = examine(folder, code=base.code)
    if found.state == expected:
        return "harmless", found
    if found.state is not None:
        return "silently new", found
    # With a log there the engine may fold it in before the fault shows; without one nothing may change.
    return ("refused" if logged or looks(folder) == before else "refused, but changed"), found


def _log_there(folder: Path) -> bool:
    return any(path.stat().st_size for path in folder.glob("store-*.db-wal"))


@pytest.mark.parametrize("start", ["write", "crashed"], ids=["locked", "crashed"])
def test_a_wrong_database_is_never_replaced(start: str, bases: dict[str, Base], tmp_path: Path) -> None:
    base, other = bases[start], bases["migration"].place / VAULT
    expected = whole(base, tmp_path)
    outcomes: dict[str, tuple[str, Found]] = {}
    for name, damage in WRONG.items():
        folder = base.copy(tmp_path / "case") / VAULT
        damage(folder, other)
        outcomes[name] = tried(folder, base, expected)
    counted = Counter(outcome for outcome, _ in outcomes.values())
    figures[f"wrong databases, {'locked properly' if start == 'write' else 'after a crash'}"] = (
        f"{len(outcomes)} tried, {counted['refused']} refused with a reason, {counted['harmless']} harmless"
        f" (the log held the page), {counted['silently new']} silently new"
    )
    bad = {name: outcome for name, outcome in outcomes.items() if outcome[0] not in ("refused", "harmless")}
    assert not bad, bad
    if start == "write":  # no log that could hold the truth: everything wrong is refused
        assert not counted["harmless"], outcomes


def recreate(self: Vault) -> None:
    """What an engine that "heals itself" does: tables where there are none."""
    if not schema_version(self._engine):
        with self._engine.transaction():
            migrate(self._engine)


def test_a_planted_opener_that_makes_what_is_missing_is_reported(
    bases: dict[str, Base], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    base = bases["crashed"]
    expected = whole(base, tmp_path)
    monkeypatch.setattr("pgo.store.opening.refuse_impossible_file", lambda path: None)
    monkeypatch.setattr("pgo.store.database.refuse_impossible_file", lambda path: None)
    monkeypatch.setattr(Vault, "check_identity", recreate)
    folder = base.copy(tmp_path / "case") / VAULT
    for path in folder.glob("store-*"):
        path.unlink()
    outcome, _ = tried(folder, base, expected)
    assert outcome in ("silently new", "refused, but changed")
    figures["wrong databases, planted opener that recreates"] = f"1 tried, reported as {outcome}"
