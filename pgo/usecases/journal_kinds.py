"""What each event of the journal is about: the filters of the screen. A new event gets its line here."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

from pgo.store.journal import Event


class JournalKind(StrEnum):
    """What a line is about; the filters of the screen."""

    ACCESS = "access"
    RECORD = "record"
    SHARING = "sharing"
    LOOKED = "looked"
    COPIES = "copies"


KIND_OF: Mapping[Event, JournalKind] = {
    **dict.fromkeys(
        (
            Event.VAULT_CREATED,
            Event.UNLOCKED,
            Event.PASSPHRASE_CHANGED,
            Event.RECOVERY_CONFIRMED,
            Event.RECOVERY_RENEWED,
            Event.RECOVERY_USED,
            Event.VAULT_KEY_RENEWED,
            Event.KEYRING_ON,
            Event.KEYRING_OFF,
            Event.SETTINGS_CHANGED,
            Event.OTHER,
        ),
        JournalKind.ACCESS,
    ),
    **dict.fromkeys(
        (
            Event.FILE_COLLECTED,
            Event.QUARANTINE_RETRIED,
            Event.QUARANTINE_DISCARDED,
            Event.RECORD_SAVED,
            Event.RECORD_REMOVED,
            Event.RECORD_RESTORED,
            Event.QUESTIONNAIRE_FINISHED,
            Event.ANNOTATED,
            Event.SAID_DIFFERENT,
            Event.SAID_DIFFERENT_UNDONE,
            Event.CORRECTION_ASKED,
        ),
        JournalKind.RECORD,
    ),
    **dict.fromkeys(
        (
            Event.RECIPIENT_ADDED,
            Event.RECIPIENT_REMOVED,
            Event.RECIPIENT_RENEWED,
            Event.RECIPIENT_NEW_KEY,
            Event.RECIPIENT_OTHER_KEY,
            Event.RECIPIENT_KEY_REFUSED,
            Event.GRANT_SIGNED,
            Event.GRANT_WITHDRAWN,
            Event.OBJECTION_SIGNED,
            Event.OBJECTION_LIFTED,
            Event.REQUEST_RECEIVED,
            Event.REQUEST_ANSWERED,
            Event.SENT,
            Event.RECEIPT,
            Event.READ_BACK,
            Event.SERVER_ASKED,
            Event.SERVER_LOGIN_CHANGED,
            Event.REFUSED,
            Event.RECIPIENT_ASKED,
        ),
        JournalKind.SHARING,
    ),
    **dict.fromkeys((Event.ACCESS_FETCHED, Event.ACCESS_DOUBTED), JournalKind.LOOKED),
    **dict.fromkeys(
        (
            Event.EXPORTED,
            Event.JOURNAL_EXPORTED,
            Event.BACKUP_MADE,
            Event.BACKUP_PROVED,
            Event.BACKUP_RESTORED,
            Event.BACKUP_REMOVED,
            Event.BACKUP_PLANNED,
        ),
        JournalKind.COPIES,
    ),
}
"""Every event has a kind; a test compares."""
