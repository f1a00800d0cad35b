"""Who looked, in plain sentences: what somebody did, at which kinds of data, and why a list is not there.

It imports no Flet: the words are tested without a screen.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from pgo.ui.sharing_words import join, lower_first
from pgo.ui.text import has, t


def access_action(lang: str, action: str) -> str:
    """Say what somebody did with the data; an unknown action shows as its code."""
    key = f"share.looked.action.{action}"
    return t(lang, key) if has(lang, key) else t(lang, "share.looked.action.other", code=action)


def access_kinds(lang: str, categories: Iterable[str]) -> str:
    """Say which kinds of data somebody saw; an unknown kind shows as its code."""
    names = [t(lang, key) if has(lang, key := f"share.cat.{code}") else code for code in categories]
    return join(map(lower_first, names))


_NOT_REACHED: Final = frozenset({"unreachable", "timeout", "busy", "no_proof"})


def fetch_problem(lang: str, code: str, *, name: str, known: bool) -> str:
    """Say why the list of looks could not be fetched.

    Args:
        lang: language of the sentence.
        code: code of the failure.
        name: the recipient's name.
        known: a list fetched before is on the screen.
    """
    if code in _NOT_REACHED:
        return t(lang, "share.looked.unreachable" if known else "share.looked.unreachable_first", name=name)
    if code.startswith("access_log") or code == "bad_access_log":
        return t(lang, "share.looked.bad", name=name)
    return t(lang, "share.looked.refused", name=name, code=code)
