"""A message that is taken back while it is being sent: nothing more of it leaves."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from sync.errors import Unreachable
from sync.transport import PIECE_BYTES, InboxTransport, Stoppable
from tests.support.http_servers import Handler, serving
from tests.support.sync_world import a_card

LINE = InboxTransport(step_seconds=20, deadline_seconds=60)


def _so_often(times: int) -> tuple[Callable[[], bool], list[bool]]:
    asked: list[bool] = []

    def going() -> bool:
        asked.append(len(asked) < times)
        return asked[-1]

    return going, asked


def test_the_inbox_transport_can_stop() -> None:
    assert isinstance(LINE, Stoppable)


def test_a_message_that_goes_on_arrives_whole_and_is_asked_about_before_each_piece() -> None:
    body = bytes(range(256)) * (PIECE_BYTES // 64)
    going, asked = _so_often(99)
    with serving(lambda handler: handler.answer(200, b"answer")) as server:
        card = a_card(endpoint=server.url)
        assert LINE.send_while(card, "/v1/inbox", body, going=going) == b"answer"
    assert server.seen[0].body == body
    assert server.seen[0].headers["content-length"] == str(len(body))
    assert server.seen[0].headers["transfer-encoding"] is None
    assert len(asked) == len(body) // PIECE_BYTES


@pytest.mark.parametrize("pieces", [0, 1, 3])
def test_what_is_taken_back_is_broken_off(pieces: int) -> None:
    going, asked = _so_often(pieces)
    arrived: list[int] = []

    def nothing_comes(handler: Handler) -> None:
        arrived.append(len(handler.body))

    with serving(nothing_comes) as server, pytest.raises(Unreachable) as stopped:
        LINE.send_while(a_card(endpoint=server.url), "/v1/inbox", bytes(8 * PIECE_BYTES), going=going)
    assert stopped.value.code == "taken_back"
    assert asked == [True] * pieces + [False]
    assert all(size <= pieces * PIECE_BYTES for size in arrived)
