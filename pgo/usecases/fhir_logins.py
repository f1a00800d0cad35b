"""How a login at a FHIR server is written into the encrypted vault, and read again; never shown or logged."""

from __future__ import annotations

import json
from typing import Final

from crypto.canonical import b64url, b64url_decode
from crypto.client_keys import ClientKey
from pgo.errors import StoreDamaged
from sync.fhir_server.login import BearerLogin, Login, NoLogin, SmartLogin

NONE: Final = "none"
BEARER: Final = "bearer"
SMART: Final = "smart"


def kind_of(login: Login) -> str:
    """Which of the three ways a login is."""
    match login:
        case NoLogin():
            return NONE
        case BearerLogin():
            return BEARER
        case SmartLogin():
            return SMART


def login_text(login: Login) -> str:
    """Write a login for the vault."""
    match login:
        case NoLogin():
            said = {"kind": NONE}
        case BearerLogin(token):
            said = {"kind": BEARER, "token": token}
        case SmartLogin(client_id, key, scope):
            said = {"kind": SMART, "client_id": client_id, "scope": scope, "key": b64url(key.pkcs8)}
    return json.dumps(said, sort_keys=True)


def read_login(text: str) -> Login:
    """Read a login from the vault.

    Raises:
        StoreDamaged: ``fhir_login``, this program never wrote it so.
    """
    try:
        said = json.loads(text)
        kind = said["kind"]
        if kind == NONE:
            return NoLogin()
        if kind == BEARER:
            return BearerLogin(said["token"])
        if kind == SMART:
            return SmartLogin(said["client_id"], ClientKey(b64url_decode(said["key"])), said["scope"])
    except (ValueError, KeyError, TypeError) as exc:
        raise StoreDamaged("fhir_login") from exc
    raise StoreDamaged("fhir_login")
