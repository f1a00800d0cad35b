"""Public keys of either algorithm, each read in one form: the key says its algorithm, a token never does.

1. `PublicKey` is a checked key that knows the one JWS algorithm it is good for.
2. `key_from_text` reads the form of key records: the algorithm named beside the base64url of the key.
3. `key_from_jwk` reads a JSON Web Key with exactly the public members, so no private key and no hint on
   how to use it slips in.

Sources: RFC 7517 (JWK), RFC 7518 sections 3.4 and 6.2.1 (ES256, EC keys), RFC 8037 section 2 (Ed25519).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, TypeAlias

from crypto.canonical import b64url_decode
from crypto.errors import Malformed
from crypto.keys import VerifyKey
from crypto.p256 import P256Key

PublicKey: TypeAlias = VerifyKey | P256Key
EDDSA: Final = VerifyKey.algorithm
ES256: Final = P256Key.algorithm
ALGORITHMS: Final = frozenset({EDDSA, ES256})


def key_from_text(text: str, *, algorithm: str) -> PublicKey:
    """Read the base64url form of a key of a known algorithm.

    Args:
        text: untrusted.
        algorithm: what the key record says, `EdDSA` or `ES256`.

    Raises:
        Malformed: `key_algorithm` for any other algorithm, or as `from_text` of that key.
        WeakParameters: as `from_text` of that key.
    """
    if algorithm == EDDSA:
        return VerifyKey.from_text(text)
    if algorithm == ES256:
        return P256Key.from_text(text)
    raise Malformed("key_algorithm")


def key_from_jwk(jwk: Mapping[str, object]) -> PublicKey:
    """Read a public JSON Web Key of Ed25519 or P-256.

    Args:
        jwk: untrusted.

    Raises:
        Malformed: `key_form` for any other kind of key or member, or as `from_bytes` of that key.
        WeakParameters: as `from_bytes` of that key.
    """
    parts = {name: part for name, part in jwk.items() if isinstance(part, str)}
    kind = parts.pop("kty", None), parts.pop("crv", None)
    if len(parts) + 2 != len(jwk):
        raise Malformed("key_form")
    if kind == ("OKP", "Ed25519") and parts.keys() == {"x"}:
        return VerifyKey.from_text(parts["x"])
    if kind == ("EC", "P-256") and parts.keys() == {"x", "y"}:
        x, y = b64url_decode(parts["x"]), b64url_decode(parts["y"])
        if len(x) != len(y):  # else bytes of the one would pass for bytes of the other
            raise Malformed("key_length")
        return P256Key.from_bytes(b"\x04" + x + y)
    raise Malformed("key_form")
