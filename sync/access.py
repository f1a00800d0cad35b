"""Who looked: the recipient's access log of one patient, chained, signed, and checked against last time.

Every look is an entry; each entry carries the hash of the one before. The patient's app keeps the head
that it saw last. A log that is shorter than that head was rolled back, a log that has another hash at
that place was rewritten; both are refused and shown, because both mean that looks were hidden.

`verify_access_log` goes in this order, and tests carry the same numbers:

1. signature of the pinned recipient, type `pgo-access+jws`;
2. exactly the members of version 1;
3. it is about this patient;
4. entries are numbered without a gap and every link follows from the one before;
5. the list continues what we know: it starts at 1, or right after the head that we know;
6. nothing that we know is missing or different.

This is the short form. Newer apps ask for the full one, which `sync.access_full` describes.

Sources: NEN 7513:2018 section 6 and Regulation (EU) 2025/327 (EHDS) art. 9, for what an entry names:
when, who, in which role, what was done, which kinds of data, for which purpose.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from crypto.canonical import JsonValue, canonical_bytes, parse_strict
from crypto.chain import GENESIS, link
from crypto.errors import CryptoError
from crypto.keys import SigningKey, VerifyKey
from crypto.signing import sign_jws, verify_jws
from sync.errors import LocalRuleError, RemoteRuleError
from sync.reading import (
    as_instant,
    as_list,
    as_object,
    as_text,
    as_whole,
    instant,
    malformed,
    read_object,
    whole_seconds,
)
from sync.wire import MAX_CONTENT_BYTES, VERSION

ACCESS_TYPE = "pgo-access+jws"
MAX_ENTRIES = 5_000
"""Entries in one answer; the app asks on from the last one that it got."""

_LOG = frozenset({"v", "subject", "entries", "issued_at", "total"})
_ENTRY = frozenset({"sequence", "at", "user", "role", "action", "category", "purpose", "previous", "hash"})
_REQUEST = frozenset({"after"})
_FULL_FORM = 2


@dataclass(frozen=True, slots=True)
class AccessDetails:
    """What the full form (`sync.access_full`) tells about a look beside the short one.

    Attributes:
        user_id: Lasting number of the person at that recipient; stays when the name changes.
        organisation, organisation_id: Who is responsible.
        on_behalf_of: For whom somebody looked, '' for oneself.
        outcome: `permitted`, or `refused` when nothing was shown.
        reason: Code of the reason given outside the treating relationship, '' inside it.
        note: The same in own words, '' for none.
        origin: By which way: `portal`, `fhir`.
        place: Commitment to the address of the device: the recipient's auditor can open it, nobody else.
        statement: Number of the patient's statement that it was decided by.
        short: Link of the same look in the short chain.
    """

    user_id: str
    organisation: str
    organisation_id: str
    on_behalf_of: str
    outcome: str
    reason: str
    note: str
    origin: str
    place: str
    statement: int
    short: str


PERMITTED, REFUSED = "permitted", "refused"
"""Outcomes of a look; a refused one showed nothing."""


@dataclass(frozen=True, slots=True)
class AccessEntry:
    """One look.

    Attributes:
        sequence: 1, 2, 3 ... per patient.
        user, role: As the recipient shows its staff to patients.
        action: What was done, for instance `view`.
        categories: Which kinds of data, sorted.
        purpose: Purpose code under which access was permitted.
        previous, hash: Links of the chain that this entry was verified in, the short or the full one.
        details: What the full form tells beside it, None where the entry came in short form only.
        line: The text that the full chain links, '' where the entry came in short form only.
    """

    sequence: int
    at: datetime
    user: str
    role: str
    action: str
    categories: tuple[str, ...]
    purpose: str
    previous: str
    hash: str
    details: AccessDetails | None = None
    line: str = ""


@dataclass(frozen=True, slots=True)
class AccessHead:
    """The last entry somebody has seen: its number and its hash."""

    sequence: int
    hash: str


NO_HEAD = AccessHead(0, GENESIS)


@dataclass(frozen=True, slots=True)
class AccessLog:
    """A verified piece of a log, oldest entry first.

    Attributes:
        head: Where this piece ends; keep it for the next time.
        total: Number of the last entry that the recipient has; above `head.sequence`: ask on.
        signed_head: The recipient's signed word where its log ends, '' in the short form.
    """

    entries: tuple[AccessEntry, ...]
    head: AccessHead
    total: int
    issued_at: datetime
    signed_head: str = ""


@dataclass(frozen=True, slots=True)
class AccessRequest:
    """What an app asks for: looks after a number, in short or in full form."""

    after: int
    full: bool


def next_entry(
    head: AccessHead,
    *,
    at: datetime,
    user: str,
    role: str,
    action: str,
    categories: Sequence[str],
    purpose: str,
) -> AccessEntry:
    """Build the entry that follows `head` (`NO_HEAD` for the first); time is cut to whole seconds."""
    sequence, moment, sorted_categories = head.sequence + 1, whole_seconds(at), tuple(sorted(set(categories)))
    body = _body(sequence, moment, user, role, action, sorted_categories, purpose)
    return AccessEntry(
        sequence=sequence,
        at=moment,
        user=user,
        role=role,
        action=action,
        categories=sorted_categories,
        purpose=purpose,
        previous=head.hash,
        hash=link(head.hash, body),
    )


def sign_access_log(
    entries: Sequence[AccessEntry], *, subject: str, total: int, key: SigningKey, at: datetime
) -> str:
    """Sign a piece of a log.

    Args:
        entries: In order, at most `MAX_ENTRIES`.
        subject: Pairwise key of the patient here, base64url.
        total: Number of the last entry that exists.
        key: Key of the recipient's card.
        at: Now.

    Raises:
        LocalRuleError: `bad_access_log`, our own reader would refuse it.
    """
    payload = canonical_bytes(
        {
            "v": VERSION,
            "subject": subject,
            "issued_at": instant(at),
            "total": total,
            "entries": [_entry_json(entry) for entry in entries],
        }
    )
    try:
        _check_links(_parse(payload)[1])
    except RemoteRuleError as exc:
        raise LocalRuleError("bad_access_log") from exc
    return sign_jws(payload, key, typ=ACCESS_TYPE)


def verify_access_log(
    token: str, key: VerifyKey, *, subject: str, known_head: AccessHead = NO_HEAD
) -> AccessLog:
    """Check a piece of a log by the steps of this module.

    Args:
        token: Untrusted, from the opened reply.
        key: Verify key of the pinned card.
        subject: Our pairwise key there.
        known_head: What we saw last.

    Raises:
        RemoteRuleError: `bad_access_log` (steps 1 to 5), `access_log_rolled_back` or
            `access_log_rewritten` (step 6).
    """
    try:
        payload = verify_jws(token, key, typ=ACCESS_TYPE, max_bytes=2 * MAX_CONTENT_BYTES)  # step 1
        named, entries, total, issued_at = _parse(payload)  # step 2
    except (CryptoError, RemoteRuleError) as exc:
        raise RemoteRuleError("bad_access_log") from exc
    if named != subject:  # step 3
        raise RemoteRuleError("bad_access_log")
    _check_links(entries)  # step 4
    _check_continues(entries, total, known_head)  # steps 5, 6
    head = AccessHead(entries[-1].sequence, entries[-1].hash) if entries else known_head
    return AccessLog(entries=entries, head=head, total=total, issued_at=issued_at)


def build_access_request(known_head: AccessHead = NO_HEAD) -> bytes:
    """Write the content of an access message: entries after the one that we saw last, please."""
    return canonical_bytes({"after": known_head.sequence})


def parse_access_request(content: bytes) -> AccessRequest:
    """Read the content of an access message: the number after which looks are wanted, and in which form.

    Raises:
        RemoteRuleError: `malformed`.
    """
    try:
        value = parse_strict(content, max_bytes=1_000)
    except CryptoError as exc:
        raise malformed() from exc
    if not isinstance(value, Mapping):
        raise malformed()
    full = "form" in value
    members = as_object(value, _REQUEST | {"form"} if full else _REQUEST)
    if full and as_whole(members["form"]) != _FULL_FORM:
        raise malformed()
    return AccessRequest(as_whole(members["after"]), full)


def short_body(entry: AccessEntry) -> bytes:
    """Write the bytes of an entry that the short chain links."""
    return _body(
        entry.sequence, entry.at, entry.user, entry.role, entry.action, entry.categories, entry.purpose
    )


def _check_links(entries: Sequence[AccessEntry]) -> None:
    previous: AccessEntry | None = None
    for entry in entries:
        try:
            follows = link(entry.previous, short_body(entry)) == entry.hash
        except ValueError as exc:
            raise RemoteRuleError("bad_access_log") from exc
        if previous is not None:
            follows &= entry.previous == previous.hash and entry.sequence == previous.sequence + 1
        elif entry.sequence == 1:
            follows &= entry.previous == GENESIS
        if not follows:
            raise RemoteRuleError("bad_access_log")
        previous = entry


def _check_continues(entries: Sequence[AccessEntry], total: int, known: AccessHead) -> None:
    last = entries[-1].sequence if entries else known.sequence
    if total < known.sequence:  # step 6
        raise RemoteRuleError("access_log_rolled_back")
    if total < last or (entries and entries[0].sequence not in (1, known.sequence + 1)):  # step 5
        raise RemoteRuleError("bad_access_log")
    if not entries:
        if total > known.sequence:  # step 5: there is more, and we were given nothing
            raise RemoteRuleError("bad_access_log")
        return
    if entries[0].sequence == known.sequence + 1:
        continues = entries[0].previous == known.hash
    else:
        if last < known.sequence:
            raise RemoteRuleError("access_log_rolled_back")
        continues = entries[known.sequence - 1].hash == known.hash
    if not continues:  # step 6
        raise RemoteRuleError("access_log_rewritten")


def _body(
    sequence: int, at: datetime, user: str, role: str, action: str, categories: Sequence[str], purpose: str
) -> bytes:
    return canonical_bytes(
        {
            "sequence": sequence,
            "at": instant(at),
            "user": user,
            "role": role,
            "action": action,
            "category": list(categories),
            "purpose": purpose,
        }
    )


def _entry_json(entry: AccessEntry) -> Mapping[str, JsonValue]:
    return {
        "sequence": entry.sequence,
        "at": instant(entry.at),
        "user": entry.user,
        "role": entry.role,
        "action": entry.action,
        "category": list(entry.categories),
        "purpose": entry.purpose,
        "previous": entry.previous,
        "hash": entry.hash,
    }


def _parse(payload: bytes) -> tuple[str, tuple[AccessEntry, ...], int, datetime]:
    members = read_object(payload, _LOG, max_bytes=MAX_CONTENT_BYTES)
    entries = as_list(members["entries"])
    if as_whole(members["v"]) != VERSION or len(entries) > MAX_ENTRIES:
        raise malformed()
    return (
        as_text(members["subject"]),
        tuple(_parse_entry(item) for item in entries),
        as_whole(members["total"]),
        as_instant(members["issued_at"]),
    )


def _parse_entry(value: JsonValue) -> AccessEntry:
    members = as_object(value, _ENTRY)
    return AccessEntry(
        sequence=as_whole(members["sequence"], minimum=1),
        at=as_instant(members["at"]),
        user=as_text(members["user"]),
        role=as_text(members["role"]),
        action=as_text(members["action"]),
        categories=tuple(as_text(item) for item in as_list(members["category"])),
        purpose=as_text(members["purpose"]),
        previous=as_text(members["previous"]),
        hash=as_text(members["hash"]),
    )
