"""What is missing, cut short, replaced or rolled back is refused and left as found; nothing is recreated."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from pgo.errors import AppError, KeyLost, NotFound, StoreDamaged, StoreFull, VaultBusy, WrongPassphrase
from pgo.store.vault import Vault
from pgo.usecases.settings import Settings, save_settings, settings
from pgo.usecases.unlock import unlock
from tests.support.applications import PASSPHRASE
from tests.support.vaults import Home


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = Home(tmp_path_factory.mktemp("made"))
    session = home.open_new()
    save_settings(session, Settings(language="en"))
    session.lock()
    return session.folder


@pytest.fixture
def vault(made: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(made, tmp_path / "vaults" / made.name))


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def refused(vault: Path, passphrase: str = PASSPHRASE) -> AppError:
    before = contents(vault)
    with pytest.raises(AppError) as caught:
        unlock(Home(vault.parent).app, vault, passphrase)
    assert contents(vault) == before, "a refused vault must stay byte for byte as it was"
    return caught.value


def database(vault: Path) -> Path:
    return vault / "store-1.db"


def _empty(vault: Path) -> None:
    database(vault).write_bytes(b"")


def _plaintext(vault: Path) -> None:
    database(vault).write_bytes(b"SQLite format 3\x00" + bytes(8192 - 16))


def _cut_to_pages(vault: Path) -> None:
    database(vault).write_bytes(database(vault).read_bytes()[:8192])


def _cut_inside_page(vault: Path) -> None:
    database(vault).write_bytes(database(vault).read_bytes()[:-100])


def _one_bit(vault: Path) -> None:
    data = bytearray(database(vault).read_bytes())
    data[len(data) // 2] ^= 1
    database(vault).write_bytes(data)


def _planted_log(vault: Path) -> None:
    database(vault).with_name("store-1.db-wal").write_bytes(bytes(4096))


@pytest.mark.parametrize(
    ("damage", "reason"),
    [
        (lambda vault: database(vault).unlink(), "database_missing"),
        (_empty, "database_empty"),
        (_plaintext, "database_plaintext"),
        (_cut_inside_page, "database_changed"),
        (_cut_to_pages, "database_changed"),
        (_one_bit, "database_changed"),
        (_planted_log, "database_changed"),
    ],
    ids=["missing", "empty", "plaintext", "cut-inside-page", "cut-to-pages", "one-bit", "planted-log"],
)
def test_damaged_database_is_refused_and_not_recreated(
    vault: Path, damage: Callable[[Path], object], reason: str
) -> None:
    damage(vault)
    error = refused(vault)
    assert isinstance(error, StoreDamaged)
    assert error.reason == reason


def test_database_of_another_vault_is_refused(vault: Path, tmp_path: Path) -> None:
    other = Home(tmp_path / "other").open_new()
    other.lock()
    shutil.copy(database(other.folder), database(vault))
    assert isinstance(refused(vault), StoreDamaged)


def test_header_of_another_vault_does_not_open_with_our_passphrase(vault: Path, tmp_path: Path) -> None:
    other = Home(tmp_path / "other").open_new()
    other.lock()
    shutil.copy(other.folder / "vault.hdr", vault / "vault.hdr")
    assert isinstance(
        refused(vault), StoreDamaged
    )  # same passphrase, so the slot opens; the file is not its own


def test_database_without_header_says_key_lost(vault: Path) -> None:
    for path in vault.glob("vault.hdr*"):
        path.unlink()
    assert isinstance(refused(vault), KeyLost)


@pytest.mark.parametrize("change", [b"", b"PGO-VAULT 1\n", b"\x00" * 900, None])
def test_unreadable_header_is_damage(vault: Path, change: bytes | None) -> None:
    header = vault / "vault.hdr"
    (vault / "vault.hdr.prev").unlink(missing_ok=True)
    header.write_bytes(header.read_bytes()[:-70] if change is None else change)
    error = refused(vault)
    assert isinstance(error, StoreDamaged)
    assert error.reason == "header"


def test_torn_header_falls_back_to_the_one_before(vault: Path) -> None:
    header = vault / "vault.hdr"
    shutil.copy(header, vault / "vault.hdr.prev")
    header.write_bytes(header.read_bytes()[:100])
    session = unlock(Home(vault.parent).app, vault, PASSPHRASE)
    assert settings(session).language == "en"
    session.lock()
    again = unlock(Home(vault.parent).app, vault, PASSPHRASE)
    again.lock()


def test_wrong_passphrase_changes_nothing(vault: Path) -> None:
    assert isinstance(refused(vault, "vier andere woorden hier"), WrongPassphrase)


def test_empty_folder_is_no_vault(tmp_path: Path) -> None:
    with pytest.raises(NotFound):
        unlock(Home(tmp_path).app, tmp_path, PASSPHRASE)
    assert list(tmp_path.iterdir()) == []


def test_second_opening_is_told_the_vault_is_busy(vault: Path) -> None:
    app = Home(vault.parent).app
    first = unlock(app, vault, PASSPHRASE)
    with pytest.raises(VaultBusy):
        unlock(app, vault, PASSPHRASE)
    first.lock()
    unlock(app, vault, PASSPHRASE).lock()


@pytest.fixture
def crashed(vault: Path, tmp_path: Path) -> Iterator[Path]:
    """A copy of the folder as a crash would leave it: header in use, frames still in the log."""
    session = unlock(Home(vault.parent).app, vault, PASSPHRASE)
    save_settings(session, Settings(language="nl", text_scale=1.5))
    yield Path(shutil.copytree(vault, tmp_path / "crashed" / vault.name))
    session.lock()


def test_a_crash_loses_no_acknowledged_change(crashed: Path) -> None:
    session = unlock(Home(crashed.parent).app, crashed, PASSPHRASE)
    assert settings(session).text_scale == 1.5
    session.lock()


def test_a_lost_log_is_noticed(crashed: Path) -> None:
    for path in crashed.glob("*.db-*"):
        path.unlink()
    with pytest.raises(StoreDamaged) as caught:
        unlock(Home(crashed.parent).app, crashed, PASSPHRASE)
    assert caught.value.reason == "database_behind"


def test_a_damaged_log_is_noticed(crashed: Path) -> None:
    log = next(crashed.glob("*.db-wal"))
    data = bytearray(log.read_bytes())
    data[len(data) // 2] ^= 1
    log.write_bytes(data)
    with pytest.raises(StoreDamaged):
        unlock(Home(crashed.parent).app, crashed, PASSPHRASE)


def test_a_database_rolled_back_to_an_older_copy_is_noticed(vault: Path) -> None:
    older = database(vault).read_bytes()
    session = unlock(Home(vault.parent).app, vault, PASSPHRASE)
    save_settings(session, Settings(theme="dark"))
    session.lock()
    database(vault).write_bytes(older)
    error = refused(vault)
    assert isinstance(error, StoreDamaged)
    assert error.reason == "database_changed"


def full(*_args: object, **_kwargs: object) -> None:
    raise OSError(28, "No space left on device")


def test_failing_to_make_a_vault_leaves_nothing_behind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pgo.store.header.save_atomically", full)
    home = Home(tmp_path / "vaults")
    with pytest.raises(StoreFull):
        home.open_new()
    assert list((tmp_path / "vaults").iterdir()) == []


def test_failing_header_before_a_change_refuses_the_change(
    vault: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr("pgo.store.header.save_atomically", full)
        session = unlock(Home(vault.parent).app, vault, PASSPHRASE)  # a full disk keeps nobody out
        with pytest.raises(AppError) as caught:
            save_settings(session, Settings(theme="dark"))
    assert caught.value.code == "store_full"
    assert settings(session).theme == "system"
    session.lock()


def test_an_interrupted_transaction_leaves_nothing(vault: Path) -> None:
    session = unlock(Home(vault.parent).app, vault, PASSPHRASE)
    store = session.store
    assert isinstance(store, Vault)
    changes = store.changes()

    def interrupted() -> None:
        with store.write(session.now()):
            store.settings.put("half", 1)
            raise RuntimeError("power cut")

    with pytest.raises(RuntimeError, match="power"):
        interrupted()
    assert store.settings.get("half") is None
    assert store.changes() == changes
    session.lock()
