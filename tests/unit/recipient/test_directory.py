"""Who shares now: searching, sorting, pages, and names that go when the permission goes."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from consent.statement import open_statement
from recipient import holdings
from recipient.accounts import Account, active_account, add_account
from recipient.directory import Wish
from recipient.identity import build_card, create_identity, load_identity
from recipient.reading import Reader
from recipient.store import Store, create_store
from sync.bundle import Item
from sync.card import parse_card
from tests.support import clinical
from tests.support.patient_side import PatientSide

AT = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
PEOPLE = (
    ("Öztürk", "Elif", "1971-04-13"),
    ("de Boer", "Anna", "1957-02-11"),
    ("Jansen", "Piet", "1950-01-10"),
    ("Jansen", "Anna", "1964-03-12"),
)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    found = create_store(tmp_path / "recipient")
    create_identity(found, recipient_id="ura:00000123", name="Praktijk", kind="clinic", url=None, at=AT)
    add_account(found, name="dewit", display="S. de Wit", role="arts", password="vier losse woorden", at=AT)
    yield found
    found.close()


@pytest.fixture
def account(store: Store) -> Account:
    found = active_account(store, 1)
    assert found is not None
    return found


def share(store: Store, number: int, *, days: int = 90) -> PatientSide:
    """One of the people shares, without a network in between."""
    family, given, born = PEOPLE[number]
    _, text = build_card(load_identity(store), endpoint="http://127.0.0.1:1", at=AT)
    side = PatientSide(parse_card(text, at=AT), bytes([number + 1]) * 32)
    side.grant(at=AT, days=days)
    install(store, side)
    body = clinical.patient(name=family, given=given, born=born)
    raw = json.dumps(body).encode()
    item = Item(reference="Patient/p1", full_url=None, raw=raw, body=body)
    with store.transaction():
        holdings.put_resources(store, side.sub, [item], at=AT)
    return side


def install(store: Store, side: PatientSide) -> None:
    """Make the newest statement the one in force."""
    statement = open_statement(side.statement, side.pairwise.signing.public)
    state = holdings.ACTIVE if statement.scope else holdings.STOPPED
    with store.transaction():
        holdings.save_statement(store, statement, token=side.statement, state=state, at=AT)


def names(reader: Reader, account: Account, wish: Wish | None = None, *, at: datetime = AT) -> list[str]:
    found = reader.list_patients(account, wish or Wish(), already_listed=set(), at=at)
    return [one.person.name if one.person else "" for one in found.patients]


def test_people_stand_in_order_of_their_names_and_come_in_pages(store: Store, account: Account) -> None:
    for number in range(4):
        share(store, number)
    reader = Reader(store, load_identity(store))
    everybody = ["Anna de Boer", "Anna Jansen", "Elif Öztürk", "Piet Jansen"]
    assert names(reader, account) == everybody
    assert names(reader, account, Wish(first=1, length=2)) == everybody[1:3]
    page = reader.list_patients(account, Wish(first=3, length=2), already_listed=set(), at=AT)
    assert (len(page.patients), page.found, page.total) == (1, 4, 4)


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("ozturk", ["Elif Öztürk"]),
        ("jan", ["Anna Jansen", "Piet Jansen"]),
        ("anna jan", ["Anna Jansen"]),
        ("11-02-1957", ["Anna de Boer"]),
        ("11021957", ["Anna de Boer"]),
        ("1957-02-11", ["Anna de Boer"]),
        ("11 feb 1957", ["Anna de Boer"]),
        ("12 maa", []),
        ("12 mrt 1964", ["Anna Jansen"]),
        ("12 mar 1964", ["Anna Jansen"]),
        ("nobody", []),
    ],
)
def test_a_part_of_a_name_or_a_date_as_people_type_it_finds(
    store: Store, account: Account, query: str, found: list[str]
) -> None:
    for number in range(4):
        share(store, number)
    assert names(Reader(store, load_identity(store)), account, Wish(query=query)) == found


def test_who_ends_first_and_who_has_news_come_first_when_asked(store: Store, account: Account) -> None:
    share(store, 0, days=50)
    share(store, 1, days=10)
    reader = Reader(store, load_identity(store))
    assert names(reader, account, Wish(order="ends")) == ["Anna de Boer", "Elif Öztürk"]
    for line in reader.list_patients(account, Wish(), already_listed=set(), at=AT).patients:
        if line.person and "Anna" in line.person.name:
            reader.open_record(account, line.holding.handle, at=AT)
    assert names(reader, account, Wish(order="new")) == ["Elif Öztürk", "Anna de Boer"]


def test_a_name_goes_with_the_permission_without_a_restart(store: Store, account: Account) -> None:
    side = share(store, 0)
    share(store, 1, days=10)
    reader = Reader(store, load_identity(store))
    assert len(names(reader, account)) == 2
    side.withdraw(at=AT)
    install(store, side)
    assert names(reader, account) == ["Anna de Boer"]
    assert names(reader, account, Wish(query="ozturk")) == []
    assert names(reader, account, at=AT + timedelta(days=9)) == ["Anna de Boer"]
    assert names(reader, account, at=AT + timedelta(days=11)) == []


def test_only_names_on_the_page_are_looks_each_once_per_session(store: Store, account: Account) -> None:
    for number in range(4):
        share(store, number)
    reader, listed = Reader(store, load_identity(store)), set[str]()
    for _ in range(2):
        reader.list_patients(account, Wish(length=2), already_listed=listed, at=AT)
    assert store.rows("SELECT count(*) FROM access_event WHERE action = 'list'") == [(2,)]
    reader.list_patients(account, Wish(), already_listed=listed, at=AT)
    assert store.rows("SELECT count(*) FROM access_event WHERE action = 'list'") == [(4,)]
