"""A key from a passphrase at no price, for tests that derive hundreds of times for another reason."""

from __future__ import annotations

from crypto.kdf import derive_erasable
from crypto.passphrase import MAX_ITERATIONS, MAX_LANES, MAX_MEMORY_KIB, Argon2Parameters


def free_kek(passphrase: str, *, salt: bytes, parameters: Argon2Parameters) -> bytearray:
    """As bound to passphrase, salt and parameters as the real one; refuses prices out of bounds."""
    assert parameters.memory_kib <= MAX_MEMORY_KIB
    assert parameters.iterations <= MAX_ITERATIONS
    assert parameters.lanes <= MAX_LANES
    return derive_erasable(passphrase.encode(), repr(parameters), salt=salt)
