"""Does the connection cost money per byte? Asked of the operating system; not knowing is no.

- Linux: NetworkManager says so on the system bus (property `Metered`).
- Elsewhere nothing is asked: Windows and macOS tell it only to programs they packaged themselves. The person
  can still hold records back by the switch in the settings.

Nothing here opens a network connection; the system bus is a socket file of this machine.

Source: NetworkManager D-Bus API, org.freedesktop.NetworkManager, property Metered and enumeration NMMetered
(0 unknown, 1 yes, 2 no, 3 guessed yes, 4 guessed no).
"""

from __future__ import annotations

import logging
import sys

_ANSWER_SECONDS = 1.0
_YES, _GUESSED_YES = 1, 3
_log = logging.getLogger("pgo.metered")


def connection_is_metered() -> bool:
    """Whether the system says that this connection costs money per byte."""
    return sys.platform == "linux" and says_metered(_network_manager_property())


def says_metered(value: int | None) -> bool:
    """Read NMMetered: a guess that it costs money counts as yes, not knowing as no."""
    return value in (_YES, _GUESSED_YES)


def _network_manager_property() -> int | None:
    """The property as a number; None when nobody answers, as on a machine without NetworkManager."""
    try:
        from jeepney import DBusAddress, Properties  # type: ignore[import-untyped]  # it has no stubs
        from jeepney.io.blocking import open_dbus_connection  # type: ignore[import-untyped]
        from jeepney.wrappers import DBusErrorResponse, unwrap_msg  # type: ignore[import-untyped]
    except ImportError:
        return None
    manager = DBusAddress(
        "/org/freedesktop/NetworkManager",
        bus_name="org.freedesktop.NetworkManager",
        interface="org.freedesktop.NetworkManager",
    )
    try:
        with open_dbus_connection(bus="SYSTEM") as bus:
            reply = bus.send_and_get_reply(Properties(manager).get("Metered"), timeout=_ANSWER_SECONDS)
        ((_kind, value),) = unwrap_msg(reply)
    except (OSError, KeyError, ValueError, TimeoutError, DBusErrorResponse) as exc:
        _log.debug("metered_unknown kind=%s", type(exc).__name__)
        return None
    return value if isinstance(value, int) else None
