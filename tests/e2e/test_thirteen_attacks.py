"""Check 28: thirteen ways to make one side take what is old, foreign or not meant for it; none is taken.

The names are those of The Update Framework (specification section 1.5.2): statements, heads, cards and logs
are to a recipient and an app what metadata is to an updater. What each name means here stands in
`docs/threat-model.md`. Every case goes through the program that a clinic or a patient runs.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path

import pytest

from crypto.keys import OpeningKey, SigningKey
from pgo.errors import InputRefused
from pgo.usecases import share
from pgo.usecases.backup import make_backup
from pgo.usecases.backup_restore import Secret, restore
from pgo.usecases.collect import collect
from pgo.usecases.deliver import deliver
from pgo.usecases.unlock import unlock
from recipient.holdings import held, holdings_in_force
from recipient.identity import build_card, load_identity
from recipient.inbox import Inbox
from sync.access import NO_HEAD, AccessHead, next_entry, sign_access_log, verify_access_log
from sync.card import RecipientCard, parse_card, sign_card
from sync.envelope import peek_message_id, seal_reply
from sync.errors import RemoteRuleError
from sync.head import sign_head, verify_head
from sync.succession import follow, sign_succession
from sync.wire import Kind, new_message_id
from tests.support import clinical
from tests.support.applications import PASSPHRASE
from tests.support.direct_line import ENDPOINT, START, Pair, a_pair
from tests.support.fault_figures import figures
from tests.support.patient_side import PatientSide
from tests.support.sharing import a_record

LATER = START + timedelta(hours=1)


@dataclass
class World:
    """A real pair, and a second patient whose every statement the test can write itself."""

    pair: Pair
    side: PatientSide

    @property
    def inbox(self) -> Inbox:
        return Inbox(self.pair.store, load_identity(self.pair.store))

    @property
    def card(self) -> RecipientCard:
        text = build_card(load_identity(self.pair.store), endpoint=ENDPOINT, at=START)[1]
        return parse_card(text, at=START)

    def say(self, kind: Kind, content: bytes, **changes: object) -> str:
        """Hand a message of the second patient to the inbox; returns the refusal, '' when it was taken."""
        mid = str(changes.pop("message_id", new_message_id()))
        body = self.side.envelope(kind, content, at=LATER, message_id=mid, **changes)
        try:
            self.inbox.receive(body, at=LATER)
        except RemoteRuleError as refusal:
            return refusal.code
        return ""

    def in_force(self) -> int:
        return len(holdings_in_force(self.pair.store, at=LATER))


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    pair = a_pair(tmp_path)
    card = build_card(load_identity(pair.store), endpoint=ENDPOINT, at=START)[1]
    side = PatientSide(parse_card(card, at=START), b"2" * 32)
    side.grant(at=START)
    yield World(pair, side)
    pair.close()


def _shared(world: World) -> None:
    assert world.say(Kind.PUSH, world.side.push_content(clinical.small_record())) == ""
    assert world.in_force() == 1


def arbitrary_installation(world: World) -> bool:
    """A statement that somebody else signed, in the patient's own envelope."""
    stranger = PatientSide(world.card, b"3" * 32)
    stranger.grant(at=START)
    return world.say(Kind.STATEMENT, stranger.statement_content()) != "statement_refused"


def endless_data(world: World) -> bool:
    """A removal and a statement larger than any real one."""
    huge = b'{"statement":"' + b"x" * 3_000_000 + b'"}'
    more = b'{"gone":[' + b",".join(b'"Observation/r%d"' % n for n in range(5_001)) + b'],"v":1}'
    _shared(world)
    codes = {world.say(Kind.STATEMENT, huge), world.say(Kind.REMOVAL, more)}
    return not codes <= {"bad_content", "too_large", "statement_refused"}


def extraneous_dependencies(world: World) -> bool:
    """A push that brings along what the statement in it does not permit."""
    _shared(world)
    before = len(held(world.pair.store, world.side.sub))
    extra = clinical.icd10("extra", "B24", "Hiv")  # the grant opens no sensitive subject
    assert world.say(Kind.PUSH, world.side.push_content([extra])) == ""  # taken, and the record in it refused
    return len(held(world.pair.store, world.side.sub)) > before


def fast_forward(world: World) -> bool:
    """A statement whose number jumps, so that every later one would seem old."""
    _shared(world)
    world.side.sequence += 5
    world.side.renew_statement(at=LATER)
    return world.say(Kind.STATEMENT, world.side.statement_content()) != "statement_refused"


def indefinite_freeze(world: World) -> bool:
    """Nobody renews: the statement goes stale, and the card runs out."""
    _shared(world)
    frozen_at = START + timedelta(days=366)
    shown = holdings_in_force(world.pair.store, at=frozen_at)
    world.pair.now = frozen_at
    old = build_card(load_identity(world.pair.store), endpoint=ENDPOINT, at=START)[1]
    try:
        share.inspect_card(world.pair.session, old)
    except InputRefused as refusal:
        return bool(shown) or refusal.code != "card_expired"
    return True


def malicious_mirror(world: World) -> bool:
    """Somebody else answers at the address: his receipt, sealed to the right key, proves nothing."""
    collect(world.pair.session, a_record(), name="test.json")
    world.pair.give()
    real, stranger = world.pair.line.carry, SigningKey.generate()

    def answer(_path: str, body: bytes) -> bytes:
        opening = OpeningKey.from_seed(b"z" * 32)
        return seal_reply(b"taken", to=opening.public, signer=stranger, message_id=peek_message_id(body))

    world.pair.line.carry = answer  # type: ignore[method-assign]
    deliver(world.pair.session)
    world.pair.line.carry = real  # type: ignore[method-assign]
    return bool(world.pair.session.store.deliveries.receipts(world.pair.recipient_id))


def mix_and_match(world: World) -> bool:
    """Records of now under a statement of before, after a newer one was taken."""
    _shared(world)
    before = world.side.statement
    world.side.withdraw(at=LATER)
    assert world.say(Kind.STATEMENT, world.side.statement_content()) == ""
    content = world.side.push_content(clinical.small_record(), statement=before)
    refused = world.say(Kind.PUSH, content) == "statement_rolled_back"
    return not refused or bool(held(world.pair.store, world.side.sub))


def rollback(world: World) -> bool:
    """An older statement, an older card, a shorter log, a lower head."""
    _shared(world)
    first = world.side.statement_content()
    world.side.renew_statement(at=LATER)
    assert world.say(Kind.STATEMENT, world.side.statement_content()) == ""
    statement = world.say(Kind.STATEMENT, first) != "statement_rolled_back"
    return any((statement, _older_card(world), _shorter_log(world), _lower_head(world)))


def _older_card(world: World) -> bool:
    session = world.pair.session
    older = build_card(load_identity(world.pair.store), endpoint=ENDPOINT, at=START - timedelta(days=3))[1]
    try:
        share.add_recipient(session, older)
    except InputRefused as refusal:
        return refusal.code != "card_older"
    return True


def _log(world: World, users: list[str], *, known: AccessHead) -> bool:
    """Whether the app takes this log as going on from what it knows."""
    identity, entries, head = load_identity(world.pair.store), [], NO_HEAD
    for user in users:
        entry = next_entry(
            head, at=LATER, user=user, role="arts", action="view", categories=["labs"], purpose="TREAT"
        )
        entries.append(entry)
        head = AccessHead(entry.sequence, entry.hash)
    after = entries[max(known.sequence - 1, 0) :]
    token = sign_access_log(after, subject=world.side.sub, total=len(entries), key=identity.signing, at=LATER)
    try:
        verify_access_log(token, identity.signing.public, subject=world.side.sub, known_head=known)
    except RemoteRuleError:
        return False
    return True


def _known(users: list[str]) -> AccessHead:
    head = NO_HEAD
    for user in users:
        entry = next_entry(
            head, at=LATER, user=user, role="arts", action="view", categories=["labs"], purpose="TREAT"
        )
        head = AccessHead(entry.sequence, entry.hash)
    return head


def _shorter_log(world: World) -> bool:
    return _log(world, ["A"], known=_known(["A", "B"]))


def _lower_head(world: World) -> bool:
    identity = load_identity(world.pair.store)
    token = sign_head(subject=world.side.sub, sequence=0, token="", key=identity.signing, at=LATER)
    own = world.side.pairwise.signing.public
    try:
        verify_head(token, identity.signing.public, own=own, audience=identity.recipient_id, acknowledged=1)
    except RemoteRuleError as refusal:
        return refusal.code != "head_rolled_back"
    return True


def slow_retrieval(world: World) -> bool:
    """A withdrawal waits behind no record: whatever drips in, the next round begins with it."""
    collect(world.pair.session, a_record(), name="test.json")
    grant = world.pair.give()
    world.pair.line.down = True
    deliver(world.pair.session)
    share.withdraw(world.pair.session, grant)
    world.pair.line.down = False
    deliver(world.pair.session)
    return bool(world.pair.references())


def key_compromise(world: World) -> bool:
    """Another key for a known recipient, without a word of the pinned one."""
    key = SigningKey.generate()
    mine = replace(world.card, verify_key=key.public, issued_at=LATER, expires_at=LATER + timedelta(days=9))
    world.pair.now = LATER
    try:
        share.add_recipient(world.pair.session, sign_card(mine, key))
    except InputRefused as refusal:
        return refusal.code != "card_key_changed"
    return True


def wrong_recipient(world: World) -> bool:
    """A message for one recipient, handed to another one, with its header made to fit."""
    other = replace(world.card, id="ura:00000999", identifiers=())
    there = PatientSide(other, b"2" * 32)
    there.grant(at=START)
    inside = world.say(Kind.STATEMENT, there.statement_content())
    outside = world.say(Kind.STATEMENT, world.side.statement_content(), to=other)
    return (inside, outside) != ("statement_refused", "wrong_audience")


def fork(world: World) -> bool:
    """Two of one number: statements, logs, successors."""
    _shared(world)
    world.side.sequence, world.side.previous = 0, None
    world.side.renew_statement(at=LATER)  # another first statement
    one, two, pinned = SigningKey.generate(), SigningKey.generate(), SigningKey.generate()
    tokens = [sign_succession(world.card.id, old=pinned, new=key.public, at=LATER) for key in (one, two)]
    try:
        follow(pinned.public, replace(world.card, verify_key=one.public), tokens)
        followed = True
    except RemoteRuleError:
        followed = False
    taken = world.say(Kind.STATEMENT, world.side.statement_content()) != "statement_rolled_back"
    return taken or followed or _log(world, ["A", "C", "D"], known=_known(["A", "B"]))


def restored_vault(world: World) -> bool:
    """A backup from before a withdrawal is put back."""
    pair = world.pair
    collect(pair.session, a_record(), name="test.json")
    grant = pair.give()
    deliver(pair.session)
    folder = pair.session.folder.parent
    backup = make_backup(pair.session, folder / "backups").path
    pair.pass_time(hours=1)
    share.withdraw(pair.session, grant)
    deliver(pair.session)
    app = pair.session.app
    pair.session.lock()
    restore(app, backup, folder / "again", Secret(PASSPHRASE))
    pair.session = unlock(app, folder / "again", PASSPHRASE)
    deliver(pair.session)
    return bool(pair.references()) or share.share(pair.session, grant).withdrawn_at is None


CASES: tuple[Callable[[World], bool], ...] = (
    arbitrary_installation,
    endless_data,
    extraneous_dependencies,
    fast_forward,
    indefinite_freeze,
    malicious_mirror,
    mix_and_match,
    rollback,
    slow_retrieval,
    key_compromise,
    wrong_recipient,
    fork,
    restored_vault,
)


@pytest.mark.parametrize("attack", CASES, ids=lambda case: case.__name__)
def test_it_is_not_accepted(world: World, attack: Callable[[World], bool]) -> None:
    accepted = attack(world)
    figures[f"attack {attack.__name__}"] = "accepted" if accepted else "1 tried, 0 accepted"
    assert not accepted


def test_all_thirteen_are_in_the_table() -> None:
    table = (Path(__file__).parents[2] / "docs" / "threat-model.md").read_text(encoding="utf-8")
    assert len(CASES) == 13
    assert [case.__name__ for case in CASES if f"`{case.__name__}`" not in table] == []
