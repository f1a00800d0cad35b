"""SMART scopes for programs: which types a client may read and which it may search.

Rules:

1. a scope is `system/<Type or *>.<letters>` with letters out of `r` (read) and `s` (search), in that order;
2. anything else (create, update, delete, a query after `?`, `patient/`, `user/`, version 1 words) is not
   understood and gives nothing: a constraint we do not know must never be dropped;
3. a client gets at most what it was registered for; asking for more gives the part that is covered.

>>> given = parse_scopes("system/Observation.rs system/Patient.r")
>>> allows(given, "Observation", "s"), allows(given, "Patient", "s")
(True, False)

Source: SMART App Launch 2.2.0 scopes-and-launch-context.html (scopes of version 2).
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from recipient.errors import Refused

READ, SEARCH = "r", "s"
_SCOPE = re.compile(r"system/(\*|[A-Z][A-Za-z]{1,63})\.(rs|r|s)")
MAX_SCOPES = 64

Scopes = frozenset[tuple[str, str]]  # (type or "*", letter)


def parse_scopes(text: str) -> Scopes:
    """Read what a client is registered for.

    Raises:
        Refused: ``invalid_scope`` for none, too many, or one that is not understood.
    """
    words = text.split()
    if not 1 <= len(words) <= MAX_SCOPES or not all(_SCOPE.fullmatch(word) for word in words):
        raise Refused("invalid_scope")
    return _pairs(words)


def covered(asked: str, registered: Scopes) -> Scopes:
    """Return the part of an asked (untrusted) list that is registered; what is not understood is left out."""
    words = asked.split()[:MAX_SCOPES]
    wanted = _pairs(word for word in words if _SCOPE.fullmatch(word))
    broad = frozenset((kind, letter) for kind, letter in wanted if allows(registered, kind, letter))
    # somebody who asks for everything gets what there is
    narrow = frozenset((kind, letter) for kind, letter in registered if ("*", letter) in wanted)
    return broad | narrow


def allows(scopes: Scopes, kind: str, letter: str) -> bool:
    """Tell whether a type may be read (`r`) or searched (`s`)."""
    return (kind, letter) in scopes or ("*", letter) in scopes


def scopes_text(scopes: Scopes) -> str:
    """Write scopes in one order."""
    kinds: dict[str, str] = {}
    for kind, letter in sorted(scopes):
        kinds[kind] = kinds.get(kind, "") + letter
    return " ".join(f"system/{kind}.{letters}" for kind, letters in sorted(kinds.items()))


def _pairs(words: Iterable[str]) -> Scopes:
    return frozenset(
        (match.group(1), letter)
        for word in words
        if (match := _SCOPE.fullmatch(word))
        for letter in match.group(2)
    )
