"""Addresses that say nothing: a series key (a LOINC code) is health data, and browsers keep addresses.

A token stands for one series while this process lives. It is keyed by a random secret, so nobody who finds it
in a browser history can guess which measurement it was by trying all codes.

>>> token_of("8480-6|mm[Hg]") == token_of("8480-6|mm[Hg]"), token_of("a") == token_of("b")
(True, False)
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Iterable

_SECRET = secrets.token_bytes(32)


def token_of(key: str) -> str:
    """Return the address part that stands for a series key."""
    return hashlib.blake2b(key.encode(), key=_SECRET, digest_size=12).hexdigest()


def key_of(token: str, keys: Iterable[str]) -> str | None:
    """Return the key that a token stands for, None when none of them."""
    return next((key for key in keys if token_of(key) == token), None)
