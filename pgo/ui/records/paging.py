"""Pages of a long list, read from the vault while somebody scrolls.

``VirtualList`` keeps only the rows near the window as controls; this hook keeps only the pages it needed:

1. A page of ``PAGE`` rows is read off the event loop when the window comes near it.
2. Pages are kept while the question (words, kind, revision of the vault) stays the same.
3. An answer to an old question is dropped, never mixed in. Until the first page of the new question is
   there the rows of the old one stay, so nothing flickers while somebody types.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import flet as ft

from pgo.ui.hooks import use_app
from pgo.ui.state import Failed

if TYPE_CHECKING:
    from pgo.usecases.read import Page, RecordRow
    from pgo.usecases.session import Session

PAGE: Final = 100
_FIRST_WINDOW: Final = (0, 60)

ReadPage = Callable[["Session", int, int], "Page"]


@dataclass(frozen=True, slots=True)
class Held:
    """The pages read for one question so far; ``total`` is None before the first."""

    question: object
    total: int | None
    pages: tuple[tuple[int, tuple[RecordRow, ...]], ...]

    @property
    def place(self) -> str:
        """What the scroll position belongs to: the question without the revision."""
        return repr(self.question[:-1]) if isinstance(self.question, tuple) else ""

    def row(self, index: int) -> RecordRow | None:
        """Return a row when its page was read."""
        number, place = divmod(index, PAGE)
        rows = next((rows for kept, rows in self.pages if kept == number), ())
        return rows[place] if place < len(rows) else None

    def with_page(self, question: object, number: int, page: Page) -> Held:
        """Return this with one more page; pages of another question go."""
        kept = self.pages if self.question == question else ()
        others = tuple(pair for pair in kept if pair[0] != number)
        return Held(question, page.total, (*others, (number, page.rows)))

    def missing(self, window: tuple[int, int]) -> tuple[int, ...]:
        """Return the numbers of the pages a window touches and that are not here."""
        if self.total is None:
            return (0,)
        last = min(self.total, window[1])
        touched = range(window[0] // PAGE, (last - 1) // PAGE + 1) if last > window[0] else ()
        here = {number for number, _ in self.pages}
        return tuple(number for number in touched if number not in here)


@dataclass(frozen=True, slots=True)
class Pages:
    """What to draw now: rows of ``shown`` (maybe of the question before), and who to tell of scrolling."""

    shown: Held
    failed: Failed | None
    on_window: Callable[[int, int], None]


def use_pages(read: ReadPage, *question: object) -> Pages:
    """Hook: hold the pages of a list.

    Args:
        read: called with session, offset and limit in a thread.
        question: what the list depends on; the revision of the vault always belongs to it.
    """
    app = use_app()
    asked = (*question, app.revision)
    nothing = Held(None, None, ())
    not_failed: Failed | None = None
    held, set_held = ft.use_state(nothing)
    failed, set_failed = ft.use_state(not_failed)
    window, set_window = ft.use_state((question, _FIRST_WINDOW))
    newest: Any = ft.use_ref(None)
    newest.current = asked
    known = held if held.question == asked else Held(asked, None, ())
    missing = known.missing(window[1] if window[0] == question else _FIRST_WINDOW)

    async def load() -> None:
        for number in missing:
            outcome = await app.attempt(read, app.session, number * PAGE, PAGE)
            if newest.current != asked:
                return
            if isinstance(outcome, Failed):
                set_failed(outcome)
                return
            page = outcome.value
            set_failed(None)
            set_held(_adding(asked, number, page))

    ft.use_effect(load, dependencies=[asked, missing])
    return Pages(held, failed, lambda first, last: set_window((question, (first, last))))


def _adding(asked: object, number: int, page: Page) -> Callable[[Held], Held]:
    return lambda old: old.with_page(asked, number, page)
