"""``pgo journal show``, ``verify`` and ``export``."""

from __future__ import annotations

import argparse
from pathlib import Path

from pgo.cli.files import write_private
from pgo.cli.terminal import DAMAGED, DONE, opened, say, say_json
from pgo.errors import InputRefused
from pgo.ui.journal_words import finding_sentence, looked_sentence, row_sentence, searched_text
from pgo.usecases.journal import (
    JournalQuery,
    check_journal,
    check_journal_file,
    export_journal,
    journal_page,
)
from pgo.usecases.journal_file import MAX_FILE_BYTES, Verified, verify_journal_file
from pgo.usecases.journal_kinds import JournalKind

_LANGUAGE = "en"


def show(options: argparse.Namespace) -> int:
    """Print the newest lines, or those that match."""
    kind = None if options.kind is None else JournalKind(options.kind)
    query = JournalQuery(kind=kind, first=options.first, last=options.last, words=options.words or "")
    with opened(options.vault, options.passphrase_file) as session:
        page = journal_page(
            session, query, say=lambda row: searched_text(_LANGUAGE, row), limit=options.limit
        )
    if options.json:
        rows = [
            {"position": row.position, "at": row.at.isoformat(), "event": row.event, **row.details}
            for row in page.rows
        ]
        say_json({"total": page.total, "lines": rows})
        return DONE
    for row in page.rows:
        words = " ".join(filter(None, (row_sentence(_LANGUAGE, row), looked_sentence(_LANGUAGE, row))))
        say(f"{row.position + 1}\t{row.at:%Y-%m-%d %H:%M:%SZ}\t{words}")
    say(f"{len(page.rows)} of {page.total} lines")
    return DONE


def export(options: argparse.Namespace) -> int:
    """Write the signed journal."""
    if options.out.exists() and not options.force:
        raise InputRefused("file_exists")
    with opened(options.vault, options.passphrase_file) as session:
        write_private(options.out, export_journal(session))
    return DONE


def verify(options: argparse.Namespace) -> int:
    """Check a file, a vault, or a file against the vault it says it comes from."""
    if options.file is None and options.vault is None:
        raise InputRefused("journal_nothing_to_check")
    if options.vault is None:
        return _report(verify_journal_file(_read(options.file)), as_json=options.json)
    with opened(options.vault, options.passphrase_file) as session:
        if options.file is None:
            checked = check_journal(session)
        else:
            checked = check_journal_file(session, _read(options.file))
    return _report(checked, as_json=options.json)


def _read(path: Path) -> bytes:
    with path.open("rb") as stream:
        return stream.read(MAX_FILE_BYTES + 1)


def _report(checked: Verified, *, as_json: bool) -> int:
    if as_json:
        findings = [
            {"fault": one.fault.value, "position": one.position, "until": one.until, "line": one.line}
            for one in checked.findings
        ]
        say_json(
            {
                "ok": not findings,
                "count": checked.count,
                "fingerprint": checked.fingerprint,
                "findings": findings,
            }
        )
    else:
        for one in checked.findings:
            say(finding_sentence(_LANGUAGE, one) + (f" (line {one.line} of the file)" if one.line else ""))
        if not checked.findings:
            say(f"The journal is whole: {checked.count} lines.")
        say(f"Signed by {checked.fingerprint}")
    return DAMAGED if checked.findings else DONE
