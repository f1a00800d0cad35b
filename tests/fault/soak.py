"""``python -m tests.fault.soak --minutes 30``: does anything grow when an app and a recipient run for long?

One measurement a second goes from a real vault to a real recipient over a line on which 5% of the requests
meet a fault. The vault is locked and opened each minute, the recipient started again every ten. Each minute
both processes are weighed: memory, open descriptors, size of the log file. At the end the slope of each is
printed (least squares, the first fifth left out as warming up), and the books of both ends are compared.

Goals (security guide section 4): memory below 1 MiB an hour, descriptors constant, log below 64 MiB.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path

from tests.support.fault_proxy import Fault, Proxy, storm
from tests.support.sync_books import Books, compare
from tests.support.sync_process import CARD, Patient, Recipient, free_port, weigh

SHARE = 0.05
MEASUREMENTS = 100
"""So many different ones; each later value is a newer version, so that what is shared does not grow."""
RESTART_MINUTES = 10


@dataclass
class Soak:
    """One long run; ``rows`` holds (minute, name of the figure, value)."""

    folder: Path
    minutes: int
    rows: list[tuple[int, str, int]] = field(default_factory=list)
    kept: dict[int, str] = field(default_factory=dict)
    most_waiting: int = 0

    def run(self) -> Books:
        recipient = Recipient(self.folder / "recipient", free_port())
        proxy = Proxy(recipient.port, weather=storm(1, SHARE))
        recipient.make(proxy.url)
        patient = Patient(self.folder / "patient")
        patient.place.mkdir()
        (patient.place / CARD).write_bytes(recipient.card)
        try:
            with proxy.running():
                recipient.start()
                patient.start()
                for minute in range(1, self.minutes + 1):
                    self._minute(patient, minute)
                    self._weigh(minute, "app", patient.ask("weight"))
                    self._weigh(minute, "recipient", weigh(recipient.pid, recipient.data))
                    if minute % RESTART_MINUTES == 0:
                        recipient.stop()
                        recipient.start()
                while patient.ask("send"):
                    pass
                said = {patient.ask("sub"): (patient.ask("books"), self.kept)}
        finally:
            patient.end()
            recipient.stop()
        faults = sum(count for fault, count in proxy.counted.items() if fault is not Fault.NONE)
        print(f"{len(proxy.seen)} requests, {faults} faults, at most {self.most_waiting} waiting")
        return compare(recipient.data, said)

    def _minute(self, patient: Patient, minute: int) -> None:
        patient.ask("lock")
        for second in range(60):
            due = time.monotonic() + 1
            number = (minute * 60 + second) % MEASUREMENTS
            value = f"{40 + minute % 50}.{minute * 60 + second:06d}"
            patient.ask("record", number, value)
            self.kept[number] = value
            self.most_waiting = max(self.most_waiting, patient.ask("send"))
            time.sleep(max(0.0, due - time.monotonic()))

    def _weigh(self, minute: int, side: str, weight: dict[str, int]) -> None:
        self.rows += [(minute, f"{side} {name}", value) for name, value in weight.items()]
        print(minute, side, weight, flush=True)

    def summary(self) -> list[str]:
        """One line per figure: from, to, most, slope per hour."""
        found = []
        for name in dict.fromkeys(name for _, name, _ in self.rows):
            points = [(m, v) for m, n, v in self.rows if n == name and m > self.minutes // 5]
            values = [value for _, value in points]
            found.append(
                f"{name}: {values[0]} to {values[-1]}, most {max(values)}, {60 * slope(points):+.0f} an hour"
            )
        return found


def slope(points: list[tuple[int, int]]) -> float:
    """Least squares: growth per minute."""
    mean_x = sum(x for x, _ in points) / len(points)
    mean_y = sum(y for _, y in points) / len(points)
    spread = sum((x - mean_x) ** 2 for x, _ in points)
    return sum((x - mean_x) * (y - mean_y) for x, y in points) / spread if spread else 0.0


def main() -> int:
    parser = argparse.ArgumentParser(description="A long run of an app and a recipient over a bad line.")
    parser.add_argument("--minutes", type=int, default=480)
    minutes = parser.parse_args().minutes
    with tempfile.TemporaryDirectory() as folder:
        soak = Soak(Path(folder), minutes)
        books = soak.run()
    print(*soak.summary(), sep="\n")
    print(f"{books.delivered} delivered, {books.receipts} receipts, {books.effects} effects;", books.wrong)
    return 1 if books.wrong else 0


if __name__ == "__main__":
    sys.exit(main())
