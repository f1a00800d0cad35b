"""The journal in plain sentences: what a line says, what a fault is.

It imports no Flet: the command line and the search use the same words as the screen.
"""

from __future__ import annotations

from pgo.ui.text import fmt_number, t
from pgo.usecases.journal_rows import JournalRow
from pgo.usecases.journal_verify import Finding


def row_sentence(lang: str, row: JournalRow) -> str:
    """Say one line of the journal; what has no name any more is called so."""
    name = row.name or t(lang, "journal.gone")
    return t(lang, f"journal.event.{_words_of(row)}", n=row.count, name=name)


def looked_sentence(lang: str, row: JournalRow) -> str:
    """Say who looked, '' when the line is not about that."""
    return t(lang, "journal.looked_by", names=", ".join(row.looked_by)) if row.looked_by else ""


def searched_text(lang: str, row: JournalRow) -> str:
    """Everything a person can search a line by."""
    return f"{row_sentence(lang, row)} {looked_sentence(lang, row)}"


def finding_sentence(lang: str, finding: Finding) -> str:
    """Say one fault; lines are counted from 1, as people do."""
    first, last = finding.position + 1, finding.until + 1
    shown = {"first": fmt_number(lang, first), "last": fmt_number(lang, last)}
    return t(lang, f"journal.fault.{finding.fault}", **shown)


def _words_of(row: JournalRow) -> str:
    """The key of a line's words; some events have more than one kind of content."""
    if row.event == "sent" and row.details.get("kind") == "statement":
        return "sent_rules"
    if row.event == "sent" and row.details.get("kind") == "removal":
        return "sent_removal"
    if row.event == "exported" and row.details.get("form") in ("csv", "summary"):
        return f"exported_{row.details['form']}"
    return row.event
