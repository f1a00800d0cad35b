"""One-time codes: the vectors of RFC 6238, a step either way, each code once."""

from __future__ import annotations

import pickle
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qs, urlsplit

import pytest

from crypto.errors import Malformed
from crypto.one_time import OneTimeSecret, new_one_time_secret

# RFC 6238 appendix B, SHA1; the vectors have eight digits, an app shows the last six of them
VECTORS = (
    (59, "94287082"),
    (1111111109, "07081804"),
    (1111111111, "14050471"),
    (1234567890, "89005924"),
    (2000000000, "69279037"),
    (20000000000, "65353130"),
)
SECRET = OneTimeSecret(b"12345678901234567890")
AT = datetime(2026, 3, 2, 9, 0, 10, tzinfo=UTC)
STEP = timedelta(seconds=30)


@pytest.mark.parametrize(("seconds", "digits"), VECTORS)
def test_vectors_of_the_standard(seconds: int, digits: str) -> None:
    at = datetime.fromtimestamp(seconds, UTC)
    assert SECRET.code(at) == digits[-6:]
    assert SECRET.matching_step(digits[-6:], at=at, after=-1) == seconds // 30


@pytest.mark.parametrize(("steps", "taken"), [(-2, False), (-1, True), (0, True), (1, True), (2, False)])
def test_a_clock_may_differ_by_one_step(steps: int, taken: bool) -> None:
    code = SECRET.code(AT + steps * STEP)
    assert (SECRET.matching_step(code, at=AT, after=-1) is not None) is taken


def test_a_step_that_was_used_is_never_taken_again_nor_one_before_it() -> None:
    used = SECRET.matching_step(SECRET.code(AT), at=AT, after=-1)
    assert used is not None
    assert SECRET.matching_step(SECRET.code(AT), at=AT, after=used) is None
    assert SECRET.matching_step(SECRET.code(AT - STEP), at=AT, after=used) is None
    assert SECRET.matching_step(SECRET.code(AT + STEP), at=AT, after=used) == used + 1


@pytest.mark.parametrize("typed", ["", "12345", "1234567", "12345x", "١٢٣٤٥٦", "      ", "-12345", "1e5000"])
def test_what_is_no_code_is_refused(typed: str) -> None:
    assert SECRET.matching_step(typed, at=AT, after=-1) is None


def test_the_secret_shows_itself_only_when_asked() -> None:
    secret = new_one_time_secret()
    assert secret.text.replace(" ", "") not in repr(secret) + str(secret)
    with pytest.raises(TypeError):
        pickle.dumps(secret)
    assert secret.raw != new_one_time_secret().raw
    assert len(secret.raw) == 20
    with pytest.raises(Malformed):
        OneTimeSecret(bytes(19))


def test_the_address_for_apps_carries_what_they_need() -> None:
    parts = urlsplit(SECRET.address(account="dewit", place="Praktijk Zuid"))
    values = parse_qs(parts.query)
    assert (parts.scheme, parts.netloc, parts.path) == ("otpauth", "totp", "/Praktijk%20Zuid:dewit")
    assert values["secret"] == [SECRET.text.replace(" ", "")] == ["GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"]
    assert (values["issuer"], values["digits"], values["period"]) == (["Praktijk Zuid"], ["6"], ["30"])
