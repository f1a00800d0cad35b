"""A list of looks as it was kept, checked long after it came: by the patient, or by a stranger with a copy.

When the list was fetched, `sync.access_full` verified it piece by piece. Here the whole of it is verified
again from the first look on, with nothing but the list, the recipient's signed word where it ended, and the
recipient's public key.

`verify_kept_log` goes in this order, and tests carry the same numbers:

1. the signed end is the recipient's, and about this patient;
2. looks are numbered from 1 without a gap;
3. every look has the members of its line, so that what a person reads is what was chained;
4. the chain runs through every look, and each stands there with its own links;
5. it ends where the recipient says it ended: no look is missing at the end, none was added.

A list in short form has no signed end. `check_kept_chain` does steps 2 to 4 and shows no more than that the
list is in one piece.

What a signed end cannot show: looks that the recipient never wrote down, and looks after it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from crypto.chain import link
from crypto.keys import VerifyKey
from sync.access import NO_HEAD, AccessEntry, AccessHead, short_body
from sync.access_full import parse_line, verify_access_head
from sync.errors import RemoteRuleError


@dataclass(frozen=True, slots=True)
class KeptEnd:
    """Where a recipient said that its list ended, and when it said so."""

    head: AccessHead
    at: datetime


def verify_kept_log(entries: Sequence[AccessEntry], token: str, key: VerifyKey, *, subject: str) -> KeptEnd:
    """Check a kept list by the steps of this module.

    Args:
        entries: untrusted, oldest first, each with its links and its line.
        token: the signed end that was kept with it.
        key: the recipient's key when it signed.
        subject: the patient's pairwise key there.

    Raises:
        RemoteRuleError: `bad_access_log` (steps 1, 3), `access_log_gap` (2, or looks missing at the end),
            `access_log_broken` (4, or looks after the end), `access_log_rewritten` (5, another end).
    """
    head, at = verify_access_head(token, key, subject=subject)  # step 1
    last = check_kept_chain(entries)
    if last.sequence < head.sequence:  # step 5
        raise RemoteRuleError("access_log_gap")
    if last.sequence > head.sequence:
        raise RemoteRuleError("access_log_broken")
    if last.hash != head.hash:
        raise RemoteRuleError("access_log_rewritten")
    return KeptEnd(head, at)


def check_kept_chain(entries: Sequence[AccessEntry]) -> AccessHead:
    """Do steps 2 to 4; return where the list ends, `NO_HEAD` for an empty one.

    Raises:
        RemoteRuleError: as `verify_kept_log`.
    """
    last = NO_HEAD
    for entry in entries:
        if entry.sequence != last.sequence + 1:  # step 2
            raise RemoteRuleError("access_log_gap")
        body = _chained(entry)  # step 3
        if entry.previous != last.hash or entry.hash != link(last.hash, body):  # step 4
            raise RemoteRuleError("access_log_broken")
        last = AccessHead(entry.sequence, entry.hash)
    return last


def _chained(entry: AccessEntry) -> bytes:
    """Give the bytes that the chain links, once they are known to say what the members say."""
    if not entry.line:
        return short_body(entry)
    try:
        told = parse_line(entry.line)
    except RemoteRuleError as exc:
        raise RemoteRuleError("bad_access_log") from exc
    details = None if entry.details is None else told.details  # a list may be kept without reading them out
    told = replace(told, previous=entry.previous, hash=entry.hash, line=entry.line, details=details)
    if told != entry:
        raise RemoteRuleError("bad_access_log")
    return entry.line.encode("utf-8")
