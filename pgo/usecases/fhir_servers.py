"""Plain FHIR servers as recipients: ask one what it can, keep it, ask again, change the login.

Rules:
1. Nothing is kept before the server said what it can and let us in. What it cannot is part of the answer,
   so that the person reads it first.
2. The address is the identity (``sync.fhir_server.server``): there is no key to compare, and the screens say
   so. Adding the same address again changes name and login only.
3. A secret goes into the vault and never comes out again, except to the server it is for.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from crypto.client_keys import ClientKey
from crypto.errors import CryptoError
from crypto.naming import pairwise_names
from pgo.errors import InputRefused
from pgo.store.fhir_servers import StoredLogin
from pgo.store.journal import Event
from pgo.store.protocols import VaultStore
from pgo.usecases.fhir_logins import BEARER, SMART, kind_of, login_text, read_login
from pgo.usecases.queue import queue_statement
from pgo.usecases.session import Session
from sync.endpoint import parse_endpoint
from sync.errors import SyncError
from sync.fhir_server.capability import Check, Lack, check
from sync.fhir_server.controls import anchor_name
from sync.fhir_server.login import DEFAULT_SCOPE, BearerLogin, Login, NoLogin, SmartLogin, check_token
from sync.fhir_server.server import FhirServer, fhir_server, parse_server, server_text
from sync.fhir_server.transport import FhirDestination
from sync.outbox import State


@dataclass(frozen=True, slots=True)
class ServerForm:
    """What a person typed about a server.

    Attributes:
        login: ``none``, ``bearer`` or ``smart``.
        token: for ``bearer``.
        client_id: for ``smart``, as the server registered us.
        key: for ``smart``.
    """

    url: str
    name: str
    organisation: str = ""
    login: str = "none"
    token: str = field(default="", repr=False)
    client_id: str = ""
    key: ClientKey | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class ServerAnswer:
    """What a server said when it was asked.

    Attributes:
        server: which one.
        software: what it calls itself, '' when it does not say.
        check: what goes there and what it cannot, for the kinds of records in this vault.
        encrypted: whether the way there is encrypted; only an address on this machine is without.
        asked_at: when.
    """

    server: FhirServer
    software: str
    check: Check
    encrypted: bool
    asked_at: datetime


def new_client_key() -> ClientKey:
    """A key for a server that wants a registered program; its public half is for the server."""
    return ClientKey.generate()


def client_key_from(pem: bytes) -> ClientKey:
    """Take over a key that somebody else made.

    Raises:
        InputRefused: ``fhir_bad_key``.
    """
    try:
        return ClientKey.from_pem(pem)
    except CryptoError as exc:
        raise InputRefused("fhir_bad_key") from exc


def public_key_text(key: ClientKey) -> str:
    """The public half as a JWK Set, as servers want it registered."""
    return json.dumps({"keys": [key.public_jwk]}, indent=2)


def ask_server(session: Session, form: ServerForm) -> ServerAnswer:
    """Ask a server what it can, and try the login. Nothing is kept, nothing is changed there.

    Raises:
        InputRefused: ``bad_endpoint``, ``fhir_form`` (with ``fields``), or why the server is of no use:
            codes of ``sync.errors``.
    """
    return _ask(session, _server(form), _login(form))


def add_server(session: Session, form: ServerForm) -> str:
    """Ask once more, keep server and login. Returns the recipient's id.

    Raises:
        InputRefused: as ``ask_server``, and ``fhir_cannot`` when nothing could go there.
    """
    server, login = _server(form), _login(form)
    answer = _ask(session, server, login)
    if not answer.check.usable:
        raise InputRefused("fhir_cannot")
    store, at = session.store, session.now()
    known = store.recipients.find(server.id) is not None
    with store.write(at):
        store.recipients.keep(server.id, name=server.name, card=server_text(server), at=at)
        store.fhir.keep(server.id, StoredLogin(login_text(login), _said_text(answer), at))
        event = Event.SERVER_LOGIN_CHANGED if known else Event.RECIPIENT_ADDED
        store.journal.add(event, at=at, recipient=server.id)
        _try_again(store, server.id, at=at)
    session.changed()
    return server.id


def ask_again(session: Session, recipient_id: str) -> ServerAnswer:
    """Ask a known server anew what it can, and keep the answer.

    Raises:
        InputRefused: why the server is of no use now, as ``ask_server``.
        NotFound: no such server.
    """
    store = session.store
    to = destination(store, recipient_id)
    answer = _ask(session, to.server, to.login)
    at = session.now()
    with store.write(at):
        kept = store.fhir.get(recipient_id)
        store.fhir.keep(recipient_id, StoredLogin(kept.login, _said_text(answer), at))
        store.journal.add(Event.SERVER_ASKED, at=at, recipient=recipient_id)
        _try_again(store, recipient_id, at=at)
    session.changed()
    return answer


def last_answer(session: Session, recipient_id: str) -> ServerAnswer:
    """What a known server said when it was last asked; without network.

    Raises:
        NotFound: no such server.
    """
    store = session.store
    kept = store.fhir.get(recipient_id)
    said = json.loads(kept.said)
    lacks = tuple((Lack(lack), tuple(types)) for lack, types in said["lacks"])
    server = parse_server(store.recipients.get(recipient_id).card)
    return ServerAnswer(
        server=server,
        software=said["software"],
        check=Check(said["usable"], lacks, tuple(said["takes"])),
        encrypted=not parse_endpoint(server.endpoint).is_loopback,
        asked_at=kept.said_at,
    )


def destination(store: VaultStore, recipient_id: str) -> FhirDestination:
    """A known server and how we log in there.

    Raises:
        NotFound: no such server.
    """
    server = parse_server(store.recipients.get(recipient_id).card)
    kept = store.fhir.get(recipient_id).login
    return FhirDestination(server, read_login(kept), hashlib.sha256(kept.encode("utf-8")).hexdigest())


def login_kind(session: Session, recipient_id: str) -> str:
    """How we log in at a known server; the secret itself is not told.

    Raises:
        NotFound: no such server.
    """
    return kind_of(read_login(session.store.fhir.get(recipient_id).login))


def _try_again(store: VaultStore, recipient_id: str, *, at: datetime) -> None:
    """Queue everything for a server that let nobody in, or could not, when it was last sent something."""
    newest = store.outbox.newest(recipient_id)
    unwell = newest is not None and newest.state is State.REFUSED
    kept = any(item.kept for item in store.fhir.items(recipient_id).values())
    if unwell or kept:
        queue_statement(store, recipient_id, at=at)


def _ask(session: Session, server: FhirServer, login: Login) -> ServerAnswer:
    store, to = session.store, FhirDestination(server, login)
    try:
        capability = session.plain_transport.capability(to)
        found = check(capability, store.records.counts_by_type())
        if found.usable:
            anchor = anchor_name(pairwise_names(store.identity_seed(), server.id))
            session.plain_transport.try_login(to, anchor)
    except SyncError as exc:
        raise InputRefused(exc.code) from exc
    return ServerAnswer(
        server=server,
        software=capability.software,
        check=found,
        encrypted=not parse_endpoint(server.endpoint).is_loopback,
        asked_at=session.now(),
    )


def _server(form: ServerForm) -> FhirServer:
    try:
        return fhir_server(name=form.name, endpoint=form.url, organisation=form.organisation)
    except SyncError as exc:
        fields = {"url": "url"} if exc.code == "bad_endpoint" else {"name": "name"}
        raise InputRefused("bad_endpoint" if "url" in fields else "fhir_form", fields=fields) from exc


def _login(form: ServerForm) -> Login:
    try:
        if form.login == BEARER:
            return BearerLogin(check_token(form.token))
    except SyncError as exc:
        raise InputRefused("fhir_form", fields={"token": "token"}) from exc
    if form.login == SMART:
        client_id = form.client_id.strip()
        if not client_id or len(client_id) > 200 or form.key is None:
            raise InputRefused("fhir_form", fields={"client_id": "client_id"})
        return SmartLogin(client_id, form.key, DEFAULT_SCOPE)
    return NoLogin()


def _said_text(answer: ServerAnswer) -> str:
    said: Mapping[str, object] = {
        "software": answer.software,
        "usable": answer.check.usable,
        "lacks": [[lack.value, list(types)] for lack, types in answer.check.lacks],
        "takes": list(answer.check.takes),
    }
    return json.dumps(said, sort_keys=True)
