"""What all secrets have in common: they do not print, pickle or copy what they hold.

A secret that shows in a traceback, a debugger's dump or a copied object is a secret that may reach disk.
"""

from __future__ import annotations

from typing import NoReturn


class Secret:
    """Base of types that hold secret bytes; use with `@dataclass(repr=False)`."""

    __slots__ = ()

    def __repr__(self) -> str:
        return f"<{type(self).__name__} (secret)>"

    def __reduce__(self) -> NoReturn:
        raise TypeError("a secret is not pickled or copied")
