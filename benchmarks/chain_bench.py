"""What does verifying the journal's hash chain cost? (G15)

Run: ``python -m benchmarks.chain_bench [--entries 100000] [--rounds 9]``

The chain of ``crypto.chain`` over bodies as long as journal lines, beside one SHA-256 over the same bytes in
one piece, and beside writing each body anew in canonical form before hashing it, as a chain over parsed
entries would have to.
"""

from __future__ import annotations

import argparse
import hashlib
import json

from benchmarks.goals import Goal, print_goals
from benchmarks.side_by_side import print_timings, side_by_side
from crypto.canonical import canonical_bytes, parse_strict
from crypto.chain import GENESIS, link, verify_links


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


def _body(number: int) -> bytes:
    line = {"at": "2026-11-22T10:00:00Z", "event": "record.looked", "number": number, "by": "x" * 40}
    return json.dumps(line, sort_keys=True, separators=(",", ":")).encode()


if __name__ == "__main__":
    main()
