"""Log-in services (OpenID Connect providers) that an installation trusts, as its operator set them.

Promises:
1. a service is set on the command line only; its client secret is sealed at rest and never shown again;
2. an issuer is an address as ``sync.endpoint`` checks it (https, or http to this machine), said once only;
3. roles let in only where the operator named both the claim and what each role means here; absent means no.

Sources: OpenID Connect Discovery 1.0 section 3 (issuer), OpenID Connect Core 1.0 sections 2 (acr, amr) and 9.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from recipient.errors import NotShared, Unusable
from recipient.login.sealed import LOGIN_ROWS, open_text, seal_text
from recipient.store import Store
from sync.endpoint import parse_endpoint
from sync.errors import LocalRuleError

_NAME = re.compile(r"[a-z][a-z0-9-]{0,31}")
_TEXT_LENGTH = 200
_USE = "client-secret"


@dataclass(frozen=True, slots=True)
class LoginService:
    """One log-in service.

    Attributes:
        name: in addresses and commands.
        label: on the button.
        issuer: exactly as its tokens say.
        client_id: how it knows us.
        secret: client secret, '' for a public client (then PKCE alone protects the code).
        role_claim: claim that carries roles, by name or by a path with points; '' for none.
        roles: role there -> profession here, as patients read it.
        acr: authentication classes of which one must be said; any of these means a second factor.
        amr: methods of which one must be said, for instance ``mfa`` (RFC 8176).
    """

    name: str
    label: str
    issuer: str
    client_id: str
    secret: str = field(default="", repr=False)
    role_claim: str = ""
    roles: Mapping[str, str] = field(default_factory=dict)
    acr: tuple[str, ...] = ()
    amr: tuple[str, ...] = ()

    @property
    def vouches(self) -> bool:
        """Whether a log-in there has two factors by what we ask of its tokens; else ours is asked as well."""
        return bool(self.acr or self.amr)


def check_service(service: LoginService) -> None:
    """Refuse settings that could never work or are no settings.

    Raises:
        Unusable: ``bad_service_name``, ``bad_issuer``, ``bad_service_text``, ``roles_without_claim``.
    """
    if not _NAME.fullmatch(service.name):
        raise Unusable("bad_service_name")
    try:
        parse_endpoint(service.issuer)
    except LocalRuleError as exc:
        raise Unusable("bad_issuer") from exc
    texts = (
        service.label,
        service.client_id,
        *service.acr,
        *service.amr,
        *service.roles.keys(),
        *service.roles.values(),
    )
    if not all(1 <= len(text.strip()) <= _TEXT_LENGTH and text.isprintable() for text in texts):
        raise Unusable("bad_service_text")
    if bool(service.roles) != bool(service.role_claim):
        raise Unusable("roles_without_claim")


def set_service(store: Store, service: LoginService) -> None:
    """Add a service, or change the one of that name.

    Raises:
        Unusable: see ``check_service``; ``issuer_taken`` when another name has this issuer.
    """
    check_service(service)
    sealed = seal_text(store, service.secret, use=_USE, place=service.name) if service.secret else ""
    with store.transaction(about=LOGIN_ROWS):
        taken = "SELECT 1 FROM login_provider WHERE issuer = ? AND name <> ?"
        if store.row(taken, (service.issuer, service.name)):
            raise Unusable("issuer_taken")
        store.run("DELETE FROM login_provider WHERE name = ?", (service.name,))
        store.run(
            "INSERT INTO login_provider (name, issuer, settings, secret) VALUES (?, ?, ?, ?)",
            (service.name, service.issuer, _settings(service), sealed),
        )


def remove_service(store: Store, name: str) -> None:
    """Trust a service no more; sessions that came from it end.

    Raises:
        Unusable: ``no_such_service``.
    """
    with store.transaction(about=LOGIN_ROWS):
        if not store.run("DELETE FROM login_provider WHERE name = ?", (name,)):
            raise Unusable("no_such_service")
        store.run("DELETE FROM login_session WHERE via = ?", (name,))


def login_services(store: Store) -> tuple[LoginService, ...]:
    """Return all services, by name."""
    rows = store.rows("SELECT name, issuer, settings, secret FROM login_provider ORDER BY name")
    return tuple(_service(store, row) for row in rows)


def login_service(store: Store, name: str) -> LoginService:
    """Return one service.

    Raises:
        NotShared: nobody set one of this name (untrusted).
    """
    row = store.row("SELECT name, issuer, settings, secret FROM login_provider WHERE name = ?", (name,))
    if row is None:
        raise NotShared
    return _service(store, row)


def _settings(service: LoginService) -> str:
    return json.dumps(
        {
            "label": service.label.strip(),
            "client_id": service.client_id,
            "role_claim": service.role_claim,
            "roles": dict(service.roles),
            "acr": service.acr,
            "amr": service.amr,
        }
    )


def _service(store: Store, row: tuple[str, ...]) -> LoginService:
    name, issuer, settings, sealed = row
    known = json.loads(settings)
    return LoginService(
        name=name,
        issuer=issuer,
        label=known["label"],
        client_id=known["client_id"],
        secret=open_text(store, sealed, use=_USE, place=name) if sealed else "",
        role_claim=known["role_claim"],
        roles=known["roles"],
        acr=tuple(known["acr"]),
        amr=tuple(known["amr"]),
    )
