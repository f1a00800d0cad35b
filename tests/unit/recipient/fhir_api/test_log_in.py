"""Assertions and tokens, in the numbered steps of ``recipient.fhir_api.assertion``."""

from __future__ import annotations

import base64
import hmac
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import jwt
import pytest

from recipient.accounts import Doorkeeper, set_password
from recipient.errors import RecipientError, Refused, Unusable
from recipient.fhir_api.assertion import Asserted, verify_assertion
from recipient.fhir_api.clients import Registration, add_client, close_client, open_client, renew_keys
from recipient.fhir_api.scopes import parse_scopes
from recipient.fhir_api.tokens import GOOD_FOR, caller_of, issue_token
from recipient.store import Store
from tests.support.fhir_programs import PRIVATE, Program, person, registered, segment

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
URL = "https://share.example.org"
AUDIENCE = f"{URL}/oauth/token"


def log_in(store: Store, token: str, *, at: datetime = NOW) -> Asserted:
    with store.transaction():
        return verify_assertion(store, token, audience=AUDIENCE, at=at)


def refused(store: Store, token: str, *, at: datetime = NOW) -> bool:
    with pytest.raises(Refused) as caught:
        log_in(store, token, at=at)
    return (caught.value.code, caught.value.status) == ("invalid_client", 401)


@pytest.mark.parametrize("algorithm", sorted(PRIVATE))
def test_each_allowed_algorithm_logs_in(store: Store, algorithm: str) -> None:
    program = registered(store, URL, at=NOW, algorithm=algorithm)
    assert log_in(store, program.assertion(NOW)).client.name == "his"


def test_step_1_unknown_and_closed_clients_are_refused(store: Store) -> None:
    program = registered(store, URL, at=NOW)
    assert refused(store, Program("stranger", URL).assertion(NOW))
    close_client(store, "his")
    assert refused(store, program.assertion(NOW))


def unsigned(program: Program) -> str:
    head = segment({"alg": "none", "kid": program.kid})
    claims = jwt.decode(program.assertion(NOW), options={"verify_signature": False})
    return f"{head}.{segment(claims)}."


def by_secret(program: Program) -> str:
    """The public key used as if it were a shared secret (RFC 8725 section 2.1)."""
    claims = jwt.decode(program.assertion(NOW), options={"verify_signature": False})
    signed = f"{segment({'alg': 'HS384', 'kid': program.kid})}.{segment(claims)}"
    mac = hmac.digest(program.key_set(), signed.encode(), "sha384")
    return f"{signed}.{base64.urlsafe_b64encode(mac).decode()}"


def of_other_key(program: Program) -> str:
    return Program(program.name, URL).assertion(NOW)


def cut_off(program: Program) -> str:
    return program.assertion(NOW)[:-4] + "AAAA"


STEP_2: list[Callable[[Program], str]] = [
    unsigned,
    by_secret,
    of_other_key,
    cut_off,
    lambda program: program.assertion(NOW, headers={"kid": "other"}),
    lambda program: program.assertion(NOW, headers={"typ": "at+jwt"}),
    lambda program: program.assertion(NOW, headers={"crit": ["b64"], "b64": True}),
    lambda program: "",
    lambda program: "a.b",
    lambda program: "a.b.c",
    lambda program: "x" * 20_000,
    lambda program: ".".join((segment({}), segment([]), "")),
]


@pytest.mark.parametrize("make", STEP_2)
def test_step_2_what_is_not_signed_by_the_clients_key_is_refused(
    store: Store, make: Callable[[Program], str]
) -> None:
    assert refused(store, make(registered(store, URL, at=NOW)))


@pytest.mark.parametrize(
    "claims",
    [
        {"aud": URL},
        {"aud": f"{AUDIENCE}/"},
        {"aud": [AUDIENCE, "https://evil.example"]},
        {"aud": None},
        {"sub": "somebody"},
        {"sub": None},
    ],
)
def test_step_3_an_assertion_for_somebody_else_is_refused(store: Store, claims: dict[str, Any]) -> None:
    assert refused(store, registered(store, URL, at=NOW).assertion(NOW, **claims))


def seconds(number: float) -> int:
    return int((NOW + timedelta(seconds=number)).timestamp())


@pytest.mark.parametrize(
    ("claims", "good"),
    [
        ({"exp": seconds(300)}, True),
        ({"exp": seconds(301)}, False),
        ({"exp": seconds(1)}, True),
        ({"exp": seconds(0)}, False),
        ({"exp": seconds(-1)}, False),
        ({"exp": None}, False),
        ({"exp": "1772445900"}, False),
        ({"exp": True}, False),
        ({"exp": 10**30}, False),
        ({"iat": seconds(60), "nbf": seconds(60)}, True),
        ({"iat": seconds(61)}, False),
        ({"nbf": seconds(61)}, False),
        ({"nbf": "soon"}, False),
    ],
)
def test_step_4_it_lasts_five_minutes_at_most(store: Store, claims: dict[str, Any], good: bool) -> None:
    token = registered(store, URL, at=NOW).assertion(NOW, **claims)
    assert log_in(store, token).client.name == "his" if good else refused(store, token)


@pytest.mark.parametrize(
    "said",
    [
        {},
        {"version": "2", "subject_name": "S. de Wit"},
        {"version": "1"},
        {"version": "1", "subject_name": " "},
        {"version": "1", "subject_name": "x" * 81},
        {"version": "1", "subject_name": "S\u0000"},
        {"version": "1", "subject_name": ["S. de Wit"]},
        {"version": "1", "subject_name": "S. de Wit", "purpose_of_use": []},
        {"version": "1", "subject_name": "S. de Wit", "purpose_of_use": ["TREAT", "HRESCH"]},
        {"version": "1", "subject_name": "S. de Wit", "purpose_of_use": "TREAT"},
    ],
)
def test_step_5_a_person_half_named_or_for_another_purpose_is_refused(
    store: Store, said: dict[str, Any]
) -> None:
    program = registered(store, URL, at=NOW)
    assert refused(store, program.assertion(NOW, extensions={"hl7-b2b": said}))
    assert refused(store, program.assertion(NOW, extensions="x"))


def test_step_5_a_client_that_must_name_a_person_is_refused_without(store: Store) -> None:
    program = registered(store, URL, at=NOW, person_needed=True)
    assert refused(store, program.assertion(NOW))
    assert log_in(store, program.assertion(NOW, **person())).person is not None


def test_step_6_an_assertion_works_once(store: Store) -> None:
    program = registered(store, URL, at=NOW)
    token = program.assertion(NOW)
    log_in(store, token)
    assert refused(store, token)
    assert refused(store, token, at=NOW + timedelta(minutes=3))
    for jti in (None, "", "x" * 129, 7):
        assert refused(store, program.assertion(NOW, jti=jti))


def test_step_6_ids_are_kept_for_as_long_as_they_could_be_used_again(store: Store) -> None:
    program = registered(store, URL, at=NOW)
    for minutes in range(0, 60, 2):
        at = NOW + timedelta(minutes=minutes)
        log_in(store, program.assertion(at), at=at)
    assert len(store.rows("SELECT jti FROM oauth_assertion")) <= 3


def test_two_clients_may_use_the_same_id(store: Store) -> None:
    for name in ("one", "two"):
        program = registered(store, URL, at=NOW, name=name)
        log_in(store, program.assertion(NOW, jti="same"))


class TestTokens:
    def token(self, store: Store, program: Program, **claims: Any) -> str:
        with store.transaction():
            asserted = verify_assertion(store, program.assertion(NOW, **claims), audience=AUDIENCE, at=NOW)
            return issue_token(store, asserted, parse_scopes("system/Observation.rs"), at=NOW)

    def test_a_token_works_for_ten_minutes(self, store: Store) -> None:
        token = self.token(store, registered(store, URL, at=NOW))
        almost = NOW + GOOD_FOR - timedelta(seconds=1)
        assert caller_of(store, token, at=almost) is not None
        assert caller_of(store, token, at=NOW + GOOD_FOR) is None

    def test_the_store_does_not_hold_it(self, store: Store) -> None:
        token = self.token(store, registered(store, URL, at=NOW))
        assert token not in str(store.rows("SELECT * FROM oauth_token"))

    def test_it_ends_with_its_client(self, store: Store) -> None:
        token = self.token(store, registered(store, URL, at=NOW))
        close_client(store, "his")
        assert caller_of(store, token, at=NOW) is None
        assert store.rows("SELECT * FROM oauth_token") == []

    def test_it_names_the_person_and_the_program_or_the_program(self, store: Store) -> None:
        program = registered(store, URL, at=NOW)
        for claims, name, role in (
            (person(), "S. de Wit (HIS Zuid)", "internist"),
            ({}, "HIS Zuid", "hospital record"),
        ):
            caller = caller_of(store, self.token(store, program, **claims), at=NOW)
            assert caller is not None
            assert (caller.account.display, caller.account.role) == (name, role)

    @pytest.mark.parametrize("token", ["", "pgo_", "x" * 500, "\ud800"])
    def test_anything_else_is_nobody(self, store: Store, token: str) -> None:
        assert caller_of(store, token, at=NOW) is None


class TestRegistration:
    @pytest.mark.parametrize(
        ("changes", "code"),
        [
            ({"name": "A"}, "bad_client_name"),
            ({"name": "client:x"}, "bad_client_name"),
            ({"display": ""}, "bad_display"),
            ({"acts_for": "TREAT"}, "bad_display"),
            ({"acts_for": "record/NONSENSE"}, "bad_purpose"),
            ({"acts_for": "record/HRESCH"}, "bad_purpose"),
            ({"scopes": "user/*.rs"}, "bad_scopes"),
            ({"key_set": b"{}"}, "bad_key_set"),
            ({"key_set": b'{"keys":[]}'}, "bad_key_set"),
            ({"key_set": b"\xff"}, "bad_key_set"),
        ],
    )
    def test_what_could_not_work_is_not_registered(
        self, store: Store, changes: dict[str, Any], code: str
    ) -> None:
        said: dict[str, Any] = {
            "name": "his",
            "display": "HIS Zuid",
            "key_set": Program("his", URL).key_set(),
            "scopes": "system/*.rs",
            "acts_for": "record/TREAT",
        }
        with pytest.raises(Unusable) as caught:
            add_client(store, Registration(**(said | changes)), at=NOW)
        assert caught.value.code == code
        assert store.rows("SELECT * FROM account") == []

    def test_a_name_is_given_once(self, store: Store) -> None:
        registered(store, URL, at=NOW)
        with pytest.raises(Unusable):
            registered(store, URL, at=NOW)

    def test_its_account_cannot_log_in_to_the_portal(self, store: Store) -> None:
        registered(store, URL, at=NOW)
        keeper = Doorkeeper(store, tries=100)
        for password in ("", "!", "vier losse woorden tafel"):
            with pytest.raises(RecipientError):
                keeper.log_in("client:his", password, address="", at=NOW)
        with pytest.raises(Unusable):
            set_password(store, name="client:his", password="vier losse woorden tafel")

    def test_other_keys_count_from_the_next_log_in(self, store: Store) -> None:
        old = registered(store, URL, at=NOW)
        new = Program("his", URL, "EdDSA", kid="key-2")
        renew_keys(store, "his", new.key_set())
        assert refused(store, old.assertion(NOW))
        assert log_in(store, new.assertion(NOW)).client == open_client(store, "his")
