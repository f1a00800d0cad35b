"""One look at one patient, in one language at one moment: what every part of a page is made from."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from pgo.health.record.index import RecordIndex
from pgo.health.record.status import RecordStatus, status_on
from recipient.look import Item, Look
from recipient.portal.text import t


@dataclass(frozen=True, slots=True)
class View:
    """What is shown, to whom in which language, and when."""

    look: Look
    lang: str
    at: datetime

    def say(self, key: str, **values: object) -> str:
        """Give one sentence in the language of the page."""
        return t(self.lang, key, **values)

    def status(self, index: RecordIndex) -> RecordStatus:
        """Say where a record stands on the day of looking."""
        return status_on(index.status, index.start, index.end, on=self.at.date())

    def is_new(self, item: Item) -> bool:
        """Say whether a record came after this person's last visit; at a first one nothing stands out."""
        return self.look.since is not None and item.received_at > self.look.since

    def usable(self) -> tuple[Item, ...]:
        """Give what may stand in a section: everything but what was entered in error."""
        return tuple(
            item for item in self.look.items if item.index.status is not RecordStatus.ENTERED_IN_ERROR
        )
