"""Logging in: with nothing, with a token, as a SMART backend service; against a checker of its own."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from crypto.client_keys import ClientKey
from crypto.errors import CryptoError
from sync.errors import LocalRuleError, RemoteRuleError, Unreachable
from sync.fhir_server.login import BearerLogin, SmartLogin, check_token
from sync.fhir_server.parcel import parcel_bytes
from sync.fhir_server.server import fhir_server
from sync.fhir_server.transport import FhirDestination, FhirTransport
from sync.transport import InboxTransport
from tests.support.fhir_memory import Habits, MemoryFhir, serving_fhir
from tests.support.fhir_parcels import AT, a_destination, a_parcel, a_transport, observations
from tests.support.smart_server import SmartFront

CONTENT = parcel_bytes(a_parcel(observations(1)))
KEY = ClientKey.generate()


class Smart:
    """A server behind a token endpoint, and our side of it."""

    def __init__(self, url: str, key: ClientKey = KEY, **front: Any) -> None:
        self.now = AT
        self.front = SmartFront(InboxTransport(), key.public_jwk, **front)
        self.transport = FhirTransport(self.front, clock=self.clock)
        self.to = FhirDestination(fhir_server(name="x", endpoint=url), SmartLogin("pgo-app", key))

    def clock(self) -> datetime:
        return self.now

    def deliver(self) -> None:
        assert self.transport.deliver(self.to, CONTENT).stored


def rsa_key(bits: int = 2048) -> bytes:
    return rsa.generate_private_key(public_exponent=65537, key_size=bits).private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


@pytest.mark.parametrize("key", [KEY, ClientKey.from_pem(rsa_key())], ids=["ES384", "RS384"])
def test_an_assertion_is_taken_and_its_token_used_until_shortly_before_its_end(key: ClientKey) -> None:
    fhir = MemoryFhir(Habits(token="token-1"))
    with serving_fhir(fhir) as url:
        smart = Smart(url, key)
        smart.deliver()
        smart.now += timedelta(seconds=269)
        smart.deliver()
        assert smart.front.issued == 1
        smart.now += timedelta(seconds=1)
        smart.deliver()
        assert smart.front.issued == 2
    first, second = smart.front.assertions
    assert first["sub"] == first["iss"] == "pgo-app"
    assert 0 < first["exp"] - first["iat"] <= 300
    assert first["jti"] != second["jti"]


def test_a_token_that_is_refused_is_asked_for_once_more() -> None:
    fhir = MemoryFhir(Habits(token="token-1"))
    with serving_fhir(fhir) as url:
        smart = Smart(url)
        smart.deliver()
        fhir.habits.token = smart.front.token = "token-2"
        smart.deliver()
        assert smart.front.issued == 2
        fhir.habits.token = "another"
        with pytest.raises(RemoteRuleError) as refusal:
            smart.deliver()
        assert refusal.value.code == "fhir_not_allowed"
        assert smart.front.issued == 3, "one renewal, then no more"


def test_another_key_than_the_registered_one_is_refused() -> None:
    with serving_fhir(MemoryFhir()) as url:
        smart = Smart(url)
        smart.front.key = ClientKey.generate().public_jwk
        with pytest.raises(RemoteRuleError) as refusal:
            smart.deliver()
    assert refusal.value.code == "fhir_login_refused"


@pytest.mark.parametrize(
    "front",
    [
        {"discovery_status": 404},
        {"algorithms": ("RS256",)},
        {"token_endpoint": "http://elsewhere.example/token"},
        {"token_endpoint": "https://user@elsewhere.example/token"},
    ],
)
def test_what_smart_needs_and_is_not_there_is_said(front: dict[str, Any]) -> None:
    with serving_fhir(MemoryFhir()) as url, pytest.raises(RemoteRuleError) as refusal:
        Smart(url, **front).deliver()
    assert refusal.value.code == "fhir_no_smart"


def test_a_busy_discovery_is_asked_again_later() -> None:
    with serving_fhir(MemoryFhir()) as url, pytest.raises(Unreachable):
        Smart(url, discovery_status=503).deliver()


def test_a_bearer_token_goes_with_each_request_but_not_with_the_question_what_it_can() -> None:
    fhir = MemoryFhir(Habits(token="geheim"))
    with serving_fhir(fhir) as url:
        a_transport().deliver(a_destination(url, BearerLogin("geheim")), CONTENT)
    assert fhir.authorizations[0] == ""
    assert set(fhir.authorizations[1:]) == {"Bearer geheim"}


def test_a_changed_login_forgets_what_was_asked_before() -> None:
    fhir = MemoryFhir(Habits(token="geheim"))
    with serving_fhir(fhir) as url:
        transport, to = a_transport(), replace(a_destination(url, BearerLogin("fout")), version="1")
        with pytest.raises(RemoteRuleError):
            transport.deliver(to, CONTENT)
        assert transport.deliver(replace(to, login=BearerLogin("geheim"), version="2"), CONTENT).stored


@pytest.mark.parametrize("token", ["", " ", "two words", "regel\nregel", "é", "x" * 9_000])
def test_a_token_that_could_break_a_header_is_refused(token: str) -> None:
    with pytest.raises(LocalRuleError):
        check_token(token)


def test_secrets_do_not_show() -> None:
    shown = repr(
        [BearerLogin("geheim"), SmartLogin("pgo-app", KEY), KEY, a_destination("http://127.0.0.1:1")]
    )
    assert "geheim" not in shown
    assert KEY.pkcs8.hex() not in shown
    assert "d" not in KEY.public_jwk


def _pem(key: object) -> bytes:
    return key.private_bytes(  # type: ignore[attr-defined, no-any-return] # any private key
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


@pytest.mark.parametrize(
    "pem",
    [
        b"",
        b"-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n",
        b"x" * 20_000,
        _pem(ec.generate_private_key(ec.SECP256R1())),
        _pem(rsa.generate_private_key(public_exponent=65537, key_size=1024)),
    ],
    ids=["empty", "no_key", "too_large", "other_curve", "short_rsa"],
)
def test_a_key_that_is_not_fit_is_refused(pem: bytes) -> None:
    with pytest.raises(CryptoError):
        ClientKey.from_pem(pem)
