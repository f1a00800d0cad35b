"""What does verifying a hash chain cost, of the journal and of the log of who looked? (G15)

Run: ``python -m benchmarks.chain_bench [--entries 100000] [--rounds 9]``

The chain of ``crypto.chain`` over bodies as long as journal lines, beside one SHA-256 over the same bytes in
one piece, and beside writing each body anew in canonical form before hashing it, as a chain over parsed
entries would have to.

The same for the lines of the access log in full form (``sync.access_full``), with everything its reader does
beside it: reading every line, numbers, types. And the share of signing: one signature for up to 2,000 lines.
"""

from __future__ import annotations

import argparse
import hashlib
import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from benchmarks.goals import Goal, print_goals
from benchmarks.side_by_side import print_timings, side_by_side
from crypto.canonical import canonical_bytes, parse_strict
from crypto.chain import GENESIS, link, verify_links
from crypto.keys import SigningKey
from sync.access import NO_HEAD, AccessDetails, AccessEntry, AccessHead, next_entry
from sync.access_full import MAX_LINES, full_line, sign_access_head, sign_full_log, verify_full_log


def main() -> None:
    """Run the benchmark and print its table."""
    parser = argparse.ArgumentParser(description="Measure verifying a hash chain.")
    parser.add_argument("--entries", type=int, default=100_000)
    parser.add_argument("--rounds", type=int, default=9)
    chosen = parser.parse_args()
    pairs: list[tuple[bytes, str]] = []
    head = GENESIS
    for number in range(chosen.entries):
        body = _body(number)
        head = link(head, body)
        pairs.append((body, head))
    whole = b"".join(body for body, _ in pairs)
    tenth = pairs[: chosen.entries // 10]

    def anew() -> None:
        for body, _ in tenth:
            hashlib.sha256(canonical_bytes(parse_strict(body, max_bytes=10_000))).hexdigest()

    timings = side_by_side(
        {
            "one SHA-256": lambda: hashlib.sha256(whole).hexdigest(),
            "verify the chain": lambda: verify_links(pairs),
            "a tenth, written anew": anew,
        },
        rounds=chosen.rounds,
    )
    print(f"{chosen.entries} entries, {len(whole) / 1e6:.1f} MB, {chosen.rounds} rounds")
    print_timings(timings, "one SHA-256")
    print_goals(
        [Goal("chain, times one SHA-256", 6, timings.ratio("verify the chain", "one SHA-256"), code="G15")]
    )
    _access_log(chosen.entries, chosen.rounds)


def _access_log(entries: int, rounds: int) -> None:
    lines = [full_line(entry, _DETAILS) for entry in _looks(entries)]
    pairs: list[tuple[bytes, str]] = []
    seal = GENESIS
    for line in lines:
        seal = link(seal, line.encode())
        pairs.append((line.encode(), seal))
    whole = b"".join(body for body, _ in pairs)
    some = lines[:MAX_LINES]
    key = SigningKey.generate()
    head = AccessHead(len(some), pairs[len(some) - 1][1])
    token = sign_full_log(some, after=0, head=head, subject="s", key=key, at=_AT)
    timings = side_by_side(
        {
            "one SHA-256": lambda: hashlib.sha256(whole).hexdigest(),
            "verify the chain of looks": lambda: verify_links(pairs),
            f"a whole answer of {len(some)} looks": lambda: verify_full_log(token, key.public, subject="s"),
            "its two signatures": lambda: [sign_access_head(head, subject="s", key=key, at=_AT)] * 2,
        },
        rounds=rounds,
    )
    print(f"{entries} looks, {len(whole) / 1e6:.1f} MB, {rounds} rounds")
    print_timings(timings, "one SHA-256")
    ratio = timings.ratio("verify the chain of looks", "one SHA-256")
    share = timings.ratio("its two signatures", f"a whole answer of {len(some)} looks")
    print_goals(
        [
            Goal("looks, times one SHA-256", 6, ratio, code="G15b"),
            Goal("signatures, share of reading an answer", 0.05, share, code="G15c"),
        ]
    )


def _looks(count: int) -> Iterator[AccessEntry]:
    head = NO_HEAD
    for number in range(count):
        entry = next_entry(
            head,
            at=_AT + timedelta(seconds=number),
            user="S. de Wit",
            role="internist",
            action="open",
            categories=["labs", "medications"],
            purpose="TREAT",
        )
        head = AccessHead(entry.sequence, entry.hash)
        yield entry


_AT = datetime(2026, 11, 22, 10, 0, tzinfo=UTC)
_DETAILS = AccessDetails(
    user_id="staff:17",
    organisation="Praktijk Zuid",
    organisation_id="ura:00000123",
    on_behalf_of="",
    outcome="permitted",
    reason="",
    note="",
    origin="portal",
    place="sha256:" + "1" * 64,
    statement=3,
    short="",
)


def _body(number: int) -> bytes:
    line = {"at": "2026-11-22T10:00:00Z", "event": "record.looked", "number": number, "by": "x" * 40}
    return json.dumps(line, sort_keys=True, separators=(",", ":")).encode()


if __name__ == "__main__":
    main()
