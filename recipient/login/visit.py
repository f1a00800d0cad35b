"""One log-in at a service: the address the browser is sent to, and what it brings back.

``finish`` goes in this order, and tests carry the same numbers:

1. ``state`` names a log-in that this browser began here, at this service, less than ten minutes ago, and that
   nobody finished yet (``recipient.login.pending``);
2. ``iss``, when the answer carries it or the service says that it always does, is the issuer (RFC 9207);
3. the service did not answer with an error;
4. the code becomes a token at the service's own address, with the proof that we asked for it (PKCE);
5. the ID token holds (``recipient.login.claims``); a key we do not know is looked up once more.

Each service has a return address of its own, so that an answer of one cannot be brought back as that of
another (RFC 9700 section 4.4.2).

Sources: OpenID Connect Core 1.0 section 3.1, RFC 6749, RFC 7636 (PKCE), RFC 9207, RFC 9700.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Mapping
from datetime import datetime
from urllib.parse import urlencode

from crypto.canonical import b64url, parse_strict
from crypto.errors import Malformed, WrongKey
from recipient.errors import Refused
from recipient.login.claims import BadToken, Person, check_id_token
from recipient.login.directory import Directory, Metadata
from recipient.login.fetch import MAX_ANSWER_BYTES, ProviderWeb
from recipient.login.pending import Pending
from recipient.login.services import LoginService
from recipient.store import Store

SCOPES = "openid profile email"


class Visits:
    """Log-ins at services, for one running recipient.

    Args:
        store: where what is pending is kept.
        web: the way to the services.
        base: our public address.
    """

    def __init__(self, store: Store, web: ProviderWeb, *, base: str) -> None:
        self._pending = Pending(store, "visit")
        self._web = web
        self._directory = Directory(web)
        self._base = base

    def begin(self, service: LoginService, *, browser: str, at: datetime) -> str:
        """Return the address to send a browser to.

        Args:
            service: where somebody wants to log in.
            browser: value of the cookie that this browser will bring back.
            at: now.

        Raises:
            Refused: ``service_unreachable``, ``service_unfit``.
        """
        metadata = self._directory.metadata(service.issuer, at=at)
        state, nonce, verifier = (secrets.token_urlsafe(32) for _ in range(3))
        payload = {"service": service.name, "nonce": nonce, "verifier": verifier}
        self._pending.put(state, payload, browser=browser, at=at)
        fields = {
            "response_type": "code",
            "client_id": service.client_id,
            "redirect_uri": self._return_address(service),
            "scope": SCOPES,
            "state": state,
            "nonce": nonce,
            "code_challenge": b64url(hashlib.sha256(verifier.encode("ascii")).digest()),
            "code_challenge_method": "S256",
        }
        if service.acr:
            fields["acr_values"] = " ".join(service.acr)
        return f"{metadata.authorization}?{urlencode(fields)}"

    def finish(
        self, service: LoginService, answer: Mapping[str, str], *, browser: str, at: datetime
    ) -> Person:
        """Take what a browser brought back.

        Args:
            service: by the return address.
            answer: untrusted query.
            browser: value of its cookie, untrusted.
            at: now.

        Returns:
            Who logged in there.

        Raises:
            Refused: ``state_unknown``, ``service_refused``, ``service_unreachable``, ``service_unfit``.
            BadToken: see ``recipient.login.claims``; also for an answer that is not for us.
        """
        begun = self._pending.take(answer.get("state", ""), browser=browser, at=at)  # step 1
        if begun is None or begun["service"] != service.name:
            raise Refused("state_unknown", status=403)
        metadata = self._directory.metadata(service.issuer, at=at)
        said = answer.get("iss")  # step 2
        if said != service.issuer and (said is not None or metadata.says_issuer):
            raise BadToken("answer_issuer")
        code = answer.get("code", "")
        if "error" in answer or not code:  # step 3
            raise Refused("service_refused", status=403)
        token = self._redeem(service, metadata, code, begun["verifier"])  # step 4
        return self._check(service, metadata, token, nonce=begun["nonce"], at=at)  # step 5

    def end_address(self, service: LoginService, *, at: datetime) -> str:
        """Return where a browser logs out at a service, '' when it has no such place or does not answer."""
        try:
            return self._directory.metadata(service.issuer, at=at).end_session
        except Refused:
            return ""

    def _redeem(self, service: LoginService, metadata: Metadata, code: str, verifier: str) -> str:
        fields = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": self._return_address(service),
            "code_verifier": verifier,
        }
        basic = None
        if service.secret and metadata.basic:
            basic = (service.client_id, service.secret)
        else:
            fields["client_id"] = service.client_id
            if service.secret:
                fields["client_secret"] = service.secret
        try:
            answer = parse_strict(
                self._web.post_form(metadata.token, fields, basic=basic), max_bytes=MAX_ANSWER_BYTES
            )
        except Malformed as exc:
            raise BadToken("answer_form") from exc
        token = answer.get("id_token") if isinstance(answer, Mapping) else None
        if not isinstance(token, str):
            raise BadToken("answer_form")
        return token

    def _check(
        self, service: LoginService, metadata: Metadata, token: str, *, nonce: str, at: datetime
    ) -> Person:
        for renewed in (False, True):
            keys = self._directory.keys(service.issuer, at=at, renewed=renewed)
            try:
                return check_id_token(
                    token, keys, service=service, algorithms=metadata.algorithms, nonce=nonce, at=at
                )
            except WrongKey:
                continue
        raise BadToken("unknown_key")

    def _return_address(self, service: LoginService) -> str:
        return f"{self._base}/portal/login/at/{service.name}/done"
