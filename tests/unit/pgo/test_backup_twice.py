"""A backup of a vault that was itself put back can be put back as well, on a new device or in its place."""

from __future__ import annotations

from pathlib import Path

import pytest

from pgo.usecases.backup import make_backup
from pgo.usecases.backup_restore import Secret, restore
from pgo.usecases.collect import collect
from pgo.usecases.unlock import create_vault, unlock_with_code
from tests.support.applications import PASSPHRASE
from tests.support.vaults import Home, a_bundle, a_condition


@pytest.mark.parametrize("places", [("b", "c", "d"), ("b", "b", "b"), ("a", "b", "a")])
def test_put_back_three_times(tmp_path: Path, places: tuple[str, ...]) -> None:
    home = Home(tmp_path / "vaults")
    made = create_vault(home.app, home.folder / "a", PASSPHRASE)
    session, code = made.session, made.recovery_code_text
    for number, place in enumerate(places, start=1):
        collect(session, a_bundle(a_condition(f"c{number}")), name="een.json")
        home.clock.forward(hours=1)
        backup = make_backup(session, tmp_path / "backups").path
        session.lock()
        restore(home.app, backup, home.folder / place, Secret(code, is_code=True), accept_older=True)
        session = unlock_with_code(home.app, home.folder / place, code)
        last = session.store.backups.last_restore()
        assert last is not None
        assert last.number == number
        assert len(session.store.records.present_ids()) == number
    session.lock()


def test_the_same_backup_put_back_twice_never_gives_a_number_twice(tmp_path: Path) -> None:
    home = Home(tmp_path / "vaults")  # its clock stands still: the time does not tell the two apart
    made = create_vault(home.app, home.folder / "a", PASSPHRASE)
    collect(made.session, a_bundle(a_condition("known")), name="een.json")
    backup = make_backup(made.session, tmp_path / "backups").path
    made.session.lock()
    seen: list[int] = []
    for place in ("b", "c"):
        restore(home.app, backup, home.folder / place, Secret(PASSPHRASE))
        session = unlock_with_code(home.app, home.folder / place, made.recovery_code_text)
        for name in ("new", "newer"):
            collect(session, a_bundle(a_condition(name)), name=f"{name}.json")
        seen += sorted(session.store.records.present_ids())[1:]
        session.lock()
    assert len(set(seen)) == len(seen) == 4
    assert [b - a for a, b in ((seen[0], seen[1]), (seen[2], seen[3]))] == [1, 1]
