"""A hospital's record system towards the FHIR API of a recipient: keys, assertions, tokens, requests."""

from __future__ import annotations

import base64
import json
import secrets
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import httpx
import jwt
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from jwt.algorithms import get_default_algorithms

from recipient.fhir_api.assertion import ASSERTION_TYPE
from recipient.fhir_api.clients import Registration, add_client
from recipient.store import Store

EVERYTHING = "system/*.rs"
PRIVATE = {
    "ES384": lambda: ec.generate_private_key(ec.SECP384R1()),
    "ES256": lambda: ec.generate_private_key(ec.SECP256R1()),
    "EdDSA": ed25519.Ed25519PrivateKey.generate,
    "RS384": lambda: rsa.generate_private_key(public_exponent=65537, key_size=2048),
}


@dataclass
class Program:
    """One registered client."""

    name: str
    url: str
    algorithm: str = "ES384"
    key: Any = None
    kid: str = "key-1"
    tokens: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.key = self.key or PRIVATE[self.algorithm]()

    def key_set(self) -> bytes:
        public = get_default_algorithms()[self.algorithm].to_jwk(self.key.public_key(), as_dict=True)
        known = {"kid": self.kid, "alg": self.algorithm, "use": "sig"}
        return json.dumps({"keys": [dict(public) | known]}).encode()

    def assertion(self, at: datetime, *, headers: dict[str, Any] | None = None, **changes: Any) -> str:
        claims: dict[str, Any] = {
            "iss": self.name,
            "sub": self.name,
            "aud": f"{self.url}/oauth/token",
            "exp": int((at + timedelta(minutes=4)).timestamp()),
            "jti": secrets.token_hex(16),
        }
        claims |= changes
        claims = {name: value for name, value in claims.items() if value is not None}
        return jwt.encode(claims, self.key, self.algorithm, headers={"kid": self.kid} | (headers or {}))

    def ask_token(
        self, web: httpx.Client, at: datetime, *, scope: str = EVERYTHING, assertion: str | None = None
    ) -> httpx.Response:
        form = {
            "grant_type": "client_credentials",
            "scope": scope,
            "client_assertion_type": ASSERTION_TYPE,
            "client_assertion": assertion or self.assertion(at),
        }
        return web.post("/oauth/token", data=form)

    def log_in(self, web: httpx.Client, at: datetime, *, scope: str = EVERYTHING, **claims: Any) -> str:
        answer = self.ask_token(web, at, scope=scope, assertion=self.assertion(at, **claims))
        assert answer.status_code == 200, answer.text
        return str(answer.json()["access_token"])


def registered(
    store: Store,
    url: str,
    *,
    at: datetime,
    name: str = "his",
    display: str = "HIS Zuid",
    scopes: str = EVERYTHING,
    acts_for: str = "hospital record/TREAT",
    algorithm: str = "ES384",
    person_needed: bool = False,
) -> Program:
    """Make a client and register it."""
    program = Program(name, url, algorithm)
    wanted = Registration(name, display, program.key_set(), scopes, acts_for, person_needed)
    add_client(store, wanted, at=at)
    return program


def bearer(token: str, **more: str) -> dict[str, str]:
    """Return the headers of a request with a token."""
    return {"authorization": f"Bearer {token}", **more}


def person(name: str = "S. de Wit", role: str = "internist", *purposes: str) -> dict[str, Any]:
    """Return the claim that names who asks."""
    said: dict[str, Any] = {"version": "1", "subject_name": name, "subject_role": role}
    said["purpose_of_use"] = list(purposes) or ["urn:oid:2.16.840.1.113883.5.8#TREAT"]
    return {"extensions": {"hl7-b2b": said}}


def segment(value: object) -> str:
    """Return JSON as a part of a token."""
    return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()
