"""After the lock: no marker word in any file, no key in memory (guide security 5, check 8).

A child lives one day with a vault full of words that occur nowhere else, logging as loudly as it can, locks
it and waits. Its files and its memory are searched from outside. What Python leaves of the text in memory is
a figure, not a promise; see docs/security-memory.md.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from pgo.store.founding import database_key
from pgo.store.header import load_header
from pgo.store.slots import open_passphrase_slot
from tests.support.applications import PASSPHRASE
from tests.support.fault_bases import Base, make_bases
from tests.support.fault_child import Order
from tests.support.fault_driver import child
from tests.support.fault_figures import figures, require_strace
from tests.support.fault_markers import LOG, NAMES, Markers, new_markers, prepare
from tests.support.fault_memory import in_files, in_memory
from tests.support.fault_scenarios import VAULT
from tests.support.fault_trace import paths_written


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Base:
    return make_bases(tmp_path_factory.mktemp("bases"))["write"]


def keys_of(folder: Path) -> dict[str, bytes]:
    """Every form in which the keys of a vault may lie about."""
    vault_key = bytes(open_passphrase_slot(load_header(folder).header, PASSPHRASE))
    key = bytes(database_key(vault_key))
    return {
        "vault key": vault_key,
        "database key": key,
        "database key as text": key.hex().encode(),
        "database key as capital text": key.hex().upper().encode(),
    }


def a_day(base: Base, tmp_path: Path, markers: Markers) -> tuple[dict[str, int], dict[str, int], list[str]]:
    """Live the day; return the keys and markers found in memory, and the files written elsewhere."""
    place = base.copy(tmp_path / "case")
    told = prepare(place, PASSPHRASE, markers)
    with child(Order("a day", place)) as actor:
        actor.attach("-f", "-y", "-e", "trace=openat,open,creat", output=str(tmp_path / "opened.txt"))
        answer = actor.ask(step=0)
        assert "error" not in answer, answer
        actor.detach()
        keys = in_memory(actor.pid, keys_of(place / VAULT))
        words = in_memory(actor.pid, markers.bytes())
    told.unlink()
    outside = [
        path for path in paths_written((tmp_path / "opened.txt").read_text()) if place not in path.parents
    ]
    return dict(keys), dict(words), sorted({str(path) for path in outside})


def test_nothing_is_left_in_files_and_no_key_in_memory(base: Base, tmp_path: Path) -> None:
    require_strace()
    markers = new_markers()
    keys, words, outside = a_day(base, tmp_path, markers)
    found = in_files([tmp_path], markers.bytes())
    figures["after the lock"] = (
        f"{len(NAMES)} markers, {len(found)} files with one, {len(outside)} files written elsewhere,"
        f" {sum(keys.values())} copies of a key in memory"
        f" ({sum(words.values())} copies of {len(words)} markers there: Python frees text without erasing it)"
    )
    assert (tmp_path / "case" / LOG).stat().st_size, "nothing was logged, so nothing was searched"
    assert found == {}
    assert [path for path in outside if not path.startswith("/dev/")] == []
    assert keys == {}


def test_a_planted_leak_is_found(base: Base, tmp_path: Path) -> None:
    """The search finds what lies in a file, and a key that a process holds."""
    require_strace()
    markers = new_markers()
    folder = tmp_path / "leak"
    folder.mkdir()
    (folder / "crash.log").write_text(f"could not save {markers.words['family name']}")
    assert in_files([folder], markers.bytes()) == {"crash.log": ["family name"]}
    place = base.copy(tmp_path / "case")
    with child(Order("write", place, base.code)) as actor:  # still open: the key must be there
        held = in_memory(actor.pid, keys_of(place / VAULT))
    assert held["vault key"], "an open vault without its key in memory: the search is blind"
    figures["after the lock, planted"] = "a marker in a log and the key of an open vault are found"
