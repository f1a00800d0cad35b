"""Take in a request: paste its text or pick the file. Nothing changes by taking it in."""

from __future__ import annotations

from typing import Final

import flet as ft

from pgo.ui.hooks import go, use_app
from pgo.ui.request_words import refusal
from pgo.ui.safety import component
from pgo.ui.sharing.signed_text import Asked, SignedText
from pgo.ui.state import Ok
from pgo.ui.widgets import page_body
from pgo.usecases import requests

MAX_FILE_BYTES: Final = 128 * 1024  # a request is at most 64 KiB (consent.request); line breaks count too


@component
def Screen() -> ft.Control:
    """Ask for the request."""
    app = use_app()

    async def take(source: str | bytes) -> str | None:
        outcome = await app.attempt(requests.take_in, app.session, source)
        if not isinstance(outcome, Ok):
            return refusal(app.lang, outcome.code)
        app.changed()
        go("/share/requests")
        return None

    asked = Asked(
        key="request",
        title=app.t("request.where"),
        label=app.t("request.paste"),
        check=app.t("request.check"),
        empty=app.t("request.empty"),
        max_file_bytes=MAX_FILE_BYTES,
    )
    return page_body(
        app.t("request.add"),
        SignedText(asked, take),
        lead=app.t("request.add_lead"),
        back=("/share/requests", app.t("request.title")),
    )
