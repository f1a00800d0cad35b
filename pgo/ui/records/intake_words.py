"""Say why a piece of a file was not taken, and where in the file it stood."""

from __future__ import annotations

from pgo.ui.state import AppState
from pgo.ui.text import has

_PLACES = {"entry": "collect.place.entry", "line": "collect.place.line", "file": "collect.place.file",
           "resource": "collect.place.entry"}  # fmt: skip


def reason_words(app: AppState, code: str) -> str:
    """Say a reason as part of a sentence."""
    key = f"collect.reason.{code}"
    return app.t(key) if has(app.lang, key) else app.t("collect.reason.unknown", code=code)


def as_sentence(words: str) -> str:
    """Give words a capital; the rest stays as it is."""
    return words[:1].upper() + words[1:]


def place_words(app: AppState, entry: str) -> str:
    """Say where a piece stood: ``file 2, entry 3.1`` in the words of the person."""
    if entry == "file":
        return app.t("collect.place.whole")
    said = []
    for part in entry.split(", "):
        kind, _, number = part.partition(" ")
        said.append(app.t(_PLACES[kind], n=number) if kind in _PLACES and number else part)
    return ", ".join(said)
