"""The recipient with one route more, which takes a plain FHIR transaction: the baseline of a first sync.

Run: as ``python -m recipient serve``, by ``benchmarks.first_sync_bench``. It exists in this process only; the
product has no such route.

Everything around the route is the recipient's own: process, HTTP stack, limits, threads, store. The route
reads the transaction with the parser of a push and stores each resource under a key of its own, encrypted at
rest, in one durable transaction. What it leaves out is what a share adds: envelope, signatures, statement,
classification, decision, receipt. ``DELETE`` empties it for the next round.
"""

from __future__ import annotations

import json
import sys
from datetime import datetime

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from recipient import cli, holdings, service
from recipient.gateway import _Gate
from recipient.instants import instant_text
from recipient.portal.web import Office
from recipient.store import Store
from sync.bundle import read_transaction

PATH, SUBJECT = "/plain", "plain"
_routes_of_the_product = service.service_routes


def main() -> int:
    """Run the command line of the recipient with the route in it."""
    service.service_routes = with_plain
    return cli.main()


def with_plain(office: Office) -> list[BaseRoute]:
    """The routes of the product, and this one, through the same gate for bodies and threads."""
    store, gate = office.store, _Gate(office.limits)  # the gate of the inbox: it shall cost the same here
    with store.transaction():
        know(store, at=office.clock())

    async def take(request: Request) -> Response:
        return await gate.run(
            request, lambda body, at: keep(store, body, at=at), clock=office.clock, identity=office.identity
        )

    async def empty(_request: Request) -> Response:
        with store.transaction(about=SUBJECT):
            holdings.erase_resources(store, SUBJECT)
        store.fold()
        return Response(status_code=204)

    return [
        Route(PATH, take, methods=["POST"]),
        Route(PATH, empty, methods=["DELETE"]),
        *_routes_of_the_product(office),
    ]


def know(store: Store, *, at: datetime) -> None:
    """Write down the sender that resources belong to; stopped, so that no part of the product reads it."""
    now = instant_text(at)
    store.run(
        "INSERT INTO sender (sub, handle, first_at, changed_at, sequence, statement_hash, statement, state,"
        " revision) VALUES (?, ?, ?, ?, 0, '', '', ?, 1) ON CONFLICT (sub) DO NOTHING",
        (SUBJECT, SUBJECT, now, now, holdings.STOPPED),
    )


def keep(store: Store, body: bytes, *, at: datetime) -> bytes:
    """Store one transaction of PUTs; answer as a FHIR server does."""
    items = read_transaction(body, subject_id=SUBJECT)
    with store.transaction(about=SUBJECT):
        holdings.put_resources(store, SUBJECT, items, at=at)
        holdings.touch(store, SUBJECT, at=at)
    answers = [{"response": {"status": "201", "location": item.reference}} for item in items]
    return json.dumps({"resourceType": "Bundle", "type": "transaction-response", "entry": answers}).encode()


if __name__ == "__main__":
    sys.exit(main())
