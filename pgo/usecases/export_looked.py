"""Who looked, as files a stranger can check: every line as it was chained, and each recipient's signed end.

Two members of the archive, lines of JSON:

* ``consents/who-looked.jsonl``: a line per look, oldest first per recipient; ``line`` is its chained text;
* ``consents/who-looked-ends.jsonl``: a line per recipient that was ever asked: the card whose key signs
  there, the patient's key there (``subject``), the signed end as it was kept (``head``), when it was asked
  last, and what was wrong with that answer (``problem``; the list and its end are then those from before).

``head`` is '' where the list came in short form only, and ``card`` is '' where the key that signed is not
known any more; the recipient can still name it. Archives of before this have no ends; their looks are read
as before.

How a list is checked: ``sync.access_kept``; its form: docs/wire-format.md.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from consent.dates import instant_text
from crypto.errors import CryptoError
from crypto.signing import peek_jws
from pgo.store.access import FetchedAt, StoredLook
from pgo.store.recipients import StoredRecipient
from pgo.usecases.cards import card_of, is_plain
from pgo.usecases.export_consents import json_lines
from pgo.usecases.export_lines import as_moment, as_name, as_number, as_text, damaged
from pgo.usecases.session import Session
from pgo.usecases.statements import pairwise_for
from sync.access import AccessEntry

LOOKS, ENDS = "consents/who-looked.jsonl", "consents/who-looked-ends.jsonl"


@dataclass(frozen=True, slots=True)
class KeptEndLine:
    """What an archive says of one recipient's list; untrusted.

    Attributes:
        subject: the patient's pairwise key there.
        card: signed card whose key signed the end, '' for none.
        head: signed end, '' for none.
        problem: what was wrong with the newest answer, '' for nothing.
    """

    recipient: str
    subject: str
    card: str
    head: str
    fetched_at: datetime
    problem: str


def looked_members(session: Session) -> dict[str, bytes]:
    """Name to content; files without anything in them are left out."""
    access, recipients = session.store.access, session.store.recipients.all()
    fetched = [(one, access.last_fetch(one.id)) for one in recipients if not is_plain(one)]
    members = {
        LOOKS: [_look(one.id, look) for one in recipients for look in reversed(access.looks(one.id))],
        ENDS: [_end(session, one, fetch) for one, fetch in fetched if fetch is not None],
    }
    return {name: json_lines(lines) for name, lines in members.items() if lines}


def _look(recipient_id: str, look: StoredLook) -> dict[str, Any]:
    return {
        "recipient": recipient_id,
        "sequence": look.sequence,
        "at": instant_text(look.at),
        "user": look.user,
        "role": look.role,
        "action": look.action,
        "categories": list(look.categories),
        "purpose": look.purpose,
        "previous": look.previous,
        "hash": look.hash,
        "line": look.line,
    }


def _end(session: Session, one: StoredRecipient, fetch: FetchedAt) -> dict[str, Any]:
    return {
        "recipient": one.id,
        "subject": pairwise_for(session.store, one.id).signing.public.text,
        "card": fetch.card or _card_of_signer(one, fetch.head),
        "head": fetch.head,
        "fetched_at": instant_text(fetch.fetched_at),
        "problem": fetch.problem,
    }


def _card_of_signer(one: StoredRecipient, head: str) -> str:
    """For an end that was kept before cards were kept beside it: the pinned card, if its key signed."""
    try:
        return one.card if head and peek_jws(head).kid == card_of(one).verify_key.id else ""
    except CryptoError:
        return ""


def look_line(value: Any) -> tuple[str, AccessEntry]:
    """Read a line about a look: whose list, and the look.

    Raises:
        InputRefused: ``archive_damaged``.
    """
    try:
        return as_name(value["recipient"]), AccessEntry(
            sequence=as_number(value["sequence"]),
            at=as_moment(value["at"]),
            user=as_text(value["user"]),
            role=as_text(value["role"]),
            action=as_text(value["action"]),
            categories=tuple(as_text(name) for name in value["categories"]),
            purpose=as_text(value["purpose"]),
            previous=as_text(value["previous"]),
            hash=as_text(value["hash"]),
            line=as_text(value.get("line", "")),  # looks of the first archives have none
        )
    except (AttributeError, KeyError, TypeError, ValueError) as exc:
        raise damaged(LOOKS) from exc


def end_line(value: Any) -> KeptEndLine:
    """Read a line about the end of a list.

    Raises:
        InputRefused: ``archive_damaged``.
    """
    try:
        return KeptEndLine(
            recipient=as_name(value["recipient"]),
            subject=as_text(value["subject"]),
            card=as_text(value["card"]),
            head=as_text(value["head"]),
            fetched_at=as_moment(value["fetched_at"]),
            problem=as_name(value["problem"]),
        )
    except (KeyError, TypeError, ValueError) as exc:
        raise damaged(ENDS) from exc
