"""Check 6: an old page, log, header or whole vault put back, after a clean lock and after a crash.

Nothing may go unnoticed except what the guide names (security 3.2): a page of a table that is no chain, after
a crash; and a whole old vault, until the next contact with a recipient. An old header beside a newer database
is no rollback of data: it opens with every newest change, or is refused.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import pytest

from consent.codes import Category
from pgo.errors import AppError
from pgo.store.database import PAGE_BYTES
from pgo.store.vault import Vault
from pgo.usecases import share
from pgo.usecases.session import Session
from pgo.usecases.settings import Settings, save_settings, settings
from pgo.usecases.unlock import check_vault, unlock
from tests.support.applications import PASSPHRASE
from tests.support.fault_figures import figures
from tests.support.sharing import CLINIC_ID, a_card
from tests.support.vaults import START, Home

DATABASE = "store-1.db"
_counts = {"tried": 0, "refused": 0, "newest": 0, "named": 0}


@dataclass(frozen=True)
class Moments:
    """Copies of one vault: earlier and now, after a clean lock and as a crash would leave it."""

    folder: Path
    pages: dict[str, int]

    def at(self, moment: str, target: Path) -> Path:
        return Path(shutil.copytree(self.folder / moment, target / "Thuis"))


def _choice(session: Session) -> share.ShareChoice:
    today = session.today()
    return share.ShareChoice(
        CLINIC_ID,
        frozenset({Category.MEDICATIONS}),
        frozenset(),
        "TREAT",
        (today, today + timedelta(days=30)),
    )


def _crash_copy(session: Session, target: Path, *, folded: bool) -> None:
    store = session.store
    assert isinstance(store, Vault)
    if folded:  # the pages lie in the database file, the header still says "in use"
        store._engine.checkpoint()
    shutil.copytree(session.folder, target)


@pytest.fixture(scope="module")
def moments(tmp_path_factory: pytest.TempPathFactory) -> Moments:
    folder = tmp_path_factory.mktemp("moments")
    home = Home(folder / "home")
    session = home.open_new()
    share.add_recipient(session, a_card(at=START))
    grant_id = share.sign_share(session, _choice(session), lang="nl", shown_text="x")
    save_settings(session, Settings(theme="light"))
    store = session.store
    assert isinstance(store, Vault)
    root = "SELECT rootpage FROM sqlite_master WHERE name = ?"
    pages = {name: int((store._engine.row(root, (name,)) or (0,))[0]) for name in ("ledger", "setting")}
    _crash_copy(session, folder / "crash-old-log", folded=False)
    _crash_copy(session, folder / "crash-old", folded=True)
    session.lock()
    shutil.copytree(session.folder, folder / "clean-old")
    session = unlock(home.app, session.folder, PASSPHRASE)
    share.withdraw(session, grant_id)
    save_settings(session, Settings(theme="dark"))
    _crash_copy(session, folder / "crash-now-log", folded=False)
    _crash_copy(session, folder / "crash-now", folded=True)
    session.lock()
    shutil.copytree(session.folder, folder / "clean-now")
    return Moments(folder, pages)


def _put_page(now: Path, old: Path, number: int) -> None:
    data = bytearray((now / DATABASE).read_bytes())
    place = slice((number - 1) * PAGE_BYTES, number * PAGE_BYTES)
    older = (old / DATABASE).read_bytes()[place]
    assert older != bytes(data[place]), "this page did not change, so putting it back proves nothing"
    data[place] = older
    (now / DATABASE).write_bytes(data)


def _put_file(now: Path, old: Path, name: str) -> None:
    shutil.copy(old / name, now / name)


def _put_log(now: Path, old: Path) -> None:
    _put_file(now, old, f"{DATABASE}-wal")


def outcome(vault: Path) -> str:
    """``refused``, ``newest`` (opened with every newest change) or ``old``."""
    try:
        session = unlock(Home(vault.parent).app, vault, PASSPHRASE)
    except AppError:
        return "refused"
    try:
        check_vault(session)
        withdrawn = all(row.withdrawn_at is not None for row in share.shares(session))
        return "newest" if withdrawn and settings(session).theme == "dark" else "old"
    except AppError:
        return "refused"
    finally:
        session.lock()


CASES: list[tuple[str, str, Callable[[Path, Moments], None], str]] = [
    (
        "clean-now",
        "ledger page",
        lambda now, m: _put_page(now, m.folder / "clean-old", m.pages["ledger"]),
        "refused",
    ),
    (
        "clean-now",
        "other page",
        lambda now, m: _put_page(now, m.folder / "clean-old", m.pages["setting"]),
        "refused",
    ),
    ("clean-now", "log", lambda now, m: _put_log(now, m.folder / "crash-old-log"), "refused"),
    ("clean-now", "header", lambda now, m: _put_file(now, m.folder / "clean-old", "vault.hdr"), "refused"),
    (
        "clean-now",
        "header in use",
        lambda now, m: _put_file(now, m.folder / "crash-old", "vault.hdr"),
        "newest",
    ),
    (
        "crash-now",
        "ledger page",
        lambda now, m: _put_page(now, m.folder / "crash-old", m.pages["ledger"]),
        "refused",
    ),
    (
        "crash-now",
        "other page",
        lambda now, m: _put_page(now, m.folder / "crash-old", m.pages["setting"]),
        "old",
    ),
    ("crash-now-log", "log", lambda now, m: _put_log(now, m.folder / "crash-old-log"), "refused"),
    ("crash-now", "header", lambda now, m: _put_file(now, m.folder / "crash-old", "vault.hdr"), "newest"),
]
NAMED = {("crash-now", "other page")}


@pytest.mark.parametrize(("moment", "what", "put", "expected"), CASES, ids=[f"{c[0]} {c[1]}" for c in CASES])
def test_something_old_put_back(
    moments: Moments,
    tmp_path: Path,
    moment: str,
    what: str,
    put: Callable[[Path, Moments], None],
    expected: str,
) -> None:
    vault = moments.at(moment, tmp_path)
    put(vault, moments)
    found = outcome(vault)
    _count(found, named=(moment, what) in NAMED)
    assert found == expected


@pytest.mark.parametrize("moment", ["clean-old", "crash-old"])
def test_a_whole_old_vault_opens_until_the_next_contact_speaks(
    moments: Moments, tmp_path: Path, moment: str
) -> None:
    found = outcome(moments.at(moment, tmp_path))
    _count(found, named=True)
    assert found == "old"


@pytest.mark.parametrize("moment", ["clean-now", "crash-now", "crash-now-log"])
def test_the_untouched_vault_opens_with_the_newest(moments: Moments, tmp_path: Path, moment: str) -> None:
    assert outcome(moments.at(moment, tmp_path)) == "newest"


def _count(found: str, *, named: bool) -> None:
    _counts["tried"] += 1
    _counts["named" if named else found] += 1
    figures["replayed parts of a vault"] = (
        "{tried} tried, {refused} refused, {newest} opened with the newest state, "
        "{named} not noticed, as the guide names"
    ).format(**_counts)
