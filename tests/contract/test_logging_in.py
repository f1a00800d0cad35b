"""Logging in on both stores, with two processes' worth of connections at once: one truth, each thing once."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from itertools import count

import pytest

from recipient.accounts import Account, Doorkeeper, accounts, add_account, close_account
from recipient.errors import Refused, Throttled, Unusable
from recipient.login import second
from recipient.login.admission import NotAdmitted, account_of, admit
from recipient.login.brake import Brake
from recipient.login.claims import Person
from recipient.login.pending import LASTS, Pending, forget_old_beginnings
from recipient.login.services import LoginService, login_services, set_service
from recipient.portal.sessions import MAX_PER_ACCOUNT, Sessions
from recipient.store import Store
from tests.support.recipient_stores import Place

AT = datetime(2026, 3, 2, 9, 0, 10, tzinfo=UTC)
PASSWORD = "vier losse woorden tafel"
ISSUER = "https://login.example.org"


@pytest.fixture
def stores(place: Place) -> Iterator[tuple[Store, Store]]:
    """The store of one installation as two processes have it open."""
    both = (place.create(), place.open())
    yield both
    for store in both:
        store.close()


def at_once(stores: tuple[Store, Store], work: Callable[[Store], bool], threads: int = 8) -> int:
    """Do the same in threads of both processes; count who got through."""
    got: list[bool] = []
    lanes = [threading.Thread(target=lambda one=stores[n % 2]: got.append(work(one))) for n in range(threads)]
    for lane in lanes:
        lane.start()
    for lane in lanes:
        lane.join()
    assert len(got) == threads
    return sum(got)


def an_account(store: Store, name: str = "dewit", password: str | None = None) -> Account:
    return add_account(store, name=name, display="S. de Wit", role="arts", password=password, at=AT)


def test_brake_counts_for_all_at_once(stores: tuple[Store, Store]) -> None:
    def tries(store: Store) -> bool:
        try:
            Brake(store, tries=5).take(("account:x", "address:y"), at=AT)
        except Throttled:
            return False
        return True

    assert at_once(stores, tries, threads=16) == 5


def test_a_code_a_beginning_and_an_address_are_used_once(stores: tuple[Store, Store]) -> None:
    store = stores[0]
    account = an_account(store)
    secret = second.new_secret()
    codes = second.enrol(store, account.id, secret, secret.code(AT), at=AT)
    later = AT + timedelta(minutes=1)
    assert at_once(stores, lambda one: second.passes(one, account.id, secret.code(later), at=later)) == 1
    assert at_once(stores, lambda one: second.passes(one, account.id, codes[0], at=later)) == 1
    Pending(store, "visit").put("state", {"nonce": "n"}, browser="cookie", at=AT)

    def taken(one: Store) -> bool:
        return Pending(one, "visit").take("state", browser="cookie", at=AT) == {"nonce": "n"}

    assert at_once(stores, taken) == 1
    admit(store, name="dewit", issuer=ISSUER, who="wit@example.org")
    service, numbers = LoginService("zuid", "Zuid", ISSUER, "portal"), count()

    def admitted(one: Store) -> bool:
        person = Person(f"subject {next(numbers)}", "wit@example.org", "", frozenset())
        try:
            return account_of(one, service, person, at=AT).id == account.id
        except NotAdmitted:
            return False

    assert at_once(stores, admitted) == 1


def test_beginnings_are_bound_to_browser_kind_and_time(stores: tuple[Store, Store]) -> None:
    pending = Pending(stores[0], "visit")
    pending.put("a", {"x": "1"}, browser="mine", at=AT)
    assert pending.take("a", browser="theirs", at=AT) is None
    assert Pending(stores[1], "step").take("a", browser="mine", at=AT) is None
    assert pending.look("a", browser="mine", at=AT + LASTS) is None
    pending.put("a", {"x": "2"}, browser="mine", at=AT)
    assert Pending(stores[1], "visit").look("a", browser="mine", at=AT) == {"x": "2"}
    forget_old_beginnings(stores[0], at=AT + LASTS)
    assert stores[0].row("SELECT count(*) FROM login_pending") == (0,)


def test_sessions_are_the_same_for_both(stores: tuple[Store, Store]) -> None:
    account = an_account(stores[0])
    mine, theirs = (Sessions(one, idle=timedelta(minutes=15), absolute=timedelta(hours=10)) for one in stores)
    key = mine.start(account.id, at=AT, browser="Firefox")
    found = theirs.find(key, at=AT + timedelta(minutes=14))
    assert found is not None
    assert mine.find(key, at=AT + timedelta(minutes=28)) is not None
    theirs.shown_names(found).update(["a", "b"], ["b", "c"])
    assert mine.shown_names(found) == {"a", "b", "c"}
    for number in range(MAX_PER_ACCOUNT + 3):
        theirs.start(account.id, at=AT + timedelta(minutes=1 + number))
    assert len(mine.of_account(account.id, at=AT + timedelta(minutes=15))) <= MAX_PER_ACCOUNT
    close_account(stores[1], name="dewit")
    assert mine.of_account(account.id, at=AT) == ()
    mine.tidy(at=AT + timedelta(hours=1))
    assert stores[0].row("SELECT count(*) FROM login_listed") == (0,)


def test_accounts_passwords_and_services_on_both(stores: tuple[Store, Store]) -> None:
    first, other = stores
    account = an_account(first, password=PASSWORD)
    with pytest.raises(Unusable, match="user_exists"):
        an_account(other)
    assert Doorkeeper(other, tries=5).log_in("dewit", PASSWORD, address="a", at=AT) == account
    with pytest.raises(Refused, match="login_failed"):
        Doorkeeper(other, tries=5).log_in("dewit", PASSWORD + "x", address="a", at=AT)
    assert [one.name for one, _ in accounts(other)] == ["dewit"]
    for label in ("Zuid", "Ziekenhuis Zuid"):
        set_service(first, LoginService("zuid", label, ISSUER, "portal", "geheim", amr=("mfa",)))
    assert [(one.label, one.secret) for one in login_services(other)] == [("Ziekenhuis Zuid", "geheim")]
