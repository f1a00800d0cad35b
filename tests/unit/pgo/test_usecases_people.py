"""Several people: faces kept inside the vault, off the list, deleting, and what a crash left."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from pgo.errors import InputRefused, NotFound, VaultBusy
from pgo.store.removal import remove_vault
from pgo.usecases import people
from pgo.usecases.faces import COLOURS, default_face, load_faces
from pgo.usecases.unlock import tidy, unlock, vaults
from tests.support.applications import PASSPHRASE
from tests.support.vaults import Home


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path / "vaults")


def names(home: Home) -> list[str]:
    return [place.name for place in vaults(home.app)]


def test_a_vault_without_a_face_has_one_that_stays_the_same(home: Home) -> None:
    home.open_new("Thuis").lock()
    first, again = vaults(home.app)[0].face, vaults(home.app)[0].face
    assert first == again == default_face("Thuis")
    assert first.initial == "T"
    assert first.colour in COLOURS


def test_a_face_is_kept_in_the_vault_and_goes_where_the_vault_goes(home: Home, tmp_path: Path) -> None:
    session = home.open_new("Thuis")
    people.change_face(session, name="  Sanne   B ", initial="sb", colour="rose")
    session.lock()
    assert names(home) == ["Sanne B"]
    elsewhere = Home(tmp_path / "elsewhere")
    elsewhere.folder.mkdir()
    moved = session.folder.rename(elsewhere.folder / "Kopie")
    assert names(elsewhere) == ["Kopie"], "what is inside is not known before it is opened"
    session = unlock(elsewhere.app, moved, PASSPHRASE)
    assert people.take_face(session).name == "Sanne B"
    session.lock()
    assert names(elsewhere) == ["Sanne B"]


@pytest.mark.parametrize(
    "broken", [b"", b"{", b"[]", b'{"Thuis": 7}', b'{"Thuis": {"name": "", "initial": "?"}}']
)
def test_a_list_that_cannot_be_read_hides_nobody(home: Home, broken: bytes) -> None:
    home.open_new("Thuis").lock()
    (home.folder / "people.json").write_bytes(broken)
    assert names(home) == ["Thuis"]


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"name": " "}, "name"),
        ({"name": "x" * 41}, "name"),
        ({"name": "a\u202eb"}, "name"),
        ({"initial": ""}, "initial"),
        ({"initial": "abc"}, "initial"),
        ({"initial": "<"}, "initial"),
        ({"colour": "infrared"}, "colour"),
    ],
)
def test_a_face_nobody_can_read_is_refused(home: Home, change: dict[str, str], field: str) -> None:
    session = home.open_new("Thuis")
    with pytest.raises(InputRefused) as caught:
        people.change_face(session, **{"name": "Sanne", "initial": "S", "colour": "rose", **change})
    assert set(caught.value.fields) == {field}
    session.lock()


def test_two_vaults_never_have_one_name(home: Home) -> None:
    home.open_new("Oma").lock()
    session = home.open_new("Kind")
    with pytest.raises(InputRefused, match="vault_exists"):
        people.change_face(session, name="OMA", initial="O", colour="rose")
    session.lock()


def test_off_the_list_stays_off_until_put_back(home: Home) -> None:
    home.open_new("Kind").lock()
    session = home.open_new("Oma")
    people.hide(home.app, session.folder)
    people.take_face(session)
    session.lock()
    assert names(home) == ["Kind"]
    assert [place.name for place in vaults(home.app, hidden=True)] == ["Oma"]
    people.hide(home.app, session.folder, hidden=False)
    assert names(home) == ["Kind", "Oma"]


def test_deleting_asks_for_the_name_and_touches_no_other_vault(home: Home) -> None:
    home.open_new("Kind").lock()
    session = home.open_new("Oma")
    with pytest.raises(InputRefused, match="name_differs"):
        people.delete_vault(session, "Kind")
    assert not session.closed
    people.delete_vault(session, " oma ")
    assert session.closed
    assert names(home) == ["Kind"]
    assert {path.name for path in home.folder.iterdir()} <= {"Kind", "people.json", "people.json.prev"}
    assert set(load_faces(home.app)) <= {"Kind"}
    with pytest.raises(NotFound):
        unlock(home.app, session.folder, PASSPHRASE)
    unlock(home.app, home.folder / "Kind", PASSPHRASE).lock()


def test_changes_at_the_same_moment_do_not_undo_each_other(home: Home) -> None:
    folders = [home.folder / f"Kluis {number}" for number in range(8)]
    for folder in folders:
        folder.mkdir(parents=True)

    def hide_often(folder: Path) -> None:
        for hidden in (True, False) * 10:
            people.hide(home.app, folder, hidden=hidden)
        people.hide(home.app, folder)

    with ThreadPoolExecutor(8) as threads:
        list(threads.map(hide_often, folders))
    assert {name: face.hidden for name, face in load_faces(home.app).items()} == {
        folder.name: True for folder in folders
    }


def test_an_open_vault_is_not_removed_under_somebody(home: Home) -> None:
    session = home.open_new("Oma")
    with pytest.raises(VaultBusy):
        remove_vault(session.folder)
    assert not session.closed
    session.lock()
    unlock(home.app, session.folder, PASSPHRASE).lock()


def test_what_a_crash_left_is_removed_and_what_is_being_made_is_not(home: Home) -> None:
    session = home.open_new("Oma")
    for name in (".Kind.0a1b2c3d.new", ".Opa.0a1b2c3d.gone.new"):
        (home.folder / name).mkdir()
        (home.folder / name / "store-1.db").write_bytes(bytes(8192))
    (home.folder / ".Bezig.0a1b2c3d.new").mkdir()
    (home.folder / ".Bezig.0a1b2c3d.new" / "vault.lock").symlink_to(session.folder / "vault.lock")
    tidy(home.app)
    left = sorted(path.name for path in home.folder.iterdir() if path.is_dir())
    assert left == [".Bezig.0a1b2c3d.new", "Oma"], "who is building holds the lock"
    session.lock()
