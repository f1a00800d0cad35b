"""The ``recipient`` command: make an installation, its accounts and its card, and run the service.

Promises: passwords come from a prompt or a file, never from an argument or the environment; every failure is
one sentence on standard error; exit codes are 0 done, 2 wrong usage, 3 input refused, 5 store or key damaged.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from recipient.card_commands import SENTENCES as CARD_SENTENCES
from recipient.card_commands import add_card_commands
from recipient.care_commands import CARE_SENTENCES, add_care_commands
from recipient.config import Listening, parse_public_url
from recipient.errors import RecipientError
from recipient.fhir_api.commands import SENTENCES as PROGRAM_SENTENCES
from recipient.fhir_api.commands import add_program_commands
from recipient.identity import (
    KINDS,
    check_identity,
    create_identity,
    load_identity,
)
from recipient.login.commands import LOGIN_SENTENCES, add_login_commands
from recipient.service import serve, wall_clock, write_card
from recipient.store import create_store
from recipient.store_commands import DAMAGE, add_store_commands, address_of, database_options
from recipient.store_commands import SENTENCES as STORE_SENTENCES
from recipient.terminal import command as _command
from recipient.terminal import say as _say

DONE, REFUSED, DAMAGED = 0, 3, 5
_DAMAGE = DAMAGE | {
    *("not_initialised", "key_missing", "key_unsafe", "store_damaged", "store_newer", "no_encryption")
}
SENTENCES = {
    "already_initialised": "This folder already holds a recipient; nothing was changed.",
    "not_initialised": "There is no recipient in this folder; run 'recipient init' first.",
    "key_missing": "The key file is missing; without it the store cannot be opened. Restore it.",
    "key_unsafe": "The key file is readable by others or has the wrong size; it must be 32 bytes, mode 0600.",
    "store_damaged": "The store is missing, empty, damaged or belongs to another key; nothing was changed.",
    "store_newer": "A newer version of this program made the store; nothing was changed. Update the program.",
    "no_encryption": "This Python has no SQLCipher; the store would not be encrypted.",
    "no_tls": "Outside this machine the service needs --cert and --cert-key, or a --trusted-proxy with TLS.",
    "bad_url": "The address must be https://..., or http:// to this machine only.",
    "bad_id": "The id is a scheme and a number, for example ura:00000123.",
    "bad_kind": "A recipient is a clinic or a registry.",
    "bad_name": "The name must be 1 to 120 readable characters.",
    "port_taken": "The port is in use.",
    "cannot_write": "The folder or file cannot be written.",
    **CARD_SENTENCES,
    **CARE_SENTENCES,
    **LOGIN_SENTENCES,
    **PROGRAM_SENTENCES,
    **STORE_SENTENCES,
}


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command.

    Args:
        argv: arguments without the program name; the process's own when None.

    Returns:
        The exit code.
    """
    options = _parser().parse_args(argv)
    os.umask(0o077)
    command: Callable[[argparse.Namespace], None] = options.run
    try:
        command(options)
    except RecipientError as exc:
        sys.stderr.write(f"recipient: {SENTENCES.get(exc.code, exc.code)}\n")
        return DAMAGED if exc.code in _DAMAGE else REFUSED
    except OSError as exc:
        sys.stderr.write(f"recipient: {SENTENCES['cannot_write']} ({exc.strerror})\n")
        return REFUSED
    except KeyboardInterrupt:
        return DONE
    return DONE


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="recipient", description="The receiving side: a clinic or a registry.", allow_abbrev=False
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    init = _command(commands, "init", _init, "make a new recipient in an empty folder")
    init.add_argument("--name", required=True, help="as patients will read it")
    init.add_argument("--id", required=True, help="scheme and number, for example ura:00000123")
    init.add_argument("--kind", choices=KINDS, default="clinic")
    init.add_argument("--url", help="public address; left out: this machine only")
    database_options(init)

    run = _command(commands, "serve", _serve, "run the service")
    run.add_argument("--host", default="127.0.0.1")
    run.add_argument("--port", type=_port, default=0, help="0: the same free port as last time")
    run.add_argument("--ready-file", type=Path, help="gets one line of JSON when requests are answered")
    run.add_argument(
        "--trusted-proxy", metavar="ADDRESS", help="believe X-Forwarded-For from this address only"
    )
    run.add_argument(
        "--metrics-port", type=_port, help="serve figures for monitoring there, on this machine only"
    )
    run.add_argument("--cert", type=Path, help="TLS certificate chain (PEM)")
    run.add_argument("--cert-key", type=Path, help="TLS private key (PEM)")

    add_card_commands(commands, wall_clock)
    add_care_commands(commands, wall_clock)
    add_login_commands(commands, wall_clock)
    add_program_commands(commands)
    add_store_commands(commands, wall_clock)
    return parser


def _port(text: str) -> int:
    number = int(text)
    if not 0 <= number <= 65535:
        raise argparse.ArgumentTypeError("a port is 0 to 65535")
    return number


def _init(options: argparse.Namespace) -> None:
    url = parse_public_url(options.url) if options.url else None
    check_identity(recipient_id=options.id, name=options.name, kind=options.kind)
    at = wall_clock()
    store = create_store(options.data, database=address_of(options))
    try:
        create_identity(store, recipient_id=options.id, name=options.name, kind=options.kind, url=url, at=at)
        identity = load_identity(store)
    finally:
        store.close()
    if url:
        write_card(options.data, identity, endpoint=url, at=at)
    fingerprint = identity.signing.public.fingerprint()
    _say(f"Made {identity.name} ({identity.recipient_id}). Fingerprint: {fingerprint}")


def _serve(options: argparse.Namespace) -> None:
    listening = Listening(
        host=options.host,
        port=options.port,
        trusted_proxy=options.trusted_proxy,
        certificate=options.cert,
        certificate_key=options.cert_key,
    )
    serve(options.data, listening, ready_file=options.ready_file, metrics_port=options.metrics_port)
