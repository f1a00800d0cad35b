"""What was decoded lately is taken over, never more than its bound, and forgotten when told so."""

from __future__ import annotations

import json
from datetime import UTC, datetime

from recipient.holdings import Held
from recipient.parsed import Recent

AT = datetime(2026, 6, 1, tzinfo=UTC)


def _rows(count: int, *, words: str = "") -> list[Held]:
    body = {"resourceType": "Observation", "status": "final", "note": [{"text": words}]}
    raw = json.dumps(body).encode()
    return [Held(number, f"Observation/r{number}", None, raw, AT) for number in range(count)]


def test_the_same_bytes_are_decoded_once_and_other_bytes_again() -> None:
    recent = Recent()
    first = recent.read("a", _rows(3))
    again = recent.read("a", [*_rows(2), *_rows(3, words="changed")[2:]])
    assert [one.resource is other.resource for one, other in zip(first, again, strict=True)] == [
        True,
        True,
        False,
    ]
    assert again[2].resource.body != first[2].resource.body


def test_a_sender_sees_nothing_of_another_and_is_forgotten() -> None:
    recent = Recent()
    (mine,) = recent.read("a", _rows(1))
    (other,) = recent.read("b", _rows(1))
    assert other.resource is not mine.resource
    recent.forget("a")
    assert recent.read("a", _rows(1))[0].resource is not mine.resource


def test_it_holds_no_more_than_its_bound() -> None:
    size = len(_rows(1)[0].raw)
    recent = Recent(max_bytes=3 * size)
    (oldest,) = recent.read("a", _rows(1))
    (newer,) = recent.read("b", _rows(1))
    recent.read("c", _rows(2))
    assert recent.read("b", _rows(1))[0].resource is newer.resource
    assert recent.read("a", _rows(1))[0].resource is not oldest.resource
    too_many = recent.read("d", _rows(4))
    assert recent.read("d", _rows(4))[0].resource is not too_many[0].resource
