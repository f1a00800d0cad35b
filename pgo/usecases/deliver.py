"""Send what the grants in force permit, as decided at the moment of sending.

Rules:
1. Withdrawals go first.
2. Permit is decided in the same transaction that marks the entry as sending.
3. Only a verified signed receipt counts as delivered.
4. Unreachable means later, by itself; the person is told, nothing is lost.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pgo.usecases.session import Session

if TYPE_CHECKING:
    from sync.runner import RunReport


def deliver(session: Session) -> RunReport:
    """Try everything that is due, once; a pass already running makes this an empty report."""
    raise NotImplementedError


def send_now(session: Session) -> RunReport:
    """Make all waiting entries due and deliver."""
    raise NotImplementedError
