"""``pgo share add-server`` and ``share server``: plain FHIR servers as recipients."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from pgo.cli.terminal import DONE, REFUSED, opened, say, say_json
from pgo.usecases.fhir_logins import BEARER, NONE, SMART
from pgo.usecases.fhir_servers import (
    ServerAnswer,
    ServerForm,
    add_server,
    ask_again,
    ask_server,
    client_key_from,
)

_MAX_SECRET_BYTES = 64 * 1024


def add(options: argparse.Namespace) -> int:
    """Ask a server what it can, show it, keep the server."""
    form = ServerForm(
        url=options.fhir,
        name=options.name,
        organisation=options.organisation,
        login=BEARER if options.token_file else SMART if options.client_id else NONE,
        token=_read(options.token_file).decode("ascii", "replace").strip() if options.token_file else "",
        client_id=options.client_id or "",
        key=client_key_from(_read(options.key_file)) if options.key_file else None,
    )
    with opened(options.vault, options.passphrase_file) as session:
        answer = ask_server(session, form)
        if not options.json:
            _show(answer)
        if not answer.check.usable:
            if options.json:
                say_json(_json(answer))
            return REFUSED
        add_server(session, form)
    if options.json:
        say_json(_json(answer))
    else:
        say(f"Added {answer.server.name} ({answer.server.id}). There is no fingerprint to compare: check the")
        say(f"address letter by letter: {answer.server.endpoint}")
    return DONE


def check(options: argparse.Namespace) -> int:
    """Ask a known server again what it can."""
    with opened(options.vault, options.passphrase_file) as session:
        answer = ask_again(session, options.recipient)
    if options.json:
        say_json(_json(answer))
    else:
        _show(answer)
    return DONE if answer.check.usable else REFUSED


def _read(path: Path) -> bytes:
    with path.open("rb") as stream:
        return stream.read(_MAX_SECRET_BYTES)


def _show(answer: ServerAnswer) -> None:
    say(f"{answer.server.endpoint}  {answer.software or 'says no name'}")
    say(f"takes: {', '.join(answer.check.takes) or 'nothing of what is in this vault'}")
    for lack, types in answer.check.lacks:
        say(f"cannot: {lack.value}{': ' + ', '.join(types) if types else ''}")
    if not answer.check.usable:
        say("Nothing can be shared with this server.")


def _json(answer: ServerAnswer) -> dict[str, Any]:
    return {
        "recipient": answer.server.id,
        "name": answer.server.name,
        "software": answer.software,
        "usable": answer.check.usable,
        "takes": list(answer.check.takes),
        "cannot": {lack.value: list(types) for lack, types in answer.check.lacks},
    }
