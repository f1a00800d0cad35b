"""The building blocks of every screen; screens use these, never the raw Flet controls behind them.

Each block is what Flet 1.0.5 needs to be reachable by keyboard and screen reader (a bare ``IconButton`` has
no name, a bare ``Dropdown`` neither name nor value), has the sizes of `pgo.ui.theme` and, where it can be
touched, a stable ``key`` that tests find as ``flt-semantics-identifier``.
"""

from __future__ import annotations

from pgo.ui.widgets.avatar import AVATAR_COLOURS, avatar
from pgo.ui.widgets.buttons import danger_button, icon_button, primary_button, secondary_button, text_button
from pgo.ui.widgets.display import (
    StatusKind,
    copyable,
    counts,
    described,
    empty_state,
    key_values,
    list_row,
    list_section,
    note,
    status_badge,
)
from pgo.ui.widgets.feedback import (
    Ask,
    NoticeHost,
    error_banner,
    live,
    loading,
    progress,
    query_placeholder,
    use_confirm,
)
from pgo.ui.widgets.forms import (
    checkbox_row,
    date_field,
    radio_group,
    switch_row,
    text_field,
)
from pgo.ui.widgets.layout import (
    body,
    card,
    gap,
    heading,
    muted,
    page_body,
    section_card,
    strong,
    tabs_row,
    toolbar,
    use_width,
)
from pgo.ui.widgets.lists import VirtualList

__all__ = [
    "AVATAR_COLOURS",
    "Ask",
    "NoticeHost",
    "StatusKind",
    "VirtualList",
    "avatar",
    "body",
    "card",
    "checkbox_row",
    "copyable",
    "counts",
    "danger_button",
    "date_field",
    "described",
    "empty_state",
    "error_banner",
    "gap",
    "heading",
    "icon_button",
    "key_values",
    "list_row",
    "list_section",
    "live",
    "loading",
    "muted",
    "note",
    "page_body",
    "primary_button",
    "progress",
    "query_placeholder",
    "radio_group",
    "secondary_button",
    "section_card",
    "status_badge",
    "strong",
    "switch_row",
    "tabs_row",
    "text_button",
    "text_field",
    "toolbar",
    "use_confirm",
    "use_width",
]
