"""Vaults that scenarios start from: made once per run, copied for each case."""

from __future__ import annotations

import functools
import shutil
from dataclasses import dataclass
from pathlib import Path
from unittest import mock

from pgo.store.migrations import STEPS, migrate
from pgo.usecases.collect import collect
from pgo.usecases.unlock import create_vault
from tests.support.applications import PASSPHRASE
from tests.support.fault_scenarios import CARD, SMALL_STEPS, VAULT, VAULTS, small_change
from tests.support.sharing import a_card, a_record
from tests.support.vaults import START, Home

_FROM_PLAIN = ("passphrase", "recovery", "write", "import", "long import", "lock", "renewal")


@dataclass(frozen=True)
class Base:
    """A folder with a vault in the state a scenario starts from, and the recovery code that opens it."""

    place: Path
    code: str

    def copy(self, target: Path) -> Path:
        """A fresh copy for one case."""
        shutil.rmtree(target, ignore_errors=True)
        shutil.copytree(self.place, target)
        return target


def make_bases(folder: Path) -> dict[str, Base]:
    """All the starting points, by scenario."""
    empty = Base(folder / "empty", "")
    empty.place.mkdir(parents=True)
    plain = _locked(folder / "plain")
    return {
        "setup": empty,
        "migration": _first_form(folder / "old"),
        "consent": _with_records(folder / "records"),
        "crashed": _crashed(folder / "open", folder / "crashed"),
        **dict.fromkeys(
            ("passphrase", "recovery", "write", "import", "long import", "lock", "renewal"), plain
        ),
    }


def _locked(place: Path) -> Base:
    made = create_vault(Home(place / VAULTS).app, place / VAULT, PASSPHRASE)
    made.session.lock()
    return Base(place, made.recovery_code_text)


def _with_records(place: Path) -> Base:
    made = create_vault(Home(place / VAULTS).app, place / VAULT, PASSPHRASE)
    collect(made.session, a_record(), name="record.json")
    made.session.lock()
    (place / CARD).write_text(a_card(at=START))
    return Base(place, made.recovery_code_text)


def _first_form(place: Path) -> Base:
    """A vault as the first version of the schema left it."""
    first = functools.partial(migrate, to=1)
    with mock.patch("pgo.store.founding.migrate", first), mock.patch("pgo.store.vault.STEPS", STEPS[:1]):
        return _locked(place)


def _crashed(place: Path, copy: Path) -> Base:
    """What a kill leaves: header in use, committed changes in the log only."""
    made = create_vault(Home(place / VAULTS).app, place / VAULT, PASSPHRASE)
    for number in range(1, SMALL_STEPS + 1):
        small_change(made.session, number)
    shutil.copytree(place, copy)
    made.session.lock()
    return Base(copy, made.recovery_code_text)
