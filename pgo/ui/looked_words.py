"""Who looked, in plain sentences: what somebody did, at which kinds of data, and why a list is not there.

It imports no Flet: the words are tested without a screen.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from pgo.ui.sharing_words import join, lower_first
from pgo.ui.text import has, t
from sync.access import REFUSED, AccessDetails, AccessEntry


def access_action(lang: str, action: str) -> str:
    """Say what somebody did with the data; an unknown action shows as its code."""
    for key in (f"share.looked.action.{action}", f"looked.action.{action}"):
        if has(lang, key):
            return t(lang, key)
    return t(lang, "share.looked.action.other", code=action)


def access_what(lang: str, entry: AccessEntry) -> str:
    """Say what somebody did, and at which kinds of data when there were any."""
    action = access_action(lang, entry.action)
    if not entry.categories:
        return t(lang, "looked.alone", what=action)
    return t(lang, "share.looked.what", what=action, kinds=access_kinds(lang, entry.categories))


def access_kinds(lang: str, categories: Iterable[str]) -> str:
    """Say which kinds of data somebody saw; an unknown kind shows as its code."""
    names = [t(lang, key) if has(lang, key := f"share.cat.{code}") else code for code in categories]
    return join(map(lower_first, names))


def access_more(lang: str, entry: AccessEntry, *, name: str) -> tuple[str, ...]:
    """Say what the full form tells beside it, where that is not what one expects.

    Args:
        lang: language of the sentences.
        entry: the look.
        name: of the recipient; who is responsible is said when it is somebody else.

    Returns:
        Refusal and reason first; then on whose behalf, who is responsible, by which other way.
    """
    details = entry.details
    if details is None:
        return ()
    said = []
    if details.outcome == REFUSED:
        said.append(t(lang, "looked.refused"))
    if details.reason:
        said.append(_reason(lang, details))
    if details.on_behalf_of:
        said.append(t(lang, "looked.behalf", who=details.on_behalf_of))
    if details.organisation != name:
        said.append(t(lang, "looked.responsible", who=details.organisation))
    if details.origin != _EXPECTED_WAY:
        said.append(_either(lang, f"looked.origin.{details.origin}", "looked.origin.other", details.origin))
    return tuple(said)


def is_marked(entry: AccessEntry) -> bool:
    """Tell whether a look deserves attention: a reason was needed, or it was refused."""
    details = entry.details
    return details is not None and bool(details.reason or details.outcome == REFUSED)


def doubt(lang: str, problem: str, *, name: str) -> str:
    """Say what is wrong with a list."""
    key = f"looked.doubt.{problem}"
    return t(lang, key if has(lang, key) else "share.looked.bad", name=name)


def _reason(lang: str, details: AccessDetails) -> str:
    code = details.reason
    reason = _either(lang, f"looked.reason.{code}", "looked.reason.other", code)
    if details.note:
        return t(lang, "looked.reason_note", reason=reason, note=details.note)
    return t(lang, "looked.reason", reason=reason)


def _either(lang: str, key: str, other: str, code: str) -> str:
    return t(lang, key) if has(lang, key) else t(lang, other, code=code)


_EXPECTED_WAY: Final = "portal"
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
        return doubt(lang, code, name=name)
    return t(lang, "share.looked.refused", name=name, code=code)
