"""From a passphrase to a key, at a price; and wrapping one key in another.

What this module promises:

1. The price is bounded both ways, also when the parameters come from a file: below 64 MiB guessing is
   too cheap, above 1 GiB or 10 passes a doctored header would hang the machine (the library underneath
   accepts 2**31 passes).
2. The same passphrase typed on another keyboard gives the same key (NFKC, as RFC 8265 section 4.2
   does for case-preserved text; nothing else is changed, spaces and case count).
3. A wrapped key opens with the right key and the right context only, and does not say which was wrong.

Sources: RFC 9106 section 4 (second recommended option: t=3, m=64 MiB, p=4; 128-bit salt),
RFC 8439 (ChaCha20-Poly1305), PHC string format
(https://github.com/P-H-C/phc-string-format/blob/master/phc-sf-spec.md).
"""

from __future__ import annotations

import math
import re
import secrets
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass, replace

from cryptography.exceptions import InvalidKey, InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from cryptography.hazmat.primitives.kdf.argon2 import Argon2id

from crypto.errors import Malformed, WeakParameters, WrongKey

KEK_BYTES = 32
SALT_BYTES = 16  # RFC 9106 section 3.1
NONCE_BYTES = 12  # RFC 8439 section 2.8
TAG_BYTES = 16

MIN_MEMORY_KIB, MAX_MEMORY_KIB = 64 * 1024, 1024 * 1024
MAX_ITERATIONS = 10
MAX_LANES = 4
CALIBRATION_CEILING_KIB = 256 * 1024
"""Memory that calibration asks at most: a vault made on a big machine must open on a small one."""
SHORTEST_SECONDS, LONGEST_SECONDS = 0.5, 1.0
"""What a guess should take where it is calibrated: felt as a short wait, dear for who has to guess."""
_INSTANT_SECONDS = 0.001

_PHC = re.compile(r"\$argon2id\$v=19\$m=(\d{1,9}),t=(\d{1,9}),p=(\d{1,9})\$[A-Za-z0-9+/]+\$[A-Za-z0-9+/]+\Z")


@dataclass(frozen=True, slots=True)
class Argon2Parameters:
    """Price of one guess. Refuses to exist outside the bounds of this module."""

    memory_kib: int = MIN_MEMORY_KIB
    iterations: int = 3
    lanes: int = 4

    def __post_init__(self) -> None:
        if not MIN_MEMORY_KIB <= self.memory_kib <= MAX_MEMORY_KIB:
            raise WeakParameters("argon2_memory")
        if not 1 <= self.iterations <= MAX_ITERATIONS:
            raise WeakParameters("argon2_iterations")
        if not 1 <= self.lanes <= MAX_LANES:
            raise WeakParameters("argon2_lanes")


RFC_9106_SECOND_CHOICE = Argon2Parameters()


def new_salt() -> bytes:
    """Return a fresh random salt."""
    return secrets.token_bytes(SALT_BYTES)


def derive_kek(passphrase: str, *, salt: bytes, parameters: Argon2Parameters) -> bytearray:
    """Derive the key-encrypting key of a passphrase. Takes its time on purpose.

    The key comes in memory that can be erased (``kdf.erase``); the passphrase itself is a text of Python and
    stays until it is collected.

    Args:
        passphrase: As typed; normalised to NFKC here.
        salt: At least 16 random bytes, stored beside the parameters.
        parameters: The price, already checked by its type.

    Raises:
        WeakParameters: the salt is too short.
    """
    if len(salt) < SALT_BYTES:
        raise WeakParameters("salt_too_short")
    argon2 = Argon2id(
        salt=salt,
        length=KEK_BYTES,
        iterations=parameters.iterations,
        lanes=parameters.lanes,
        memory_cost=parameters.memory_kib,
    )
    kek = bytearray(KEK_BYTES)
    argon2.derive_into(_normalised(passphrase), kek)
    return kek


@dataclass(frozen=True, slots=True)
class Price:
    """What one guess costs, and how long that took on the machine that measured it."""

    parameters: Argon2Parameters
    seconds: float


def calibrate(timer: Callable[[], float]) -> Price:
    """Find the price that this machine pays in half a second to a second, never below the RFC's choice.

    Memory is raised first, because it is what an attacker's hardware has least of (RFC 9106, section 4:
    choose the memory as high as can be afforded, then the passes); passes make up what is still missing.

    Args:
        timer: Monotonic clock in seconds.
    """
    parameters = RFC_9106_SECOND_CHOICE
    seconds = _measured(parameters, timer)
    while seconds * 2 <= LONGEST_SECONDS and parameters.memory_kib * 2 <= CALIBRATION_CEILING_KIB:
        dearer = replace(parameters, memory_kib=parameters.memory_kib * 2)
        try:
            seconds = _measured(dearer, timer)
        except MemoryError:  # so much memory is not there; what was measured before is
            break
        parameters = dearer
    if seconds < SHORTEST_SECONDS:
        wanted = math.ceil(parameters.iterations * SHORTEST_SECONDS / max(seconds, _INSTANT_SECONDS))
        parameters = replace(parameters, iterations=min(wanted, MAX_ITERATIONS))
        seconds = _measured(parameters, timer)
    return Price(parameters, seconds)


def _measured(parameters: Argon2Parameters, timer: Callable[[], float]) -> float:
    # The shorter of two: a moment when the machine was busy with something else must not make guessing cheap.
    durations = []
    for _ in range(2):
        started = timer()
        derive_kek("calibration", salt=bytes(SALT_BYTES), parameters=parameters)
        durations.append(timer() - started)
    return min(durations)


def wrap_key(key: bytes | bytearray, kek: bytes | bytearray, *, aad: bytes) -> bytes:
    """Wrap a key in another, bound to a context.

    Args:
        key: The key to protect.
        kek: 32 bytes, from `derive_kek` or `recovery.kek_from_code`.
        aad: Context that must be the same at opening: vault id, generation, slot, parameters.

    Returns:
        Nonce, ciphertext and tag. The nonce is random: a kek wraps few keys, far below 2**32.
    """
    nonce = secrets.token_bytes(NONCE_BYTES)
    return nonce + ChaCha20Poly1305(kek).encrypt(nonce, key, aad)


def unwrap_key(wrapped: bytes, kek: bytes | bytearray, *, aad: bytes) -> bytearray:
    """Open what `wrap_key` made, into memory that can be erased.

    Raises:
        WrongKey: other key, other context or changed bytes.
    """
    key = bytearray(max(0, len(wrapped) - NONCE_BYTES - TAG_BYTES))
    try:
        ChaCha20Poly1305(kek).decrypt_into(wrapped[:NONCE_BYTES], wrapped[NONCE_BYTES:], aad, key)
    except (InvalidTag, ValueError) as exc:  # ValueError: shorter than nonce and tag
        raise WrongKey from exc
    return key


def hash_password(password: str) -> str:
    """Hash an account password (for the receiving side) into a PHC string."""
    price = RFC_9106_SECOND_CHOICE
    argon2 = Argon2id(
        salt=new_salt(),
        length=KEK_BYTES,
        iterations=price.iterations,
        lanes=price.lanes,
        memory_cost=price.memory_kib,
    )
    return argon2.derive_phc_encoded(_normalised(password))


def verify_password(phc: str, password: str) -> None:
    """Check a password against its PHC string; return means it fits.

    Raises:
        WrongKey: it does not fit.
        Malformed: reason `phc`, the string is not Argon2id version 19.
        WeakParameters: the string asks for a price outside the bounds.
    """
    found = _PHC.match(phc)
    if found is None:
        raise Malformed("phc")
    memory_kib, iterations, lanes = (int(number) for number in found.groups())
    Argon2Parameters(memory_kib=memory_kib, iterations=iterations, lanes=lanes)
    try:
        Argon2id.verify_phc_encoded(_normalised(password), phc)
    except InvalidKey as exc:
        raise WrongKey from exc


def _normalised(passphrase: str) -> bytes:
    try:
        return unicodedata.normalize("NFKC", passphrase).encode("utf-8")
    except UnicodeEncodeError as exc:
        raise Malformed("lone_surrogate") from exc
