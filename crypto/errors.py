"""The errors of `crypto`: which rule of the bytes was broken, never what the bytes said.

```
CryptoError
├─ BadSignature     the signature does not fit text and key
├─ WrongKey         the bytes were made for another key (or were changed: an AEAD cannot tell)
├─ Malformed        the bytes are not in the form the standard asks for; `reason` says how
├─ WeakParameters   key or cost would be accepted by the mathematics, but protects nothing
└─ BrokenChain      a link of a hash chain does not follow from the one before; `position` says which
```

`code` is stable and is used as translation key. Attributes hold positions and names of rules only,
so that every error of this tree may be logged.
"""

from __future__ import annotations

from typing import ClassVar


class CryptoError(Exception):
    """Base of everything `crypto` raises on purpose; misuse by the programmer raises `ValueError`."""

    code: ClassVar[str] = "crypto"

    def __init__(self, message: str = "") -> None:
        super().__init__(message or self.code)


class BadSignature(CryptoError):
    """The signature was not made by this key over these bytes."""

    code = "bad_signature"


class WrongKey(CryptoError):
    """The key does not open these bytes, or the bytes were changed after they were closed."""

    code = "wrong_key"


class Malformed(CryptoError):
    """The bytes do not have the form they must have.

    Attributes:
        reason: Short stable name of the broken rule, for instance `duplicate_key`.
        position: Offset of the first offending character or byte, when it is known.
        group: For a recovery code: number of the group (from 1) that holds the error, when known.
    """

    code = "malformed"

    def __init__(self, reason: str, *, position: int | None = None, group: int | None = None) -> None:
        super().__init__(f"malformed: {reason}")
        self.reason = reason
        self.position = position
        self.group = group


class WeakParameters(CryptoError):
    """A key or a cost setting that would give no protection; `what` names it."""

    code = "weak_parameters"

    def __init__(self, what: str) -> None:
        super().__init__(f"weak parameters: {what}")
        self.what = what


class BrokenChain(CryptoError):
    """A link does not follow from its predecessor: an entry was changed, dropped, added or moved."""

    code = "broken_chain"

    def __init__(self, position: int) -> None:
        super().__init__(f"broken chain at position {position}")
        self.position = position
