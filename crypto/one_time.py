"""Codes that change every half minute, as an authenticator app shows them.

1. `OneTimeSecret` holds 160 random bits (RFC 4226 section 4, R6: as long as the hash) and never prints them.
2. A code has six digits and lasts 30 seconds; SHA-1, because that is what every app reads from a QR code. In
   HMAC its weakness against collisions does not matter (RFC 6238 section 1.2; NIST SP 800-107 section 5.3.4).
3. One step before and after is taken too, for clocks that differ (RFC 6238 section 5.2).
4. `matching_step` says *which* step a code belongs to; who asks keeps it and passes it on, and no step up to
   that one is taken again (RFC 6238 section 5.2: the second attempt of the same code must not be accepted).

Sources: RFC 4226, RFC 6238; the address in the QR code as in
https://github.com/google/google-authenticator/wiki/Key-Uri-Format
"""

from __future__ import annotations

import base64
import hmac
import secrets
from dataclasses import dataclass
from datetime import datetime

from cryptography.hazmat.primitives.hashes import SHA1
from cryptography.hazmat.primitives.twofactor.hotp import HOTP
from cryptography.hazmat.primitives.twofactor.totp import TOTP

from crypto.errors import Malformed
from crypto.secret import Secret

SECRET_BYTES = 20
DIGITS = 6
STEP_SECONDS = 30
_NEIGHBOURS = (0, -1, 1)


@dataclass(frozen=True, slots=True, repr=False)
class OneTimeSecret(Secret):
    """What an authenticator app and we both know."""

    raw: bytes

    def __post_init__(self) -> None:
        if len(self.raw) < SECRET_BYTES:
            raise Malformed("key_length")

    @property
    def text(self) -> str:
        """The secret as it is typed into an app: base32 in groups of four."""
        letters = base64.b32encode(self.raw).decode("ascii").rstrip("=")
        return " ".join(letters[start : start + 4] for start in range(0, len(letters), 4))

    def address(self, *, account: str, place: str) -> str:
        """The address that a QR code carries to an app."""
        return TOTP(self.raw, DIGITS, _sha1(), STEP_SECONDS).get_provisioning_uri(account, place)

    def code(self, at: datetime) -> str:
        """The code that an app shows at an instant."""
        return _hotp(self.raw).generate(_step(at)).decode("ascii")

    def matching_step(self, code: str, *, at: datetime, after: int) -> int | None:
        """Tell which step a typed code belongs to.

        Args:
            code: untrusted; six digits, without separators.
            at: now.
            after: the last step that was used; this one and all before it are refused.

        Returns:
            The step to remember, None for a wrong, old or used code.
        """
        if len(code) != DIGITS or not (code.isascii() and code.isdigit()):
            return None
        found: int | None = None
        for neighbour in _NEIGHBOURS:
            step = _step(at) + neighbour
            expected = _hotp(self.raw).generate(max(step, 0))
            if hmac.compare_digest(expected, code.encode("ascii")) and step > after:
                found = step if found is None else max(found, step)
        return found


def new_one_time_secret() -> OneTimeSecret:
    """Make a random secret."""
    return OneTimeSecret(secrets.token_bytes(SECRET_BYTES))


def _step(at: datetime) -> int:
    return int(at.timestamp()) // STEP_SECONDS  # RFC 6238 section 4.2, T0 = 0


def _hotp(raw: bytes) -> HOTP:
    return HOTP(raw, DIGITS, _sha1())


def _sha1() -> SHA1:
    return SHA1()  # noqa: S303  promise 2 says why
