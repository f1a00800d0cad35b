"""A recipient's card stays fresh, is followed to a new key, or laid before the person: both real programs."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from crypto.keys import SigningKey
from pgo.errors import InputRefused
from pgo.store.journal import Event
from pgo.usecases import medicate, share
from pgo.usecases.deliver import deliver, send_now
from pgo.usecases.renewals import accept_other_key, other_keys, refuse_other_key
from recipient.identity import build_card, load_identity
from recipient.rotation import rotate_signing_key, successions
from sync.card import card_file
from sync.outbox import State
from tests.support.direct_line import ENDPOINT, Pair, a_sharing_pair


@pytest.fixture
def pair(tmp_path: Path) -> Iterator[Pair]:
    with a_sharing_pair(tmp_path) as made:
        yield made


def _pinned(pair: Pair) -> str:
    return share.recipient(pair.session, pair.recipient_id).fingerprint


def _card(pair: Pair) -> str:
    text = build_card(load_identity(pair.store), endpoint=ENDPOINT, at=pair.now)[1]
    return card_file(text, successions(pair.store))


def _events(pair: Pair) -> list[Event]:
    return [line.event for line in pair.session.store.journal.lines()]


def _change_a_record(pair: Pair) -> int:
    number = min(int(name.rpartition("/r")[2]) for name in pair.references() if name.startswith("Medi"))
    medicate.remove(pair.session, number)
    return number


def test_a_rotated_key_is_followed_without_asking_and_stands_in_the_journal(pair: Pair) -> None:
    deliver(pair.session)
    before = _pinned(pair)
    pair.pass_time(days=2)
    new = rotate_signing_key(pair.store, at=pair.now)
    _change_a_record(pair)
    deliver(pair.session)  # the answer proves nothing: signed by a key that is not pinned
    pair.pass_time(minutes=10)
    deliver(pair.session)  # the card is fetched and followed, and the message goes again
    assert _pinned(pair) == new.fingerprint() != before
    assert other_keys(pair.session) == ()
    assert Event.RECIPIENT_NEW_KEY in _events(pair)
    assert pair.session.store.outbox.all_open() == ()


def test_an_app_that_missed_three_rotations_follows_them_all(pair: Pair) -> None:
    deliver(pair.session)
    for _ in range(3):
        pair.pass_time(days=300)
        new = rotate_signing_key(pair.store, at=pair.now)
    share.add_recipient(pair.session, _card(pair))
    assert _pinned(pair) == new.fingerprint()


def test_the_old_key_is_gone_from_the_recipient(pair: Pair) -> None:
    old = load_identity(pair.store).signing.public
    rotate_signing_key(pair.store, at=pair.now)
    assert load_identity(pair.store).signing.public != old
    assert len(successions(pair.store)) == 1


def test_an_answer_lost_before_the_rotation_is_proved_after_it(pair: Pair) -> None:
    pair.line.deaf = True
    deliver(pair.session)  # stored there, under the old key; nobody here knows
    pair.line.deaf = False
    pair.pass_time(days=1)
    rotate_signing_key(pair.store, at=pair.now)
    deliver(pair.session)
    pair.pass_time(minutes=10)
    deliver(pair.session)
    assert pair.session.store.outbox.all_open() == ()
    assert pair.session.store.outbox.newest(pair.recipient_id).state is State.DELIVERED  # type: ignore[union-attr]


def _take_over(pair: Pair) -> None:
    """Somebody else answers at the address: another key, no word of the old one."""
    seed = pair.store.secrets.seal("signing_seed", SigningKey.generate().seed)
    pair.store.run("UPDATE identity SET signing_seed = ?", (seed,))


def test_another_key_without_a_word_of_the_old_one_stops_records_until_the_person_looked(pair: Pair) -> None:
    deliver(pair.session)
    before, number = _pinned(pair), _change_a_record(pair)
    deliver(pair.session)
    _take_over(pair)
    pair.pass_time(days=2)
    medicate.restore(pair.session, number)
    deliver(pair.session)
    pair.pass_time(minutes=10)
    deliver(pair.session)
    (shown,) = other_keys(pair.session)
    assert (shown.known, _pinned(pair)) == (before, before)
    assert shown.shown == load_identity(pair.store).signing.public.fingerprint()
    sent = len(pair.line.bodies)
    send_now(pair.session)
    assert len(pair.line.bodies) == sent  # not even on "send now"
    accept_other_key(pair.session, pair.recipient_id)
    deliver(pair.session)
    assert _pinned(pair) == shown.shown
    assert other_keys(pair.session) == ()
    assert pair.session.store.outbox.all_open() == ()


def test_a_withdrawal_goes_on_all_the_same(pair: Pair) -> None:
    deliver(pair.session)
    pair.session.store.recipients.lay_before(pair.recipient_id, _card(pair), at=pair.now)
    share.withdraw(pair.session, share.shares(pair.session)[0].grant_id)
    deliver(pair.session)
    assert pair.references() == set()


def test_a_no_keeps_the_old_key(pair: Pair) -> None:
    before = _pinned(pair)
    _take_over(pair)
    pair.session.store.recipients.lay_before(pair.recipient_id, _card(pair), at=pair.now)
    refuse_other_key(pair.session, pair.recipient_id)
    assert (other_keys(pair.session), _pinned(pair)) == ((), before)
    assert Event.RECIPIENT_KEY_REFUSED in _events(pair)


def test_pasting_a_card_with_another_key_says_so(pair: Pair) -> None:
    _take_over(pair)
    with pytest.raises(InputRefused) as refusal:
        share.inspect_card(pair.session, _card(pair))
    assert refusal.value.code == "card_key_changed"


def test_an_older_card_takes_no_place(pair: Pair) -> None:
    old = _card(pair)
    pair.pass_time(days=1)
    share.add_recipient(pair.session, _card(pair))
    with pytest.raises(InputRefused) as refusal:
        share.add_recipient(pair.session, old)
    assert refusal.value.code == "card_older"


def test_a_card_that_runs_out_is_fetched_anew_once(pair: Pair) -> None:
    deliver(pair.session)
    pair.pass_time(days=340)
    pair.give()
    for _ in range(3):
        deliver(pair.session)
    assert pair.line.cards_fetched == 1
    until = share.recipient(pair.session, pair.recipient_id).card_expires_at
    assert until is not None
    assert (until - pair.now).days > 300
    assert Event.RECIPIENT_RENEWED in _events(pair)


def test_a_card_that_is_fresh_is_left_alone(pair: Pair) -> None:
    deliver(pair.session)
    pair.pass_time(days=5)
    deliver(pair.session)
    assert pair.line.cards_fetched == 0
