"""The power goes: no disk that can be left at any moment loses an acknowledged change or keeps half of one.

Images are built from a trace of what the process really did to its files (guide security 4; check 3).
"""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from tests.support.fault_bases import Base, make_bases
from tests.support.fault_figures import figures, require_strace
from tests.support.fault_nth import rehearse
from tests.support.fault_power import judge_images, record
from tests.support.fault_scenarios import SCENARIOS
from tests.support.scale import cases

EACH = 18
"""Images tried per operation; those that are equal to one before are not counted and not opened."""
SEED = 20_261_122

counted: Counter[str] = Counter()


@pytest.fixture(scope="module")
def bases(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Base]:
    require_strace()
    return make_bases(tmp_path_factory.mktemp("bases"))


@pytest.mark.parametrize("scenario", SCENARIOS)
@pytest.mark.timeout(7200)
def test_no_power_loss_loses_or_locks_out(scenario: str, bases: dict[str, Base], tmp_path: Path) -> None:
    plan = rehearse(scenario, bases[scenario], tmp_path, ())
    verdict = judge_images(plan, record(scenario, bases[scenario], tmp_path), seed=SEED, each=cases(EACH))
    counted["images"] += verdict.tried
    counted["wrong"] += len(verdict.wrong)
    figures["power loss"] = (
        f"{counted['images']} different disks over {len(SCENARIOS)} scenarios,"
        f" {counted['wrong']} lost, torn or unreadable"
    )
    assert not verdict.wrong, f"{len(verdict.wrong)} of {verdict.tried}\n" + "\n".join(verdict.wrong[:20])


@pytest.mark.parametrize(
    ("planted", "scenario"),
    [("synchronous=OFF", "write"), ("synchronous=NORMAL", "write"), ("rename without fsync", "passphrase")],
)
def test_a_planted_fault_is_found(
    planted: str, scenario: str, bases: dict[str, Base], tmp_path: Path
) -> None:
    """A database that does not wait for the disk, or a header renamed unsynced, must show in the images."""
    plan = rehearse(scenario, bases[scenario], tmp_path, ())
    recording = record(scenario, bases[scenario], tmp_path, planted=planted)
    verdict = judge_images(plan, recording, seed=SEED, each=2)
    assert verdict.wrong, f"{planted} was not noticed in {verdict.tried} images"
    figures[f"power loss, planted {planted}"] = f"{verdict.tried} disks, {len(verdict.wrong)} reported"
