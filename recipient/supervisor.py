"""The process and whoever started it: no core dumps; a word when ready and when stopping.

A dump of this process would hold records and keys, so none is ever written. The word is systemd's
notification protocol: a state and nothing else, and nothing at all without ``NOTIFY_SOCKET``.

Source: https://www.freedesktop.org/software/systemd/man/latest/sd_notify.html
"""

from __future__ import annotations

import importlib
import socket
from importlib.util import find_spec

READY, STOPPING = "READY=1", "STOPPING=1"


def notify(state: str, *, address: str | None) -> bool:
    """Send a state.

    Args:
        state: ``READY`` or ``STOPPING``.
        address: value of ``NOTIFY_SOCKET``; a leading ``@`` means the abstract name space.

    Returns:
        Whether somebody was told; a supervisor that cannot be reached is no reason to stop serving.
    """
    if not address or address[0] not in "/@" or not hasattr(socket, "AF_UNIX"):
        return False
    name = "\0" + address[1:] if address[0] == "@" else address
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as channel:
            channel.sendto(state.encode("ascii"), name)
    except OSError:
        return False
    return True


def forbid_core_dumps() -> None:
    """Write no memory to disk when the process dies; a system without limits has no such dumps."""
    if find_spec("resource") is None:
        return
    resource = importlib.import_module("resource")
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
