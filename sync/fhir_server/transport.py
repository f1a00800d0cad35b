"""The second transport: FHIR servers, each asked first what it can.

The answer to that question is kept for a while, so that a large first delivery asks once.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Final

from sync.fhir_server.capability import Capability
from sync.fhir_server.client import FhirClient
from sync.fhir_server.controls import token_in
from sync.fhir_server.deliver import Outcome, deliver
from sync.fhir_server.login import HttpCaller, Login
from sync.fhir_server.parcel import read_parcel
from sync.fhir_server.reading import Line, look_up
from sync.fhir_server.server import FhirServer
from sync.fhir_server.tagged import all_tagged
from sync.transport import always

ASK_AGAIN_AFTER: Final = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class FhirDestination:
    """A server and how we log in there.

    Attributes:
        version: changes whenever the login does; what was asked under another is forgotten.
    """

    server: FhirServer
    login: Login = field(repr=False)
    version: str = ""


class FhirTransport:
    """Talks to FHIR servers through one checked way out."""

    def __init__(self, caller: HttpCaller, *, clock: Callable[[], datetime]) -> None:
        self._caller = caller
        self._clock = clock
        self._lines: dict[str, tuple[str, datetime, Line]] = {}

    def capability(self, to: FhirDestination) -> Capability:
        """Ask a server anew what it can.

        Raises:
            Unreachable, RemoteRuleError, LocalRuleError: as `FhirClient.capability`.
        """
        self._lines.pop(to.server.id, None)
        return self._line(to).capability

    def try_login(self, to: FhirDestination, name: str) -> None:
        """Look for a resource of ours, which needs the login; changes nothing there.

        Raises:
            Unreachable, RemoteRuleError: `fhir_not_allowed`, `fhir_login_refused` and others of `ask`.
        """
        look_up(self._line(to), [name])

    def deliver(self, to: FhirDestination, content: bytes, *, going: Callable[[], bool] = always) -> Outcome:
        """Bring a parcel there, as long as it may go; see `sync.fhir_server.deliver`."""
        return deliver(replace(self._line(to), going=going), read_parcel(content))

    def newest_statement(self, to: FhirDestination, consent: str) -> str | None:
        """The signed statement that lies there in a Consent of ours; not verified, None when there is none.

        Raises:
            Unreachable, RemoteRuleError, LocalRuleError: as `FhirClient.ask`.
        """
        found = look_up(self._line(to), [consent])[0]
        return token_in(found.bodies[0]) if found.bodies else None

    def all_of_ours(self, to: FhirDestination, anchor: str) -> frozenset[str]:
        """Names of what lies there with our tag; see `sync.fhir_server.tagged.all_tagged`."""
        return all_tagged(self._line(to), anchor)

    def _line(self, to: FhirDestination) -> Line:
        kept = self._lines.get(to.server.id)
        now = self._clock()
        if kept is not None and kept[0] == to.version and now < kept[1] + ASK_AGAIN_AFTER:
            return kept[2]
        client = FhirClient(self._caller, to.server, to.login, clock=self._clock)
        line = Line(client, client.capability(), to.server.endpoint)
        self._lines[to.server.id] = (to.version, now, line)
        return line
