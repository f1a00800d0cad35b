"""``recipient affected`` and ``recipient care``: who was looked at, and who treats whom."""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable
from dataclasses import asdict
from datetime import UTC, datetime

from recipient import treating
from recipient.affected import affected
from recipient.errors import Unusable
from recipient.store import Store
from recipient.terminal import Commands, command, opened, say

CARE_SENTENCES = {
    "no_such_patient": "There is no patient with that handle; it is the last part of the portal's address.",
    "bad_setting": "An account works for all patients or for its own; a team has at most 80 characters.",
}


def add_care_commands(commands: Commands, clock: Callable[[], datetime]) -> None:
    """Add the commands of this module."""
    who = command(commands, "affected", _list_affected, "list whose data were looked at in a span of time")
    who.add_argument("--since", type=_moment, required=True, help="2026-03-02 or 2026-03-02T09:00+01:00")
    who.add_argument("--until", type=_moment, help="end, excluded; left out: now")
    who.add_argument("--account", metavar="NAME", help="looks of one account only")
    care = commands.add_parser("care", help="who treats whom").add_subparsers(required=True, metavar="ACTION")
    setting = command(care, "patients", _set_patients, "say for whom an account works")
    setting.add_argument("user", metavar="NAME")
    setting.add_argument("patients", choices=(treating.ALL, treating.OWN))
    setting.add_argument("--team", default="", help="treats what its team treats")
    for name, run, words in (
        ("begin", _begin(clock), "say that an account or a team treats a patient"),
        ("end", _end(clock), "say that an account or a team treats a patient no more"),
    ):
        relation = command(care, name, run, words)
        relation.add_argument("handle", help="last part of the patient's address in the portal")
        party = relation.add_mutually_exclusive_group(required=True)
        party.add_argument("--account", metavar="NAME")
        party.add_argument("--team", metavar="NAME")


def _moment(text: str) -> datetime:
    """Read a day or an instant from the command line; without a zone it is UTC."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as exc:
        raise argparse.ArgumentTypeError("a day or moment like 2026-03-02 or 2026-03-02T09:00+01:00") from exc
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _list_affected(options: argparse.Namespace) -> None:
    with opened(options) as store:
        found = affected(store, since=options.since, until=options.until, account=options.account)
    for one in found:
        say(json.dumps(asdict(one)))
    say(json.dumps({"patients": len(found), "looks": sum(one.looks for one in found)}))


def _set_patients(options: argparse.Namespace) -> None:
    with opened(options) as store, store.transaction():
        account = _account(store, options.user)
        treating.save_setting(store, account, patients=options.patients, team=options.team)
    say("The setting is kept.")


def _begin(clock: Callable[[], datetime]) -> Callable[[argparse.Namespace], None]:
    def run(options: argparse.Namespace) -> None:
        with opened(options) as store, store.transaction():
            treating.begin(store, _sub(store, options.handle), party=_party(store, options), at=clock())
        say("The relation is kept for a year.")

    return run


def _end(clock: Callable[[], datetime]) -> Callable[[argparse.Namespace], None]:
    def run(options: argparse.Namespace) -> None:
        with opened(options) as store, store.transaction():
            sub, party = _sub(store, options.handle), _party(store, options)
            ended = treating.end(store, sub, party=party, at=clock())
        say("The relation has ended." if ended else "There was no such relation.")

    return run


def _party(store: Store, options: argparse.Namespace) -> str:
    if options.team:
        return treating.team_party(options.team)
    return treating.account_party(_account(store, options.account))


def _account(store: Store, name: str) -> int:
    row = store.row("SELECT id FROM account WHERE name = ?", (name,))
    if row is None:
        raise Unusable("no_such_user")
    return int(row[0])


def _sub(store: Store, handle: str) -> str:
    row = store.row("SELECT sub FROM sender WHERE handle = ?", (handle,))
    if row is None:
        raise Unusable("no_such_patient")
    return str(row[0])
