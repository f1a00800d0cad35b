"""Which addresses we are willing to talk to.

Rules, for an address that was typed, pasted or stood in a card:

1. `https`, or `http` to a literal loopback address (the recipient on this machine, for demo and tests);
2. a host name in ASCII (an internationalised name in its `xn--` form, which `typed_address` writes for what
   was typed) or a literal address;
3. no user name, query or fragment, and no path that climbs;
4. every address the name resolves to must be public unicast; `is_public` decides, because Python's
   `is_global` also says yes to multicast and to addresses that tunnel to private ones.

Sources: RFC 3986; IANA special-purpose address registries (RFC 6890); RFC 4291 section 2.5.5.2
(::ffff:0:0/96), RFC 6052 (64:ff9b::/96), RFC 3056 (2002::/16).
"""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass
from urllib.parse import urlsplit, urlunsplit

from sync.errors import LocalRuleError

MAX_URL_LENGTH = 300
_HOST = re.compile(
    r"(?=.{1,253}\Z)[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?)*\Z"
)
_PATH = re.compile(r"(?:/(?!\.{1,2}(?:/|\Z))[A-Za-z0-9._~-]+)*/?\Z")
_TUNNELS = tuple(
    ipaddress.ip_network(text)
    for text in ("::ffff:0:0/96", "::/96", "64:ff9b::/96", "64:ff9b:1::/48", "2002::/16")
)

_DEFAULT_PORTS = {"https": 443, "http": 80}


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A checked address, in parts."""

    scheme: str
    host: str
    port: int
    path: str

    @property
    def authority(self) -> str:
        """Host and port as they stand in a `Host` header (RFC 9110 section 7.2)."""
        return _authority(self.host, self.port, self.scheme)

    @property
    def is_loopback(self) -> bool:
        """Whether the host is a literal loopback address."""
        return _is_loopback(self.host)

    def url(self, path: str = "", *, host: str | None = None) -> str:
        """Write the address with a path below it.

        Args:
            path: Starts with a slash.
            host: Put this literal address in place of the host name.
        """
        authority = _authority(host or self.host, self.port, self.scheme)
        return f"{self.scheme}://{authority}{self.path}{path}"


def parse_endpoint(url: str) -> Endpoint:
    """Check an address by rules 1 to 3.

    Raises:
        LocalRuleError: `bad_endpoint`; nothing was contacted.
    """
    if len(url) > MAX_URL_LENGTH or not url.isascii() or not url.isprintable() or " " in url:
        raise LocalRuleError("bad_endpoint")
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError as exc:
        raise LocalRuleError("bad_endpoint") from exc
    if host is None or "@" in parts.netloc or "?" in url or "#" in url or not _PATH.match(parts.path):
        raise LocalRuleError("bad_endpoint")
    if not (_HOST.match(host) or _is_address(host)) or port == 0:
        raise LocalRuleError("bad_endpoint")
    if parts.scheme != "https" and not (parts.scheme == "http" and _is_loopback(host)):
        raise LocalRuleError("bad_endpoint")
    return Endpoint(parts.scheme, host, port or _DEFAULT_PORTS[parts.scheme], parts.path.rstrip("/"))


def typed_address(text: str) -> str:
    """Write what a person typed in ASCII, the host in the form that names are registered in (`xn--`).

    The result is what is shown from then on, so that a letter that only looks like another one shows. A card
    is not treated so: what is signed has to be in ASCII already.

    Args:
        text: Untrusted; spaces around it are dropped.

    Raises:
        LocalRuleError: `bad_endpoint`, its host is no name by IDNA 2008 (RFC 5891, as mapped by UTS #46).
    """
    text = text.strip()
    if text.isascii():
        return text
    import idna  # rarely needed, and its tables are large

    try:
        parts = urlsplit(text)
        port = "" if parts.port is None else f":{parts.port}"
        host = idna.encode(parts.hostname or "", uts46=True, std3_rules=True).decode("ascii")
    except (idna.IDNAError, UnicodeError, ValueError) as exc:
        raise LocalRuleError("bad_endpoint") from exc
    if "@" in parts.netloc:
        raise LocalRuleError("bad_endpoint")
    return urlunsplit(parts._replace(netloc=host + port))


def is_public(address: str) -> bool:
    """Decide rule 4 for one literal address; a zone suffix or anything unreadable is not public."""
    try:
        found = ipaddress.ip_address(address)
    except ValueError:
        return False
    if found.version == 6 and any(found in tunnel for tunnel in _TUNNELS):
        return False
    return found.is_global and not found.is_multicast


def _authority(host: str, port: int, scheme: str) -> str:
    shown = f"[{host}]" if ":" in host else host
    return shown if port == _DEFAULT_PORTS[scheme] else f"{shown}:{port}"


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return "%" not in host


def _is_loopback(host: str) -> bool:
    return _is_address(host) and ipaddress.ip_address(host).is_loopback
