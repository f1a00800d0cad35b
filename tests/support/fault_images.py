"""What a disk may hold after the power went: images of a folder at every point of a trace.

The model: what a file was told to sync is on the disk; of what was written or renamed since, nothing,
everything, a prefix, any subset, or pieces of 512 bytes may be. Names are on the disk when their folder was
synced (POSIX promises no more), and each change of a name happens entirely or not at all.
"""

from __future__ import annotations

import hashlib
import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from random import Random

from tests.support.fault_trace import ROOT, Ack, Cut, Operation, Rename, Sync, Tree, Write, apply_names

SECTOR = 512
MODES = ("none", "all", "prefix", "subset", "torn")
Change = Write | Cut | Rename


@dataclass(frozen=True)
class Image:
    """One possible disk, after so many operations and acknowledged steps."""

    tree: Tree
    point: int
    mode: str
    done: int
    tried: int

    def __str__(self) -> str:
        return f"after operation {self.point}, {self.mode} of what was not synced"


class Disk:
    """What is surely on the disk, and what may be."""

    def __init__(self, start: Tree) -> None:
        self.durable = start
        self.waiting: list[Change] = []

    def do(self, operation: Operation) -> None:
        if isinstance(operation, Sync):
            self._sync(operation.node)
        elif not isinstance(operation, Ack):
            self.waiting.append(operation)

    def _sync(self, node: int) -> None:
        ready = [change for change in self.waiting if _touches(change, node)]
        self.waiting = [change for change in self.waiting if not _touches(change, node)]
        for change in ready:
            apply(self.durable, change)

    def with_changes(self, changes: Sequence[Change]) -> Tree:
        names = {node: dict(inside) for node, inside in self.durable.names.items()}
        tree = Tree(names, dict(self.durable.data))
        for change in changes:
            apply(tree, change)
        return tree


def _touches(change: Change, node: int) -> bool:
    if isinstance(change, Rename):
        return any(folder == node for folder, _, _ in change.entries)
    return change.file == node


def apply(tree: Tree, change: Change) -> None:
    """Let one change reach the disk."""
    if isinstance(change, Rename):
        apply_names(tree, change)
        return
    old = tree.data.get(change.file, b"")
    if isinstance(change, Cut):
        tree.data[change.file] = old[: change.size].ljust(change.size, b"\0")
    else:
        end = change.offset + len(change.data)
        tree.data[change.file] = old[: change.offset].ljust(change.offset, b"\0") + change.data + old[end:]


def images(start: Tree, operations: Sequence[Operation], dice: Random, each: int) -> Iterator[Image]:
    """Different images at every point of the trace, at most ``each`` per point; no image twice."""
    disk = Disk(start)
    seen: set[bytes] = set()
    done = tried = 0
    for point, operation in enumerate((None, *operations)):
        if isinstance(operation, Ack):
            done += 1
            tried = done
        elif operation is not None:
            disk.do(operation)
            tried = done + 1  # the step in flight may be there, or not
        for number in range(each):
            mode = MODES[number % len(MODES)]
            tree = disk.with_changes(_chosen(disk.waiting, mode, dice))
            key = _fingerprint(tree, done, tried)
            if key not in seen:
                seen.add(key)
                yield Image(tree, point, mode, done, tried)


def _chosen(waiting: Sequence[Change], mode: str, dice: Random) -> list[Change]:
    match mode:
        case "none":
            return []
        case "all":
            return list(waiting)
        case "prefix":
            return list(waiting[: dice.randint(0, len(waiting))])
        case "subset":
            return [change for change in waiting if dice.random() < 0.5]
    return [part for change in waiting for part in _torn(change, dice)]


def _torn(change: Change, dice: Random) -> Iterator[Change]:
    if not isinstance(change, Write):
        if dice.random() < 0.5:
            yield change
        return
    first = -change.offset % SECTOR
    cuts = [0, *range(first or SECTOR, len(change.data), SECTOR), len(change.data)]
    for start, end in itertools.pairwise(cuts):
        if dice.random() < 0.5:
            yield Write(change.file, change.offset + start, change.data[start:end])


def _fingerprint(tree: Tree, done: int, tried: int) -> bytes:
    digest = hashlib.blake2b(f"{done} {tried}".encode(), digest_size=16)

    def take(node: int) -> None:
        for name, child in sorted(tree.names[node].items()):
            digest.update(f"/{name}:{len(tree.data.get(child, b''))}".encode())
            if child in tree.names:
                take(child)
            else:
                digest.update(tree.data[child])

    take(ROOT)
    return digest.digest()
