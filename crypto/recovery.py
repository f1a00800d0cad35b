"""The recovery code: 140 random bits that a person writes on paper and types back years later.

Seven groups of four characters carry the secret, an eighth checks them. The check is a Reed-Solomon
code over GF(32), so it does more than say "wrong": a single wrong character and two swapped neighbours
are located, and the person hears which group to look at. Other errors are found, not located, with a
miss rate of one in a million (2**-20). Nothing is ever corrected by itself.

The check group follows from the other seven, so it takes nothing from the 140 bits.

>>> code = RecoveryCode(bytes(18))
>>> code.text
'0000-0000-0000-0000-0000-0000-0000-0000'
>>> parse_recovery_code("OOOO 0000 0000 0000 0000 0000 0000 0000").secret == code.secret
True

Sources: Crockford base32 (https://www.crockford.com/base32.html) for alphabet and look-alikes;
MacWilliams and Sloane, The Theory of Error-Correcting Codes, chapter 10 (extended Reed-Solomon).
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from functools import cache

from crypto.errors import Malformed
from crypto.kdf import derive_erasable
from crypto.secret import Secret

ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"  # Crockford: no I, L, O, U
GROUP_LENGTH = 4
SECRET_SYMBOLS = 28  # 28 symbols of 5 bits = 140 bits
CHECK_SYMBOLS = 4
CODE_SYMBOLS = SECRET_SYMBOLS + CHECK_SYMBOLS
SECRET_BITS = SECRET_SYMBOLS * 5
SECRET_BYTES = 18  # 140 bits, the upper four of the first byte are zero

_LOOK_ALIKES = str.maketrans("OIL", "011")  # Crockford's decoding table
_SEPARATORS = str.maketrans("", "", "- \t\r\n")


@dataclass(frozen=True, slots=True, repr=False)
class RecoveryCode(Secret):
    """A recovery secret and its written form."""

    secret: bytes

    def __post_init__(self) -> None:
        if len(self.secret) != SECRET_BYTES or self.secret[0] >> 4:
            raise Malformed("recovery_secret")

    @property
    def text(self) -> str:
        """Eight groups of four characters, the last one is the check."""
        number = int.from_bytes(self.secret, "big")
        symbols = [number >> 5 * place & 31 for place in reversed(range(SECRET_SYMBOLS))]
        letters = "".join(ALPHABET[symbol] for symbol in symbols + _check_symbols(symbols))
        return "-".join(letters[at : at + GROUP_LENGTH] for at in range(0, CODE_SYMBOLS, GROUP_LENGTH))


def new_recovery_code() -> RecoveryCode:
    """Make a random code."""
    return RecoveryCode(secrets.randbits(SECRET_BITS).to_bytes(SECRET_BYTES, "big"))


def parse_recovery_code(text: str) -> RecoveryCode:
    """Read a code as typed: any case, with or without separators, O for 0 and I or L for 1.

    Raises:
        Malformed: reason `recovery_length`, `recovery_character` or `recovery_check`; `group` (from 1)
            when it is known where the error is.
    """
    letters = text.upper().translate(_SEPARATORS).translate(_LOOK_ALIKES)
    for position, letter in enumerate(letters):
        if letter not in ALPHABET:
            raise Malformed("recovery_character", group=position // GROUP_LENGTH + 1)
    if len(letters) != CODE_SYMBOLS:
        raise Malformed("recovery_length")
    symbols = [ALPHABET.index(letter) for letter in letters]
    if _check_symbols(symbols[:SECRET_SYMBOLS]) != symbols[SECRET_SYMBOLS:]:
        raise Malformed("recovery_check", group=_faulty_group(symbols))
    number = 0
    for symbol in symbols[:SECRET_SYMBOLS]:
        number = number << 5 | symbol
    return RecoveryCode(number.to_bytes(SECRET_BYTES, "big"))


def kek_from_code(code: RecoveryCode, *, salt: bytes) -> bytearray:
    """Derive the key-encrypting key of a code, into memory that can be erased.

    140 random bits need no slow hash: guessing them is out of reach at any speed.
    """
    return derive_erasable(code.secret, "pgo/1/recovery", salt=salt)


# GF(32) with the primitive polynomial x**5 + x**2 + 1. Code words are the values of a polynomial of
# degree < 28 at all 32 elements of the field; element number i stands at position i of the code.


@cache
def _multiply(a: int, b: int) -> int:
    product = 0
    while b:
        if b & 1:
            product ^= a
        a <<= 1
        if a & 32:
            a ^= 0b100101
        b >>= 1
    return product


@cache
def _inverse(a: int) -> int:
    return next(b for b in range(1, 32) if _multiply(a, b) == 1)


@cache
def _weights(target: int) -> tuple[int, ...]:
    # Lagrange: what each secret symbol adds to the check symbol at `target`.
    row = []
    for own in range(SECRET_SYMBOLS):
        weight = 1
        for other in range(SECRET_SYMBOLS):
            if other != own:
                weight = _multiply(weight, _multiply(target ^ other, _inverse(own ^ other)))
        row.append(weight)
    return tuple(row)


def _check_symbols(symbols: list[int]) -> list[int]:
    checks = []
    for target in range(SECRET_SYMBOLS, CODE_SYMBOLS):
        check = 0
        for symbol, weight in zip(symbols, _weights(target), strict=True):
            check ^= _multiply(symbol, weight)
        checks.append(check)
    return checks


def _powers(element: int, error: int) -> list[int]:
    powers = [error]
    for _ in range(CHECK_SYMBOLS - 1):
        powers.append(_multiply(powers[-1], element))
    return powers


def _faulty_group(symbols: list[int]) -> int | None:
    # The dual code has the rows x**0 .. x**3, so an error e at element x leaves e, e x, e x**2, e x**3.
    # Any four columns are independent: at most one explanation with one or two symbols exists.
    syndrome = [0] * CHECK_SYMBOLS
    for element, symbol in enumerate(symbols):
        syndrome = [old ^ new for old, new in zip(syndrome, _powers(element, symbol), strict=True)]
    for element in range(CODE_SYMBOLS):
        if syndrome == _powers(element, syndrome[0]):
            return element // GROUP_LENGTH + 1
    for left in range(CODE_SYMBOLS - 1):
        error = symbols[left] ^ symbols[left + 1]
        swapped = zip(_powers(left, error), _powers(left + 1, error), strict=True)
        if syndrome == [a ^ b for a, b in swapped]:
            return left // GROUP_LENGTH + 1
    return None
