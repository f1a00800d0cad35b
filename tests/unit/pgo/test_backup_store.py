"""Backups of a real vault: one state, in use or not; put back equal; refused by name; nothing left behind."""

from __future__ import annotations

import threading
from functools import partial
from pathlib import Path

import pytest

from pgo.errors import BackupRefused, InputRefused, NotFound, StoreDamaged, VaultBusy, WrongPassphrase
from pgo.store.backup_before import before, forget_before
from pgo.store.backup_digest import content_digests
from pgo.store.backup_format import read_header
from pgo.store.backup_open import open_into, with_code, with_key, with_passphrase
from pgo.store.backup_restore import restore_new, restore_over, switch_back
from pgo.store.journal import Event
from pgo.store.opening import open_with_passphrase
from pgo.usecases.keys import change_passphrase, renew_recovery_code
from pgo.usecases.session import Session
from tests.support.applications import PASSPHRASE
from tests.support.backups import backup_of, contents, filled, more, reopened
from tests.support.vaults import Home

RIGHT = with_passphrase(PASSPHRASE)
OTHER = "acht stille molens bij Grou"


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path / "vaults")


def engine_of(session: Session) -> object:
    return session.store._engine  # type: ignore[attr-defined]  # every row is compared, not what screens show


def test_a_restored_vault_is_equal_row_by_row(home: Home, tmp_path: Path) -> None:
    session = filled(home)
    wanted = dict(content_digests(engine_of(session)))  # type: ignore[arg-type]
    backup = backup_of(session, tmp_path / "out")
    session.lock()
    restore_new(backup.path, tmp_path / "new" / "Terug", RIGHT, at=home.clock())
    vault = open_with_passphrase(tmp_path / "new" / "Terug", PASSPHRASE)
    vault.check()
    found = dict(content_digests(vault._engine))
    changed = {name for name in wanted if found[name] != wanted[name]}
    assert changed == {"journal", "meta", "restore"}, "putting back writes its own mark, and nothing else"
    assert vault.fingerprint("journal", first=wanted["journal"].rows) == wanted["journal"]
    assert [line.event for line in vault.journal.lines()][-1] is Event.BACKUP_RESTORED
    vault.close()


def test_a_backup_made_while_others_write_holds_one_state(
    home: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pgo.store.database._PAGES_AT_ONCE", 8)
    session = filled(home)
    written: list[int] = []

    def write_more(phase: str, done: int, total: int) -> None:
        if phase == "copy" and 0 < done < total and not written:
            written.append(done)
            more(session, range(100, 140))

    at = session.now()
    made = session.store.write_backup(_target(tmp_path), at=at, on_progress=write_more)
    assert written, "something was written in the middle"
    assert made.header.records == 61
    assert len(session.store.records.present_ids()) == 101
    session.lock()
    reopened(home, session.folder).lock()


def _target(tmp_path: Path) -> Path:
    (tmp_path / "out").mkdir(exist_ok=True)
    return tmp_path / "out" / "one.pgobackup"


@pytest.mark.parametrize("phase", ["copy", "write", "read", "compare"])
def test_stopped_at_any_step_it_leaves_nothing_behind(home: Home, tmp_path: Path, phase: str) -> None:
    session = filled(home)
    before_it = {path.name for path in session.folder.iterdir()}

    def stop(now: str, _done: int, _total: int) -> None:
        if now == phase:
            raise BackupRefused("backup_stopped")

    with pytest.raises(BackupRefused, match="backup_stopped"):
        session.store.write_backup(_target(tmp_path), at=session.now(), on_progress=stop)
    assert list((tmp_path / "out").iterdir()) == []
    assert {path.name for path in session.folder.iterdir()} == before_it
    backup_of(session, tmp_path / "out")
    session.lock()


def test_locking_stops_a_backup_that_runs_and_waits_for_its_end(home: Home, tmp_path: Path) -> None:
    session, halfway, outcome = filled(home), threading.Event(), []
    go_on = threading.Event()

    def pause(phase: str, _done: int, _total: int) -> None:
        if phase == "write":
            halfway.set()
            assert go_on.wait(60)

    def work() -> None:
        try:
            session.store.write_backup(_target(tmp_path), at=home.clock(), on_progress=pause)
        except BackupRefused as exc:
            outcome.append(exc.code)

    worker = threading.Thread(target=work)
    worker.start()
    assert halfway.wait(60)
    with pytest.raises(BackupRefused, match="backup_running"):
        session.store.write_backup(_target(tmp_path), at=home.clock())
    locker = threading.Thread(target=session.lock)
    locker.start()
    go_on.set()
    locker.join(60)
    worker.join(60)
    assert outcome == ["backup_stopped"]
    assert list((tmp_path / "out").iterdir()) == []
    reopened(home, session.folder).lock()


def test_nothing_readable_is_in_the_file_and_only_the_owner_reads_it(home: Home, tmp_path: Path) -> None:
    session = filled(home)
    path = backup_of(session, tmp_path / "out").path
    data = path.read_bytes()
    for marker in (b"Klacht", b"Voorbeeld", b"Thuis", b"SQLite format 3", b"Condition"):
        assert marker not in data
    assert path.stat().st_mode & 0o777 == 0o600
    session.lock()


def test_two_backups_of_the_same_state_share_nothing_but_their_header_words(
    home: Home, tmp_path: Path
) -> None:
    session = filled(home)
    one, two = (backup_of(session, tmp_path / name).path.read_bytes() for name in ("a", "b"))
    blocks = {one[at : at + 16] for at in range(2_000, len(one) - 16, 16)}
    assert not blocks & {two[at : at + 16] for at in range(2_000, len(two) - 16, 16)}
    session.lock()


def test_old_secrets_open_old_backups_and_new_ones_do_not(home: Home, tmp_path: Path) -> None:
    session = filled(home, conditions=3)
    first_code = renew_recovery_code(session)
    old = backup_of(session, tmp_path / "out").path
    fingerprint = session.store.keys.fingerprint()
    change_passphrase(session, OTHER)
    second_code = renew_recovery_code(session)
    assert session.store.keys.fingerprint() != fingerprint
    session.lock()
    for number, unwrap in enumerate((RIGHT, with_code(first_code))):
        open_into(old, tmp_path / f"{number}.db", unwrap)
    for unwrap in (with_passphrase(OTHER), with_code(second_code)):
        with pytest.raises(WrongPassphrase):
            open_into(old, tmp_path / "no.db", unwrap)


def test_the_header_says_what_is_inside_and_nobody_s_name(home: Home, tmp_path: Path) -> None:
    session = filled(home)
    path = backup_of(session, tmp_path / "out").path
    with path.open("rb") as stream:
        header = read_header(stream, file_bytes=path.stat().st_size).header
    assert (header.vault_id, header.records) == (session.store.vault_id, 61)
    assert header.commits == session.store.changes()
    assert {slot.kind for slot in header.slots} == {"passphrase", "recovery"}
    assert "Thuis" not in path.name
    session.lock()


def test_put_back_over_a_vault_the_old_one_stays_until_forgotten(home: Home, tmp_path: Path) -> None:
    session = filled(home, conditions=5)
    backup = backup_of(session, tmp_path / "out").path
    more(session, range(50, 53))
    folder = session.folder
    session.lock()
    untouched = contents(folder)
    with pytest.raises(BackupRefused, match="backup_older"):
        restore_over(backup, folder, RIGHT, at=home.clock(), accept_older=False)
    assert contents(folder) == untouched
    restore_over(backup, folder, RIGHT, at=home.clock(), accept_older=True)
    assert contents(folder)["store-1.db"] == untouched["store-1.db"]
    assert contents(folder)["vault.hdr.before-r1"] == untouched["vault.hdr"]
    again = reopened(home, folder)
    assert len(again.store.records.present_ids()) == 6
    again.lock()
    assert [one.number for one in before(folder)] == [1]
    switch_back(folder, RIGHT, at=home.clock())
    back = reopened(home, folder)
    assert len(back.store.records.present_ids()) == 9
    assert back.store.backups.last_restore() is not None, "going back is a restore too: recipients are asked"
    back.lock()
    assert forget_before(folder) == 2
    assert before(folder) == ()
    assert sorted(name for name in contents(folder) if name.endswith(".db")) == ["store-1-r2.db"]
    reopened(home, folder).lock()
    with pytest.raises(NotFound):
        switch_back(folder, RIGHT, at=home.clock())


def test_nothing_is_forgotten_while_the_header_is_torn(home: Home, tmp_path: Path) -> None:
    session = filled(home, conditions=1)
    backup, folder = backup_of(session, tmp_path / "out").path, session.folder
    session.lock()
    restore_over(backup, folder, RIGHT, at=home.clock(), accept_older=True)
    header = (folder / "vault.hdr").read_bytes()
    (folder / "vault.hdr").write_bytes(header[:-10])
    with pytest.raises(StoreDamaged, match="header"):
        forget_before(folder)
    assert (folder / "store-1-r1.db").exists()
    assert (folder / "store-1.db").exists()
    (folder / "vault.hdr").write_bytes(header)
    assert forget_before(folder) == 1
    reopened(home, folder).lock()


def test_a_torn_header_costs_no_database_when_a_backup_is_put_back(home: Home, tmp_path: Path) -> None:
    session = filled(home, conditions=1)
    backup, folder = backup_of(session, tmp_path / "out").path, session.folder
    session.lock()
    restore_over(backup, folder, RIGHT, at=home.clock(), accept_older=True)
    reopened(home, folder).lock()
    (folder / "vault.hdr").write_bytes(b"torn")
    (folder / "vault.hdr.prev").unlink(missing_ok=True)
    restore_over(backup, folder, RIGHT, at=home.clock(), accept_older=True)
    assert {"store-1.db", "store-1-r1.db", "store-1-r2.db"} <= contents(folder).keys()
    reopened(home, folder).lock()


def test_putting_back_leaves_the_folder_around_it_as_it_is(home: Home, tmp_path: Path) -> None:
    session = filled(home, conditions=1)
    backup = backup_of(session, tmp_path / "out").path
    session.lock()
    around = tmp_path / "shared"
    around.mkdir(mode=0o755)
    restore_new(backup, around / "Terug", RIGHT, at=home.clock())
    assert around.stat().st_mode & 0o777 == 0o755
    assert (around / "Terug").stat().st_mode & 0o777 == 0o700


def test_another_vault_s_backup_and_an_open_vault_are_refused(home: Home, tmp_path: Path) -> None:
    session, other = filled(home, conditions=2), filled(home, "Ander", conditions=2)
    theirs, ours = backup_of(other, tmp_path / "a").path, backup_of(session, tmp_path / "b").path
    with pytest.raises(VaultBusy):
        restore_over(ours, session.folder, RIGHT, at=home.clock(), accept_older=True)
    session.lock()
    other.lock()
    untouched = contents(session.folder)
    with pytest.raises(BackupRefused, match="backup_other_vault"):
        restore_over(theirs, session.folder, RIGHT, at=home.clock(), accept_older=True)
    with pytest.raises(WrongPassphrase):
        restore_over(ours, session.folder, with_passphrase(OTHER), at=home.clock(), accept_older=True)
    with pytest.raises(InputRefused, match="vault_exists"):
        restore_new(ours, session.folder, RIGHT, at=home.clock())
    assert contents(session.folder) == untouched


@pytest.mark.parametrize("place", ["new", "over"])
def test_a_refused_restore_leaves_no_trace(home: Home, tmp_path: Path, place: str) -> None:
    session = filled(home, conditions=2)
    path = backup_of(session, tmp_path / "out").path
    session.lock()
    path.write_bytes(path.read_bytes()[:-1])
    names = sorted(one.name for one in home.folder.iterdir()), contents(session.folder)
    ways = {
        "new": partial(restore_new, path, home.folder / "Terug", RIGHT, at=home.clock()),
        "over": partial(restore_over, path, session.folder, RIGHT, at=home.clock(), accept_older=True),
    }
    with pytest.raises(BackupRefused, match="backup_damaged"):
        ways[place]()
    assert (sorted(one.name for one in home.folder.iterdir()), contents(session.folder)) == names


def test_leftovers_of_a_crash_go_with_the_next_try(home: Home, tmp_path: Path) -> None:
    session = filled(home, conditions=2)
    (session.folder / ".backup-0badcafe").mkdir()
    (session.folder / ".backup-0badcafe" / "copy.db").write_bytes(b"left by a crash")
    path = backup_of(session, tmp_path / "out").path
    assert not list(session.folder.glob(".backup-*"))
    folder = session.folder
    session.lock()
    (folder / "store-1-r7.db").write_bytes(b"a restore that never got to its switch")
    restore_over(path, folder, RIGHT, at=home.clock(), accept_older=True)
    assert not (folder / "store-1-r7.db").exists()
    reopened(home, folder).lock()


def test_a_backup_of_a_newer_form_asks_for_an_update(
    home: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    session = filled(home, conditions=1)
    path = backup_of(session, tmp_path / "out").path
    key = bytes(session.store._vault_key)  # type: ignore[attr-defined]
    session.lock()
    monkeypatch.setattr("pgo.store.backup_open.STEPS", ())
    with pytest.raises(BackupRefused, match="backup_newer"):
        open_into(path, tmp_path / "no.db", with_key(key))
