"""What must come back as it was, sealed at rest; and what must only be recognised, hashed with a key.

The keys come from the installation's own secret, one per use, so that a copy of the tables without the key
file opens nothing. What is sealed is bound to its place: a secret moved to another row does not open.

Sources: ``crypto.passphrase.wrap_key`` (ChaCha20-Poly1305, RFC 8439), ``crypto.kdf`` (HKDF, RFC 5869).
"""

from __future__ import annotations

import hashlib
import hmac

from crypto.canonical import b64url, b64url_decode
from crypto.errors import CryptoError
from crypto.passphrase import unwrap_key, wrap_key
from recipient.errors import Unusable
from recipient.store import Store

LOGIN_ROWS = "logging in"
"""What a transaction about log-ins is about: it waits for others of its kind, not for what patients send."""


def seal_text(store: Store, text: str, *, use: str, place: str) -> str:
    """Seal a text for one use and place.

    Args:
        store: whose key seals.
        text: the secret.
        use: what it is for; one key each.
        place: what it belongs to, for instance an account; it opens there only.
    """
    return b64url(wrap_key(text.encode("utf-8"), _key(store, use), aad=place.encode("utf-8")))


def open_text(store: Store, sealed: str, *, use: str, place: str) -> str:
    """Open what ``seal_text`` made.

    Raises:
        Unusable: ``store_damaged``; changed, moved, or sealed by another installation.
    """
    try:
        opened = unwrap_key(b64url_decode(sealed), _key(store, use), aad=place.encode("utf-8"))
    except CryptoError as exc:
        raise Unusable("store_damaged") from exc
    return opened.decode("utf-8")


def keyed_hash(store: Store, text: str, *, use: str) -> str:
    """Name a text so that only this installation can tell what was named (HMAC-SHA256)."""
    return hmac.new(_key(store, use), text.encode("utf-8", "replace"), hashlib.sha256).hexdigest()


def _key(store: Store, use: str) -> bytes:
    return store.derived_key(f"recipient/1/login/{use}")
