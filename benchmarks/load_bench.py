"""What does a recipient take, and what happens when it is asked for more?

Run: ``python -m benchmarks.load_bench [--clients 8] [--messages 40]``

A recipient in a process of its own. N clients push sealed messages of about 3 kB and of about 300 kB, each
client for a patient of its own; then twice as many clients as the recipient lets wait push at once, and what
is sent away comes back after the time it was told, until everything is taken. Printed: messages a second,
median and 99th percentile of the time to the receipt, memory of the recipient before and after, how often 503
was said, and whether every accepted message is there afterwards (asked for again: the same receipt).
"""

from __future__ import annotations

import argparse
import json
import secrets
import statistics
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx

from benchmarks.goals import Goal, print_goals
from recipient.config import Limits
from sync.wire import Kind, new_message_id
from tests.support.patient_side import PatientSide
from tests.support.recipient_process import RecipientProcess, running_recipient

SIZES = {"3 kB": 3_000, "300 kB": 300_000}
MIB = 1024 * 1024


@dataclass
class Pusher:
    """One client with a patient of its own."""

    side: PatientSide
    seconds: list[float] = field(default_factory=list)
    sent_away: int = 0
    receipts: dict[str, str] = field(default_factory=dict)
    contents: dict[str, bytes] = field(default_factory=dict)

    def push(self, url: str, content: bytes, *, message_id: str = "", patience: int = 200) -> str:
        """Send one message until it is taken; return the opened receipt."""
        message_id = message_id or new_message_id()
        with httpx.Client(trust_env=False, timeout=120) as client:
            start = time.perf_counter()
            for _ in range(patience):
                at = datetime.now(UTC)
                body = self.side.envelope(Kind.PUSH, content, at=at, message_id=message_id)
                answer = client.post(f"{url}/v1/inbox", content=body)
                if answer.status_code == 200:
                    self.seconds.append(time.perf_counter() - start)
                    receipt = self.side.open(answer, message_id)
                    self.receipts[message_id], self.contents[message_id] = receipt, content
                    return receipt
                if answer.status_code not in (503, 429):
                    raise RuntimeError(f"refused with {answer.status_code}")
                self.sent_away += 1
                time.sleep(min(int(answer.headers["retry-after"]), 1) * 0.2)  # a bench need not wait 10 s
        raise RuntimeError("never taken")


def resource(number: int, size: int) -> dict[str, Any]:
    """A synthetic Observation of about a size, that does not pack: its note is random."""
    return {
        "resourceType": "Observation",
        "id": f"o{number}",
        "status": "final",
        "category": [{"coding": [{"system": _CATEGORY, "code": "vital-signs"}]}],
        "code": {"coding": [{"system": "http://loinc.org", "code": "29463-7"}]},
        "subject": {"reference": "Patient/p1"},
        "effectiveDateTime": "2026-01-01",
        "valueQuantity": {"value": 80, "unit": "kg"},
        "note": [{"text": secrets.token_hex(max(1, (size - 600) // 2))}],
    }


_CATEGORY = "http://terminology.hl7.org/CodeSystem/observation-category"


def pushers(running: RecipientProcess, count: int, *, first: int) -> list[Pusher]:
    """Make clients, each with a statement the recipient will see first with the first push."""
    at = datetime.now(UTC)
    made = []
    for number in range(first, first + count):
        side = PatientSide.of(running.url, at=at, seed=number.to_bytes(32, "big"))
        side.grant(at=at)
        made.append(Pusher(side))
    return made


def run_size(running: RecipientProcess, clients: list[Pusher], size: int, *, messages: int) -> list[float]:
    """Let every client push; return the seconds of every message."""

    def work(pusher: Pusher) -> None:
        for number in range(messages):
            pusher.push(running.url, pusher.side.push_content([resource(number, size)]))

    for one in clients:
        one.seconds.clear()
    with ThreadPoolExecutor(len(clients)) as pool:
        list(pool.map(work, clients))
    return sorted(seconds for one in clients for seconds in one.seconds)


def all_there(running: RecipientProcess, clients: list[Pusher]) -> int:
    """Ask for every receipt again; return how many messages are not there as they were accepted."""
    lost = 0
    for one in clients:
        for message_id, receipt in list(one.receipts.items()):
            again = one.push(running.url, one.contents[message_id], message_id=message_id)
            lost += again != receipt
    return lost


def main() -> None:
    """Run the benchmark and print its table."""
    parser = argparse.ArgumentParser(description="Load a recipient.")
    parser.add_argument("--clients", type=int, default=8)
    parser.add_argument("--messages", type=int, default=40)
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, running_recipient(Path(folder)) as running:
        clients = pushers(running, chosen.clients, first=1)
        before = running.memory_bytes()
        print(f"{chosen.clients} clients, {chosen.messages} messages each, encrypted file store")
        for name, size in SIZES.items():
            start = time.perf_counter()
            seconds = run_size(running, clients, size, messages=chosen.messages)
            took = time.perf_counter() - start
            p99 = seconds[min(len(seconds) - 1, int(len(seconds) * 0.99))]
            print(
                f"  {name:>7}: {len(seconds) / took:6.1f} messages/s, p50 {statistics.median(seconds):.3f} s,"
                f" p99 {p99:.3f} s, memory {running.memory_bytes() / MIB:.0f} MiB"
            )
        crowd = pushers(running, 2 * Limits().max_inbox_waiting, first=1000)
        run_size(running, crowd, SIZES["3 kB"], messages=2)
        sent_away = sum(one.sent_away for one in crowd)
        lost = all_there(running, [*clients, *crowd])
        grown = (running.memory_bytes() - before) / MIB
        counted = sum(len(one.receipts) for one in (*clients, *crowd))
        print(
            json.dumps(
                {"accepted": counted, "sent_away": sent_away, "lost": lost, "grown_mib": round(grown, 1)}
            )
        )
    print_goals([Goal("accepted messages lost", 0, lost), Goal("memory grown, MiB", 60, round(grown, 1))])


if __name__ == "__main__":
    main()
