"""What all commands share: their form, the open store, words on the terminal, passwords.

Promises: passwords come from a prompt or a file, never from an argument or the environment.
"""

from __future__ import annotations

import argparse
import getpass
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TypeAlias

from recipient.errors import Unusable
from recipient.store import Store, open_store

Commands: TypeAlias = "argparse._SubParsersAction[argparse.ArgumentParser]"
_STANDARD_INPUT = "-"


def command(
    commands: Commands, name: str, run: Callable[[argparse.Namespace], None], words: str
) -> argparse.ArgumentParser:
    """Add a command that works on the folder of a recipient."""
    parser = commands.add_parser(
        name,
        help=words,
        description=words.capitalize() + ".",
        allow_abbrev=False,  # "--password" must not pass for "--password-file": it would stand in `ps`
    )
    parser.add_argument("--data", type=Path, required=True, metavar="DIR", help="folder of this recipient")
    parser.set_defaults(run=run)
    return parser


@contextmanager
def opened(options: argparse.Namespace) -> Iterator[Store]:
    """Open the store of a command, and close it again."""
    store = open_store(options.data)
    try:
        yield store
    finally:
        store.close()


def read_secret(file_name: str | None, *, prompt: str) -> str:
    """Ask for a secret twice, or read the first line of a file; ``-`` is standard input.

    Raises:
        Unusable: ``password_unequal``, ``password_unreadable``.
    """
    if file_name is None:
        first = getpass.getpass(f"{prompt}: ")
        if getpass.getpass("Again: ") != first:
            raise Unusable("password_unequal")
        return first
    try:
        if file_name == _STANDARD_INPUT:
            return sys.stdin.readline().rstrip("\r\n")
        with Path(file_name).open(encoding="utf-8") as file:
            return file.readline().rstrip("\r\n")
    except UnicodeDecodeError as exc:
        raise Unusable("password_unreadable") from exc


def say(text: str) -> None:
    """Write a line for whoever runs the command."""
    sys.stdout.write(text.rstrip("\n") + "\n")
