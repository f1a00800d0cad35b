"""A FHIR server as the person knows it: an address they typed, a name, and how we log in. No card.

A recipient with a card signs it, so a key can be compared and pinned. A plain FHIR server has no such key:
what we have is the name in its TLS certificate, checked by the same authorities as for any web site. So the
address *is* the identity here: another address is another recipient.

1. The id is a hash of the address, so the same address is the same recipient on every device.
2. It is always a place of care, never a registry: research does not go this way (docs/adr/0023).
3. Written as canonical JSON; anything else is refused when read.

Source: FHIR R4 http.html#root (service base URL).
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Final

from consent.rules import ActorRef
from crypto.canonical import JsonValue, b64url, canonical_bytes
from sync.endpoint import parse_endpoint, typed_address
from sync.reading import as_text, as_whole, malformed, read_object

VERSION: Final = 1
KIND: Final = "fhir"
MAX_RECORD_BYTES: Final = 4 * 1024
MAX_NAME_LENGTH: Final = 200
_MEMBERS: Final = frozenset({"v", "kind", "name", "endpoint", "organisation"})
_ID_LENGTH: Final = 22  # 128 bits of the hash


@dataclass(frozen=True, slots=True)
class FhirServer:
    """One server.

    Attributes:
        name: as the person typed it.
        endpoint: service base URL, checked by `sync.endpoint`.
        organisation: identifier of the organisation as typed, for instance a URA number; '' for none.
    """

    name: str
    endpoint: str
    organisation: str = ""

    @property
    def id(self) -> str:
        """Stable id, from the address alone (rule 1)."""
        digest = hashlib.sha256(self.endpoint.encode("ascii")).digest()
        return f"{KIND}:{b64url(digest)[:_ID_LENGTH]}"

    @property
    def kind(self) -> str:
        """Kind of recipient; decides which choices are offered (rule 2)."""
        return KIND

    @property
    def actor(self) -> ActorRef:
        """The recipient as consent names it."""
        return ActorRef("org", self.id)


def fhir_server(*, name: str, endpoint: str, organisation: str = "") -> FhirServer:
    """Check what was typed.

    Raises:
        LocalRuleError: `bad_endpoint`.
        RemoteRuleError: `malformed`, the name or the identifier is empty or too long.
    """
    address = parse_endpoint(typed_address(endpoint))
    found = FhirServer(name.strip(), address.url(), organisation.strip())
    if not 0 < len(found.name) <= MAX_NAME_LENGTH or len(found.organisation) > MAX_NAME_LENGTH:
        raise malformed()
    return found


def server_text(server: FhirServer) -> str:
    """Write a server for keeping."""
    body: dict[str, JsonValue] = {
        "v": VERSION,
        "kind": KIND,
        "name": server.name,
        "endpoint": server.endpoint,
        "organisation": server.organisation,
    }
    return canonical_bytes(body).decode("utf-8")


def parse_server(text: str) -> FhirServer:
    """Read a server that was kept.

    Raises:
        RemoteRuleError: `malformed`.
        LocalRuleError: `bad_endpoint`.
    """
    members = read_object(text.encode("utf-8"), _MEMBERS, max_bytes=MAX_RECORD_BYTES)
    if as_whole(members["v"]) != VERSION or members["kind"] != KIND:
        raise malformed()
    organisation = members["organisation"]
    if not isinstance(organisation, str):
        raise malformed()
    return fhir_server(
        name=as_text(members["name"]), endpoint=as_text(members["endpoint"]), organisation=organisation
    )


def is_server_text(text: str) -> bool:
    """Whether a kept recipient is a FHIR server; a card is a token and never begins like this."""
    return text.startswith("{")
