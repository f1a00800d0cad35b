"""``pgo backup``: make, list, check, drill, put back, and what to do with the vault from before.

``create`` needs the vault open; everything else works on a machine that has nothing but the file. Exit codes
are those of ``pgo``: 0 only when every step was done and everything compared was equal.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from typing import Any

from pgo.bootstrap import build_application
from pgo.cli.terminal import DONE, REFUSED, opened, read_passphrase, say, say_json
from pgo.usecases.backup import make_backup
from pgo.usecases.backup_restore import (
    Drill,
    FoundBackup,
    Secret,
    backups_in,
    check_file,
    drill,
    forget_before,
    go_back,
    kept_before,
    restore,
)

_STEPS = {"copy": "copying", "write": "writing", "read": "reading back", "compare": "comparing"}


def create(options: argparse.Namespace) -> int:
    """Make a backup and prove it."""
    with opened(options.vault, options.passphrase_file) as session:
        made = make_backup(session, options.folder.absolute(), on_progress=_progress(options))
    if options.json:
        say_json(
            {
                "file": str(made.path),
                "made_at": made.made_at.isoformat(),
                "proved_at": made.proved_at.isoformat(),
                "bytes": made.size_bytes,
                "records": made.records,
            }
        )
    else:
        say(f"{made.path}: {made.records} records, {made.size_bytes} bytes.")
        say(f"Read back and found whole at {made.proved_at:%Y-%m-%d %H:%M} UTC.")
        say("It opens with the passphrase or the recovery code this vault has now. Keep them apart from it.")
    return DONE


def show(options: argparse.Namespace) -> int:
    """List the backups of a folder, with what they say in the open."""
    found = backups_in(options.folder)
    if options.json:
        say_json({"backups": [_as_json(one) for one in found]})
        return DONE
    for one in found:
        if one.made_at is None:
            say(f"{one.path.name}\tcannot be used ({one.problem})")
        else:
            say(
                f"{one.path.name}\t{one.made_at:%Y-%m-%d %H:%M} UTC\t{one.records} records\t"
                f"{one.size_bytes} bytes\tvault {one.vault_id[:8]}"
            )
    say(f"{len(found)} backups; `pgo backup check FILE` proves one.")
    return DONE


def check(options: argparse.Namespace) -> int:
    """Open a backup and check everything in it."""
    found = check_file(options.file, _secret(options), on_progress=_progress(options))
    if options.json:
        say_json({"ok": True, **_as_json(found)})
    else:
        say(f"The backup is whole: {found.records} records, made at {found.made_at:%Y-%m-%d %H:%M} UTC.")
    return DONE


def rehearse(options: argparse.Namespace) -> int:
    """Put a backup back in a folder that goes afterwards, open it, and compare everything."""
    app = build_application(options.file.parent)
    done = drill(app, options.file, _secret(options), work=options.work, on_progress=_progress(options))
    if options.json:
        say_json({"ok": True, **_drill_json(done)})
    else:
        say(
            f"The drill went well: {done.records} records, {done.ledger_records} consent records and"
            f" {done.journal_lines} journal lines are equal ({done.rows} rows in {done.tables} tables)."
        )
    return DONE


def put_back(options: argparse.Namespace) -> int:
    """Put a vault back; one that is there already stays beside it."""
    app = build_application(options.vault.parent)
    found = restore(
        app,
        options.file,
        options.vault,
        _secret(options),
        accept_older=options.older,
        on_progress=_progress(options),
    )
    kept = kept_before(options.vault)
    if options.json:
        say_json({"vault": str(options.vault), "kept_bytes": kept, **_as_json(found)})
        return DONE
    say(f"Put back: {found.records} records as they were at {found.made_at:%Y-%m-%d %H:%M} UTC.")
    say("Nothing is sent before each recipient was asked what it knows; the app does that by itself.")
    if kept:
        say(f"The vault from before lies beside it ({kept} bytes): `pgo backup forget` or `pgo backup undo`.")
    return DONE


def undo(options: argparse.Namespace) -> int:
    """Take the vault from before the last restore again."""
    go_back(build_application(options.vault.parent), options.vault, _secret(options))
    say("The vault from before the restore is back.")
    return DONE


def forget(options: argparse.Namespace) -> int:
    """Destroy what lies beside a vault from before its restores."""
    if not options.yes:
        sys.stderr.write("pgo: this cannot be undone; add --yes to do it.\n")
        return REFUSED
    say(f"{forget_before(options.vault)} removed.")
    return DONE


def _secret(options: argparse.Namespace) -> Secret:
    if options.code_file is not None:
        return Secret(read_passphrase(options.code_file), is_code=True)
    return Secret(read_passphrase(options.passphrase_file))


def _progress(options: argparse.Namespace) -> Callable[[str, int, int], None]:
    """A line per step on standard error, rewritten as it goes; silent where nobody watches."""
    if options.json or not sys.stderr.isatty():
        return lambda _phase, _done, _total: None

    def told(phase: str, done: int, total: int) -> None:
        share = f"{100 * done // total}%" if total else ""
        sys.stderr.write(f"\r{_STEPS[phase]} {share:<20}")
        if done >= total and phase == "compare":
            sys.stderr.write("\n")

    return told


def _as_json(found: FoundBackup) -> dict[str, Any]:
    return {
        "file": str(found.path),
        "vault": found.vault_id,
        "made_at": found.made_at.isoformat() if found.made_at else None,
        "records": found.records,
        "bytes": found.size_bytes,
        "problem": found.problem,
    }


def _drill_json(done: Drill) -> dict[str, Any]:
    return {
        "made_at": done.made_at.isoformat(),
        "tables": done.tables,
        "rows": done.rows,
        "records": done.records,
        "ledger_records": done.ledger_records,
        "journal_lines": done.journal_lines,
    }
