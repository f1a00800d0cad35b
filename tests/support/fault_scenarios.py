"""What the process under fault does: each scenario is a list of steps, each step one thing a person does.

A step that returned is acknowledged: from then on its change must survive everything. The steps use the
real use cases on a real vault; the clock stands still, so that two runs of a scenario end alike.
"""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any

from consent.model import Category
from pgo.errors import WrongPassphrase
from pgo.store.drafts import StoredDraft
from pgo.store.journal import Event
from pgo.usecases.backup import make_backup
from pgo.usecases.backup_restore import Secret, restore
from pgo.usecases.choices import ShareChoice
from pgo.usecases.collect import collect
from pgo.usecases.keys import change_passphrase, renew_recovery_code, renew_vault_key
from pgo.usecases.recipients import add_recipient
from pgo.usecases.session import Session
from pgo.usecases.share import shares, sign_share, withdraw
from pgo.usecases.unlock import create_vault, unlock, unlock_with_code
from tests.support.applications import PASSPHRASE
from tests.support.sharing import CLINIC_ID
from tests.support.vaults import Home, a_bundle, a_condition, a_patient, a_weight

VAULTS, VAULT, BACKUPS = "vaults", "vaults/Thuis", "backups"
"""Below the place a case is given; the first one to make a vault makes the folder of vaults as well."""
PASSPHRASES = (PASSPHRASE, "zeven groene treinen naar Assen", "acht stille molens bij Grou")
SMALL_STEPS = 6
CARD = "card.txt"
"""Signed card of a clinic that nobody ever calls; beside the vaults of the scenario that needs it."""
PAD = "x" * 3_000  # about a third of a page, so that single transactions touch several pages

Step = Callable[[], object]
"""Returns what the person learned from it (a new recovery code), or nothing of interest."""


@dataclass
class Bench:
    """One vault under test, as the process under fault holds it."""

    place: Path
    code: str
    session: Session | None = None
    kill_at_progress: int = 0
    reports: int = 0
    home: Home = field(init=False)

    def __post_init__(self) -> None:
        self.home = Home(self.place / VAULTS)

    @property
    def folder(self) -> Path:
        return self.place / VAULT

    def opened(self) -> Session:
        """The open vault; with the recovery code, which costs no time, or as a person who never saw it."""
        if self.session is None or self.session.closed:
            try:
                self.session = unlock_with_code(self.home.app, self.folder, self.code)
            except WrongPassphrase:
                self.session = unlock(self.home.app, self.folder, PASSPHRASE)
        return self.session

    def progress(self, _done: int, _total: int) -> None:
        """What an import tells the screen; the moment at which a test may want it to die."""
        self.reports += 1
        if self.reports == self.kill_at_progress:
            os.kill(os.getpid(), signal.SIGKILL)

    def locked(self) -> None:
        if self.session is not None:
            self.session.lock()


def small_change(session: Session, number: int) -> None:
    """One transaction over several tables; a torn one shows as parts with different numbers."""
    store, at = session.store, session.now()
    with store.write(at):
        store.settings.put("fault.number", number)
        store.drafts.keep(
            StoredDraft(f"draft{number % 3}", "form", f"s{number % 3}", {"n": number, "pad": PAD}, at)
        )
        store.journal.add(Event.RECORD_SAVED, at=at, record=number)


def a_file(number: int, *, conditions: int = 12) -> bytes:
    """A file with a patient, conditions and weights, and one entry that has to be set aside."""
    resources: list[dict[str, Any]] = [a_patient()]
    texts = [f"Klacht {number} {index}" for index in range(conditions)]
    resources += [a_condition(f"c{number}-{index}", text=text) for index, text in enumerate(texts)]
    resources += [json.loads(a_weight(f"w{index}", kilos=f"7{number}.{index}0")) for index in range(4)]
    resources.append({"resourceType": "Observation", "id": f"broken{number}"})
    return a_bundle(*resources)


def _writes(bench: Bench) -> list[Step]:
    session = bench.opened()
    return [partial(small_change, session, number) for number in range(1, SMALL_STEPS + 1)]


def _setup(bench: Bench) -> list[Step]:
    def create() -> str:
        made = create_vault(bench.home.app, bench.folder, PASSPHRASE)
        bench.session, bench.code = made.session, made.recovery_code_text
        return made.recovery_code_text

    return [create]


def _passphrase(bench: Bench) -> list[Step]:
    session = bench.opened()
    return [partial(change_passphrase, session, passphrase) for passphrase in PASSPHRASES[1:]]


def _recovery(bench: Bench) -> list[Step]:
    def renew() -> str:
        bench.code = renew_recovery_code(bench.opened())
        return bench.code

    bench.opened()
    return [renew, renew]


def _import(bench: Bench) -> list[Step]:
    session = bench.opened()
    return [partial(collect, session, a_file(number), name=f"{number}.json") for number in (1, 2)]


def _renewal(bench: Bench) -> list[Step]:
    def renew() -> str:
        made = renew_vault_key(bench.opened(), PASSPHRASE, on_progress=lambda _share: None)
        bench.session, bench.code = made.session, made.recovery_code_text
        return made.recovery_code_text

    bench.opened()
    return [renew, lambda: small_change(bench.opened(), 1)]


def _consent(bench: Bench) -> list[Step]:
    session, card = bench.opened(), (bench.place / CARD).read_text()
    today = session.today()
    choice = ShareChoice(
        recipient_id=CLINIC_ID,
        categories=frozenset({Category.PROBLEMS, Category.VITALS}),
        sensitivity=frozenset(),
        purpose="TREAT",
        period=(today, today + timedelta(days=90)),
    )

    def stop() -> None:
        withdraw(session, next(row.grant_id for row in shares(session) if row.withdrawn_at is None))

    return [
        partial(_quietly, add_recipient, session, card),
        partial(_quietly, sign_share, session, choice, lang="nl", shown_text="synthetic"),
        stop,
    ]


def _quietly(function: Callable[..., object], *arguments: object, **named: object) -> None:
    """Only a recovery code is something that a person learns from a step."""
    function(*arguments, **named)


def _long_import(bench: Bench) -> list[Step]:
    session, data = bench.opened(), a_file(1, conditions=400)

    def whole() -> None:
        collect(session, data, name="long.json", on_progress=bench.progress)

    return [whole]


def _opening(bench: Bench) -> list[Step]:
    return [bench.opened, lambda: small_change(bench.opened(), SMALL_STEPS + 1)]


def _locking(bench: Bench) -> list[Step]:
    bench.opened()
    steps: list[Step] = []
    for number in (1, 2):
        steps += [partial(_change_when_open, bench, number), bench.locked, bench.opened]
    return steps


def _change_when_open(bench: Bench, number: int) -> None:
    small_change(bench.opened(), number)


def _backup(bench: Bench) -> list[Step]:
    session = bench.opened()
    out = bench.place / BACKUPS
    return [partial(_quietly, make_backup, session, out) for _ in range(2)]


def _restore(bench: Bench) -> list[Step]:
    (file,) = (bench.place / BACKUPS).iterdir()
    secret = Secret(bench.code, is_code=True)
    again = partial(restore, bench.home.app, file, bench.folder, secret, accept_older=True)
    return [partial(_quietly, again), bench.opened]


ALL: dict[str, Callable[[Bench], list[Step]]] = {
    "setup": _setup,
    "passphrase": _passphrase,
    "recovery": _recovery,
    "write": _writes,
    "import": _import,
    "consent": _consent,
    "renewal": _renewal,
    "long import": _long_import,
    "migration": _opening,
    "crashed": _opening,
    "lock": _locking,
    "backup": _backup,
    "restore": _restore,
}
"""What a child can be told to do.

``migration`` and ``crashed`` open what they find: a vault of the first form, a vault with a full log."""
SCENARIOS = tuple(name for name in ALL if name not in ("long import", "backup", "restore"))
"""The scenarios short enough for a fault at every call."""

__all__ = ["ALL", "PASSPHRASES", "SCENARIOS", "VAULT", "VAULTS", "Bench", "Step", "a_file", "small_change"]
