"""The journal of a real vault: complete, in words, in pages, as a file, and checked."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path

import pytest

from pgo.errors import AppError, StoreDamaged
from pgo.health.medication.entry import MedicationForm
from pgo.store.access import StoredLook
from pgo.store.journal import Event
from pgo.ui.journal_words import finding_sentence, looked_sentence, row_sentence, searched_text
from pgo.ui.text import LANGUAGES, has
from pgo.usecases.collect import collect
from pgo.usecases.journal import (
    JournalPage,
    JournalQuery,
    check_journal,
    check_journal_file,
    export_journal,
    journal_page,
)
from pgo.usecases.journal_kinds import KIND_OF, JournalKind
from pgo.usecases.journal_rows import JournalRow
from pgo.usecases.journal_verify import Fault, Finding
from pgo.usecases.medicate import remove, restore, save_medication
from pgo.usecases.session import Session
from pgo.usecases.settings import Settings, save_settings
from pgo.usecases.unlock import unlock
from tests.support.applications import PASSPHRASE
from tests.support.vaults import START, Home, a_bundle, a_condition, a_patient


def said(row: JournalRow) -> str:
    return searched_text("nl", row)


def asked(session: Session, **parts: object) -> JournalPage:
    return journal_page(session, JournalQuery(**parts), say=said)  # type: ignore[arg-type]


def sentences(page: JournalPage) -> list[str]:
    return [row_sentence("nl", row) for row in page.rows]


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path)


def test_every_event_has_a_kind_and_words_in_every_language() -> None:
    assert set(KIND_OF) == set(Event)
    for lang in LANGUAGES:
        assert [e for e in Event if not has(lang, f"journal.event.{e.value}")] == []
        assert [f for f in Fault if "[" in finding_sentence(lang, Finding(f, 0, 3))] == []


def test_what_was_done_stands_there_in_plain_words_newest_first(home: Home) -> None:
    session = home.open_new()
    collect(session, a_bundle(a_patient(), a_condition("c1")), name="huisarts.json")
    number = save_medication(session, MedicationForm(name="Paracetamol", start="2026-01-01"))
    remove(session, number)
    restore(session, number)
    save_settings(session, Settings(language="en"))
    save_settings(session, Settings(language="en"))
    session.lock()
    session = unlock(home.app, session.folder, PASSPHRASE)
    assert sentences(asked(session)) == [
        "Kluis geopend",
        "Instellingen veranderd",
        "Teruggezet: Paracetamol",
        "Weggegooid: Paracetamol",
        "Opgeslagen: Paracetamol",
        "2 gegevens opgehaald uit huisarts.json",
        "Kluis gemaakt",
    ]
    assert asked(session).rows[2].record_id == number
    session.lock()


def test_lines_are_found_by_kind_day_and_words(home: Home) -> None:
    session = home.open_new()
    for day, medicine in enumerate(("Ibuprofen", "Metformine", "Paracetamol")):
        home.clock.now = START + timedelta(days=day)
        save_medication(session, MedicationForm(name=medicine, start="2026-01-01"))
    assert asked(session, kind=JournalKind.RECORD).total == 3
    assert asked(session, kind=JournalKind.COPIES).total == 0
    assert sentences(asked(session, words="METFORMINE opgeslagen")) == ["Opgeslagen: Metformine"]
    first = date(2026, 3, 3)
    assert sentences(asked(session, first=first, last=first)) == ["Opgeslagen: Metformine"]
    assert asked(session, words="bestaat niet").rows == ()
    second = journal_page(session, JournalQuery(), say=said, offset=1, limit=2)
    assert (second.total, sentences(second)) == (4, ["Opgeslagen: Metformine", "Opgeslagen: Ibuprofen"])
    session.lock()


def test_a_line_about_something_that_is_gone_says_so(home: Home) -> None:
    session = home.open_new()
    with session.store.write(START):
        session.store.journal.add(Event.RECORD_SAVED, at=START, record=999)
        session.store.journal.add(Event.GRANT_SIGNED, at=START, recipient="ura:1", grant="g")
    newest, before = asked(session).rows[:2]
    assert row_sentence("nl", newest) == "Toestemming gegeven aan ura:1"
    assert (row_sentence("nl", before), before.record_id) == ("Opgeslagen: iets dat er niet meer is", None)
    session.lock()


def test_the_file_holds_its_own_writing_and_checks_against_its_vault_only(home: Home) -> None:
    ours, theirs = home.open_new("Ouder"), home.open_new("Kind")
    data = export_journal(ours)
    checked = check_journal_file(ours, data)
    assert (checked.count, checked.findings) == (2, ())
    assert sentences(asked(ours))[0] == "Logboek opgeslagen in een bestand"
    with pytest.raises(AppError) as refused:
        check_journal_file(theirs, data)
    assert refused.value.code == "journal_other_key"
    assert ours.store.vault_id.encode() in data
    assert b"Ouder" not in data
    ours.lock()
    theirs.lock()


def test_the_open_vault_checks_itself(home: Home) -> None:
    session = home.open_new()
    save_medication(session, MedicationForm(name="Paracetamol", start="2026-01-01"))
    checked = check_journal(session)
    assert (checked.count, checked.findings) == (2, ())
    assert checked.fingerprint == check_journal_file(session, export_journal(session)).fingerprint
    session.lock()


def test_a_line_altered_inside_the_database_is_named(home: Home) -> None:
    session = home.open_new()
    save_medication(session, MedicationForm(name="Paracetamol", start="2026-01-01"))
    save_medication(session, MedicationForm(name="Ibuprofen", start="2026-01-01"))
    engine = session.store.journal._engine
    engine.run("DROP TRIGGER journal_no_update")  # what somebody with the key of the vault could do
    engine.run("UPDATE journal SET body = replace(body, 'record_saved', 'record_removed') WHERE position = 1")
    assert [(one.fault, one.position) for one in check_journal(session).findings] == [(Fault.CHANGED, 1)]
    session.lock()


def test_lines_cut_off_inside_the_database_are_noticed_at_the_next_unlock(home: Home) -> None:
    session = home.open_new()
    for name in ("Paracetamol", "Ibuprofen"):
        save_medication(session, MedicationForm(name=name, start="2026-01-01"))
    engine = session.store.journal._engine
    engine.run("DROP TRIGGER journal_no_delete")
    engine.run("DELETE FROM journal WHERE position = 2")
    with pytest.raises(StoreDamaged) as damaged:  # what is left holds by itself; the header knows better
        check_journal(session)
    assert damaged.value.reason == "journal"
    session.lock()
    with pytest.raises(StoreDamaged) as refused:
        unlock(home.app, session.folder, PASSPHRASE)
    assert refused.value.reason == "journal"


def test_who_looked_stands_beside_the_fetched_list(home: Home) -> None:
    session = home.open_new()
    store = session.store
    looks = [
        StoredLook(n, START, user, "arts", "open", ("medication",), "TREAT", "", f"h{n}")
        for n, user in enumerate(("J. de Wit", "A. Bakker", "J. de Wit"), start=1)
    ]
    with store.write(START):
        store.recipients.keep("ura:1", name="Huisarts", card="", at=START)
        store.access.add("ura:1", looks)
        details = {"recipient": "ura:1", "entries": 2, "first": 2, "head": "h3"}
        store.journal.add(Event.ACCESS_FETCHED, at=START, **details)
    (row,) = asked(session, kind=JournalKind.LOOKED).rows
    assert row_sentence("nl", row) == "Lijst opgehaald bij Huisarts: 2 keer gekeken"
    assert looked_sentence("nl", row) == "Wie: A. Bakker, J. de Wit"
    assert asked(session, words="bakker").total == 1
    session.lock()


def test_ten_thousand_lines_are_paged_and_searched(home: Home) -> None:
    session = home.open_new()
    with session.store.write(START):
        for number in range(10_000):
            session.store.journal.add(Event.RECORD_SAVED, at=START, record=number % 50)
    page = journal_page(session, JournalQuery(), say=said, offset=9_990, limit=50)
    assert (page.total, len(page.rows), page.rows[-1].position) == (10_001, 11, 0)
    assert asked(session, words="kluis gemaakt").total == 1
    assert check_journal(session).findings == ()
    session.lock()
