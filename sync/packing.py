"""Content made smaller before it is sealed, and bounded when it is opened. The only owner of Zstandard.

Sealed bytes cannot be made smaller any more, so this comes first. FHIR shrinks to a twentieth or less, and
with it what goes over a slow line and what stands in the way of the next message.

A size can tell something about what is inside (CRIME, 2012): whoever mixes text of his own with a secret and
watches the sizes can guess the secret. Here nobody on the way sees a size, only one of six size classes
(`crypto.sealing.pad`), and a message is made once, not on a stranger's demand.

Opening never makes more than the largest content of a message, however small what came was, and never
reserves more memory than that for the window (`WINDOW_LOG`).

Sources: RFC 8878 (Zstandard), sections 3.1.1 (frames, magic number) and 7.2 (untrusted windows). The library
is `compression.zstd` of Python 3.14; before that its back-port.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

from sync.errors import RemoteRuleError

if TYPE_CHECKING:
    from types import ModuleType

LEVEL = 3
"""The library's own middle: level 9 saves another seventh of the bytes and takes eight times as long."""

WINDOW_LOG = 23
"""8 MiB, which RFC 8878 section 3.1.1.1.2 asks every opener to support; more than any content."""


def pack(content: bytes) -> bytes:
    """Write content as one Zstandard frame; the same content gives the same bytes."""
    return bytes(_zstd().compress(content, LEVEL))


def unpack(frame: bytes, *, max_bytes: int) -> bytes:
    """Read one frame and nothing behind it.

    Args:
        frame: Untrusted.
        max_bytes: Largest content; a frame that holds more is refused without making it.

    Raises:
        RemoteRuleError: `cannot_open`, it is no frame, is cut, has something behind it or holds too much.
    """
    zstd: Any = _zstd()
    opener = zstd.ZstdDecompressor(options={zstd.DecompressionParameter.window_log_max: WINDOW_LOG})
    try:
        content = bytes(opener.decompress(frame, max_bytes + 1))
    except zstd.ZstdError as exc:
        raise RemoteRuleError("cannot_open") from exc
    if len(content) > max_bytes or not opener.eof or opener.unused_data:
        raise RemoteRuleError("cannot_open")
    return content


def _zstd() -> ModuleType:
    # at the first message: a start-up that sends nothing does not need it
    if sys.version_info >= (3, 14):
        from compression import zstd
    else:
        from backports import zstd
    return zstd
