"""``pgo import`` and ``list``."""

from __future__ import annotations

import argparse
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pgo.cli.terminal import DONE, REFUSED, opened, reason, say, say_json
from pgo.errors import InputRefused
from pgo.usecases.collect import CollectResult, collect
from pgo.usecases.read import counts_by_type, records_of_type
from pgo.usecases.session import Session

MAX_FILE_BYTES = 400_000_000
"""Read at most this much: room for an archive of a whole vault; any other file has the reader's own limit."""


@dataclass(slots=True)
class _Tally:
    imported: int = 0
    unchanged: int = 0
    seconds: float = 0.0
    refused: int = 0
    quarantined: list[dict[str, Any]] = field(default_factory=list)

    def set_aside(
        self, file: str, entry: str, code: str, *, detail: str = "", of: tuple[Any, Any] = (None, None)
    ) -> None:
        self.quarantined.append(
            {
                "file": file,
                "entry": entry,
                "type": of[0],
                "id": of[1],
                "code": code,
                "reason": reason(code, detail),
            }
        )


def take_in(options: argparse.Namespace) -> int:
    """Import files; a file that cannot be used never stops the others."""
    tally = _Tally()
    with opened(options.vault, options.passphrase_file) as session:
        for path in options.files:
            _take_file(session, path, tally, this_is_me=options.this_is_me)
    if options.json:
        say_json(
            {
                "files": len(options.files),
                "imported": tally.imported,
                "unchanged": tally.unchanged,
                "quarantined": tally.quarantined,
                "seconds": round(tally.seconds, 3),
            }
        )
    else:
        say(f"{tally.imported} imported, {tally.unchanged} unchanged, {len(tally.quarantined)} set aside.")
        for one in tally.quarantined:
            say(f"{one['file']}: {one['entry']}: {one['reason']}")
    return REFUSED if tally.refused else DONE


def list_records(options: argparse.Namespace) -> int:
    """Count records per type, or list those of one type."""
    with opened(options.vault, options.passphrase_file) as session:
        by_type = counts_by_type(session)
        if options.type is not None:
            by_type = {options.type: by_type[options.type]} if options.type in by_type else {}
        total = sum(by_type.values())
        rows = records_of_type(session, options.type) if options.type is not None and not options.json else ()
    if options.json:
        say_json({"total": total, "by_type": by_type})
        return DONE
    for row in rows:
        say("\t".join((str(row.id), row.start, row.title, row.value_text or row.detail)))
    for type_, count in by_type.items():
        say(f"{type_}: {count}")
    say(f"{total} records")
    return DONE


def _take_file(session: Session, path: Path, tally: _Tally, *, this_is_me: bool) -> None:
    try:
        with path.open("rb") as stream:
            data = stream.read(MAX_FILE_BYTES)
        result = collect(session, data, name=path.name, accept_person=this_is_me)
    except InputRefused as exc:
        tally.refused += 1
        tally.set_aside(str(path), "file", exc.code, detail=exc.detail)
        return
    except OSError:
        tally.refused += 1
        tally.set_aside(str(path), "file", "unreadable")
        return
    _count(result, str(path), tally)


def _count(result: CollectResult, file: str, tally: _Tally) -> None:
    tally.imported += result.imported
    tally.unchanged += result.unchanged
    tally.seconds += result.seconds
    if result.person_question is not None:
        tally.refused += 1
        tally.set_aside(file, "file", "other_patient")
    for entry in result.set_aside:
        tally.refused += entry.entry == "file"  # nothing of the file could be read; it is kept for later
        tally.set_aside(file, entry.entry, entry.code, detail=entry.detail, of=(entry.type, entry.id))
