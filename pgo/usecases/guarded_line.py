"""The line that a delivery uses: it falls silent in the middle of a message that is taken back.

A withdrawal cancels the message in the transaction that makes it valid. From that commit on no further piece
leaves: the state is read again before each of them, so nothing has to tell a running delivery, and nothing
can be told too late. What the machine's own buffers hold then (``sync.transport.SEND_BUFFER_BYTES``) is a
part of a message that the recipient never gets whole.

Source: guide security 3.8 ("local commit cancels queued and running sends"), property P5.
"""

from __future__ import annotations

from dataclasses import dataclass

from pgo.usecases.session import Session
from sync.card import RecipientCard
from sync.envelope import peek_message_id
from sync.fhir_server.deliver import Outcome
from sync.fhir_server.transport import FhirDestination
from sync.outbox import State
from sync.transport import Stoppable, Transport


@dataclass(frozen=True, slots=True)
class GuardedLine:
    """A ``Transport`` over the one of a session."""

    session: Session

    def send(self, card: RecipientCard, path: str, body: bytes) -> bytes:
        """Deliver one message, or what of it was not taken back; see ``Transport.send``."""
        line: Transport = self.session.transport
        if not isinstance(line, Stoppable):
            return line.send(card, path, body)
        message_id = peek_message_id(body)
        return line.send_while(card, path, body, going=lambda: self._going(message_id))

    def _going(self, message_id: str) -> bool:
        return still_going(self.session, message_id)


@dataclass(frozen=True, slots=True)
class GuardedPlainLine:
    """A ``PlainLine`` over the one of a session: asked before each request and each piece of it."""

    session: Session

    def deliver(self, to: FhirDestination, content: bytes, *, message_id: str) -> Outcome:
        """Deliver one message, or what of it was not taken back; see ``PlainLine.deliver``."""
        plain = self.session.plain_transport
        return plain.deliver(to, content, going=lambda: still_going(self.session, message_id))


def still_going(session: Session, message_id: str) -> bool:
    """Whether a message that is under way may go further."""
    # Locked is taken back as well: without its store nobody can say that the message may still go.
    if session.closed:
        return False
    return session.store.outbox.state_of(message_id) in (None, State.SENDING)
