"""The letter that asks a care provider to correct a record, in plain sentences.

The rights it names: GDPR article 16 (to have wrong data corrected, to add an own statement) and article 12(3)
(an answer within one month), https://eur-lex.europa.eu/eli/reg/2016/679/oj; Dutch Civil Code article 7:454(2)
(an own statement is added to the file), https://wetten.overheid.nl/BWBR0005290/.
"""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

from pgo.ui.records.say import say_moment, say_value
from pgo.ui.text import fmt_date, t

if TYPE_CHECKING:
    from pgo.health.record.views import PersonView
    from pgo.usecases.corrections import Request
    from pgo.usecases.read import RecordRow


def letter_name(lang: str) -> str:
    """Return the file name of the letter; it says nothing about the person or the record."""
    return t(lang, "letter.file")


def letter(lang: str, row: RecordRow, request: Request, person: PersonView | None, *, today: date) -> str:
    """Return the letter as text, ready to print or to send.

    Args:
        lang: language of the letter.
        row: the record it is about.
        request: what was asked.
        person: who asks; what is unknown is left open to fill in by hand.
        today: day of the letter.
    """
    asked = request.asked
    record = " – ".join(
        filter(None, (row.title, say_value(lang, row.value_text), say_moment(lang, row.start)))
    )
    blank = t(lang, "letter.blank")
    born = fmt_date(lang, person.birth_date) if person else ""
    parts = [
        fmt_date(lang, today.isoformat()),
        t(lang, "letter.to", recipient=asked.recipient or blank),
        t(lang, "letter.subject"),
        t(lang, "letter.dear"),
        t(lang, "letter.record", record=record),
        t(lang, "letter.wrong", words=asked.wrong),
        t(lang, "letter.right", words=asked.right) if asked.right else "",
        t(lang, "letter.law"),
        t(lang, "letter.close"),
        "\n".join(
            (
                t(lang, "letter.name", name=person.name if person and person.name else blank),
                t(lang, "letter.born", date=born or blank),
            )
        ),
    ]
    return "\n\n".join(part for part in parts if part) + "\n"
