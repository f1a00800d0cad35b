"""The commands about the store as a whole: copies, ``verify``, ``gaps``, ``migrate``, ``keys``."""

from __future__ import annotations

import argparse
import json
import re
import sys
from collections.abc import Callable
from dataclasses import asdict
from datetime import datetime
from pathlib import Path

from recipient.backup import back_up, copy_keys, put_back
from recipient.data_keys import renew_kek
from recipient.errors import Unusable
from recipient.gaps import gaps
from recipient.identity import add_opening_key
from recipient.instants import instant_text
from recipient.migrations import VERSION
from recipient.terminal import Commands, command, opened, read_secret, say
from recipient.verify import Report, verify

SENTENCES = {
    "kek_missing": "The file recipient.kek is missing or older than the store; what patients sent cannot be "
    "opened. Put the newest one back.",
    "key_wrong": "The store belongs to another key file; nothing was changed.",
    "not_a_file_store": "This store is in PostgreSQL: copy it with pg_dump (docs/recipients.md).",
    "backup_exists": "There is a file of that name already; nothing was written.",
    "nothing_to_restore": "Name the copy to put back, or with --database the database a dump was "
    "restored into.",
    "not_in_order": "Not everything is in order; see above. Nothing was changed.",
    "bad_database": "The address must be postgresql://HOST/DATABASE or service=NAME.",
    "database_password": "A password in an argument can be read by others on this machine; put the address "
    "in a file and name it with --database-file, or use a PGPASSFILE.",
    "database_tls": "Outside this machine the database needs sslmode=verify-full in its address.",
    "database_unreachable": "The database does not answer, or does not let us in.",
    "no_postgres": "PostgreSQL needs its driver: install this program with the extra 'postgres'.",
    "busy": "Another program holds the store; try again in a moment.",
}
_PASSWORD_IN_URL = re.compile(r"^[a-z]+://[^/@]*:[^/@]*@")
DAMAGE = frozenset({"kek_missing", "key_wrong", "not_in_order", "database_unreachable"})


def database_options(parser: argparse.ArgumentParser) -> None:
    """Let a command name a PostgreSQL database."""
    where = parser.add_mutually_exclusive_group()
    where.add_argument(
        "--database", metavar="ADDRESS", help="postgresql://HOST/NAME instead of a file; without a password"
    )
    where.add_argument(
        "--database-file", metavar="FILE", help="the same, in the first line of FILE; - is standard input"
    )


def address_of(options: argparse.Namespace) -> str | None:
    """Return the address of the database, None for a store in a file.

    Raises:
        Unusable: ``database_password``, everybody on the machine can read the arguments of a command.
    """
    if options.database_file:
        return read_secret(options.database_file, prompt="Address")
    address: str | None = options.database
    if address is not None and ("password" in address or _PASSWORD_IN_URL.search(address)):
        raise Unusable("database_password")
    return address


def add_store_commands(commands: Commands, clock: Callable[[], datetime]) -> None:
    """Add the commands; ``clock`` gives the present instant."""
    backup = command(
        commands, "backup", _backup, "copy the data to a new file and the keys over the keys file"
    )
    backup.add_argument("file", type=Path, metavar="FILE", help="the copy to make; may be kept for weeks")
    _keys_option(backup)

    restore = command(commands, "restore", _restore, "make a recipient of a copy, in an empty folder")
    restore.add_argument("file", type=Path, nargs="?", metavar="FILE", help="made by 'recipient backup'")
    database_options(restore)
    _keys_option(restore)

    command(commands, "verify", _verify, "look whether everything is whole and opens")
    command(commands, "gaps", _gaps, "list the numbers of messages that never came, by patient handle")
    command(commands, "migrate", _migrate, "bring the store to the tables of this program")

    keys = commands.add_parser("keys", help="the keys of what patients sent").add_subparsers(
        required=True, metavar="ACTION"
    )
    copy = command(keys, "copy", _keys_copy, "write the keys file anew")
    _keys_option(copy)
    rotate = command(
        keys, "rotate", _keys_rotate, "make a new opening key and a new key around the data keys"
    )
    rotate.set_defaults(clock=clock)


def _keys_option(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--keys", type=Path, required=True, metavar="FILE", help="the keys file; only the newest may exist"
    )


def _backup(options: argparse.Namespace) -> None:
    with opened(options) as store:
        size = back_up(store, options.data, to=options.file, keys_to=options.keys)
    say(
        f"Copied {size:,} bytes, and opened the copy to be sure. "
        "Keep it and the keys file in different places."
    )


def _restore(options: argparse.Namespace) -> None:
    database = address_of(options)
    if (options.file is None) == (database is None):
        raise Unusable("nothing_to_restore")
    done = put_back(options.data, keys_from=options.keys, copy=options.file, database=database)
    say(f"Put back {done.resources:,} records of {done.people:,} people.")
    if done.resources_gone:
        say(
            f"Erased {done.resources_gone:,} records of {done.people_gone:,} people: they were withdrawn, "
            "replaced or over since the copy was made."
        )


def _verify(options: argparse.Namespace) -> None:
    with opened(options) as store:
        report = verify(store, progress=_show_progress)
    _say_report(report)
    if not report.in_order:
        raise Unusable("not_in_order")


def _gaps(options: argparse.Namespace) -> None:
    with opened(options) as store:
        found = gaps(store)
    for one in found:
        say(json.dumps({**asdict(one), "since_at": instant_text(one.since_at)}))
    say(json.dumps({"gaps": len(found), "patients": len({one.handle for one in found})}))


def _migrate(options: argparse.Namespace) -> None:
    with opened(options):  # opening does it
        say(f"The store has the tables of this program (version {VERSION}).")


def _keys_copy(options: argparse.Namespace) -> None:
    with opened(options) as store:
        count = copy_keys(store, options.data, to=options.keys)
    say(f"The keys file holds the keys of {count:,} people.")


def _keys_rotate(options: argparse.Namespace) -> None:
    with opened(options) as store:
        add_opening_key(store, at=options.clock())
        count = renew_kek(store)
    say(
        f"A new opening key is on the card from the next start on; "
        f"the keys of {count:,} people have a new lock."
    )
    say("Write the keys file anew now: 'recipient keys copy'.")


def _say_report(report: Report) -> None:
    say(f"{report.people:,} people, {report.resources:,} records, {report.events:,} looks.")
    for count, what in (
        (report.faults, "faults in the files of the database"),
        (report.statements_wrong, "people whose statement is not signed by them"),
        (report.people_unreadable, "people whose records do not all open"),
        (report.chains_broken, "people whose list of who looked is broken"),
    ):
        if count:
            say(f"NOT IN ORDER: {count:,} {what}.")
    if report.gaps.gaps:
        say(
            f"Messages that never came: {report.gaps.gaps:,} gaps in the numbers of "
            f"{report.gaps.people:,} people; 'recipient gaps' lists them."
        )
    if report.in_order:
        say("Everything is in order.")


def _show_progress(done: int, whole: int) -> None:
    """Draw how far it is, for a person only."""
    if sys.stderr.isatty():
        sys.stderr.write(f"\r{done:,} of {whole:,} people" + ("\n" if done == whole else ""))
        sys.stderr.flush()
