"""A backup older than a withdrawal is put back, and all that can go wrong with the question goes wrong.

Before the recipient answered what it knows, not a byte of the record may leave, whatever the line does and
whatever the recipient says; and what the patient took back stays taken back. Security guide check 29,
property P8. The plain cases are in `tests/e2e/test_restore_reconcile.py`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from consent.decision import GrantState
from crypto.keys import SigningKey
from pgo.usecases import deliver, reconcile, share
from pgo.usecases.backup import make_backup
from pgo.usecases.backup_restore import Secret, restore
from pgo.usecases.collect import collect
from pgo.usecases.objections import ObjectionChoice, object_to
from pgo.usecases.session import Session
from pgo.usecases.unlock import create_vault, unlock_with_code
from recipient import holdings
from sync.card import RecipientCard
from sync.envelope import open_message, seal_reply
from sync.head import parse_head_request, sign_head
from sync.wire import PATHS, Kind
from tests.support.applications import PASSPHRASE
from tests.support.fault_figures import figures
from tests.support.fault_proxy import FAULTS, Fault, Proxy, fair
from tests.support.sharing import a_record, choice_of
from tests.support.sync_process import CARD, CODE, VAULT, Recipient, free_port, opened
from tests.support.sync_tap import Clinic
from tests.support.vaults import START, FixedClock, Home, a_bundle, a_condition

HEAD = PATHS[Kind.HEAD]
HARMLESS = (Fault.DELAY, Fault.TWICE, Fault.REPLAY)
"""The answer comes all the same."""
WRONG = 3
tried: list[str] = []


@dataclass
class Lost:
    """A device that was lost after a withdrawal, and its backup from before."""

    session: Session
    grant: str

    def state(self) -> GrantState:
        return share.share(self.session, self.grant).state


@pytest.fixture(scope="module")
def line(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, Proxy, Recipient]]:
    """A patient who gave, made a backup and took back, told to a real recipient over a real line."""
    folder = tmp_path_factory.mktemp("restore")
    recipient = Recipient(folder / "recipient", free_port())
    proxy = Proxy(recipient.port)
    recipient.make(proxy.url)
    (folder / CARD).write_bytes(recipient.card)
    with proxy.running():
        recipient.start()
        session = opened(folder)
        collect(session, a_record(), name="dossier.json")
        deliver.send_now(session)
        make_backup(session, folder / "backups")
        share.withdraw(session, share.shares(session)[0].grant_id)
        deliver.send_now(session)
        session.lock()
        yield folder, proxy, recipient
        recipient.stop()


def put_back(folder: Path, number: str) -> Lost:
    session = opened(folder)  # the lost device: only its application is used
    app = session.app
    session.lock()
    (backup,) = (folder / "backups").iterdir()
    code = (folder / CODE).read_text()
    restore(app, backup, folder / f"{VAULT}-{number}", Secret(code, is_code=True))
    session = unlock_with_code(app, folder / f"{VAULT}-{number}", code)
    lost = Lost(session, share.shares(session)[0].grant_id)
    assert lost.state() is GrantState.IN_FORCE, "the backup knows nothing of the withdrawal"
    collect(session, a_bundle(a_condition("new")), name="new.json")  # would go out under that grant
    return lost


@pytest.mark.parametrize("fault", FAULTS)
def test_whatever_the_line_does_to_the_question(line: tuple[Path, Proxy, Recipient], fault: Fault) -> None:
    folder, proxy, _ = line
    lost = put_back(folder, fault.name)
    first = len(proxy.seen)
    proxy.weather = lambda number: fault if number < first + WRONG else Fault.NONE
    for _ in range(WRONG):
        deliver.send_now(lost.session)
    if fault not in HARMLESS:
        assert [one.path for one in proxy.seen[first:]] == [HEAD] * WRONG, "nothing but the question"
    proxy.weather = fair
    for _ in range(3):
        deliver.send_now(lost.session)
    assert lost.state() is GrantState.WITHDRAWN
    assert all(len(one.body) < 6_000 for one in proxy.seen[first:]), "no record was on the line"
    lost.session.lock()
    tried.append(fault)


def test_with_the_recipient_down(line: tuple[Path, Proxy, Recipient]) -> None:
    folder, proxy, recipient = line
    lost, first = put_back(folder, "down"), len(proxy.seen)
    recipient.kill()
    recipient.stop()
    for _ in range(WRONG):
        deliver.send_now(lost.session)
    assert {one.path for one in proxy.seen[first:]} == {HEAD}
    recipient.start()
    for _ in range(3):
        deliver.send_now(lost.session)
    assert lost.state() is GrantState.WITHDRAWN
    lost.session.lock()
    tried.append("down")


Lie = Callable[["Liar", str], str]


@dataclass
class Liar:
    """A `Transport` to a real inbox that answers the question as told; notes which paths were used."""

    clinic: Clinic
    clock: FixedClock
    lie: Lie | None = None
    older: list[tuple[int, str]] = field(default_factory=list)
    paths: list[str] = field(default_factory=list)

    def send(self, card: RecipientCard, path: str, body: bytes) -> bytes:
        self.paths.append(path)
        if path != HEAD or self.lie is None:
            return self.clinic.answer(path, body, at=self.clock())
        opened = open_message(
            body, opening_keys=self.clinic.identity.opening, audience=card.id, at=self.clock()
        )
        return seal_reply(
            self.lie(self, opened.sender.text).encode(),
            to=parse_head_request(opened.content),
            signer=self.clinic.identity.signing,
            message_id=opened.message_id,
        )

    def head(self, subject: str, held: tuple[int, str], key: SigningKey | None = None) -> str:
        signer = key or self.clinic.identity.signing
        return sign_head(subject=subject, sequence=held[0], token=held[1], key=signer, at=self.clock())


def never_heard(liar: Liar, subject: str) -> str:
    return liar.head(subject, (0, ""))


def an_older_one(liar: Liar, subject: str) -> str:
    return liar.head(subject, liar.older[0])


def of_somebody_else(liar: Liar, _subject: str) -> str:
    return liar.head(SigningKey.from_seed(b"x" * 32).public.text, liar.older[-1])


def another_number(liar: Liar, subject: str) -> str:
    return liar.head(subject, (99, liar.older[-1][1]))


def another_key(liar: Liar, subject: str) -> str:
    return liar.head(subject, liar.older[-1], SigningKey.generate())


def no_head(_liar: Liar, _subject: str) -> str:
    return "geen idee"


@pytest.fixture
def liar(tmp_path: Path) -> Iterator[tuple[Liar, Lost]]:
    """Given, narrowed, backed up, taken back; the recipient keeps what it held at each of these."""
    Clinic.base(tmp_path / "clinic")
    clock = FixedClock(START)
    made = Liar(Clinic(tmp_path / "clinic"), clock)
    home = Home(tmp_path / "v", clock=clock, transport=made)
    vault = create_vault(home.app, tmp_path / "v" / "a", PASSPHRASE)
    session = vault.session
    collect(session, a_record(), name="dossier.json")
    share.add_recipient(session, (made.clinic.folder / "card.txt").read_bytes())
    grant = share.sign_share(session, choice_of(session), lang="nl", shown_text="test")
    _told(made, session)
    kinds = frozenset({sorted(choice_of(session).categories)[0]})
    object_to(session, ObjectionChoice(categories=kinds), lang="nl", shown_text="test")
    _told(made, session)
    backup = make_backup(session, tmp_path / "backups").path
    clock.forward(hours=1)
    share.withdraw(session, grant)
    _told(made, session)
    session.lock()
    code = vault.recovery_code_text
    restore(home.app, backup, tmp_path / "v" / "b", Secret(code, is_code=True))
    session = unlock_with_code(home.app, tmp_path / "v" / "b", code)
    collect(session, a_bundle(a_condition("new")), name="new.json")
    made.paths.clear()
    yield made, Lost(session, grant)
    session.lock()
    made.clinic.store.close()


def _told(liar: Liar, session: Session) -> None:
    deliver.send_now(session)
    (row,) = liar.clinic.store.rows("SELECT sub FROM sender")
    held = holdings.statement_held(liar.clinic.store, row[0])
    assert held is not None
    liar.older.append(held)


@pytest.mark.parametrize(
    "lie", [never_heard, an_older_one, of_somebody_else, another_number, another_key, no_head]
)
def test_a_recipient_that_lies_gets_nothing(liar: tuple[Liar, Lost], lie: Lie) -> None:
    line, lost = liar
    assert [number for number, _ in line.older] == [1, 2, 3]
    line.lie = lie
    for _ in range(WRONG):
        deliver.send_now(lost.session)
        line.clock.forward(hours=1)
    assert line.paths == [HEAD] * WRONG
    standing = reconcile.after_restore(lost.session)
    assert standing is not None
    assert [bool(one.problem) for one in standing.waiting] == [True], "the person is told"
    line.lie = None
    deliver.send_now(lost.session)
    assert lost.state() is GrantState.WITHDRAWN
    assert line.clinic.held() == 0
    tried.append(lie.__name__)


def test_what_cannot_be_seen_a_recipient_that_keeps_the_newest_back(liar: tuple[Liar, Lost]) -> None:
    """The limit that docs/backups.md names: it lies about the one statement the backup does not know.

    It gets again what the patient had signed for it then, and it had all of that already; never more.
    """
    line, lost = liar
    line.lie = lambda told, subject: told.head(subject, told.older[1])
    deliver.send_now(lost.session)
    assert lost.state() is GrantState.IN_FORCE
    assert line.clinic.held() == 0, "the honest part of it refuses the older statement"


def test_all_of_it_together() -> None:
    """Last in the file: the figures of the tests before it."""
    figures["backups older than a withdrawal"] = (
        f"{len(tried)} ways to spoil, lose or forge the answer: 0 records sent, 0 grants revived"
    )
    assert len(tried) == len(FAULTS) + 7
