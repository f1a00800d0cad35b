"""A vault that shares with a real recipient, and somebody at the desk there who looks; no network."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from pgo.usecases import deliver, share
from pgo.usecases.session import Session
from pgo.usecases.unlock import unlock
from recipient.accounts import Account
from recipient.holdings import holdings_in_force
from recipient.identity import build_card, load_identity
from recipient.reading import Reader
from recipient.rotation import successions
from recipient.store import Store, create_store
from sync.card import card_file
from tests.support.applications import PASSPHRASE
from tests.support.recipient_direct import ENDPOINT, found
from tests.support.recipient_line import Line
from tests.support.sharing import an_open_vault
from tests.support.sharing_screens import a_choice


class Desk:
    """Somebody at the recipient."""

    def __init__(self, store: Store, account: Account) -> None:
        self.store, self.account = store, account
        self.reader = Reader(store, load_identity(store))
        with store.transaction():
            (self.holding,) = holdings_in_force(store, at=datetime.now(UTC))

    def look(self) -> None:
        self.reader.open_record(self.account, self.holding.handle, at=datetime.now(UTC))


@dataclass(frozen=True, slots=True)
class Shared:
    """Both sides, with everything delivered."""

    session: Session
    line: Line
    desk: Desk


@contextmanager
def sharing_with_a_desk(folder: Path) -> Iterator[Shared]:
    """Run both sides in a folder until the end of a test."""
    store = create_store(folder / "clinic")
    account = replace(found(store, at=datetime.now(UTC)), place="192.0.2.7")
    line = Line(store)
    made = an_open_vault(folder)
    made.lock()
    session = unlock(replace(made.app, open_transport=lambda: line), made.folder, PASSPHRASE)
    share.add_recipient(session, the_card(store))
    share.sign_share(session, a_choice(session), lang="nl", shown_text="U deelt.")
    deliver.deliver(session)
    yield Shared(session, line, Desk(store, account))
    session.lock()
    store.close()


def the_card(store: Store) -> str:
    """The card of a recipient as it hands it out now, with its successions."""
    _, text = build_card(load_identity(store), endpoint=ENDPOINT, at=datetime.now(UTC))
    return card_file(text, successions(store))
