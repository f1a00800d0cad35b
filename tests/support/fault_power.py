"""Record a scenario, build the disks a power loss could leave, and judge each of them.

Judged like a run with one fault (`fault_nth`): the image opens with the right secrets and holds the state
after k steps, k between what was acknowledged and what was tried. A broken image is kept, with how to
make it again.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

from tests.support.fault_bases import Base
from tests.support.fault_child import Order
from tests.support.fault_driver import child
from tests.support.fault_images import Image, images
from tests.support.fault_nth import Rehearsal, Run, done_without_fault, judge
from tests.support.fault_scenarios import VAULT
from tests.support.fault_trace import OPTIONS, Operation, TraceReader, Tree, read_tree

_MEMORY = Path("/dev/shm")
"""Images are made by the thousand; where there is a disk in memory, it carries them."""


@dataclass(frozen=True)
class Recording:
    """One run of a scenario: what was there, what was done to the disk, which codes the person learned."""

    start: Tree
    operations: list[Operation]
    codes: tuple[str, ...]


@dataclass
class Verdict:
    """How many images were tried, and what was wrong with some."""

    tried: int = 0
    wrong: list[str] = field(default_factory=list)


def record(scenario: str, base: Base, scratch: Path, *, planted: str = "") -> Recording:
    """Run a scenario once and read from its system calls what reached the disk, and when."""
    place = base.copy(scratch / "recorded")
    codes = [base.code]
    with child(Order(scenario, place, base.code, planted)) as actor:
        start = read_tree(place)
        actor.attach(*OPTIONS, output=str(scratch / "trace.txt"))
        for step in range(actor.steps):
            learned = done_without_fault(actor, step)
            codes += [learned] if learned else []
        actor.detach()
    reader = TraceReader(place, start)
    return Recording(start, reader.read((scratch / "trace.txt").read_text()), tuple(codes))


def judge_images(plan: Rehearsal, recording: Recording, *, seed: int, each: int) -> Verdict:
    """Lay down every image, open it and compare."""
    verdict = Verdict()
    with scratch_in_memory() as scratch:
        for image in images(recording.start, recording.operations, Random(seed), each):
            verdict.tried += 1
            problems = _judge(plan, recording, image, scratch / "disk")
            if problems:
                name = f"{plan.scenario}-{verdict.tried}".replace(" ", "-")
                kept = "" if verdict.wrong else _keep(scratch / "disk", name)
                verdict.wrong.append(
                    f"{plan.scenario}, {image} (done {image.done}, tried {image.tried}):"
                    f" {'; '.join(problems)}{kept}"
                )
    return verdict


def _judge(plan: Rehearsal, recording: Recording, image: Image, place: Path) -> list[str]:
    shutil.rmtree(place, ignore_errors=True)
    image.tree.write_to(place)
    run = Run(str(image), done=image.done, tried=image.tried, codes=list(recording.codes))
    judge(plan, run, place / VAULT)
    return run.wrong


def _keep(place: Path, name: str) -> str:
    """Keep the first broken image for whoever looks into it; the examination may have changed its log."""
    target = Path(tempfile.mkdtemp(prefix=f"power-loss-{name}-")) / "image"
    shutil.copytree(place, target)
    return f" [kept in {target}]"


@contextmanager
def scratch_in_memory() -> Iterator[Path]:
    """A folder for many short-lived files."""
    parent = str(_MEMORY) if _MEMORY.is_dir() else None
    with tempfile.TemporaryDirectory(prefix="images-", dir=parent) as folder:
        yield Path(folder)
