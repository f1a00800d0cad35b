"""Read the words out of a FHIR narrative: text only, no mark-up survives.

Rules:

1. Only characters are taken over. Tags are never kept, whatever they are; what stands in ``script`` and
   ``style`` is no text for people and goes with them.
2. A heading, paragraph, row or item is a line of its own; cells of a row are set apart by a bar.
3. Characters that turn the direction of writing are left out: they can make a text read as another.

Source: https://hl7.org/fhir/R4/narrative.html; Unicode UAX #9 (directional formatting characters).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from html.parser import HTMLParser

MAX_CHARACTERS = 200_000
_HEADINGS = frozenset({"h1", "h2", "h3", "h4", "h5", "h6"})
_LINES = frozenset({"p", "div", "tr", "li", "br", "caption", "table", "ul", "ol", "dt", "dd"}) | _HEADINGS
_CELLS = frozenset({"td", "th"})
_UNSEEN = frozenset({"script", "style"})
_TURNING = re.compile("[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]")


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a narrative."""

    words: str
    heading: bool


def narrative_lines(div: str) -> tuple[Line, ...]:
    """Give the lines of a narrative, in order; empty ones are left out.

    Args:
        div: XHTML, untrusted; beyond 200,000 characters it is not looked at.
    """
    reader = _Words()
    reader.feed(div[:MAX_CHARACTERS])
    reader.close()
    reader.end_line()
    return tuple(reader.lines)


class _Words(HTMLParser):
    """Collects characters; the only thing a tag can do is to end a line."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.lines: list[Line] = []
        self._words: list[str] = []
        self._heading = False
        self._unseen = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:  # noqa: ARG002 - never looked at
        if tag in _LINES:
            self.end_line()
            self._heading = tag in _HEADINGS
        elif tag in _CELLS and self._words:
            self._words.append(" | ")
        self._unseen += tag in _UNSEEN

    def handle_endtag(self, tag: str) -> None:
        if tag in _LINES:
            self.end_line()
        if tag in _UNSEEN and self._unseen:
            self._unseen -= 1

    def handle_data(self, data: str) -> None:
        if not self._unseen:
            self._words.append(data)

    def end_line(self) -> None:
        """Close the line that is being read."""
        words = " ".join(_TURNING.sub("", "".join(self._words)).split()).strip("| ")
        if words:
            self.lines.append(Line(words, self._heading))
        self._words, self._heading = [], False
