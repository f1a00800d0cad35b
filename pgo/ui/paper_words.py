"""The words of paper and tables in one language (``pgo.health.summary.words.Words``). It imports no Flet."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

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

    def moment(self, at: datetime) -> str:
        """An instant written out in the time zone of the device."""
        return fmt_moment(self.lang, at)
