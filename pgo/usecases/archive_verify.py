"""Check an export archive by itself: what a stranger can know about it without the vault and without network.

In this order; the first thing that is no archive of ours at all is refused, the rest is a list of faults:

1. the file holds: every member is what the manifest says, every line has its form (``export_read``);
2. the journal: its chain and its signed end (``journal_file``);
3. the signed records of consent, under the key that also signed the journal;
4. who looked, per recipient: its chain and, where it was kept, the end that the recipient signed
   (``sync.access_kept``).

What it cannot show: that a key belongs to whom it says. Keys come from the archive itself; a person compares
the fingerprints, the patient's in the app, a recipient's on its card.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from consent.errors import ConsentError
from consent.ledger import Ledger
from crypto.canonical import parse_strict
from crypto.errors import CryptoError
from crypto.keys import VerifyKey
from pgo.usecases.export_archive import JOURNAL
from pgo.usecases.export_consents import KEY
from pgo.usecases.export_lines import damaged
from pgo.usecases.export_looked import ENDS, KeptEndLine
from pgo.usecases.export_read import Opened, open_archive
from pgo.usecases.journal_file import Verified, verify_journal_file
from sync.access import AccessEntry
from sync.access_kept import check_kept_chain, verify_kept_log
from sync.card import read_card
from sync.errors import RemoteRuleError

_MAX_KEY_BYTES = 10_000
NO_SIGNER = "no_signer"
"""The recipient signed an end, and the archive holds no card with that key."""


@dataclass(frozen=True, slots=True)
class LookedCheck:
    """What a check of one recipient's list found.

    Attributes:
        recipient: its id in the archive.
        fingerprint: of the key that signed the end, '' for none.
        looks: how many.
        signed_at: when the recipient signed the end, None where none holds.
        problem: what was wrong with the recipient's newest answer when the archive was made, '' for nothing.
        fault: what does not hold in the archive, '' for nothing; an error code of ``sync.access_kept``,
            ``bad_card`` or ``no_signer``.
    """

    recipient: str
    fingerprint: str
    looks: int
    signed_at: datetime | None
    problem: str
    fault: str


@dataclass(frozen=True, slots=True)
class ArchiveCheck:
    """What a check of an archive found; ``decisions_fault`` is '' where all hold, '' also for none."""

    members: int
    journal: Verified
    decisions: int
    decisions_fault: str
    looked: tuple[LookedCheck, ...]

    @property
    def whole(self) -> bool:
        """Whether everything holds."""
        return not (self.journal.findings or self.decisions_fault or any(one.fault for one in self.looked))


def verify_archive(data: bytes) -> ArchiveCheck:
    """Check an archive by the steps of this module.

    Args:
        data: the file, untrusted.

    Raises:
        InputRefused: ``archive_damaged`` with the member, ``too_large``; those of ``verify_journal_file``.
    """
    opened = open_archive(data)  # step 1
    for lines in (opened.records(), opened.sources(), opened.set_aside(), opened.apart()):
        _read_through(lines)
    journal = verify_journal_file(opened.members.get(JOURNAL, b""))  # step 2
    tokens = tuple(opened.tokens())
    fault = _fault_of(tokens, opened.members.get(KEY, b""), journal) if tokens else ""  # step 3
    return ArchiveCheck(len(opened.members), journal, len(tokens), fault, _looked(opened))  # step 4


def _read_through(lines: Iterable[object]) -> None:
    for _ in lines:
        pass


def _fault_of(tokens: tuple[str, ...], key_file: bytes, journal: Verified) -> str:
    """Verify the records of consent under the key beside them, which is also that of the journal."""
    try:
        said = parse_strict(key_file, max_bytes=_MAX_KEY_BYTES)
        if not isinstance(said, Mapping):
            raise damaged(KEY)
        key, subject = VerifyKey.from_text(str(said.get("key"))), str(said.get("subject"))
        Ledger.of(tokens, keys=[key], subject=subject)
    except CryptoError as exc:
        raise damaged(KEY) from exc
    except ConsentError as exc:
        return exc.code
    return "" if key.fingerprint() == journal.fingerprint else "wrong_key"


def _looked(opened: Opened) -> tuple[LookedCheck, ...]:
    lists: dict[str, list[AccessEntry]] = {}
    for recipient, look in opened.looks():
        lists.setdefault(recipient, []).append(look)
    ends: dict[str, KeptEndLine] = {}
    for end in opened.ends():
        if end.recipient in ends:
            raise damaged(ENDS)  # two ends of one list: neither can be believed
        ends[end.recipient] = end
    names = sorted(lists.keys() | ends.keys())
    return tuple(_check(name, lists.get(name, []), ends.get(name)) for name in names)


def _check(recipient: str, looks: list[AccessEntry], end: KeptEndLine | None) -> LookedCheck:
    problem = end.problem if end is not None else ""
    fingerprint, signed_at, fault = "", None, ""
    try:
        if end is None or not end.head:
            check_kept_chain(looks)
        elif not end.card:
            check_kept_chain(looks)
            fault = NO_SIGNER
        else:
            card = read_card(end.card)
            fingerprint = card.fingerprint
            signed_at = verify_kept_log(looks, end.head, card.verify_key, subject=end.subject).at
            fault = "" if card.id == recipient else "bad_card"
    except RemoteRuleError as exc:
        fault = exc.code
    return LookedCheck(recipient, fingerprint, len(looks), signed_at, problem, fault)
