"""A hash chain: each link covers everything before it, so the last one stands for the whole list.

An entry that is changed, dropped, added or moved breaks the chain at that place. A chain cut at its
end stays whole: whoever relies on it keeps the head elsewhere and compares.

>>> first = link(GENESIS, b"one")
>>> verify_links([(b"one", first), (b"two", link(first, b"two"))]) == link(first, b"two")
True
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

from crypto.canonical import sha256_id
from crypto.errors import BrokenChain

GENESIS = "sha256:" + "0" * 64
"""What the first link points to."""

_DOMAIN = b"pgo/1/chain\n"


def link(previous: str, body: bytes) -> str:
    """Compute the link of an entry that follows `previous`.

    Args:
        previous: Link before it, or `GENESIS`.
        body: The entry, as signed or stored.

    Raises:
        ValueError: `previous` is not a link; its fixed length is what keeps the two parts apart.
    """
    if len(previous) != len(GENESIS) or not previous.startswith("sha256:"):
        raise ValueError("previous is not a link of a chain")
    return sha256_id(_DOMAIN + previous.encode("ascii") + b"\n" + body)


def verify_links(pairs: Iterable[tuple[bytes, str]]) -> str:
    """Recompute a chain from its start.

    Args:
        pairs: (body, claimed link), oldest first; may be empty.

    Returns:
        The head: the last link, `GENESIS` for an empty chain.

    Raises:
        BrokenChain: with the position (from 0) of the first entry that does not fit.
    """
    head = GENESIS
    for position, (body, claimed) in enumerate(pairs):
        # `link` written out, without its check: this runs over every line there ever was.
        head = "sha256:" + hashlib.sha256(_DOMAIN + head.encode("ascii") + b"\n" + body).hexdigest()
        if head != claimed:
            raise BrokenChain(position)
    return head
