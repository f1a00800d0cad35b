"""The kind of browser somebody uses, in two words, so that a list of sessions can be recognised.

What a browser says of itself is not proof of anything; nothing but that list uses it.
"""

from __future__ import annotations

# The first that is found counts: most browsers also name those they descend from.
_BROWSERS = (
    ("Edg", "Edge"),
    ("OPR", "Opera"),
    ("Firefox", "Firefox"),
    ("Chrome", "Chrome"),
    ("Safari", "Safari"),
)
_SYSTEMS = (
    ("Android", "Android"),
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Windows", "Windows"),
    ("Mac OS", "macOS"),
    ("Linux", "Linux"),
)


def kind_of_browser(user_agent: str) -> str:
    """Return for instance ``Firefox, Windows``; '' when nothing is recognised.

    Args:
        user_agent: untrusted header.
    """
    text = user_agent[:400]
    found = (next((word for sign, word in table if sign in text), "") for table in (_BROWSERS, _SYSTEMS))
    return ", ".join(word for word in found if word)
