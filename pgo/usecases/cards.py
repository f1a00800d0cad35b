"""Whom the vault knows: the card of a recipient as it was pinned, or a plain FHIR server, which has none."""

from __future__ import annotations

from pgo.errors import NotFound
from pgo.store.recipients import StoredRecipient
from sync.card import RecipientCard, parse_card
from sync.fhir_server.server import FhirServer, is_server_text, parse_server


def is_plain(stored: StoredRecipient) -> bool:
    """Whether a recipient is a plain FHIR server."""
    return is_server_text(stored.card)


def party_of(stored: StoredRecipient) -> RecipientCard | FhirServer:
    """Whom something is for: the card as it was pinned, or the plain FHIR server."""
    return parse_server(stored.card) if is_plain(stored) else card_of(stored)


def card_of(stored: StoredRecipient) -> RecipientCard:
    """The card of a recipient, as it was verified when it was pinned.

    Raises:
        NotFound: ``card``, it is a plain FHIR server.
    """
    if is_plain(stored):
        raise NotFound("card")
    return parse_card(stored.card, at=stored.checked_at)
