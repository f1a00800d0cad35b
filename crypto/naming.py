"""Names for things of one patient at one recipient, which nobody else can connect.

A plain FHIR server keeps resources under ids that we choose. The number of a record in the vault would say
how much there is and would collide between patients; the id of its source would connect registries. So
each name is a keyed hash: the same for the same thing at the same recipient, and nothing else.

1. The key derives from the identity seed and the recipient's id; no two recipients share names.
2. The form is a UUID of version 8, because some servers take nothing else as an id.

Sources: RFC 2104 (HMAC), RFC 9562 section 5.8 (UUID version 8); FHIR R4 datatypes.html#id.
"""

from __future__ import annotations

import hashlib
import hmac
import uuid

from crypto.errors import Malformed
from crypto.kdf import derive
from crypto.keys import KEY_BYTES

_VARIANT = 0b10 << 62
_VERSION = 8 << 12


def pairwise_names(identity_seed: bytes, recipient_id: str) -> Names:
    """The names used towards one recipient.

    Raises:
        Malformed: the seed is not 32 bytes.
        ValueError: empty recipient id.
    """
    if len(identity_seed) != KEY_BYTES:
        raise Malformed("key_length")
    if not recipient_id:
        raise ValueError("a pairwise name needs a recipient")
    return Names(derive(identity_seed, f"pgo/1/pairwise/naming/{recipient_id}"))


class Names:
    """Gives each thing its name; the key does not show."""

    __slots__ = ("_key",)

    def __init__(self, key: bytes) -> None:
        self._key = key

    def __repr__(self) -> str:
        return "Names()"

    def of(self, thing: str) -> str:
        """The name of one thing, for instance `record/12`."""
        digest = hmac.new(self._key, thing.encode("utf-8"), hashlib.sha256).digest()
        high, low = int.from_bytes(digest[:8], "big"), int.from_bytes(digest[8:16], "big")
        high = (high & ~0xF000) | _VERSION
        low = (low & ~(0b11 << 62)) | _VARIANT
        return str(uuid.UUID(int=(high << 64) | low))
