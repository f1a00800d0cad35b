"""A card from a picture of its QR code; other pictures are refused, and cost a process at most."""

from __future__ import annotations

import io
import struct
import zlib
from datetime import UTC, datetime

import pytest
import segno
from PIL import Image

from pgo.errors import InputRefused
from pgo.usecases import card_picture, picture_child
from pgo.usecases.card_picture import is_picture, text_in_picture
from sync.card import parse_card
from tests.support.sharing import CLINIC_ID, a_card


def _code(text: str, *, scale: int = 4) -> Image.Image:
    made = io.BytesIO()
    segno.make(text, error="l", micro=False).save(made, kind="png", scale=scale)
    return Image.open(io.BytesIO(made.getvalue())).convert("L")


def _saved(picture: Image.Image, form: str = "PNG") -> bytes:
    made = io.BytesIO()
    picture.save(made, format=form)
    return made.getvalue()


def _refusal(data: bytes) -> str:
    with pytest.raises(InputRefused) as refused:
        text_in_picture(data)
    return refused.value.code


@pytest.mark.parametrize("form", ["PNG", "JPEG", "WEBP"])
def test_a_card_comes_off_a_picture_as_it_was_signed(form: str) -> None:
    card = a_card()
    data = _saved(_code(card), form)
    assert is_picture(data)
    assert parse_card(text_in_picture(data), at=datetime.now(UTC)).id == CLINIC_ID


def test_a_photo_at_an_angle_with_a_desk_around_it_is_read() -> None:
    card = a_card()
    desk = Image.new("L", (1600, 1200), 90)
    desk.paste(_code(card, scale=5).rotate(9, expand=True, fillcolor=255), (420, 260))
    assert text_in_picture(_saved(desk, "JPEG")) == card


def test_no_code_and_two_codes_are_not_guessed_at() -> None:
    assert _refusal(_saved(Image.new("L", (400, 300), 200))) == "picture_without_code"
    both = Image.new("L", (1300, 700), 255)
    both.paste(_code("one" * 60), (40, 40))
    both.paste(_code("two" * 60), (640, 40))
    assert _refusal(_saved(both)) == "picture_without_code"


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\x89PNG\r\n\x1a\n",
        b"\xff\xd8\xff" * 500,
        b"RIFF\0\0\0\0WEBP",
        b"%PDF-1.7",
        b"GIF89a" + bytes(50),
    ],
    ids=["nothing", "a start", "no jpeg", "no webp", "a pdf", "another form"],
)
def test_what_is_no_picture_is_refused(data: bytes) -> None:
    assert _refusal(data) == "picture_unreadable"


def test_a_picture_that_unpacks_to_far_more_is_refused() -> None:
    side = 60_000  # 3.6 thousand million points in one bit each; its data are never unpacked
    head = struct.pack(">IIBBBBB", side, side, 1, 0, 0, 0, 0)

    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    rows = zlib.compress(bytes(10_000_000))
    bomb = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")
    assert _refusal(bomb) == "picture_unreadable"


def test_a_large_file_is_not_even_looked_at(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(card_picture, "start_child", None)
    assert _refusal(b"\x89PNG" + bytes(card_picture.MAX_PICTURE_BYTES)) == "picture_unreadable"


def test_both_sides_mean_the_same_by_an_ending() -> None:
    assert (picture_child.FOUND, picture_child.NO_CODE) == (card_picture._FOUND, card_picture._NO_CODE)
