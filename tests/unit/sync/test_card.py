from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest

from crypto.canonical import b64url, b64url_decode
from crypto.keys import SigningKey
from crypto.signing import sign_jws
from sync.card import FILE_HEAD, MAX_FILE_BYTES, card_file, parse_card, sign_card
from sync.errors import LocalRuleError, RemoteRuleError
from tests.support.sync_world import AT, CLINIC_SIGNING, a_card

TOKEN = sign_card(a_card(), CLINIC_SIGNING)
MEMBERS: dict[str, Any] = json.loads(b64url_decode(TOKEN.split(".")[1]))


def _signed(members: Any, *, key: SigningKey = CLINIC_SIGNING, typ: str = "pgo-card+jws") -> str:
    return sign_jws(json.dumps(members).encode(), key, typ=typ)


def _refusal(untrusted: str | bytes, **changes: Any) -> str:
    with pytest.raises(RemoteRuleError) as refusal:
        parse_card(untrusted, **{"at": AT, **changes})
    return refusal.value.code


def test_a_card_reads_back() -> None:
    assert parse_card(TOKEN, at=AT) == a_card()


@pytest.mark.parametrize(
    "form",
    [
        card_file(TOKEN),
        card_file(TOKEN).encode(),
        card_file(TOKEN).replace("\n", "\r\n"),
        f"\n\n  {TOKEN[:50]}\n\t{TOKEN[50:]} \n",
        FILE_HEAD + "\n" + TOKEN,
        TOKEN.encode(),
    ],
)
def test_step_1_a_card_survives_mail_and_paper(form: str | bytes) -> None:
    assert parse_card(form, at=AT) == a_card()


def test_lines_of_a_card_file_are_short() -> None:
    assert max(len(line) for line in card_file(TOKEN).splitlines()) <= 76


@pytest.mark.parametrize(
    "text", ["", "hello", FILE_HEAD, b"\xff\xfe", "é" + TOKEN, TOKEN[:-10], "PGO-CARD 2\n" + TOKEN]
)
def test_step_1_other_text_is_no_card(text: str | bytes) -> None:
    assert _refusal(text) == "bad_card"


def test_step_1_size() -> None:
    assert _refusal(TOKEN + " " * MAX_FILE_BYTES) == "bad_card"


@pytest.mark.parametrize("name", sorted(MEMBERS))
def test_step_2_every_member_is_needed(name: str) -> None:
    assert _refusal(_signed({key: value for key, value in MEMBERS.items() if key != name})) == "bad_card"


@pytest.mark.parametrize(
    "change",
    [
        {"extra": 1},
        {"v": 2},
        {"v": True},
        {"kind": "insurer"},
        {"id": "ura 1"},
        {"id": "URA:1"},
        {"id": "ura:"},
        {"id": 5},
        {"name": ""},
        {"name": "x" * 201},
        {"name": "a\u202eb"},
        {"identifier": {}},
        {"identifier": [{"system": "s"}]},
        {"issued_at": "2026-06-01"},
        {"issued_at": "2026-06-01T12:00:00+00:00"},
        {"issued_at": "2026-13-01T12:00:00Z"},
        {"issued_at": "2026-06-01T12:00:0Z"},
        {"expires_at": 0},
    ],
    ids=str,
)
def test_step_2_members_have_their_types(change: dict[str, Any]) -> None:
    assert _refusal(_signed({**MEMBERS, **change})) == "bad_card"


@pytest.mark.parametrize(
    "change",
    [
        {"verify_key": b64url(bytes(32))},
        {"verify_key": b64url(bytes(31))},
        {"sealing_key": b64url(bytes(32))},
        {"sealing_key": "!"},
        {"endpoint": "http://clinic.example"},
        {"endpoint": "https://user@clinic.example"},
        {"endpoint": "javascript:alert(1)"},
    ],
    ids=str,
)
def test_step_3_keys_and_address_are_fit(change: dict[str, Any]) -> None:
    assert _refusal(_signed({**MEMBERS, **change})) == "bad_card"


def test_step_4_a_card_signed_by_another_key() -> None:
    assert _refusal(_signed(MEMBERS, key=SigningKey.generate())) == "bad_card"


def test_step_4_another_document_is_no_card() -> None:
    assert _refusal(_signed(MEMBERS, typ="pgo-receipt+jws")) == "bad_card"


def test_step_4_a_changed_card() -> None:
    head, _, signature = TOKEN.split(".")
    forged = b64url(json.dumps({**MEMBERS, "endpoint": "https://evil.example"}).encode())
    assert _refusal(f"{head}.{forged}.{signature}") == "bad_card"


@pytest.mark.parametrize(
    ("at", "code"),
    [
        (a_card().issued_at - timedelta(seconds=301), "card_not_yet_valid"),
        (a_card().expires_at, "card_expired"),
        (a_card().expires_at + timedelta(days=900), "card_expired"),
    ],
)
def test_step_5_a_card_has_its_time(at: Any, code: str) -> None:
    assert _refusal(TOKEN, at=at) == code


def test_step_5_borders() -> None:
    assert parse_card(TOKEN, at=a_card().issued_at - timedelta(seconds=300)) == a_card()
    assert parse_card(TOKEN, at=a_card().expires_at - timedelta(seconds=1)) == a_card()


def test_a_card_is_signed_with_its_own_key_only() -> None:
    with pytest.raises(LocalRuleError) as refusal:
        sign_card(a_card(), SigningKey.generate())
    assert refusal.value.code == "card_key"


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"kind": "x"}, "bad_card"),
        ({"endpoint": "http://x.example"}, "bad_endpoint"),
        ({"name": ""}, "bad_card"),
    ],
)
def test_a_card_nobody_would_accept_is_not_signed(change: dict[str, Any], code: str) -> None:
    with pytest.raises(LocalRuleError) as refusal:
        sign_card(a_card(**change), CLINIC_SIGNING)
    assert refusal.value.code == code


def test_a_card_names_its_actor_for_consent() -> None:
    assert (a_card().actor.kind, a_card().actor.value) == ("org", "ura:00000123")
    assert a_card(kind="registry").actor.kind == "registry"


def test_fingerprint_is_that_of_the_verify_key() -> None:
    assert a_card().fingerprint == CLINIC_SIGNING.public.fingerprint()


def test_an_instant_without_zone_cannot_be_signed() -> None:
    with pytest.raises(ValueError, match="time zone"):
        sign_card(a_card(issued_at=AT.replace(tzinfo=None)), CLINIC_SIGNING)
