"""The socket a recipient listens at.

asyncio switches Nagle's algorithm off for connections whose socket says that it is TCP, and a socket made
without a protocol does not say so. With it on, the second part of an answer waits until the other side has
acknowledged the first, which takes 40 ms: a small push through Caddy took 63 ms instead of 14 to 23
(`benchmarks/proxy_bench.py`).

Source: RFC 9293 section 3.7.4 (Nagle's algorithm) and 3.8.6.3 (delayed acknowledgements);
https://docs.python.org/3/library/asyncio-protocol.html (TCP_NODELAY).
"""

from __future__ import annotations

import os
import socket


def bound(host: str, port: int) -> socket.socket:
    """Bind a TCP socket.

    Args:
        host: address; one with a colon is IPv6.
        port: 0 for any free one.

    Raises:
        OSError: the address is not ours, or the port is in use.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        if os.name == "posix":  # elsewhere this option would let a second program share the port
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))
    except OSError:
        listener.close()
        raise
    return listener
