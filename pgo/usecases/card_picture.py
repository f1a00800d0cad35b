"""The text of a card from a picture of its QR code: a photo, or the picture on the recipient's site.

Rules:

1. A picture is looked at by a process of its own with limits (``picture_child``): decoders of pictures are
   large programs in C, and the picture is a stranger's.
2. What comes back is untrusted text, checked like a pasted one.
"""

from __future__ import annotations

import subprocess

from pgo.errors import InputRefused
from pgo.usecases.intake_process import end_child, start_child

MAX_PICTURE_BYTES = 12_000_000
CHILD = ("-s", "-S", "-B", "-m", "pgo.usecases.picture_child")
_SECONDS = 30
_MAX_TEXT_BYTES = 8_000  # the largest QR code holds 2,953 bytes (ISO/IEC 18004, version 40)
_FOUND, _NO_CODE = 0, 3  # as picture_child ends
_FIRST_BYTES = (b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff", b"RIFF")


def is_picture(data: bytes) -> bool:
    """Tell by its first bytes whether this is a picture, of a form that is looked at."""
    return data.startswith(_FIRST_BYTES)


def text_in_picture(data: bytes) -> str:
    """Read the one QR code in a picture.

    Raises:
        InputRefused: ``picture_unreadable``, it is no picture or too large; ``picture_without_code``, there
            is no code on it that can be read, or more than one.
    """
    if len(data) > MAX_PICTURE_BYTES:
        raise InputRefused("picture_unreadable")
    process = start_child(CHILD)
    try:
        found, _ = process.communicate(data, timeout=_SECONDS)
    except subprocess.TimeoutExpired as exc:
        raise InputRefused("picture_unreadable") from exc
    finally:
        end_child(process)
    if process.returncode != _FOUND:
        raise InputRefused("picture_without_code" if process.returncode == _NO_CODE else "picture_unreadable")
    if len(found) > _MAX_TEXT_BYTES:
        raise InputRefused("picture_without_code")
    return found.decode("utf-8", "replace")
