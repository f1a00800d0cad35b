"""What do building a bundle and putting it on the wire cost? (G11, G12)

Run: ``python -m benchmarks.push_bench [FILE] [--rounds 9]``

Building: our transaction Bundle beside gluing the stored bytes together unchecked, beside reading and writing
them with ``json``, and beside the models of ``fhir.resources``.

Sending: the same content packed and not packed, signed, sealed, sent over loopback HTTP/1.1 and opened at the
other end, in wall time; and the bytes of both. Padding is part of both: bytes are what really travels.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from fhir.resources.R4B.bundle import Bundle

from benchmarks.data import large_bundle
from benchmarks.goals import Goal, print_goals
from benchmarks.side_by_side import print_timings, side_by_side
from benchmarks.sink import sink
from crypto.sealing import SUITE
from sync.bundle import build_push, build_transaction
from sync.envelope import open_message
from sync.packing import pack
from sync.transport import InboxTransport
from tests.support.envelopes import built_by_hand
from tests.support.sync_world import AT, CLINIC_ID, CLINIC_OPENING, PATIENT, a_card

Pairs = list[tuple[str, bytes]]
MOST = 2_000


def main() -> None:
    """Run both parts and print their tables."""
    parser = argparse.ArgumentParser(description="Measure building and sending a push.")
    parser.add_argument("file", nargs="*", type=Path)
    parser.add_argument("--rounds", type=int, default=9)
    chosen = parser.parse_args()
    pairs = resources(large_bundle(chosen.file))
    print_goals([*building(pairs, chosen.rounds), *sending(pairs, chosen.rounds)])


def resources(data: bytes) -> Pairs:
    """Give references and bytes as a store would have them."""
    found = (entry["resource"] for entry in json.loads(data)["entry"][:MOST])
    return [
        (f"{one['resourceType']}/r{number}", json.dumps(one, ensure_ascii=False).encode())
        for number, one in enumerate(found)
    ]


def building(pairs: Pairs, rounds: int) -> list[Goal]:
    """Measure a Bundle of the given resources."""
    timings = side_by_side(
        {
            "glued": lambda: glued(pairs),
            "ours": lambda: build_transaction(pairs, subject_id="s"),
            "json": lambda: json.dumps(entries([json.loads(raw) for _, raw in pairs], pairs)).encode(),
            "fhir.resources": lambda: modelled(pairs),
        },
        rounds=rounds,
    )
    print(
        f"a Bundle of {len(pairs)} resources, {sum(len(raw) for _, raw in pairs) / 1e6:.1f} MB, per resource:"
    )
    print_timings(timings, "glued", per=len(pairs), unit="us")
    return [
        Goal("bundle, times gluing the stored bytes", 1.2, timings.ratio("ours", "glued"), code="G11"),
        Goal("bundle, times faster than json", 9, timings.ratio("json", "ours"), least=True, code="G11b"),
        Goal(
            "bundle, times faster than fhir.resources",
            350,
            timings.ratio("fhir.resources", "ours"),
            least=True,
            code="G11c",
        ),
    ]


def glued(pairs: Pairs) -> bytes:
    """Put the bytes into a Bundle and look at none of them."""
    parts = (
        b'{"resource":' + raw + b',"request":{"method":"PUT","url":"' + reference.encode() + b'"}}'
        for reference, raw in pairs
    )
    return b'{"resourceType":"Bundle","type":"transaction","entry":[' + b",".join(parts) + b"]}"


def entries(bodies: list[object], pairs: Pairs) -> dict[str, object]:
    """Write the Bundle as Python values."""
    requests = ({"method": "PUT", "url": reference} for reference, _ in pairs)
    parts = [{"resource": body, "request": request} for body, request in zip(bodies, requests, strict=True)]
    return {"resourceType": "Bundle", "type": "transaction", "entry": parts}


def modelled(pairs: Pairs) -> bytes:
    """Build the Bundle with models, which check as they read and write anew."""
    bundle = Bundle.model_validate(entries([json.loads(raw) for _, raw in pairs], pairs))
    return bundle.model_dump_json().encode()


def sending(pairs: Pairs, rounds: int) -> list[Goal]:
    """Measure the way from content to opened content, packed and not."""
    transaction = build_transaction(pairs, subject_id=PATIENT.signing.public.text)
    content = build_push(statement="a.b.c", transaction=transaction, purpose="TREAT", actions=["view"])
    packed = built_by_hand(content=content)
    plain = built_by_hand(content=content, outer={"suite": SUITE}, packed=bytes)

    keys = {CLINIC_OPENING.public.id: CLINIC_OPENING}

    def opened(body: bytes) -> bytes:
        return str(len(open_message(body, opening_keys=keys, audience=CLINIC_ID, at=AT).content)).encode()

    with sink(opened) as url:
        card = a_card(endpoint=url)
        timings = side_by_side(
            {
                "not packed": lambda: InboxTransport().send(
                    card, "/", built_by_hand(content=content, outer={"suite": SUITE}, packed=bytes)
                ),
                "packed": lambda: InboxTransport().send(card, "/", built_by_hand(content=content)),
            },
            rounds=rounds,
        )
    print(f"a push of {len(content) / 1e6:.2f} MB: {len(plain):,} bytes not packed, {len(packed):,} packed")
    print_timings(timings, "not packed")
    return [
        Goal("push, bytes on the wire, times not packed", 0.10, len(packed) / len(plain), code="G12"),
        Goal(
            "push, time, times not packed (wall)",
            1.1,
            timings.ratio("packed", "not packed", wall=True),
            code="G12b",
        ),
        Goal("packing alone, bytes, times the content", 0.10, len(pack(content)) / len(content)),
    ]


if __name__ == "__main__":
    main()
