"""Throwing away and taking back, the same everywhere: at once, said at the bottom, with a way back."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pgo.ui.hooks import Action, use_action, use_app
from pgo.ui.state import Ok
from pgo.usecases import medicate

if TYPE_CHECKING:
    from pgo.usecases.read import RecordRow


def use_remove(row: RecordRow) -> Action:
    """Hook: move a record to the trash, no question asked, because it can be taken back at once and later."""
    app = use_app()

    async def take_back() -> None:
        if isinstance(await app.run(medicate.restore, app.session, row.id), Ok):
            app.changed(app.t("trash.restored", title=row.title))

    async def remove() -> None:
        outcome = await app.run(medicate.remove, app.session, row.id)
        if isinstance(outcome, Ok):
            app.changed()
            words = "trash.removed_shared" if outcome.value else "trash.removed"
            app.say(app.t(words, title=row.title), undo=take_back)

    return use_action(remove)


def use_restore(row: RecordRow) -> Action:
    """Hook: take a record out of the trash."""
    app = use_app()

    async def restore() -> None:
        if isinstance(await app.run(medicate.restore, app.session, row.id), Ok):
            app.changed(app.t("trash.restored", title=row.title))

    return use_action(restore)
