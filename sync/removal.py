"""What is gone: the patient threw records away, and whoever was sent them is asked to erase them too.

A removal names records by the references under which they travelled; it says nothing about why, and needs no
permit, because it takes away and gives nothing. Taking it twice is taking it once.

Rules of `parse_removal`:

1. exactly the members of version 1;
2. at least one and at most `MAX_GONE` references, each well formed, none twice.

Removals and pushes have their effect in the order of their numbers (`seq`). The recipient refuses one that
was overtaken by a later one as `late`: a push that was held up on the way brings nothing back.

Source: GDPR article 17(2) and 19 (whoever received the data is told of the erasure).
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from crypto.canonical import JsonValue, canonical_bytes
from sync.errors import LocalRuleError, RemoteRuleError
from sync.reading import as_list, as_text, as_whole, read_object
from sync.wire import MAX_CONTENT_BYTES

REMOVAL_VERSION = 1
MAX_GONE = 5_000
_MEMBERS = frozenset({"v", "gone"})
_REFERENCE = re.compile(r"[A-Z][A-Za-z]{1,63}/[A-Za-z0-9.-]{1,64}\Z")


def build_removal(references: Sequence[str]) -> bytes:
    """Write the content of a removal message.

    Args:
        references: `Type/id` as they travelled, in any order.

    Raises:
        LocalRuleError: `bad_removal`, our own reader would refuse it.
    """
    gone: list[JsonValue] = [*sorted(references)]
    content = canonical_bytes({"v": REMOVAL_VERSION, "gone": gone})
    try:
        parse_removal(content)
    except RemoteRuleError as exc:
        raise LocalRuleError("bad_removal") from exc
    return content


def parse_removal(content: bytes) -> tuple[str, ...]:
    """Read the content of a removal message by the rules of this module.

    Returns:
        References, in the order of the message.

    Raises:
        RemoteRuleError: `bad_content`.
    """
    try:
        members = read_object(content, _MEMBERS, max_bytes=MAX_CONTENT_BYTES)
        version = as_whole(members["v"])
        gone = tuple(as_text(one) for one in as_list(members["gone"]))
    except RemoteRuleError as exc:
        raise RemoteRuleError("bad_content") from exc
    well_formed = all(_REFERENCE.match(one) for one in gone)
    if version != REMOVAL_VERSION or not well_formed or not 1 <= len(gone) <= MAX_GONE:
        raise RemoteRuleError("bad_content")
    if len(set(gone)) != len(gone):
        raise RemoteRuleError("bad_content")
    return gone
