"""Who treats whom, and the reason that everybody else gives before a page opens ("break the glass").

What a patient's statement permits stays the outer bound: nothing here widens it. Inside it, this module says
on which grounds an account looks:

1. an account that works for all patients of this place (the usual thing in a small practice), or one that
   treats this patient, itself or by its team, looks for the usual purpose and gives no reason;
2. anybody else gives a reason first; it holds for ``REASON_HOLDS``, stands beside every look made on it, and
   the patient reads it;
3. an emergency is another purpose (``ETREAT``): it opens only what the patient permits for that purpose;
4. "I treat this patient" makes the relation, until ``RELATION_HOLDS`` is over or somebody ends it; that was
   said, by whom and when, is in the patient's log too.

Absent means no: without a row about this patient, an account set to its own patients gives a reason.

Sources: NEN 7513:2018 section 6 (grounds of access); HL7 v3-ActReason for the purposes,
http://terminology.hl7.org/CodeSystem/v3-ActReason ; Wabvpz art. 15a and WGBO, Dutch Civil Code 7:457 (who is
directly involved in the treatment).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from types import MappingProxyType

from recipient.accounts import Account
from recipient.errors import Refused, Unusable
from recipient.instants import instant_text
from recipient.store import Store

REASON_HOLDS = timedelta(hours=4)
"""About one consultation or half a shift; the next one asks again."""

RELATION_HOLDS = timedelta(days=365)
MAX_NOTE_CHARACTERS = 200
ALL, OWN = "all", "own"


class Reason(StrEnum):
    """Why somebody looks who does not treat this patient."""

    TREATING = "treating"
    COVERING = "covering"
    ASKED = "asked"
    CONSULTED = "consulted"
    EMERGENCY = "emergency"


PURPOSES: Mapping[Reason, str] = MappingProxyType({Reason.CONSULTED: "COC", Reason.EMERGENCY: "ETREAT"})
"""Purposes that differ from the usual one: coordination of care, emergency treatment."""


@dataclass(frozen=True, slots=True)
class Grounds:
    """On which grounds somebody looks: purpose to decide for, and reason and note where one was needed."""

    purpose: str
    reason: str = ""
    note: str = ""


def grounds(store: Store, account: Account, sub: str, *, usual: str, at: datetime) -> tuple[Grounds, ...]:
    """Say on which grounds an account may look at a patient now.

    Args:
        store: open store.
        account: who wants to look.
        sub: the patient.
        usual: purpose of this place.
        at: now.

    Returns:
        What there is, treating before a reason that was given; none: a reason is needed.
    """
    patients, team = setting(store, account.id)
    found: list[Grounds] = []
    if patients == ALL or _treats(store, sub, _parties(account.id, team), at=at):
        found.append(Grounds(usual))
    row = store.row(
        "SELECT purpose, reason, note FROM look_reason WHERE account = ? AND sub = ? AND until_at > ?",
        (account.id, sub, instant_text(at)),
    )
    if row:
        found.append(Grounds(*row))
    return tuple(found)


def parse_reason(code: str, note: str) -> tuple[Reason, str]:
    """Read what a form says.

    Raises:
        Refused: ``bad_reason``, an unknown code or a note that is too long or no text.
    """
    words = " ".join(note.split())
    try:
        reason = Reason(code)
    except ValueError as exc:
        raise Refused("bad_reason") from exc
    if len(words) > MAX_NOTE_CHARACTERS or not (words.isprintable() or not words):
        raise Refused("bad_reason")
    return reason, words


def purpose_of(reason: Reason, *, usual: str) -> str:
    """Return the purpose that a reason asks for."""
    return PURPOSES.get(reason, usual)


def keep_reason(
    store: Store, account: Account, sub: str, *, reason: Reason, note: str, usual: str, at: datetime
) -> Grounds:
    """Write down a reason; the caller holds the transaction and writes the event."""
    given = Grounds(purpose_of(reason, usual=usual), str(reason), note)
    if reason is Reason.TREATING:
        begin(store, sub, party=account_party(account.id), at=at)
        return given
    store.run(
        "INSERT INTO look_reason (account, sub, reason, note, purpose, until_at) VALUES (?, ?, ?, ?, ?, ?) "
        "ON CONFLICT (account, sub) DO UPDATE SET reason = excluded.reason, note = excluded.note, "
        "purpose = excluded.purpose, until_at = excluded.until_at",
        (account.id, sub, str(reason), note, given.purpose, instant_text(at + REASON_HOLDS)),
    )
    return given


def begin(store: Store, sub: str, *, party: str, at: datetime) -> None:
    """Make a treating relation, or make it last longer."""
    store.run(
        "INSERT INTO treating (sub, party, from_at, until_at) VALUES (?, ?, ?, ?) "
        "ON CONFLICT (sub, party) DO UPDATE SET until_at = excluded.until_at",
        (sub, party, instant_text(at), instant_text(at + RELATION_HOLDS)),
    )


def end(store: Store, sub: str, *, party: str, at: datetime) -> bool:
    """End a treating relation now; return whether there was one."""
    now = instant_text(at)
    changed = store.run(
        "UPDATE treating SET until_at = ? WHERE sub = ? AND party = ? AND until_at > ?",
        (now, sub, party, now),
    )
    return changed > 0


def treats(store: Store, account_id: int, sub: str, *, at: datetime) -> bool:
    """Tell whether an account itself said that it treats this patient."""
    return _treats(store, sub, (account_party(account_id),), at=at)


def setting(store: Store, account_id: int) -> tuple[str, str]:
    """Return for whom an account works (``ALL`` or ``OWN``) and its team ('' for none)."""
    row = store.row("SELECT patients, team FROM care_setting WHERE account = ?", (account_id,))
    return (row[0], row[1]) if row else (ALL, "")


def save_setting(store: Store, account_id: int, *, patients: str, team: str) -> None:
    """Say for whom an account works.

    Raises:
        Unusable: ``bad_setting``.
    """
    if patients not in (ALL, OWN) or len(team) > 80 or not (team.isprintable() or not team):
        raise Unusable("bad_setting")
    store.run(
        "INSERT INTO care_setting (account, patients, team) VALUES (?, ?, ?) "
        "ON CONFLICT (account) DO UPDATE SET patients = excluded.patients, team = excluded.team",
        (account_id, patients, team.strip()),
    )


def account_party(account_id: int) -> str:
    """Return how the table of relations names an account."""
    return f"account:{account_id}"


def team_party(team: str) -> str:
    """Return how the table of relations names a team."""
    return f"team:{team.strip()}"


def _parties(account_id: int, team: str) -> tuple[str, ...]:
    return (account_party(account_id), team_party(team)) if team else (account_party(account_id),)


def _treats(store: Store, sub: str, parties: tuple[str, ...], *, at: datetime) -> bool:
    return any(
        store.row(
            "SELECT 1 FROM treating WHERE sub = ? AND party = ? AND until_at > ?",
            (sub, party, instant_text(at)),
        )
        for party in parties
    )
