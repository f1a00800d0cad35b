"""The words of paper and tables in one language (``pgo.health.summary.words.Words``). It imports no Flet."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from pgo.health.medication.lines import MedicineLine
from pgo.ui.records.medicine_words import rows_of
from pgo.ui.records.say import say_value
from pgo.ui.text import fmt_date, fmt_moment, t


@dataclass(frozen=True, slots=True)
class PaperWords:
    """Texts, days and moments as the screens write them."""

    lang: str

    def t(self, key: str, **values: object) -> str:
        """The text of a key with its values filled in."""
        return t(self.lang, key, **values)

    def day(self, iso: str) -> str:
        """A day of a record written out; a partial day gives what is known."""
        return fmt_date(self.lang, iso)

    def medicine(self, line: MedicineLine) -> str:
        """What was agreed, handed over and taken; for a reader who is not the patient."""
        spoken = {
            t(self.lang, "medicine.takes"): t(self.lang, "paper.takes"),
            t(self.lang, "medicine.not_taken"): t(self.lang, "paper.not_taken"),
        }
        parts = [
            f"{spoken.get(label, label)}: {spoken.get(said, said)}"
            for label, said in rows_of(self.lang, line)
        ]
        differs = [t(self.lang, f"paper.differs.{one}") for one in line.differences]
        return "\n".join([*parts, *differs])

    def value(self, text: str) -> str:
        """A measured value as written, with the decimal mark of the language."""
        return say_value(self.lang, text)

    def moment(self, at: datetime) -> str:
        """An instant written out in the time zone of the device."""
        return fmt_moment(self.lang, at)
