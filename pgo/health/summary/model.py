"""What stands on the paper summary, as values; ``pgo.health.summary.paper`` sets it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Section:
    """One part of the paper.

    Attributes:
        title: heading.
        columns: names of the columns; empty for a part without a table.
        rows: one text per column, in the words of the source.
        widths: share of the width per column.
        empty: sentence in the place of an empty table: nothing known is something else than nothing there.
        note: sentence under the table, '' for none.
    """

    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    widths: tuple[int, ...]
    empty: str
    note: str = ""


@dataclass(frozen=True, slots=True)
class Summary:
    """The whole paper.

    Attributes:
        lang: language code, for screen readers and hyphenation.
        title: what it is.
        name: whose it is, '' when unknown.
        facts: label and value, at the top.
        intro: who made it, of what, and what it is not.
        sections: the parts, in order.
        closing: sentences at the end: what may not be on it, replaced characters.
        footer: made when, by whom; stands on every page.
        page: words of the page number with ``{page}`` and ``{pages}``.
    """

    lang: str
    title: str
    name: str
    facts: tuple[tuple[str, str], ...]
    intro: str
    sections: tuple[Section, ...]
    closing: tuple[str, ...]
    footer: str
    page: str
