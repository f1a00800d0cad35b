"""The words of paper and tables, as the caller gives them: this package knows no language."""

from __future__ import annotations

from datetime import datetime
from typing import Protocol


class Words(Protocol):
    """Texts, days and moments in one language."""

    @property
    def lang(self) -> str:
        """Language code, for example ``nl``."""
        ...

    def t(self, key: str, **values: object) -> str:
        """The text of a key with its values filled in."""
        ...

    def day(self, iso: str) -> str:
        """A day of a record written out; a partial day gives what is known, '' gives ''."""
        ...

    def moment(self, at: datetime) -> str:
        """An instant written out."""
        ...
