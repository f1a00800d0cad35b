"""What a plain FHIR server says it can and cannot, on the screens where that matters."""

from __future__ import annotations

import flet as ft

from pgo.ui.fhir_words import lack_sentences, refusal
from pgo.ui.hooks import use_action, use_app, use_query
from pgo.ui.safety import component
from pgo.ui.sharing.parts import sentences
from pgo.ui.state import AppState, Ok
from pgo.ui.text import fmt_moment
from pgo.ui.widgets import body, muted, note, secondary_button, section_card
from pgo.usecases import fhir_servers
from pgo.usecases.fhir_servers import ServerAnswer
from pgo.usecases.session import Session


@component
def ServerCheck(recipient_id: str, name: str) -> ft.Control:
    """What the server said last, with the way to ask again."""
    app = use_app()
    problem, set_problem = ft.use_state("")

    def read(session: Session) -> ServerAnswer:
        return fhir_servers.last_answer(session, recipient_id)

    found = use_query(read, recipient_id)

    async def again() -> None:
        outcome = await app.attempt(fhir_servers.ask_again, app.session, recipient_id)
        set_problem("" if isinstance(outcome, Ok) else refusal(app.lang, outcome.code))
        if isinstance(outcome, Ok):
            app.changed()

    asking = use_action(again)
    if found.value is None:
        return ft.Container()
    when = fmt_moment(app.lang, found.value.asked_at)
    return section_card(
        app.t("fhir.check.title", name=name),
        lacks(app, found.value),
        *([note(problem, "bad")] if problem else []),
        muted(app.t("fhir.check.when", when=when)),
        ft.Row(
            [
                secondary_button(
                    app.t("fhir.check.again"),
                    asking.start,
                    key="server-again",
                    icon=ft.Icons.SYNC_ROUNDED,
                    disabled=asking.busy,
                )
            ],
            wrap=True,
        ),
    )


def lacks(app: AppState, answer: ServerAnswer) -> ft.Control:
    """What a server cannot, or that it can everything."""
    lines = lack_sentences(app.lang, answer)
    if not lines:
        return body(app.t("fhir.check.all"))
    return sentences(app, lines, icon=ft.Icons.INFO_OUTLINE_ROUNDED)
