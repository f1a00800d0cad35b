"""First screen while nothing is open."""

from __future__ import annotations

import flet as ft

from pgo.ui.safety import component
from pgo.ui.state import use_app
from pgo.ui.widgets import page_body


@component
def Screen() -> ft.Control:
    """Choose, create or unlock a vault."""
    app = use_app()
    return page_body(app.t("app.name"))
