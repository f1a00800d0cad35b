"""The words of the ``pgo`` command; what they do is in the modules beside this one, loaded when asked for."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from datetime import date
from importlib import import_module
from pathlib import Path

from pgo.config import DEMO_FOLDER, default_vaults_folder

_Commands = argparse._SubParsersAction  # the only name argparse has for it


def build_parser() -> argparse.ArgumentParser:
    """The parser of all commands; each sets ``run``."""
    parser = argparse.ArgumentParser(
        prog="pgo", description="Your health data, encrypted on your own device.", allow_abbrev=False
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    _running_commands(commands)
    _vault_commands(commands)
    _record_commands(commands)
    _backup_commands(commands)
    _share_commands(commands)
    _consent_commands(commands)
    _journal_commands(commands)
    return parser


def _running_commands(commands: _Commands[argparse.ArgumentParser]) -> None:
    app = _command(commands, "app", "running.run_app", "start the app and open it in the browser")
    app.add_argument("--vaults", type=Path, default=None, metavar="DIR", help="folder of the vaults")
    app.add_argument("--no-browser", action="store_true", help="print the one-time link instead")
    app.add_argument("--port", type=_port, default=0, help="0: any free port")
    app.set_defaults(default_vaults=default_vaults_folder)

    link = _command(commands, "open", "running.open_again", "a new one-time link to the app that is running")
    link.add_argument("--vaults", type=Path, default=None, metavar="DIR", help="folder of the vaults")
    link.add_argument("--no-browser", action="store_true", help="print the link instead")
    link.set_defaults(default_vaults=default_vaults_folder)

    demo = _command(commands, "demo", "demo.run_demo", "a local clinic and the app, with an invented patient")
    demo.add_argument(
        "--data", type=Path, default=DEMO_FOLDER, metavar="DIR", help="everything is written here"
    )
    demo.add_argument("--no-browser", action="store_true", help="print the one-time link instead")
    demo.add_argument("--port", type=_port, default=0, help="0: any free port")


def _vault_commands(commands: _Commands[argparse.ArgumentParser]) -> None:
    vault = commands.add_parser("vault", help="make, list or check vaults; change what opens them")
    actions = vault.add_subparsers(required=True, metavar="ACTION")
    create = _vault_command(actions, "create", "vault_commands.create", "make a new, empty vault", "new")
    check = _vault_command(actions, "check", "vault_commands.check", "verify pages, counters and journal")
    listing = _command(actions, "list", "vault_commands.list_vaults", "the vaults of this user")
    listing.add_argument("--vaults", type=Path, default=None, metavar="DIR", help="folder of the vaults")
    listing.set_defaults(default_vaults=default_vaults_folder)
    for action in (create, check, listing):
        action.add_argument("--json", action="store_true", help="print one JSON object")

    change = _vault_command(actions, "passphrase", "vault_commands.passphrase", "choose another passphrase")
    recovery = _vault_command(actions, "recovery", "vault_commands.recovery", "renew the recovery code")
    recovery.add_argument("--use", action="store_true", help="open with the code, choose a new passphrase")
    recovery.add_argument("--code-file", metavar="FILE", help="with --use: first line of FILE is the code")
    for action in (change, recovery):
        action.add_argument(
            "--new-passphrase-file", metavar="FILE", help="first line of FILE is the new passphrase"
        )
    _vault_command(actions, "renew-key", "vault_commands.renew_key", "copy everything under a new vault key")


def _record_commands(commands: _Commands[argparse.ArgumentParser]) -> None:
    take = _vault_command(commands, "import", "records.take_in", "take in files of health records")
    take.add_argument("files", type=Path, nargs="+", metavar="FILE")
    take.add_argument(
        "--this-is-me", action="store_true", help="answer yes when a file may be about another person"
    )
    take.add_argument("--json", action="store_true", help="print one JSON object")

    listing = _vault_command(commands, "list", "records.list_records", "count or list records")
    listing.add_argument("--type", metavar="TYPE", help="FHIR resource type, for example Observation")
    listing.add_argument("--json", action="store_true", help="print one JSON object")

    export = _vault_command(
        commands, "export", "export_commands.export", "write everything (.zip), a summary (.pdf) or records"
    )
    export.add_argument("out", type=Path, metavar="OUT")
    export.add_argument(
        "--as",
        dest="form",
        choices=("archive", "records", "summary", "measurements", "medication"),
        help="what to write; by the ending of OUT when left out (.zip, .pdf, else records)",
    )
    export.add_argument("--lang", choices=("nl", "en"), default="nl", help="language of tables and paper")
    export.add_argument("--part", action="append", metavar="NAME", help="part of the summary; repeat")
    export.add_argument("--sensitive", action="append", metavar="NAME", help="subject to allow; repeat")
    export.add_argument("--force", action="store_true", help="replace an existing file")

    archive = commands.add_parser("archive", help="a file made by export (docs/export.md)").add_subparsers(
        required=True, metavar="ACTION"
    )
    verify = _command(archive, "verify", "archive_commands.verify", "check an archive and its signatures")
    verify.add_argument("file", type=Path, metavar="FILE")
    verify.add_argument("--json", action="store_true", help="print one JSON object")


def _backup_commands(commands: _Commands[argparse.ArgumentParser]) -> None:
    backup = commands.add_parser("backup", help="make, check, drill and put back backups (docs/backups.md)")
    actions = backup.add_subparsers(required=True, metavar="ACTION")
    create = _vault_command(actions, "create", "backup_commands.create", "make a backup and prove it")
    create.add_argument("folder", type=Path, metavar="FOLDER", help="where the backup goes")
    listing = _command(actions, "list", "backup_commands.show", "the backups of a folder")
    listing.add_argument("folder", type=Path, metavar="FOLDER")
    check = _command(actions, "check", "backup_commands.check", "open a backup and check everything in it")
    drill = _command(actions, "drill", "backup_commands.rehearse", "put back for practice, compare, remove")
    drill.add_argument("--work", type=Path, metavar="DIR", help="where to practise; needs room for the vault")
    restore = _vault_command(actions, "restore", "backup_commands.put_back", "put a vault back")
    restore.add_argument("--older", action="store_true", help="also when the vault there is newer")
    undo = _vault_command(actions, "undo", "backup_commands.undo", "the vault from before a restore again")
    forget = _command(actions, "forget", "backup_commands.forget", "destroy the vault from before a restore")
    forget.add_argument("--vault", type=Path, required=True, metavar="DIR", help="folder of the vault")
    forget.add_argument("--yes", action="store_true", help="do it")
    for action in (check, drill):
        action.add_argument(
            "--passphrase-file", metavar="FILE", help="first line of FILE; - is standard input"
        )
    for action in (check, drill, restore):
        action.add_argument("file", type=Path, metavar="FILE")
    for action in (check, drill, restore, undo):
        action.add_argument("--code-file", metavar="FILE", help="open with the recovery code in FILE")
    for action in (create, listing, check, drill, restore):
        action.add_argument("--json", action="store_true", help="print one JSON object")


def _share_commands(commands: _Commands[argparse.ArgumentParser]) -> None:
    share = commands.add_parser("share", help="share with a recipient, or stop").add_subparsers(
        required=True, metavar="ACTION"
    )
    add = _vault_command(share, "add", "sharing.add", "add a recipient by its card")
    add.add_argument("card", type=Path, metavar="CARD")
    _server_commands(share)
    _choice(_vault_command(share, "preview", "sharing.show_preview", "what a recipient would see"))
    sign = _choice(_vault_command(share, "sign", "sharing.sign", "sign a grant"))
    sign.add_argument("--yes", action="store_true", help="do not ask")
    _vault_command(share, "list", "sharing.list_shares", "all grants and how far they are")
    stop = _vault_command(share, "withdraw", "sharing.stop", "take a grant back")
    stop.add_argument("grant", metavar="GRANT")
    for action in share.choices.values():
        action.add_argument("--json", action="store_true", help="print one JSON object")

    sync = _vault_command(commands, "sync", "sharing.sync", "send what waits")
    sync.add_argument("--json", action="store_true", help="print one JSON object")
    looked = _vault_command(commands, "looked", "sharing.show_looks", "fetch and verify who looked")
    looked.add_argument(
        "recipient", metavar="RECIPIENT", help="id of the recipient, for example ura:00000123"
    )
    looked.add_argument("--json", action="store_true", help="print one JSON object")


def _server_commands(share: _Commands[argparse.ArgumentParser]) -> None:
    server = _vault_command(
        share, "add-server", "fhir_commands.add", "add a plain FHIR server as a recipient"
    )
    server.add_argument("--fhir", required=True, metavar="URL", help="its service base address")
    server.add_argument("--name", required=True, help="name of the care provider")
    server.add_argument("--organisation", default="", metavar="NUMBER", help="for example its URA number")
    server.add_argument("--token-file", type=Path, metavar="FILE", help="FILE holds a bearer token")
    server.add_argument("--client-id", metavar="ID", help="SMART backend service: our name there")
    server.add_argument("--key-file", type=Path, metavar="PEM", help="with --client-id: our private key")
    check = _vault_command(share, "server", "fhir_commands.check", "ask a FHIR server again what it can")
    check.add_argument("recipient", metavar="RECIPIENT", help="id of the recipient, fhir:...")


def _consent_commands(commands: _Commands[argparse.ArgumentParser]) -> None:
    consent = commands.add_parser(
        "consent", help="ask the consent engine, from files (docs/consent-format.md)"
    ).add_subparsers(required=True, metavar="ACTION")
    decide = _command(consent, "decide", "consent_commands.run_decide", "one decision object per question")
    explain = _command(consent, "explain", "consent_commands.run_explain", "the same in words")
    for asking in (decide, explain):
        asking.add_argument("--log", type=Path, required=True, metavar="LOG", help="keys, records, subject")
        asking.add_argument("--ask", type=Path, required=True, metavar="FILE", help="one question per line")
        asking.add_argument("--unsigned", action="store_true", help="the log holds plain records with a hash")
    take = _command(consent, "import", "consent_commands.run_import", "what a FHIR Consent would become")
    take.add_argument("file", type=Path, metavar="FILE")
    take.add_argument("--json", action="store_true", help="print one JSON object per Consent")
    for speaking in (explain, take):
        speaking.add_argument("--lang", choices=("nl", "en"), default="en", help="language of the words")


def _journal_commands(commands: _Commands[argparse.ArgumentParser]) -> None:
    journal = commands.add_parser("journal", help="what the app did with the data").add_subparsers(
        required=True, metavar="ACTION"
    )
    show = _vault_command(journal, "show", "journal_commands.show", "print lines, newest first")
    show.add_argument("--kind", choices=("access", "record", "sharing", "looked", "copies"))
    show.add_argument("--first", type=_day, metavar="DATE", help="from this day on")
    show.add_argument("--last", type=_day, metavar="DATE", help="until this day")
    show.add_argument("--words", metavar="TEXT", help="only lines with these words")
    show.add_argument("--limit", type=int, default=50, metavar="N", help="lines at most (50, up to 500)")
    export = _vault_command(journal, "export", "journal_commands.export", "write the signed journal")
    export.add_argument("out", type=Path, metavar="OUT")
    export.add_argument("--force", action="store_true", help="replace an existing file")
    verify = _command(journal, "verify", "journal_commands.verify", "check a journal line by line")
    verify.add_argument("file", type=Path, nargs="?", metavar="FILE", help="an exported journal")
    verify.add_argument("--vault", type=Path, metavar="DIR", help="a vault; with FILE: the one it must be of")
    verify.add_argument("--passphrase-file", metavar="FILE", help="first line of FILE; - is standard input")
    for action in (show, verify):
        action.add_argument("--json", action="store_true", help="print one JSON object")


def _choice(parser: argparse.ArgumentParser) -> argparse.ArgumentParser:
    parser.add_argument("--to", required=True, metavar="RECIPIENT", help="id of the recipient")
    parser.add_argument("--preset", help="start from this preset; the first one when no category is given")
    parser.add_argument("--category", action="append", metavar="NAME", help="kind of data; may be repeated")
    parser.add_argument("--sensitivity", action="append", metavar="NAME", help="sensitive subject to include")
    parser.add_argument("--purpose", help="v3-ActReason code, for example TREAT")
    parser.add_argument(
        "--from", dest="first", type=_day, metavar="DATE", help="first day; today when left out"
    )
    parser.add_argument("--until", dest="last", type=_day, metavar="DATE", help="last day")
    parser.add_argument("--data-from", type=_day, metavar="DATE", help="only data from this day on")
    parser.add_argument("--keep-text", action="store_true", help="include free text")
    return parser


def _vault_command(
    commands: _Commands[argparse.ArgumentParser], name: str, run: str, words: str, *aliases: str
) -> argparse.ArgumentParser:
    parser = _command(commands, name, run, words, *aliases)
    parser.add_argument("--vault", type=Path, required=True, metavar="DIR", help="folder of the vault")
    parser.add_argument("--passphrase-file", metavar="FILE", help="first line of FILE; - is standard input")
    return parser


def _command(
    commands: _Commands[argparse.ArgumentParser], name: str, run: str, words: str, *aliases: str
) -> argparse.ArgumentParser:
    parser = commands.add_parser(
        name,
        aliases=aliases,
        help=words,
        description=words.capitalize() + ".",
        allow_abbrev=False,  # "--passphrase SECRET" must not pass for --passphrase-file
    )
    parser.set_defaults(run=_later(run))
    return parser


def _later(name: str) -> Callable[[argparse.Namespace], int]:
    """A command that loads its module when it runs: ``pgo --help`` must not load the app."""
    module, _, function = name.partition(".")

    def run(options: argparse.Namespace) -> int:
        return int(getattr(import_module(f"pgo.cli.{module}"), function)(options))

    return run


def _port(text: str) -> int:
    number = int(text)
    if not 0 <= number <= 65535:
        raise argparse.ArgumentTypeError("a port is 0 to 65535")
    return number


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError as exc:
        raise argparse.ArgumentTypeError("a date is YYYY-MM-DD") from exc
