"""What does encryption cost the store, and what does opening cost? (G5, G6, G7)

Run: ``python -m benchmarks.engine_bench [--rounds 7] [--rows 20000]``

The engine of the store (SQLCipher, 8 KiB pages, the settings of ``pgo.store.database``) with a key, beside
the same library as it comes (no key, 4 KiB pages): rows as large as health records, three indexes, one
transaction. Cold means a new connection, so that every page is read and decrypted again; the operating
system still has the file in memory. Opening is measured beside opening without a key, and with our
passphrase derivation beside SQLCipher's own.
"""

from __future__ import annotations

import argparse
import hashlib
import tempfile
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Any

import sqlcipher3.dbapi2 as sqlcipher

from benchmarks.goals import Goal, print_goals
from benchmarks.side_by_side import Timings, print_timings, side_by_side
from crypto.passphrase import Argon2Parameters, derive_kek, new_salt
from pgo.store.database import _SETTINGS

KEY = bytes(range(32))
_SCHEMA = (
    "CREATE TABLE record (id INTEGER PRIMARY KEY, type TEXT, kind TEXT, start_on TEXT, sha TEXT, raw BLOB)",
    "CREATE INDEX by_type ON record (type, start_on)",
    "CREATE INDEX by_day ON record (start_on DESC, id DESC)",
    "CREATE UNIQUE INDEX by_hash ON record (sha)",
)
_INSERT = "INSERT INTO record (type, kind, start_on, sha, raw) VALUES (?, ?, ?, ?, ?)"
_POINTS = 2_000


class Pair:
    """The same database twice: with a key and without."""

    def __init__(self, folder: Path, count: int) -> None:
        self.folder, self.count = folder, count
        random = Random(20261122)
        self.rows = [self._row(random, number) for number in range(count)]
        self.points = [random.randrange(1, count + 1) for _ in range(_POINTS)]
        self.warm: dict[bool, Any] = {}
        for keyed in (False, True):
            self.fill(keyed=keyed)
            self.warm[keyed] = self.open(keyed=keyed)

    @staticmethod
    def _row(random: Random, number: int) -> tuple[object, ...]:
        day = f"{2000 + number % 25}-{1 + number % 12:02}-{1 + number % 28:02}"
        raw = random.randbytes(200).hex().encode() * 3
        return ("Observation", "measurement", day, hashlib.sha256(b"%d" % number).hexdigest(), raw)

    def open(self, *, keyed: bool) -> Any:
        """Open a connection with the settings of the product."""
        connection = sqlcipher.connect(self.folder / f"{keyed}.db", isolation_level=None)
        if keyed:
            connection.set_key(f"x'{KEY.hex()}'")
        for setting in _SETTINGS:
            connection.execute(setting).fetchall()
        return connection

    def fill(self, *, keyed: bool) -> None:
        """Make the database anew and put every row in, in one transaction."""
        for path in self.folder.glob(f"{keyed}.db*"):
            path.unlink()
        connection = self.open(keyed=keyed)
        for statement in _SCHEMA:
            connection.execute(statement)
        connection.execute("BEGIN")
        connection.executemany(_INSERT, self.rows)
        connection.execute("COMMIT")
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
        connection.close()

    def read_points(self, *, keyed: bool, warm: bool) -> None:
        """Read records one by one, by number."""
        connection = self.warm[keyed] if warm else self.open(keyed=keyed)
        for number in self.points:
            connection.execute("SELECT raw FROM record WHERE id = ?", (number,)).fetchone()

    def scan(self, *, keyed: bool) -> None:
        """Read every record."""
        connection = self.open(keyed=keyed)
        found = sum(len(row[0]) for row in connection.execute("SELECT raw FROM record"))
        if found != sum(len(row[4]) for row in self.rows):
            raise SystemExit("the scan did not see every record")
        connection.close()

    def touch(self, *, keyed: bool) -> None:
        """Open, read one row, close."""
        connection = self.open(keyed=keyed)
        connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
        connection.close()


def twice(work: Callable[..., None], **chosen: bool) -> dict[str, Callable[[], None]]:
    """The same work with a key and without."""
    return {
        "plain": lambda: work(keyed=False, **chosen),
        "encrypted": lambda: work(keyed=True, **chosen),
    }


def opening(pair: Pair, rounds: int) -> Timings:
    """Open with our passphrase and read fifty rows, beside SQLCipher's own passphrase."""
    other, salt = pair.folder / "own.db", new_salt()

    def own() -> None:
        connection = sqlcipher.connect(other, isolation_level=None)
        connection.execute("PRAGMA key = 'only for measuring here'").fetchall()
        connection.execute("CREATE TABLE IF NOT EXISTS t (x)")
        connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
        connection.close()

    def ours() -> None:
        derive_kek("only for measuring here", salt=salt, parameters=Argon2Parameters())
        connection = pair.open(keyed=True)
        connection.execute("SELECT * FROM record ORDER BY start_on DESC, id DESC LIMIT 50").fetchall()
        connection.close()

    return side_by_side({"SQLCipher's own derivation": own, "Argon2id, open, 50 rows": ours}, rounds=rounds)


def main() -> None:
    """Run the benchmark and print its tables."""
    parser = argparse.ArgumentParser(description="Measure the encrypted engine beside the plain one.")
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--rows", type=int, default=20_000)
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        pair = Pair(Path(folder), chosen.rows)
        works: dict[str, dict[str, Callable[[], None]]] = {
            "insert": twice(pair.fill),
            "warm reads": twice(pair.read_points, warm=True),
            "cold reads": twice(pair.read_points, warm=False),
            "cold scan": twice(pair.scan),
            "open": twice(pair.touch),
        }
        found = {}
        for name, variants in works.items():
            found[name] = side_by_side(variants, rounds=chosen.rounds)
            print(f"{name}, {chosen.rows} rows")
            print_timings(found[name], "plain")
        unlock = opening(pair, chosen.rounds)
        print("unlock")
        print_timings(unlock, "SQLCipher's own derivation")
    print_goals(_goals(found, unlock))


def _goals(found: dict[str, Timings], unlock: Timings) -> list[Goal]:
    def ratio(name: str) -> float:
        return found[name].ratio("encrypted", "plain")

    own = unlock.ratio("Argon2id, open, 50 rows", "SQLCipher's own derivation", wall=True)
    return [
        Goal("insert, times plain", 1.25, ratio("insert"), code="G5"),
        Goal("warm reads, times plain", 1.05, ratio("warm reads"), code="G6"),
        Goal("cold point reads, times plain", 2.0, ratio("cold reads"), code="G6b"),
        Goal("cold scan, times plain", 3.0, ratio("cold scan"), code="G6c"),
        Goal("open with the key, times plain", 4, ratio("open"), code="G7"),
        Goal("passphrase to 50 rows, times SQLCipher's own", 2, own, code="G7b"),
    ]


if __name__ == "__main__":
    main()
