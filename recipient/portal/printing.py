"""The whole record laid out for paper: everything of the overview, nothing folded away, charts as numbers.

Promises: each sheet says whose it is, born when, printed when and by whom, under which grant and until when;
printing is an event in the patient's list of who looked, which is why other pages print as a pointer to here.
"""

from __future__ import annotations

from typing import Any

from recipient.accounts import Account
from recipient.portal.overview import overview_page
from recipient.portal.text import instant_words
from recipient.portal.view import View


def print_page(view: View, *, place: str, account: Account) -> dict[str, Any]:
    """Gather the sheets.

    Args:
        view: the look.
        place: name of the recipient.
        account: who prints.
    """
    page = overview_page(view)
    who = ", ".join(filter(None, (account.display, account.role, place)))
    return page | {"printed": view.say("print.by", when=instant_words(view.lang, view.at), who=who)}
