"""What does a backup cost, and putting it back?

Run: ``python -m benchmarks.backup_bench [--megabytes 60] [--rounds 7]``

Beside a plain copy of the vault's database file, synced, with a SHA-256 of what was written: what the
simplest backup program does. Ours re-encrypts every page (the snapshot), seals, signs, writes, reads all of
it back, decrypts it, checks every page's code and compares every row of every table; putting back does the
second half of that. Every byte passes a cipher seven times, the floor none: the snapshot opens and seals each
page, the description opens it, the stream seals, the proof opens the stream and each page twice. The aim is
that a large vault takes seconds, and that nobody adds an eighth time unseen.
"""

from __future__ import annotations

import argparse
import hashlib
import itertools
import os
import random
import shutil
import tempfile
from pathlib import Path

from benchmarks.data import open_session
from benchmarks.goals import Goal, print_goals
from benchmarks.side_by_side import Timings, print_timings, side_by_side
from pgo.store.backup_open import with_key
from pgo.store.backup_restore import restore_new
from pgo.usecases.session import Session

FLOOR, BACKUP, RESTORE = "plain copy, sync, SHA-256", "backup, proved", "put back, compared"
_CHUNK_BYTES = 1 << 20


def main() -> None:
    """Run the benchmark and print its table."""
    parser = argparse.ArgumentParser(description="Measure making and putting back a backup.")
    parser.add_argument("--megabytes", type=int, default=60)
    parser.add_argument("--rounds", type=int, default=7)
    chosen = parser.parse_args()
    with open_session() as session, tempfile.TemporaryDirectory() as folder:
        fill(session, chosen.megabytes * 1_000_000)
        timings, size_bytes = measure(session, Path(folder), rounds=chosen.rounds)
    print(f"database of {size_bytes / 1e6:.1f} MB, {chosen.rounds} rounds")
    print_timings(timings, FLOOR)
    for name in (FLOOR, BACKUP, RESTORE):
        print(f"  {name:34} {size_bytes / 1e6 / timings.seconds(name, wall=True):8.1f} MB/s")
    print_goals(
        [
            Goal("backup with proof, times a copy with SHA-256", 20, timings.ratio(BACKUP, FLOOR)),
            Goal("putting back, times a copy with SHA-256", 10, timings.ratio(RESTORE, FLOOR)),
        ]
    )


def fill(session: Session, wanted_bytes: int) -> None:
    """Store records of about 2 kB, as clinical records are, and a few documents of 400 kB."""
    rng, store, at = random.Random(1), session.store, session.now()
    sizes = itertools.cycle([2_000] * 199 + [400_000])
    stored = 0
    while stored < wanted_bytes:
        with store.write(at):
            for size in itertools.islice(sizes, 200):
                store.settings.put(f"bench.{stored}", rng.randbytes(size // 2).hex())
                stored += size


def measure(session: Session, folder: Path, *, rounds: int) -> tuple[Timings, int]:
    """Time the three side by side; returns also how large the database is."""
    store, source = session.store, session.folder / "store-1.db"
    store.check()  # folds the log in, so that the file is the whole of it
    numbers = itertools.count()
    kept = store.write_backup(folder / "kept.pgobackup", at=session.now())
    key = bytes(store._vault_key)  # type: ignore[attr-defined]  # the price of a passphrase is not measured

    def plain() -> None:
        target = folder / "plain.db"
        digest = hashlib.sha256()
        with source.open("rb") as read, target.open("wb") as written:
            while piece := read.read(_CHUNK_BYTES):
                digest.update(piece)
                written.write(piece)
            written.flush()
            os.fsync(written.fileno())
        target.unlink()

    def backup() -> None:
        store.write_backup(folder / f"{next(numbers)}.pgobackup", at=session.now()).path.unlink()

    def restore() -> None:
        restore_new(kept.path, folder / "back", with_key(key), at=session.now())
        shutil.rmtree(folder / "back")

    return side_by_side(
        {FLOOR: plain, BACKUP: backup, RESTORE: restore}, rounds=rounds
    ), source.stat().st_size


if __name__ == "__main__":
    main()
