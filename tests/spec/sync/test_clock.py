"""Clocks that are wrong: the boundary is exact, the app recovers, and nothing that ended comes back.

A message counts within 300 seconds of the recipient's clock, both ways, and before its end. Security guide
3.4 and 3.7, check 25; RFC 7519 sections 4.1.4 (exp) and 4.1.6 (iat).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from unittest import mock

import pytest

from consent.decision import GrantState
from crypto.keys import derive_pairwise
from pgo.usecases import deliver, share
from pgo.usecases.collect import collect
from pgo.usecases.session import Session
from recipient.holdings import holdings_in_force
from recipient.identity import build_card
from recipient.timekeeping import SteadyClock
from sync.envelope import seal_message
from sync.errors import RemoteRuleError
from sync.head import build_head_request
from sync.wire import PATHS, Kind, new_message_id
from tests.support.sharing import CLINIC_ID, a_record, choice_of
from tests.support.sync_tap import ENDPOINT, Clinic, Tap
from tests.support.vaults import START, FixedClock, Home, a_bundle, a_condition

PAIR = derive_pairwise(b"k" * 32, CLINIC_ID)
TWENTY_YEARS = timedelta(days=7_305)
SECOND = timedelta(seconds=1)


@pytest.fixture
def clinic(tmp_path: Path) -> Iterator[Clinic]:
    Clinic.base(tmp_path / "clinic")
    made = Clinic(tmp_path / "clinic")
    yield made
    made.store.close()


def answered(clinic: Clinic, *, later: timedelta, to: str = CLINIC_ID) -> str:
    """What a question gets that was asked at START, when the recipient's clock stands so much later."""
    card = build_card(clinic.identity, endpoint=ENDPOINT, at=START)[0]
    body = seal_message(
        kind=Kind.HEAD,
        content=build_head_request(PAIR.opening.public),
        sender=PAIR.signing,
        to=replace(card, id=to),
        message_id=new_message_id(),
        sequence=1,
        at=START,
    )
    try:
        clinic.answer(PATHS[Kind.HEAD], body, at=START + later)
    except RemoteRuleError as exc:
        return exc.code
    return "answered"


@pytest.mark.parametrize(
    ("later", "outcome"),
    [
        (timedelta(seconds=-301), "clock"),
        (timedelta(seconds=-300, milliseconds=-1), "clock"),
        (timedelta(seconds=-300), "answered"),
        (timedelta(seconds=-299), "answered"),
        (timedelta(), "answered"),
        (timedelta(seconds=299), "answered"),
        (timedelta(seconds=300), "answered"),
        (timedelta(seconds=300, milliseconds=1), "clock"),
        (timedelta(seconds=301), "clock"),
        (TWENTY_YEARS, "clock"),
        (-TWENTY_YEARS, "clock"),
    ],
)
def test_five_minutes_both_ways_to_the_millisecond(clinic: Clinic, later: timedelta, outcome: str) -> None:
    assert answered(clinic, later=later) == outcome


@pytest.mark.parametrize(
    ("lifetime", "later", "outcome"),
    [
        *((100, 99, "answered"), (100, 100, "clock"), (100, 101, "clock"), (600, 299, "answered")),
        *((601, 0, "clock"), (0, 0, "clock"), (-1, 0, "clock")),
    ],
)
def test_the_end_of_a_message_is_not_included(
    clinic: Clinic, lifetime: int, later: int, outcome: str
) -> None:
    with mock.patch("sync.envelope.LIFETIME_SECONDS", lifetime):
        card = build_card(clinic.identity, endpoint=ENDPOINT, at=START)[0]
        body = seal_message(
            kind=Kind.HEAD,
            content=build_head_request(PAIR.opening.public),
            sender=PAIR.signing,
            to=card,
            message_id=new_message_id(),
            sequence=1,
            at=START,
        )
    try:
        clinic.answer(PATHS[Kind.HEAD], body, at=START + later * SECOND)
        found = "answered"
    except RemoteRuleError as exc:
        found = exc.code
    assert found == outcome


def test_a_message_for_somebody_else_is_refused_whatever_the_time(clinic: Clinic) -> None:
    for later in (timedelta(), TWENTY_YEARS):
        assert answered(clinic, later=later, to="ura:00000999") == "wrong_audience"


class World:
    """An app and a clinic, each with a clock of its own."""

    def __init__(self, folder: Path, clinic: Clinic) -> None:
        self.clinic, self.theirs, self.ours = clinic, FixedClock(START), FixedClock(START)
        self.tap = Tap(clinic, self.theirs)
        home = Home(folder / "v", clock=self.ours, transport=self.tap)
        self.session: Session = home.open_new()
        self.tap.session = self.session
        collect(self.session, a_record(), name="dossier.json")
        share.add_recipient(self.session, (clinic.folder / "card.txt").read_bytes())

    def give(self) -> str:
        return share.sign_share(self.session, choice_of(self.session), lang="nl", shown_text="test")

    def delivered(self) -> int:
        return len(deliver.send_now(self.session).delivered)


@pytest.fixture
def world(tmp_path: Path, clinic: Clinic) -> Iterator[World]:
    made = World(tmp_path, clinic)
    yield made
    made.session.lock()


@pytest.mark.parametrize("ahead", [-301 * SECOND, timedelta(hours=-20), -TWENTY_YEARS])
def test_an_app_with_a_wrong_clock_gets_through_by_the_signed_time(world: World, ahead: timedelta) -> None:
    world.theirs.now = START + timedelta(days=1)
    world.give()
    world.ours.now = world.theirs.now + ahead
    before = max(world.ours.now, world.session.store.newest_at())
    assert world.delivered() == 1
    assert world.clinic.held() == 7
    assert world.session.now() == before, "their time is for envelopes only"


@pytest.mark.parametrize("ahead", [301 * SECOND, timedelta(hours=20)])
def test_what_is_given_by_a_clock_that_is_ahead_waits_until_the_time_has_come(
    world: World, ahead: timedelta
) -> None:
    world.ours.forward(seconds=ahead.total_seconds())
    grant = world.give()
    assert world.delivered() == 0
    assert world.session.store.outbox.all_open()[0].last_error == "clock"
    assert world.clinic.held() == 0
    world.theirs.forward(seconds=ahead.total_seconds())
    assert world.delivered() == 1
    assert world.clinic.held() == 7
    share.withdraw(world.session, grant)


@pytest.mark.parametrize("ahead", [301 * SECOND, timedelta(hours=20), 2 * TWENTY_YEARS])
def test_a_withdrawal_is_never_too_early(world: World, ahead: timedelta) -> None:
    grant = world.give()
    assert world.delivered() == 1
    world.ours.forward(seconds=ahead.total_seconds())
    share.withdraw(world.session, grant)
    assert world.delivered() == 1
    assert world.clinic.held() == 0


def test_a_clock_set_back_revives_nothing_here(world: World) -> None:
    grant = world.give()
    assert world.delivered() == 1
    world.ours.forward(days=120)
    world.theirs.forward(days=120)
    collect(world.session, a_bundle(a_condition("later")), name="later.json")  # writes down what time it is
    assert share.share(world.session, grant).state is GrantState.EXPIRED
    world.ours.now = START - TWENTY_YEARS
    collect(world.session, a_bundle(a_condition("latest")), name="latest.json")
    assert share.share(world.session, grant).state is GrantState.EXPIRED
    judged = world.tap.judged
    deliver.send_now(world.session)
    assert world.tap.judged == judged, "no record leaves"
    assert world.tap.violations == []


def test_a_clock_set_back_revives_nothing_there(world: World, tmp_path: Path) -> None:
    world.give()
    assert world.delivered() == 1
    (first,) = holdings_in_force(world.clinic.store, at=START)
    other = World(tmp_path / "other", world.clinic)
    for clock in (other.ours, other.theirs):
        clock.forward(days=120)  # what the first one gave has ended
    other.give()
    assert other.delivered() == 1  # from this the recipient knows what time it is
    other.session.lock()
    assert len(holdings_in_force(world.clinic.store, at=START)) == 2, "a clock that is believed revives it"
    steady = SteadyClock(world.clinic.store, lambda: START - TWENTY_YEARS)
    assert steady() == START + timedelta(days=120)
    assert first.sub not in {one.sub for one in holdings_in_force(world.clinic.store, at=steady())}
