"""The commands about the store as a whole, as an operator gives them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from recipient.cli import main
from recipient.gaps import GapCount
from recipient.identity import load_identity
from recipient.store import Store, open_store
from recipient.verify import Report, verify
from tests.support import clinical
from tests.support.patient_side import PatientSide
from tests.support.postgres import Cluster
from tests.support.recipient_direct import AT, a_patient_of, found, look, push, withdraw
from tests.support.recipient_stores import Place

SIZE = len(clinical.small_record())


@pytest.fixture
def store(place: Place) -> Iterator[Store]:
    """Two patients who share; one was looked at twice."""
    store = place.create()
    account = found(store)
    for number in (1, 2):
        push(store, a_patient_of(store, number), clinical.small_record())
    for minutes in (1, 2):
        look(store, account, a_patient_of(store, 1), at=AT + timedelta(minutes=minutes))
    yield store
    store.close()


WHOLE = Report(2, 2 * SIZE, 2, 0, 0, 0, 0, GapCount(0, 0))


class TestVerify:
    def test_a_healthy_store_is_in_order(self, store: Store) -> None:
        seen: list[tuple[int, int]] = []
        report = verify(store, progress=lambda done, whole: seen.append((done, whole)))
        assert (report, report.in_order) == (WHOLE, True)
        assert seen == [(1, 2), (2, 2)]

    @pytest.mark.parametrize(
        ("damage", "found"),
        [
            (
                "UPDATE resource SET raw = (SELECT raw FROM resource WHERE id = 2) WHERE id = 1",
                "people_unreadable",
            ),
            ("UPDATE resource SET reference = 'Patient/other' WHERE id = 1", "people_unreadable"),
            ("DELETE FROM data_key WHERE sub = (SELECT min(sub) FROM sender)", "people_unreadable"),
            (
                "UPDATE sender SET statement = (SELECT max(statement) FROM sender) "
                "WHERE statement = (SELECT min(statement) FROM sender)",
                "statements_wrong",
            ),
        ],
    )
    def test_what_was_changed_behind_our_back_is_found(self, store: Store, damage: str, found: str) -> None:
        assert store.run(damage) == 1
        report = verify(store)
        assert not report.in_order
        assert replace(report, resources=0) == replace(WHOLE, resources=0, **{found: 1})

    def test_a_look_taken_out_of_the_list_is_found(self, store: Store) -> None:
        table = "access_event"
        for name in (f"{table}_stays", f"{table}_same"):
            store.run(
                f"DROP TRIGGER {name}" + ("" if "SqlcipherStore" in type(store).__name__ else f" ON {table}")
            )
        assert store.run("DELETE FROM access_event WHERE sequence = 1") == 1
        assert verify(store).chains_broken == 1


def run(*arguments: str | Path) -> int:
    return main([str(argument) for argument in arguments])


def a_recipient(folder: Path, *more: str) -> PatientSide:
    assert run("init", "--data", folder, "--name", "Praktijk Zuid", "--id", "ura:00000123", *more) == 0
    store = open_store(folder)
    patient = a_patient_of(store, 1)
    push(store, patient, clinical.small_record())
    store.close()
    return patient


def test_from_init_to_restore(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder, keys, again = tmp_path / "r", tmp_path / "keys", tmp_path / "again"
    patient = a_recipient(folder)
    assert run("backup", tmp_path / "one", "--keys", keys, "--data", folder) == 0
    assert run("backup", tmp_path / "one", "--keys", keys, "--data", folder) == 3
    assert run("verify", "--data", folder) == 0
    assert "1 people, 12 records, 0 looks.\nEverything is in order." in capsys.readouterr().out
    store = open_store(folder)
    withdraw(store, patient, at=AT + timedelta(hours=1))
    store.close()
    assert run("keys", "copy", "--keys", keys, "--data", folder) == 0
    assert run("restore", tmp_path / "one", "--keys", keys, "--data", again) == 0
    said = capsys.readouterr().out
    assert "Put back 0 records of 0 people." in said
    assert "Erased 12 records of 1 people" in said
    assert run("verify", "--data", again) == 0
    assert run("migrate", "--data", again) == 0


def test_a_rotation_changes_both_keys_and_loses_nothing(tmp_path: Path) -> None:
    a_recipient(tmp_path / "r")
    store = open_store(tmp_path / "r")
    before = (load_identity(store).newest_opening.public.id, store.wrapping.known())
    store.close()
    assert run("keys", "rotate", "--data", tmp_path / "r") == 0
    store = open_store(tmp_path / "r")
    after = load_identity(store)
    assert after.newest_opening.public.id != before[0]
    assert before[0] in after.opening  # mail on its way still opens
    assert store.wrapping.known().isdisjoint(before[1])
    assert verify(store).in_order
    store.close()


def test_a_store_that_is_not_in_order_says_so_and_ends_with_its_own_code(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    a_recipient(tmp_path / "r")
    store = open_store(tmp_path / "r")
    store.run("DELETE FROM data_key")
    store.close()
    assert run("verify", "--data", tmp_path / "r") == 5
    told = capsys.readouterr()
    assert "NOT IN ORDER: 1 people whose records do not all open." in told.out
    assert "Traceback" not in told.err


def test_on_postgres(tmp_path: Path, postgres: Cluster, capsys: pytest.CaptureFixture[str]) -> None:
    a_recipient(tmp_path / "r", "--database", postgres.database())
    assert run("verify", "--data", tmp_path / "r") == 0
    assert run("backup", tmp_path / "one", "--keys", tmp_path / "keys", "--data", tmp_path / "r") == 3
    assert "pg_dump" in capsys.readouterr().err
    assert not (tmp_path / "one").exists()


@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        (("--database", "postgresql://me:hidden@localhost/x"), "password"),
        (("--database", "postgresql://me@localhost/x?password=hidden"), "password"),
        (("--database", "postgresql://db.example.org/x"), "verify-full"),
        (("--database", "nonsense"), "postgresql://"),
    ],
)
def test_an_address_that_cannot_be_taken_leaves_nothing_and_repeats_no_secret(
    tmp_path: Path, arguments: tuple[str, str], word: str, capsys: pytest.CaptureFixture[str]
) -> None:
    common = ("--data", tmp_path / "r", "--name", "Praktijk Zuid", "--id", "ura:00000123")
    assert run("init", *common, *arguments) == 3
    told = capsys.readouterr().err
    assert word in told
    assert "hidden" not in told
    assert not list((tmp_path / "r").glob("*"))


def test_restore_wants_one_thing_to_put_back(tmp_path: Path) -> None:
    assert run("restore", "--keys", tmp_path / "keys", "--data", tmp_path / "r") == 3
