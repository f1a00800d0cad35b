"""``pgo export``: everything, the records, a table, or the summary on paper."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from pathlib import Path

from consent.codes import Sensitivity
from pgo.cli.files import write_private
from pgo.cli.terminal import DONE, opened
from pgo.errors import InputRefused
from pgo.ui.paper_words import PaperWords
from pgo.usecases.export import export_records
from pgo.usecases.session import Session

_BY_ENDING = {".zip": "archive", ".pdf": "summary"}


def export(options: argparse.Namespace) -> int:
    """Write a file that this user only can read; an existing one is not replaced unasked."""
    if options.out.exists() and not options.force:
        raise InputRefused("file_exists")
    make = _maker(options.form or form_of(options.out), options)
    with opened(options.vault, options.passphrase_file) as session:
        data = make(session)
    write_private(options.out, data)
    sys.stderr.write("pgo: the exported file is not encrypted.\n")
    return DONE


def form_of(out: Path) -> str:
    """What an ending asks for; the records as one FHIR Bundle when it says nothing."""
    return _BY_ENDING.get(out.suffix.lower(), "records")


def _maker(form: str, options: argparse.Namespace) -> Callable[[Session], bytes]:
    words = PaperWords(options.lang)
    if form == "records":
        return export_records
    if form == "summary":
        return lambda session: _summary(session, words, options)
    if form == "archive":
        return lambda session: _archive(session, words)
    return lambda session: _table(session, words, form)


def _archive(session: Session, words: PaperWords) -> bytes:
    from pgo.usecases.export_archive import export_archive

    return export_archive(session, words).data


def _table(session: Session, words: PaperWords, form: str) -> bytes:
    from pgo.usecases.export_tables import export_table

    return export_table(session, "measurements" if form == "measurements" else "medication", words)


def _summary(session: Session, words: PaperWords, options: argparse.Namespace) -> bytes:
    from pgo.usecases.export_summary import SummaryChoice, export_summary
    from pgo.usecases.export_summary_lines import Part

    try:
        sensitive = frozenset(map(Sensitivity, options.sensitive or ()))
        parts = frozenset(map(Part, options.part)) if options.part else SummaryChoice().parts
    except ValueError as exc:
        raise InputRefused("export_choice") from exc
    return export_summary(session, SummaryChoice(parts=parts, sensitive=sensitive), words)
