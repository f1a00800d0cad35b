"""Hands out the card: as text for apps, and as a picture to scan.

Promises: both say the same; the card is made anew every day, so that one fetched from a service that
has run for a year is not about to expire; nothing here needs a log-in, for a card is public.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import BaseRoute, Route

from recipient.identity import Identity, build_card
from recipient.login.qr import qr_svg
from recipient.rotation import successions
from recipient.store import Store
from sync.card import SUCCESSION_HEAD

REMADE_AFTER = timedelta(days=1)
_SVG = "http://www.w3.org/2000/svg"


class CardDesk:
    """The present card of one running service."""

    def __init__(
        self, store: Store, identity: Identity, *, endpoint: str, clock: Callable[[], datetime]
    ) -> None:
        self._identity, self._endpoint, self._clock = identity, endpoint, clock
        self._successions = successions(store)
        self._made_at = clock()
        self._text = build_card(identity, endpoint=endpoint, at=self._made_at)[1]

    def text(self) -> str:
        """Return the signed card of today."""
        at = self._clock()
        if at >= self._made_at + REMADE_AFTER:
            self._text = build_card(self._identity, endpoint=self._endpoint, at=at)[1]
            self._made_at = at
        return self._text

    def with_successions(self) -> str:
        """Return the card and, below it, the successions, for those who know an older key."""
        return "\n".join((self.text(), *(f"{SUCCESSION_HEAD}\n{one}" for one in self._successions)))


def card_routes(desk: CardDesk) -> list[BaseRoute]:
    """Return the public addresses of the card."""

    async def show_file(_request: Request) -> Response:
        return PlainTextResponse(desk.with_successions())

    async def show_picture(_request: Request) -> Response:
        return Response(card_picture(desk.text()), media_type="image/svg+xml")

    return [
        Route("/v1/card", show_file, methods=["GET"]),
        Route("/v1/card.svg", show_picture, methods=["GET"]),
    ]


def card_picture(text: str) -> bytes:
    """Draw a card as a QR code that a phone reads; it holds the whole card, so no network is needed.

    Raises:
        ValueError: the card is longer than a QR code can be (2,331 bytes; a usual card has 700).
    """
    drawn = qr_svg(text)
    return (
        '<?xml version="1.0" encoding="utf-8"?>\n' + drawn.replace("<svg", f'<svg xmlns="{_SVG}"', 1)
    ).encode()
