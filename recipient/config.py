"""Limits and places of a recipient, with units in their names.

Promises: everything tunable is here and nowhere else; a value is either right or refused at start-up.
What belongs to the installation itself (name, keys, address) lies in the encrypted store, see
``recipient.identity``; beside the store there is only the key file and the public card.

Sources: NEN 7513 and OWASP ASVS 5.0 chapters 6 and 7 (sessions, login), RFC 9110 section 4.2.2 (https).
"""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from recipient.errors import Unusable
from sync.endpoint import parse_endpoint, typed_address
from sync.errors import LocalRuleError

STORE_NAME = "recipient.db"
KEY_NAME = "recipient.key"
KEK_NAME = "recipient.kek"
DATABASE_NAME = "recipient.database"  # instead of STORE_NAME: where the PostgreSQL database is
CARD_NAME = "card.txt"


@dataclass(frozen=True, slots=True)
class Limits:
    """What a stranger may cost us. Defaults suit a practice on one small machine."""

    max_header_bytes: int = 16 * 1024
    max_form_bytes: int = 16 * 1024
    header_deadline_seconds: float = 10.0
    body_deadline_seconds: float = 30.0
    keep_alive_seconds: int = 5  # for a next request; a proxy must let go of a line before we do
    stop_seconds: float = 20.0  # for what was taken when the service stops; below systemd's TimeoutStopSec
    max_connections: int = 100
    max_waiting_connections: int = 64  # without a request in progress; well below the line above
    max_inbox_work: int = 2
    max_inbox_waiting: int = 24
    max_api_work: int = 4
    max_api_waiting: int = 50
    api_requests_per_minute: int = 600  # of one client
    api_log_ins_per_minute: int = 60  # from one address
    login_tries_per_minute: int = 5
    session_idle: timedelta = timedelta(minutes=15)  # ASVS 5.0 7.3.1: short for sensitive data
    session_absolute: timedelta = timedelta(hours=10)  # ASVS 5.0 7.3.2: one working day
    keep_hidden_after_end: timedelta = timedelta(days=30)


@dataclass(frozen=True, slots=True)
class Listening:
    """Where the service listens and by which names it may be called."""

    host: str = "127.0.0.1"
    port: int = 0
    trusted_proxy: str | None = None
    certificate: Path | None = None
    certificate_key: Path | None = None

    def check(self) -> None:
        """Refuse to put patient data on a network without TLS in front.

        Raises:
            Unusable: ``no_tls`` for an outside address without certificate or named proxy.
        """
        if self.certificate is None and self.trusted_proxy is None and not is_loopback(self.host):
            raise Unusable("no_tls")


def is_loopback(host: str) -> bool:
    """Tell whether a host name can only mean this machine."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def parse_public_url(text: str) -> str:
    """Check the address patients' apps will use, by the rules those apps apply to a card.

    Args:
        text: untrusted, from the command line.

    Returns:
        The address without a trailing slash.

    Raises:
        Unusable: ``bad_url``.
    """
    try:
        return parse_endpoint(typed_address(text)).url()
    except LocalRuleError as exc:
        raise Unusable("bad_url") from exc
