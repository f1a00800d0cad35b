"""Just enough edwards25519 to make keys that must be refused, and signatures that hold under them.

For tests only: slow, and with no care for secrets. Computed from the curve, not taken from a list.

Sources: RFC 8032 section 5.1; eprint.iacr.org/2020/1244 for what lenient verifiers take.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator

P = 2**255 - 19
Q = 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, -1, P) % P
_SQRT_M1 = pow(2, (P - 1) // 4, P)
Point = tuple[int, int]
IDENTITY: Point = (0, 1)


def add(one: Point, other: Point) -> Point:
    (x1, y1), (x2, y2) = one, other
    t = D * x1 * x2 * y1 * y2 % P
    x3 = (x1 * y2 + y1 * x2) * pow(1 + t, -1, P)
    y3 = (y1 * y2 + x1 * x2) * pow(1 - t, -1, P)
    return x3 % P, y3 % P


def times(scalar: int, point: Point) -> Point:
    found = IDENTITY
    while scalar:
        if scalar & 1:
            found = add(found, point)
        point, scalar = add(point, point), scalar >> 1
    return found


def recover_x(y: int, sign: int) -> int | None:
    """The x of a point by its y, reduced first as a lenient decoder does; None when there is none."""
    y %= P
    square = (y * y - 1) * pow(D * y * y + 1, -1, P) % P
    x = pow(square, (P + 3) // 8, P)
    if (x * x - square) % P:
        x = x * _SQRT_M1 % P
    if (x * x - square) % P:
        return None
    return P - x if x and x & 1 != sign else x


def encode(y: int, sign: int) -> bytes:
    return (y | sign << 255).to_bytes(32, "little")


def encode_point(point: Point) -> bytes:
    return encode(point[1], point[0] & 1)


BASE_Y = 4 * pow(5, -1, P) % P
_BASE_X = recover_x(BASE_Y, 0)
assert _BASE_X is not None
BASE: Point = (_BASE_X, BASE_Y)


def small_order_points() -> frozenset[Point]:
    """All eight points whose order divides eight."""
    found: set[Point] = set()
    y = 2
    while len(found) < 8:
        x = recover_x(y, 0)
        if x is not None:
            point = times(Q, (x, y))
            found |= {times(k, point) for k in range(8)}
        y += 1
    return frozenset(found)


def small_order_keys() -> dict[bytes, Point]:
    """Every encoding, canonical or not, that a lenient decoder takes for a point of small order."""
    small = {y: [point for point in small_order_points() if point[1] == y] for _, y in small_order_points()}
    keys: dict[bytes, Point] = {}
    for y, points in small.items():
        for written in (y, y + P):
            if written < 2**255:
                for sign in (0, 1):
                    keys[encode(written, sign)] = next(
                        (point for point in points if point[0] & 1 == sign), points[0]
                    )
    return keys


def non_canonical_keys() -> Iterator[bytes]:
    """Every encoding of a y that is not reduced: p to 2^255 - 1, with both signs."""
    for y in range(P, 2**255):
        for sign in (0, 1):
            yield encode(y, sign)


def forged_signature(key: bytes, point: Point, message: bytes) -> bytes:
    """A signature that the verification equation accepts for this key and text, made without any secret.

    R = sB - hA holds as soon as hA is the identity; of eight tries one has an h that is a multiple of eight.
    """
    for s in range(1, 400):
        r = encode_point(times(s, BASE))
        h = int.from_bytes(hashlib.sha512(r + key + message).digest(), "little") % Q
        if times(h, point) == IDENTITY:
            return r + s.to_bytes(32, "little")
    raise ValueError("no luck in 400 tries")
