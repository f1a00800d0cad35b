"""A log-in service on a loopback port that a test makes honest or wrong in exactly one way."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import secrets
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, cast
from urllib.parse import parse_qs, urlsplit

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

from crypto.canonical import b64url

CLIENT_ID, CLIENT_SECRET = "portal", "een geheim van de dienst: met leestekens&="
Claims = dict[str, Any]
SigningKey = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey


def make_key(kind: str) -> SigningKey:
    """Make a key of the kind that an algorithm needs."""
    if kind in ("RS256", "PS256"):
        return rsa.generate_private_key(public_exponent=65537, key_size=2048)
    return (
        ed25519.Ed25519PrivateKey.generate() if kind == "EdDSA" else ec.generate_private_key(ec.SECP256R1())
    )


def public_jwk(key: SigningKey, kid: str) -> Claims:
    """Write the public half as services publish it."""
    if isinstance(key, rsa.RSAPrivateKey):
        n = key.public_key().public_numbers()
        return {"kty": "RSA", "kid": kid, "use": "sig", "n": number(n.n), "e": number(n.e), "x5t": "ignored"}
    if isinstance(key, ec.EllipticCurvePrivateKey):
        p = key.public_key().public_numbers()
        return {"kty": "EC", "crv": "P-256", "kid": kid, "x": number(p.x, 32), "y": number(p.y, 32)}
    raw = key.public_key().public_bytes(serialization.Encoding.Raw, serialization.PublicFormat.Raw)
    return {"kty": "OKP", "crv": "Ed25519", "kid": kid, "x": b64url(raw)}


def number(value: int, size: int = 0) -> str:
    return b64url(value.to_bytes(size or (value.bit_length() + 7) // 8, "big"))


def sign(header: Claims, claims: Claims, key: SigningKey | bytes | None) -> str:
    """Sign as `alg` in the header says; bytes are a shared secret, None is no signature at all."""
    signed = ".".join(b64url(json.dumps(part).encode()) for part in (header, claims))
    return f"{signed}.{b64url(_signature(str(header.get('alg')), signed.encode(), key))}"


def _signature(alg: str, data: bytes, key: SigningKey | bytes | None) -> bytes:
    if key is None:
        return b""
    if isinstance(key, bytes):
        return hmac.new(key, data, hashlib.sha256).digest()
    if isinstance(key, ec.EllipticCurvePrivateKey):
        r, s = decode_dss_signature(key.sign(data, ec.ECDSA(hashes.SHA256())))
        return r.to_bytes(32, "big") + s.to_bytes(32, "big")
    if isinstance(key, ed25519.Ed25519PrivateKey):
        return key.sign(data)
    pss = padding.PSS(mgf=padding.MGF1(hashes.SHA256()), salt_length=32)
    return key.sign(data, pss if alg == "PS256" else padding.PKCS1v15(), hashes.SHA256())


def public_pem(key: SigningKey) -> bytes:
    return key.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )


@dataclass
class LoginServiceDouble:
    """What the service does; a test changes one thing and looks whether somebody notices.

    Attributes:
        now: the clock of the service.
        token_of: makes the ID token from header and claims; signs honestly unless changed.
        document: changes the discovery document.
        keys: what is published now, by name.
        asked: addresses that were asked, in order.
    """

    url: str
    now: Callable[[], datetime]
    algorithm: str = "RS256"
    keys: dict[str, SigningKey] = field(default_factory=dict)
    claims: Claims = field(default_factory=dict)
    token_of: Callable[[Claims, Claims], str] | None = None
    document: Claims = field(default_factory=dict)
    codes: dict[str, tuple[Claims, str]] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)

    @property
    def key(self) -> SigningKey:
        return next(iter(self.keys.values()))

    def new_key(self, kid: str) -> None:
        """Renew: from now on only this key is published and used."""
        self.keys = {kid: make_key(self.algorithm)}

    def authorize(self, address: str) -> str:
        """Do what the service does when somebody logs in there: give the query to come back with."""
        asked = {name: values[0] for name, values in parse_qs(urlsplit(address).query).items()}
        assert (asked["response_type"], asked["client_id"]) == ("code", CLIENT_ID)
        assert asked["code_challenge_method"] == "S256"
        assert "openid" in asked["scope"].split()
        code = secrets.token_urlsafe(16)
        self.codes[code] = (asked, asked["code_challenge"])
        return f"code={code}&state={asked['state']}&iss={self.url}"

    def redeem(self, fields: dict[str, str], authorization: str) -> tuple[int, Claims]:
        """Give an ID token for a code: once, to our client, with the proof of the one who asked for it."""
        asked, challenge = self.codes.pop(fields.get("code", ""), ({}, ""))
        expected = base64.b64encode(f"{CLIENT_ID}:{_form(CLIENT_SECRET)}".encode()).decode()
        proof = b64url(hashlib.sha256(fields.get("code_verifier", "").encode()).digest())
        if not asked or authorization != f"Basic {expected}" or proof != challenge:
            return 400, {"error": "invalid_grant"}
        assert fields["redirect_uri"] == asked["redirect_uri"]
        at = int(self.now().timestamp())
        claims = {
            "iss": self.url,
            "aud": CLIENT_ID,
            "sub": "subject-1",
            "exp": at + 300,
            "iat": at,
            "nonce": asked["nonce"],
            "amr": ["pwd", "mfa"],
            "name": "S. de Wit",
            **self.claims,
        }
        header = {"alg": self.algorithm, "kid": next(iter(self.keys)), "typ": "JWT"}
        make = self.token_of or (lambda head, body: sign(head, body, self.key))
        return 200, {"access_token": "unused", "token_type": "Bearer", "id_token": make(header, claims)}

    def answer(self, method: str, path: str, body: bytes, authorization: str) -> tuple[int, Claims]:
        self.asked.append(path)
        if path == "/.well-known/openid-configuration":
            return 200, self._document()
        if path == "/keys":
            return 200, {"keys": [public_jwk(key, kid) for kid, key in self.keys.items()]}
        if (method, path) == ("POST", "/token"):
            fields = {name: values[0] for name, values in parse_qs(body.decode()).items()}
            return self.redeem(fields, authorization)
        return 404, {}

    def _document(self) -> Claims:
        return {
            "issuer": self.url,
            "authorization_endpoint": f"{self.url}/authorize",
            "token_endpoint": f"{self.url}/token",
            "jwks_uri": f"{self.url}/keys",
            "end_session_endpoint": f"{self.url}/end",
            "response_types_supported": ["code"],
            "id_token_signing_alg_values_supported": ["none", "HS256", "RS256", "PS256", "ES256", "EdDSA"],
            "authorization_response_iss_parameter_supported": True,
            **self.document,
        }


def _form(text: str) -> str:
    from urllib.parse import quote_plus

    return quote_plus(text)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def _do(self) -> None:
        body = self.rfile.read(int(self.headers.get("content-length") or 0))
        service = cast("_Server", self.server).service
        status, value = service.answer(
            self.command, urlsplit(self.path).path, body, self.headers.get("authorization", "")
        )
        data = json.dumps(value).encode()
        self.send_response(status)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    do_GET = do_POST = _do

    def log_message(self, format: str, *args: object) -> None:
        """Be quiet."""


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    service: LoginServiceDouble


@contextmanager
def running_login_service(
    now: Callable[[], datetime], *, algorithm: str = "RS256"
) -> Iterator[LoginServiceDouble]:
    """Run a service until the block ends."""
    server = _Server(("127.0.0.1", 0), _Handler)
    server.service = LoginServiceDouble(f"http://127.0.0.1:{server.server_address[1]}", now, algorithm)
    server.service.new_key("first")
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield server.service
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
