"""Errors of the receiving side.

Promises: every error carries a stable ``code`` and nothing about a person, so that it may be logged and
answered as it is. The tree says who has to act::

    RecipientError(code)
    +-- Refused(code, status)      the sender or the browser must change something
    |   +-- Throttled              the same, later: carries the wait in whole seconds
    |   +-- Busy                   the same, later: the store could not be asked; nothing happened
    +-- Purged                     the patient stopped sharing: there is nothing to show any more
    +-- ReasonNeeded               a reason must be given first (``recipient.treating``)
    +-- NotShared                  there never was anything under this name
    +-- Unusable(code)             the operator must act: store, key or settings are not in order
"""

from __future__ import annotations


class RecipientError(Exception):
    """Base of all errors of this package; ``code`` is stable and free of personal data."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


class Refused(RecipientError):
    """The request breaks a rule; ``status`` is the HTTP status that says which kind of rule."""

    def __init__(self, code: str, *, status: int = 400) -> None:
        super().__init__(code)
        self.status = status


class Throttled(Refused):
    """Too many tries; ``retry_after_seconds`` says when the next one is looked at."""

    def __init__(self, retry_after_seconds: int) -> None:
        super().__init__("too_many_tries", status=429)
        self.retry_after_seconds = retry_after_seconds


class Busy(Refused):
    """The store does not answer in time; the same request will do later, and nothing of it happened now."""

    retry_after_seconds = 10

    def __init__(self) -> None:
        super().__init__("busy", status=503)


class Purged(RecipientError):
    """The patient withdrew or the grant ended: the data are no longer shared."""

    def __init__(self) -> None:
        super().__init__("no_longer_shared")


class ReasonNeeded(RecipientError):
    """Somebody outside the treating relation wants to look; ``handle`` is opaque, for the way to the form."""

    def __init__(self, handle: str) -> None:
        super().__init__("reason_needed")
        self.handle = handle


class NotShared(RecipientError):
    """Nothing exists under the asked handle, or the grant does not cover it (the two look the same)."""

    def __init__(self) -> None:
        super().__init__("not_found")


class Unusable(RecipientError):
    """The installation cannot be used as it is: missing, damaged or foreign store or key, wrong setting."""
