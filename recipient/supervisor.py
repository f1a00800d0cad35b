"""A word to whoever started the service: ready, stopping (systemd's notification protocol).

Without ``NOTIFY_SOCKET`` in the environment nothing happens. The message holds a state and nothing else.

Source: https://www.freedesktop.org/software/systemd/man/latest/sd_notify.html
"""

from __future__ import annotations

import socket

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
