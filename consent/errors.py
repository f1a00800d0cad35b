"""What can be wrong with a consent document or ledger.

Every class carries a stable `code` (a translation key) and a machine-readable `reason`;
neither they nor the message hold personal data. A refusal by consent is not an error:
see `consent.decision.Deny`.

    ConsentError
      InvalidDocument      the bytes are not a record we may act on (the writer must act)
        UnknownCode        a code outside the closed lists of `consent.codes`
      NotTrusted           signature, chain, key or subject does not hold (nobody may act on it)
        RolledBack         an older state is shown than one already seen
        Forked             a statement does not follow from the one held (two records: `consent.chains`)
        ExpiredDocument    too old to act on
"""

from __future__ import annotations

from typing import ClassVar


class ConsentError(Exception):
    """Base of all errors of this package.

    Attributes:
        code: stable translation key.
        reason: which rule was broken, a fixed word for machines.
        position: place in the ledger or statement feed, when known.
    """

    code: ClassVar[str] = "consent"

    def __init__(self, reason: str, *, position: int | None = None) -> None:
        place = "" if position is None else f" at position {position}"
        super().__init__(f"{self.code}: {reason}{place}")
        self.reason = reason
        self.position = position


class InvalidDocument(ConsentError):
    """The document breaks the schema; nothing of it may be used."""

    code = "invalid_document"


class UnknownCode(InvalidDocument):
    """A code outside the closed list for its member."""

    code = "unknown_code"


class NotTrusted(ConsentError):
    """The document or ledger fails verification."""

    code = "not_trusted"


class RolledBack(NotTrusted):
    """A state older than one already accepted."""

    code = "rolled_back"


class Forked(NotTrusted):
    """Two different documents claim the same place."""

    code = "forked"


class ExpiredDocument(NotTrusted):
    """Too old to start new processing on."""

    code = "expired_document"
