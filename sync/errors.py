"""The errors of `sync`, sorted by who must act.

```
SyncError
├─ LocalRuleError    we broke a rule: a bug on this side, never retried
├─ RemoteRuleError   the other side broke a rule, or says that we did: never retried by itself
└─ Unreachable       nobody's fault: no network, no answer, try later
```

Every error has a stable `code` (translation key). None carries names, values or addresses.
"""

from __future__ import annotations


class SyncError(Exception):
    """Base of everything `sync` raises on purpose."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


class LocalRuleError(SyncError):
    """This side asked for something that the rules forbid; retrying cannot help."""


class RemoteRuleError(SyncError):
    """What came from the other side breaks a rule, or the other side refused with a reason.

    Attributes:
        status: HTTP status of a refusal, None when we are the ones who refuse.
        proof: Signed statement that came with a refusal (the time, for code `clock`), untrusted.
    """

    def __init__(self, code: str, *, status: int | None = None, proof: str | None = None) -> None:
        super().__init__(code)
        self.status = status
        self.proof = proof


class Unreachable(SyncError):
    """The other side could not be reached, or gave no answer that proves anything.

    Attributes:
        retry_after_seconds: What the other side asked for, None when it said nothing.
    """

    def __init__(self, code: str = "unreachable", *, retry_after_seconds: int | None = None) -> None:
        super().__init__(code)
        self.retry_after_seconds = retry_after_seconds
