"""Who looked, in full: every look as the line of text that was chained, and the head of the chain signed.

The short form (`sync.access`) names who, role, when, what and why. The full form adds what NEN 7513 and
EHDS ask for beside it: a lasting number of the person, the responsible organisation, on whose behalf,
outcome, reason, where from, and under which statement. Both forms tell of the same looks by the same
numbers: a line in full carries the link that the look has in the short chain. So an app that knows only the
short form goes on verifying, and an app that learns the full form proves that it continues what it knew.

A line is text, hashed as it stands: verified first, read afterwards, never written anew. Looks from before
the recipient knew the full form stand in it as their short line, so one chain runs from the first look on.

`verify_full_log` goes in this order, and tests carry the same numbers:

1. signature of the pinned recipient, type `pgo-access+jws`;
2. exactly the members of version 2;
3. it is about this patient, and so is the signed head inside;
4. lines are numbered without a gap, starting right after what we know;
5. the chain runs from what we know through every line, and where the list is complete it ends at the head;
6. the head is not before what we know, and not another one at the same place.

Sources: NEN 7513:2018 section 6; Regulation (EU) 2025/327 (EHDS) art. 9 and annex II 3.2.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from crypto.canonical import JsonValue, canonical_bytes, parse_strict
from crypto.chain import GENESIS, link
from crypto.errors import CryptoError
from crypto.keys import SigningKey, VerifyKey
from crypto.signing import sign_jws, verify_jws
from sync.access import (
    ACCESS_TYPE,
    NO_HEAD,
    AccessDetails,
    AccessEntry,
    AccessHead,
    AccessLog,
    short_body,
)
from sync.errors import RemoteRuleError
from sync.reading import as_instant, as_list, as_object, as_text, as_whole, instant, malformed, read_object
from sync.wire import MAX_CONTENT_BYTES, MAX_HEADER_BYTES

FULL = 2
"""Version of the full form, in a request, in an answer and in a line."""

MAX_LINES = 2_000
"""Lines in one answer; the app asks on from the last one that it got."""

MAX_LINE_BYTES = 4_000
HEAD_TYPE = "pgo-access-head+jws"

_LOG = frozenset({"v", "subject", "issued_at", "after", "lines", "head"})
_HEAD = frozenset({"v", "subject", "sequence", "seal", "at"})
_SHORT_LINE = frozenset({"sequence", "at", "user", "role", "action", "category", "purpose"})
_TEXTS = (
    "user_id",
    "organisation",
    "organisation_id",
    "on_behalf_of",
    "outcome",
    "reason",
    "note",
    "origin",
    "place",
)
_FULL_LINE = _SHORT_LINE | frozenset({"v", "statement", "short", *_TEXTS})


def full_line(entry: AccessEntry, details: AccessDetails) -> str:
    """Write the line of one look.

    Args:
        entry: the look in short form, with its link in the short chain.
        details: what the full form adds.
    """
    members: dict[str, JsonValue] = {
        "v": FULL,
        "sequence": entry.sequence,
        "at": instant(entry.at),
        "user": entry.user,
        "role": entry.role,
        "action": entry.action,
        "category": list(entry.categories),
        "purpose": entry.purpose,
        "statement": details.statement,
        "short": entry.hash,
    }
    members.update({name: getattr(details, name) for name in _TEXTS})
    return canonical_bytes(members).decode("utf-8")


def sign_access_head(head: AccessHead, *, subject: str, key: SigningKey, at: datetime) -> str:
    """Sign where the log of one patient ends now; the patient can hold the recipient to it later."""
    members: Mapping[str, JsonValue] = {
        "v": 1,
        "subject": subject,
        "sequence": head.sequence,
        "seal": head.hash,
        "at": instant(at),
    }
    return sign_jws(canonical_bytes(members), key, typ=HEAD_TYPE)


def verify_access_head(token: str, key: VerifyKey, *, subject: str) -> tuple[AccessHead, datetime]:
    """Check a signed head; return where the log ended, and when that was said.

    Raises:
        RemoteRuleError: `bad_access_log`.
    """
    try:
        payload = verify_jws(token, key, typ=HEAD_TYPE, max_bytes=MAX_HEADER_BYTES)
        members = read_object(payload, _HEAD, max_bytes=MAX_HEADER_BYTES)
        named, version = as_text(members["subject"]), as_whole(members["v"])
        head = AccessHead(as_whole(members["sequence"]), as_text(members["seal"]))
        at = as_instant(members["at"])
    except (CryptoError, RemoteRuleError) as exc:
        raise RemoteRuleError("bad_access_log") from exc
    if named != subject or version != 1:
        raise RemoteRuleError("bad_access_log")
    return head, at


def sign_full_log(
    lines: Sequence[str], *, after: int, head: AccessHead, subject: str, key: SigningKey, at: datetime
) -> str:
    """Sign a piece of a log in full form, as it is.

    A log that was damaged is answered too, gap and all: the patient's app is who finds out and says so. A
    recipient that kept silent instead would look like one that cannot be reached.

    Args:
        lines: in order, at most `MAX_LINES`, starting with number `after + 1`.
        after: the number that was asked on from.
        head: where the whole log ends.
        subject: pairwise key of the patient here, base64url.
        key: key of the recipient's card.
        at: now.
    """
    payload = canonical_bytes(
        {
            "v": FULL,
            "subject": subject,
            "issued_at": instant(at),
            "after": after,
            "lines": list(lines),
            "head": sign_access_head(head, subject=subject, key=key, at=at),
        }
    )
    return sign_jws(payload, key, typ=ACCESS_TYPE)


def verify_full_log(
    token: str, key: VerifyKey, *, subject: str, known_head: AccessHead = NO_HEAD
) -> AccessLog:
    """Check a piece of a log by the steps of this module.

    Args:
        token: untrusted, from the opened reply.
        key: verify key of the pinned card.
        subject: our pairwise key there.
        known_head: end of the full chain as we saw it last; we asked after its number.

    Returns:
        The new looks, each with the seal of the full chain as its `hash`.

    Raises:
        RemoteRuleError: `bad_access_log` (steps 1 to 3), `access_log_gap` (4), `access_log_broken` (5),
            `access_log_rolled_back` or `access_log_rewritten` (6).
    """
    try:
        payload = verify_jws(token, key, typ=ACCESS_TYPE, max_bytes=2 * MAX_CONTENT_BYTES)  # step 1
        members, lines = _parse(payload)  # step 2
        named, issued_at = as_text(members["subject"]), as_instant(members["issued_at"])
        after, head_token = as_whole(members["after"]), as_text(members["head"], max_length=MAX_HEADER_BYTES)
    except (CryptoError, RemoteRuleError) as exc:
        raise RemoteRuleError("bad_access_log") from exc
    if named != subject or after != known_head.sequence:  # step 3
        raise RemoteRuleError("bad_access_log")
    head, _ = verify_access_head(head_token, key, subject=subject)
    if head.sequence < known_head.sequence:  # step 6, first: a log that was cut has no right lines to offer
        raise RemoteRuleError("access_log_rolled_back")
    _check_numbers(lines, known_head.sequence)  # step 4
    entries = _sealed(lines, known_head)
    last = AccessHead(entries[-1].sequence, entries[-1].hash) if entries else known_head
    _check_end(last, head, known_head)  # steps 5, 6
    return AccessLog(entries, last, head.sequence, issued_at, head_token)


def check_short_chain(entries: Iterable[AccessEntry], known: AccessHead, *, start: str = GENESIS) -> str:
    """Prove that a log in full continues a list that was known in short form.

    Args:
        entries: verified looks in full, without a gap, the first following the link `start`.
        known: end of the short list.
        start: link of the short chain before the first of `entries`.

    Returns:
        The link of the short chain at the last of `entries`.

    Raises:
        RemoteRuleError: `access_log_rewritten`.
    """
    short = start
    for entry in entries:
        short = link(short, short_body(entry))
        stated = entry.details.short if entry.details else entry.hash
        if stated != short or (entry.sequence == known.sequence and short != known.hash):
            raise RemoteRuleError("access_log_rewritten")
    return short


def build_full_request(known_head: AccessHead = NO_HEAD) -> bytes:
    """Write the content of an access message that asks for the full form, after what we saw last."""
    return canonical_bytes({"after": known_head.sequence, "form": FULL})


def parse_line(text: str) -> AccessEntry:
    """Read one line of a verified log; its links are for the caller to fill in.

    Raises:
        RemoteRuleError: `malformed`.
    """
    value = _object(text)
    full = "v" in value
    members = as_object(value, _FULL_LINE if full else _SHORT_LINE)
    if full and as_whole(members["v"]) != FULL:
        raise malformed()
    return AccessEntry(
        sequence=as_whole(members["sequence"], minimum=1),
        at=as_instant(members["at"]),
        user=as_text(members["user"]),
        role=as_text(members["role"]),
        action=as_text(members["action"]),
        categories=tuple(as_text(item) for item in as_list(members["category"])),
        purpose=as_text(members["purpose"]),
        previous="",
        hash="",
        details=_details(members) if full else None,
    )


def _object(text: str) -> Mapping[str, JsonValue]:
    try:
        value = parse_strict(text.encode("utf-8"), max_bytes=MAX_LINE_BYTES)
    except (CryptoError, UnicodeEncodeError) as exc:
        raise malformed() from exc
    if not isinstance(value, Mapping):
        raise malformed()
    return value


def _details(members: Mapping[str, JsonValue]) -> AccessDetails:
    texts = {name: _maybe(members[name]) for name in _TEXTS}
    return AccessDetails(**texts, statement=as_whole(members["statement"]), short=as_text(members["short"]))


def _maybe(value: JsonValue) -> str:
    return "" if value == "" else as_text(value)


def _parse(payload: bytes) -> tuple[Mapping[str, JsonValue], list[tuple[str, AccessEntry]]]:
    members = read_object(payload, _LOG, max_bytes=MAX_CONTENT_BYTES)
    texts = as_list(members["lines"])
    if as_whole(members["v"]) != FULL or len(texts) > MAX_LINES:
        raise malformed()
    lines = []
    for text in texts:
        if not isinstance(text, str):
            raise malformed()
        lines.append((text, parse_line(text)))
    return members, lines


def _check_numbers(lines: Sequence[tuple[str, AccessEntry]], after: int) -> None:
    for place, (_, entry) in enumerate(lines, start=after + 1):
        if entry.sequence != place:
            raise RemoteRuleError("access_log_gap")


def _sealed(lines: Sequence[tuple[str, AccessEntry]], known: AccessHead) -> tuple[AccessEntry, ...]:
    """Give each look its links; a chain is right or wrong only at its end, which `_check_end` compares."""
    entries = []
    seal = known.hash
    for text, entry in lines:
        following = link(seal, text.encode("utf-8"))
        entries.append(replace(entry, previous=seal, hash=following, line=text))
        seal = following
    return tuple(entries)


def _check_end(last: AccessHead, head: AccessHead, known: AccessHead) -> None:
    if last.sequence > head.sequence:  # lines after the end that the recipient itself signed
        raise RemoteRuleError("access_log_broken")
    if last.sequence < head.sequence:
        if last.sequence == known.sequence:  # step 4: there is more, and we were given nothing
            raise RemoteRuleError("access_log_gap")
        return
    if last.hash != head.hash:
        same_place = last.sequence == known.sequence
        raise RemoteRuleError("access_log_rewritten" if same_place else "access_log_broken")
