"""A real vault and a real recipient in one process, without a network between them.

`DirectLine` is a `Transport`: what the app sends goes straight into the recipient's own inbox, and can be
held back, lost or delayed on the way.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from pgo.usecases import share
from pgo.usecases.collect import collect
from pgo.usecases.session import Application, Session
from pgo.usecases.share import ShareChoice
from pgo.usecases.unlock import create_vault
from recipient.holdings import held
from recipient.identity import build_card, create_identity, load_identity
from recipient.inbox import Inbox
from recipient.rotation import successions
from recipient.store import Store, create_store
from sync.card import RecipientCard, card_file
from sync.errors import RemoteRuleError, Unreachable
from sync.wire import REFUSALS
from tests.support.applications import CHEAP, PASSPHRASE
from tests.support.sharing import a_record

START = datetime(2026, 6, 1, 12, 0, tzinfo=UTC)
ENDPOINT = "https://clinic.example"


@dataclass
class DirectLine:
    """The way to one recipient; `down` keeps everything, `deaf` loses the answers."""

    store: Store
    clock: Callable[[], datetime]
    down: bool = False
    deaf: bool = False
    bodies: list[bytes] = field(default_factory=list)
    cards_fetched: int = 0

    def send(self, card: RecipientCard, path: str, body: bytes, **_said: object) -> bytes:
        if self.down:
            raise Unreachable
        self.bodies.append(body)
        answer = self.carry(path, body)
        if self.deaf:
            raise Unreachable
        return answer

    def fetch_card(self, card: RecipientCard) -> bytes:
        if self.down:
            raise Unreachable
        self.cards_fetched += 1
        text = build_card(load_identity(self.store), endpoint=ENDPOINT, at=self.clock())[1]
        return card_file(text, successions(self.store)).encode("ascii")

    def carry(self, path: str, body: bytes) -> bytes:
        """Hand a body to the recipient now, as a late copy would be."""
        inbox = Inbox(self.store, load_identity(self.store))
        doors = {"/v1/inbox": inbox.receive, "/v1/access": inbox.access, "/v1/head": inbox.head}
        try:
            return doors[path](body, at=self.clock())
        except RemoteRuleError as refusal:
            raise RemoteRuleError(refusal.code, status=REFUSALS[refusal.code]) from refusal


@dataclass
class Pair:
    """A patient's vault and a clinic that share one clock."""

    session: Session
    store: Store
    line: DirectLine
    now: datetime = START

    @property
    def recipient_id(self) -> str:
        return load_identity(self.store).recipient_id

    def references(self) -> set[str]:
        """What the recipient holds of its one patient."""
        subs = [row[0] for row in self.store.rows("SELECT sub FROM sender", ())]
        return {one.reference for sub in subs for one in held(self.store, sub)}

    def pass_time(self, **span: float) -> None:
        self.now += timedelta(**span)

    def give(self, **changes: object) -> str:
        """Share everything of the preset for a clinic, for a month."""
        today = self.session.today()
        choice = ShareChoice(
            recipient_id=self.recipient_id,
            categories=share.presets("clinic")[0].categories,
            sensitivity=frozenset(),
            purpose="TREAT",
            period=(today, today + timedelta(days=30)),
        )
        return share.sign_share(
            self.session,
            replace(choice, **changes),
            lang="nl",
            shown_text="U deelt met ...",  # type: ignore[arg-type]
        )

    def close(self) -> None:
        self.session.lock()
        self.store.close()


def a_pair(folder: Path, *, kind: str = "clinic", recipient_id: str = "ura:00000123") -> Pair:
    """Make an empty vault and a recipient whose card it knows."""
    store = create_store(folder / "clinic")
    create_identity(store, recipient_id=recipient_id, name="Oefenkliniek", kind=kind, url=ENDPOINT, at=START)
    pair: Pair
    line = DirectLine(store, clock=lambda: pair.now)
    application = Application(
        vaults=folder, clock=lambda: pair.now, argon2=CHEAP, open_transport=lambda: line, zone=UTC
    )
    pair = Pair(None, store, line)  # type: ignore[arg-type]
    session = create_vault(application, folder / "vault", PASSPHRASE).session
    pair.session = session
    card = build_card(load_identity(store), endpoint=ENDPOINT, at=START)[1]
    share.add_recipient(session, card)
    return pair


@contextlib.contextmanager
def a_sharing_pair(folder: Path) -> Iterator[Pair]:
    """A pair that has something to share and a grant for it, signed and not yet delivered."""
    made = a_pair(folder)
    try:
        collect(made.session, a_record(), name="test.json")
        made.give()
        yield made
    finally:
        made.close()
