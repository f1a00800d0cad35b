"""Making, planning and keeping backups: when one is due, which stay, what the person is told."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from pgo.errors import BackupRefused, InputRefused, NotFound
from pgo.store.journal import Event
from pgo.usecases.backup import backups, make_backup, prove_again, remove_backup
from pgo.usecases.backup_keeper import BackupKeeper
from pgo.usecases.backup_plan import BackupPlan, is_due, plan_of, run_plan, save_plan, standing
from pgo.usecases.backup_restore import Secret, backups_in, check_file, drill, look_at, vault_of
from pgo.usecases.keys import change_passphrase, renew_vault_key
from pgo.usecases.session import Session
from tests.support.applications import PASSPHRASE
from tests.support.backups import filled, more, reopened
from tests.support.vaults import Home


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path / "vaults")


@pytest.fixture
def session(home: Home) -> Iterator[Session]:
    opened = filled(home, conditions=4)
    yield opened
    opened.lock()


def events(session: Session, event: Event) -> int:
    return sum(line.event is event for line in session.store.journal.lines())


def test_a_backup_is_in_the_list_and_in_the_journal(session: Session, tmp_path: Path) -> None:
    made = make_backup(session, tmp_path / "out")
    assert (made.present, made.opens_today, made.records, made.scheduled) == (True, True, 5, False)
    assert backups(session) == (made,)
    assert events(session, Event.BACKUP_MADE) == 1
    assert prove_again(session, made.id).proved_at >= made.proved_at
    assert events(session, Event.BACKUP_PROVED) == 1


def test_a_folder_is_made_but_not_the_drive_it_should_be_on(session: Session, tmp_path: Path) -> None:
    with pytest.raises(BackupRefused, match="backup_folder"):
        make_backup(session, tmp_path / "no-such-drive" / "pgo")
    assert not (tmp_path / "no-such-drive").exists()
    with pytest.raises(BackupRefused, match="backup_folder"):
        make_backup(session, Path("somewhere"))
    assert backups(session) == ()


def test_two_in_one_second_get_two_names(session: Session, tmp_path: Path) -> None:
    one, two = make_backup(session, tmp_path / "out"), make_backup(session, tmp_path / "out")
    assert one.path != two.path
    assert len(backups(session)) == 2


def test_proving_again_names_what_is_wrong(session: Session, home: Home, tmp_path: Path) -> None:
    old = make_backup(session, tmp_path / "out")
    home.clock.forward(hours=1)
    new = make_backup(session, tmp_path / "out")

    def outcome() -> str:
        with pytest.raises(BackupRefused) as caught:
            prove_again(session, new.id)
        return caught.value.code

    whole = new.path.read_bytes()
    new.path.write_bytes(old.path.read_bytes())
    assert outcome() == "backup_older"
    new.path.write_bytes(whole[:-5])
    assert outcome() == "backup_damaged"
    new.path.unlink()
    assert outcome() == "backup_folder"
    other = filled(home, "Ander", conditions=4)
    theirs = make_backup(other, tmp_path / "theirs")
    new.path.write_bytes(theirs.path.read_bytes())
    other.lock()
    assert outcome() == "backup_other_vault"
    with pytest.raises(NotFound):
        prove_again(session, 999)


def test_a_backup_from_before_a_new_vault_key_is_compared_with_what_was_proved(
    home: Home, tmp_path: Path
) -> None:
    session = filled(home, "Ander", conditions=2)
    old = make_backup(session, tmp_path / "out")
    session = renew_vault_key(session, PASSPHRASE, on_progress=lambda _share: None).session
    assert prove_again(session, old.id).proved_at >= old.proved_at
    whole = old.path.read_bytes()
    old.path.write_bytes(whole[:-1] + bytes([whole[-1] ^ 1]))
    with pytest.raises(BackupRefused, match="backup_damaged"):
        prove_again(session, old.id)
    assert standing(session).reminder == "secrets"
    session.lock()


def test_the_standing_says_none_then_good_then_changed_then_old(
    session: Session, home: Home, tmp_path: Path
) -> None:
    assert standing(session).newest is None
    assert standing(session).reminder == "", "not on the first day"
    home.clock.forward(days=2)
    assert standing(session).reminder == "none"
    make_backup(session, tmp_path / "out")
    now = standing(session)
    assert (now.changed, now.reminder) == (False, "")
    home.clock.forward(days=100)
    assert standing(session).reminder == "", "nothing changed, so nothing is missing"
    more(session, range(10, 12))
    now = standing(session)
    assert (now.changed, now.reminder) == (True, "old")


def test_opening_the_vault_and_looking_after_backups_is_no_change(home: Home, tmp_path: Path) -> None:
    session = filled(home, "Ander", conditions=2)
    made = make_backup(session, tmp_path / "out")
    prove_again(session, made.id)
    session.lock()
    session = reopened(home, session.folder)
    assert not standing(session).changed
    session.lock()


def test_a_backup_out_of_reach_and_one_with_older_secrets_are_said(session: Session, tmp_path: Path) -> None:
    made = make_backup(session, tmp_path / "out")
    change_passphrase(session, "acht stille molens bij Grou")
    assert standing(session).reminder == "secrets"
    made.path.rename(tmp_path / "moved")
    now = standing(session)
    assert (now.newest, now.reminder) == (None, "away")


def test_a_plan_makes_one_when_it_is_due_and_keeps_the_newest(
    session: Session, home: Home, tmp_path: Path
) -> None:
    by_hand = make_backup(session, tmp_path / "out")
    save_plan(session, BackupPlan(folder=str(tmp_path / "out"), every="day", keep=3))
    assert not is_due(session), "the one made by hand is of today"
    for number in range(5):
        home.clock.forward(days=1)
        assert run_plan(session) is None, "nothing changed"
        more(session, range(20 + number, 21 + number))
        made = run_plan(session)
        assert made is not None
        assert made.scheduled
        assert run_plan(session) is None
    kept = backups(session)
    assert [one.scheduled for one in kept] == [True, True, True, False]
    assert by_hand.path.exists()
    assert len(list((tmp_path / "out").iterdir())) == 4
    assert events(session, Event.BACKUP_REMOVED) == 2


def test_a_planned_drive_that_is_away_is_said_when_something_waits_for_it(
    session: Session, tmp_path: Path
) -> None:
    make_backup(session, tmp_path / "by-hand")
    drive = tmp_path / "drive"
    drive.mkdir()
    save_plan(session, BackupPlan(folder=str(drive / "pgo"), every="day", keep=3))
    (drive / "pgo").rmdir()
    drive.rmdir()
    assert standing(session).reminder == "", "nothing new waits"
    more(session, range(30, 31))
    now = standing(session)
    assert (now.reminder, now.reachable) == ("folder", False)


def test_new_secrets_make_a_planned_backup_due_at_once(session: Session, tmp_path: Path) -> None:
    save_plan(session, BackupPlan(folder=str(tmp_path / "out"), every="week", keep=3))
    assert run_plan(session) is not None
    change_passphrase(session, "acht stille molens bij Grou")
    assert is_due(session)


def test_a_plan_needs_a_folder_and_offered_values(session: Session, tmp_path: Path) -> None:
    with pytest.raises(BackupRefused, match="backup_folder"):
        save_plan(session, BackupPlan(folder="", every="day"))
    with pytest.raises(BackupRefused, match="backup_folder"):
        save_plan(session, BackupPlan(folder=str(tmp_path / "no" / "drive"), every="day"))
    with pytest.raises(InputRefused, match="settings_invalid"):
        save_plan(session, BackupPlan(folder=str(tmp_path), every="day", keep=1))
    assert plan_of(session) == BackupPlan()


def test_the_keeper_makes_the_planned_backup_by_itself_and_ends_with_the_vault(
    home: Home, tmp_path: Path
) -> None:
    session, made = filled(home, "Ander", conditions=2), threading.Event()
    keeper = BackupKeeper(session, settle_seconds=0.01)
    session.on_change(lambda: made.set() if backups(session) else None)
    keeper.start()
    save_plan(session, BackupPlan(folder=str(tmp_path / "out"), every="day", keep=3))
    assert made.wait(60)
    assert backups(session)[0].scheduled
    session.lock()
    assert keeper.join(60)


def test_the_keeper_goes_on_after_a_drive_was_away(home: Home, tmp_path: Path) -> None:
    session, made = filled(home, "Ander", conditions=2), threading.Event()
    folder = tmp_path / "drive" / "pgo"
    folder.parent.mkdir()
    save_plan(session, BackupPlan(folder=str(folder), every="day", keep=3))
    folder.rmdir()
    folder.parent.rmdir()
    with pytest.raises(BackupRefused, match="backup_folder"):
        run_plan(session)
    assert not standing(session).reachable
    folder.parent.mkdir()
    keeper = BackupKeeper(session, settle_seconds=0.01)
    session.on_change(lambda: made.set() if backups(session) else None)
    keeper.start()
    assert made.wait(60)
    session.lock()
    assert keeper.join(60)


def test_removing_takes_the_file_and_the_line(session: Session, tmp_path: Path) -> None:
    made = make_backup(session, tmp_path / "out")
    remove_backup(session, made.id)
    assert backups(session) == ()
    assert not made.path.exists()
    with pytest.raises(NotFound):
        remove_backup(session, made.id)


def test_a_folder_of_backups_is_read_without_a_key(session: Session, home: Home, tmp_path: Path) -> None:
    make_backup(session, tmp_path / "out")
    home.clock.forward(hours=1)
    new = make_backup(session, tmp_path / "out")
    (tmp_path / "out" / "holiday.pgobackup").write_bytes(b"a picture")
    found = backups_in(tmp_path / "out")
    assert [one.problem for one in found] == ["", "", "backup_unknown"]
    assert found[0].path == new.path
    assert vault_of(home.app, found[0]) is not None
    assert look_at(tmp_path / "nothing").problem == "backup_folder"
    with pytest.raises(BackupRefused, match="backup_folder"):
        backups_in(tmp_path / "no-such-folder")


def test_check_and_drill_say_what_was_compared(session: Session, home: Home, tmp_path: Path) -> None:
    made = make_backup(session, tmp_path / "out")
    assert check_file(made.path, Secret(PASSPHRASE)).records == 5
    (tmp_path / "work").mkdir()
    done = drill(home.app, made.path, Secret(PASSPHRASE), work=tmp_path / "work")
    assert (done.records, done.ledger_records) == (5, 0)
    assert done.journal_lines >= 2
    assert list((tmp_path / "work").iterdir()) == []
    with pytest.raises(InputRefused, match="recovery_code"):
        check_file(made.path, Secret("not a code", is_code=True))
    assert "Secret" in repr(Secret(PASSPHRASE))
    assert PASSPHRASE not in repr(Secret(PASSPHRASE))
