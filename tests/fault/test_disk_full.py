"""The disk is really full: a clear error, nothing half, and the next write works when there is room again.

Tried on a small disk in memory where one may be mounted, and everywhere with a limit on the size of a file
(guide security 4 "Disk full"; check 4).
"""

from __future__ import annotations

import contextlib
import os
import resource
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from pgo.errors import DiskFailed, StoreFull
from pgo.usecases.collect import collect
from pgo.usecases.session import Session
from pgo.usecases.unlock import NewVault, create_vault, unlock_with_code, vaults
from tests.support.applications import PASSPHRASE
from tests.support.fault_figures import figures
from tests.support.fault_scenarios import a_file, small_change
from tests.support.vaults import Home

DISK_BYTES = 4 << 20
LEFT_BYTES = 200_000
MOST_CHANGES = 2_000
ROUNDS = 3


@dataclass
class Disk:
    """A place that can be made full and given room again."""

    folder: Path
    fill: Callable[[], None]
    free: Callable[[], None]


@contextmanager
def small_disk(folder: Path) -> Iterator[Disk]:
    folder.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={DISK_BYTES}", "tmpfs", str(folder)], capture_output=True
    )
    if mounted.returncode:
        pytest.skip("no small disk can be mounted here; the limit on a file's size is tried instead")
    ballast = folder / "ballast"

    def fill() -> None:
        room = os.statvfs(folder)
        ballast.write_bytes(bytes(max(0, room.f_bavail * room.f_frsize - LEFT_BYTES)))

    try:
        yield Disk(folder, fill, lambda: ballast.unlink(missing_ok=True))
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=True, capture_output=True)


@contextmanager
def limited_disk(folder: Path) -> Iterator[Disk]:
    folder.mkdir()
    before = resource.getrlimit(resource.RLIMIT_FSIZE)

    def fill() -> None:
        largest = max((path.stat().st_size for path in folder.rglob("*") if path.is_file()), default=0)
        resource.setrlimit(resource.RLIMIT_FSIZE, (largest + LEFT_BYTES, before[1]))

    def free() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)

    try:
        yield Disk(folder, fill, free)
    finally:
        free()


@pytest.fixture(params=[small_disk, limited_disk], ids=["small disk", "limit on a file"])
def disk(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Disk]:
    with request.param(tmp_path / "disk") as made:
        yield made


def until_full(session: Session, number: int) -> int:
    """Change until the disk refuses; return the number of the last change that was acknowledged."""
    for following in range(number + 1, number + MOST_CHANGES):
        try:
            small_change(session, following)
        except (StoreFull, DiskFailed):
            return following - 1
    raise RuntimeError("the disk never became full")


def number_in(session: Session) -> int:
    return int(session.store.settings.get("fault.number"))


def reopened(disk: Disk, made: NewVault) -> Session:
    home = Home(disk.folder / "vaults")
    return unlock_with_code(home.app, made.session.folder, made.recovery_code_text)


def test_writing_on_a_full_disk_and_after_it(
    disk: Disk, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    home = Home(disk.folder / "vaults")
    made = create_vault(home.app, home.folder / "Thuis", PASSPHRASE)
    session, number = made.session, 0
    for _ in range(ROUNDS):
        disk.fill()
        number = until_full(session, number)
        assert number_in(session) == number, "what was refused may not be half there"
        with pytest.raises((StoreFull, DiskFailed)):
            collect(session, a_file(1, conditions=300), name="file.json")
        assert session.store.records.page()[0] == 0
        disk.free()
        number += 1
        small_change(session, number)  # the same session goes on
        disk.fill()
        number = until_full(session, number)
        with contextlib.suppress(StoreFull, DiskFailed):  # folding the log in needs room, too
            session.lock()
        disk.free()
        session = reopened(disk, made)
        assert number_in(session) == number, "an acknowledged change is lost"
        session.store.check()
    session.lock()
    figures[f"disk full, {request.node.callspec.id}"] = (
        f"filled {2 * ROUNDS} times, {number} changes acknowledged, 0 lost, each refusal typed"
    )


def test_a_vault_cannot_be_made_on_a_full_disk_and_leaves_nothing(disk: Disk) -> None:
    home = Home(disk.folder / "vaults")
    disk.fill()
    with pytest.raises((StoreFull, DiskFailed)):
        create_vault(home.app, home.folder / "Thuis", PASSPHRASE)
    disk.free()
    assert vaults(home.app) == ()
    assert [path.name for path in home.folder.iterdir()] == []
    create_vault(home.app, home.folder / "Thuis", PASSPHRASE).session.lock()
    assert len(vaults(home.app)) == 1
