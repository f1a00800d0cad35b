"""``recipient client``: registers the programs that may ask for data, and ``recipient openapi``.

Promises: only public keys are taken; what a client may do is said here only; closing works at once.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from recipient.config import Limits
from recipient.fhir_api.clients import Registration, add_client, clients, close_client, renew_keys
from recipient.fhir_api.scopes import scopes_text
from recipient.identity import load_identity
from recipient.openapi import document
from recipient.service import build_office, service_routes, wall_clock
from recipient.terminal import Commands, command, opened, say

SENTENCES = {
    "bad_client_name": "A client name has 2 to 32 lower-case letters, digits, dots, dashes, a letter first.",
    "bad_key_set": "The key file must be a JWK Set with public keys (RS384, ES384, ES256, EdDSA), each "
    "with a kid of its own.",
    "bad_scopes": "Scopes are words like system/Observation.rs, with r for reading and s for searching.",
    "bad_purpose": "--acts-for is ROLE/PURPOSE with a purpose of care, for example 'hospital record/TREAT'.",
    "client_exists": "There is a client of that name already.",
    "no_such_client": "There is no client of that name.",
}


def add_program_commands(commands: Commands) -> None:
    """Add the commands."""
    actions = commands.add_parser("client", help="programs that read over FHIR").add_subparsers(
        required=True, metavar="ACTION"
    )
    add = command(actions, "add", _add, "register a program")
    add.add_argument("client", metavar="NAME", help="its client_id")
    add.add_argument("--display", help="shown to patients in their access log; the name when left out")
    add.add_argument("--jwks", type=Path, required=True, metavar="FILE", help="its public keys (JWK Set)")
    add.add_argument("--scopes", required=True, help='for example "system/Patient.rs system/Observation.rs"')
    add.add_argument("--acts-for", required=True, metavar="ROLE/PURPOSE", help='"hospital record/TREAT"')
    add.add_argument(
        "--person-needed", action="store_true", help="refuse log-ins that do not name the person who asks"
    )
    keys = command(actions, "keys", _keys, "give a program other keys")
    keys.add_argument("client", metavar="NAME")
    keys.add_argument("--jwks", type=Path, required=True, metavar="FILE")
    close = command(actions, "close", _close, "refuse a program from now on")
    close.add_argument("client", metavar="NAME")
    command(actions, "list", _list, "list programs")
    command(commands, "openapi", _openapi, "print the description of every address of this service")


def _add(options: argparse.Namespace) -> None:
    wanted = Registration(
        name=options.client,
        display=options.display or options.client,
        key_set=options.jwks.read_bytes(),
        scopes=options.scopes,
        acts_for=options.acts_for,
        person_needed=options.person_needed,
    )
    with opened(options) as store:
        client = add_client(store, wanted, at=wall_clock())
    say(f"Registered the client {client.name}.")


def _keys(options: argparse.Namespace) -> None:
    with opened(options) as store:
        renew_keys(store, options.client, options.jwks.read_bytes())
    say("The keys are changed.")


def _close(options: argparse.Namespace) -> None:
    with opened(options) as store:
        close_client(store, options.client)
    say("The client is refused from now on.")


def _list(options: argparse.Namespace) -> None:
    with opened(options) as store:
        for one in clients(store):
            state = "open" if one.active else "closed"
            acts_for = f"{one.account.role}/{one.purpose}"
            say("\t".join((one.name, one.account.display, acts_for, scopes_text(one.scopes), state)))


def _openapi(options: argparse.Namespace) -> None:
    with opened(options) as store:
        identity = load_identity(store)
        base = identity.url or "http://127.0.0.1"
        office = build_office(store, identity, clock=wall_clock, limits=Limits(), base=base)
        described = document(service_routes(office))
    say(json.dumps(described, indent=1, ensure_ascii=False))
