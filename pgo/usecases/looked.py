"""Who looked: the recipient's signed access log of this patient, fetched and verified."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from pgo.usecases.session import Session

if TYPE_CHECKING:
    from sync.access import AccessEntry


@dataclass(frozen=True, slots=True)
class AccessView:
    """The access log as last fetched.

    Attributes:
        recipient_id: whose log.
        entries: newest first.
        verified: signature and chain were right, and it continues the log fetched before.
        fetched_at: when, None when never fetched.
    """

    recipient_id: str
    entries: tuple[AccessEntry, ...]
    verified: bool
    fetched_at: datetime | None


def fetch_access(session: Session, recipient_id: str) -> AccessView:
    """Ask the recipient and verify; what was fetched before stays when this fails.

    Raises:
        sync.errors.Unreachable: no connection; the stored copy is still there through ``access``.
        sync.errors.RemoteRuleError: the recipient refused or its log does not hold (``access_log_rolled_back``, ...).
        NotFound: unknown recipient.
    """
    raise NotImplementedError


def access(session: Session, recipient_id: str) -> AccessView:
    """The log as last fetched, without network.

    Raises:
        NotFound: unknown recipient.
    """
    raise NotImplementedError
