"""A token endpoint that checks client assertions itself (PyJWT), in front of the small FHIR server."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs

import jwt

from sync.endpoint import Endpoint
from sync.fhir_server.login import HttpCaller
from sync.transport import Answer

ASSERTION = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"


@dataclass
class SmartFront:
    """A caller that answers discovery and token requests, and hands all else to the real line.

    Attributes:
        line: the real way out.
        key: public JWK as the person registered it.
        seconds: life of a token as the answer says it.
    """

    line: HttpCaller
    key: dict[str, Any]
    client_id: str = "pgo-app"
    seconds: int | None = 300
    algorithms: tuple[str, ...] = ("RS384", "ES384")
    token: str = "token-1"
    discovery_status: int = 200
    token_endpoint: str = ""
    issued: int = 0
    assertions: list[dict[str, Any]] = field(default_factory=list)

    def call(self, method: str, endpoint: Endpoint, path: str, **more: Any) -> Answer:
        if path == "/.well-known/smart-configuration":
            return self._discovery(endpoint)
        if endpoint.path == "/token":
            return self._token(endpoint, parse_qs(more["body"].decode()))
        return self.line.call(method, endpoint, path, **more)

    def _discovery(self, endpoint: Endpoint) -> Answer:
        said = {
            "token_endpoint": self.token_endpoint or f"{endpoint.url()}/token",
            "token_endpoint_auth_methods_supported": ["private_key_jwt"],
            "token_endpoint_auth_signing_alg_values_supported": list(self.algorithms),
        }
        return Answer(self.discovery_status, {}, json.dumps(said).encode())

    def _token(self, endpoint: Endpoint, form: dict[str, list[str]]) -> Answer:
        assert form["grant_type"] == ["client_credentials"]
        assert form["client_assertion_type"] == [ASSERTION]
        key = jwt.PyJWK(self.key)
        try:
            claims = jwt.decode(
                form["client_assertion"][0],
                key.key,
                algorithms=[self.key["alg"]],
                audience=endpoint.url(),
                issuer=self.client_id,
                options={"require": ["exp", "iat", "jti", "sub"], "verify_exp": False, "verify_iat": False},
            )
        except jwt.InvalidTokenError:
            return Answer(400, {}, b'{"error":"invalid_client"}')
        self.assertions.append(claims)
        self.issued += 1
        said: dict[str, Any] = {"access_token": self.token, "token_type": "bearer"}
        if self.seconds is not None:
            said["expires_in"] = self.seconds
        return Answer(200, {}, json.dumps(said).encode())
