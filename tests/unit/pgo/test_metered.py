"""Whether a connection costs money: what the system says, and that not knowing is no."""

from __future__ import annotations

import pytest

from pgo.metered import connection_is_metered, says_metered


@pytest.mark.parametrize(("value", "costs"), [(0, False), (1, True), (2, False), (3, True), (4, False)])
def test_the_words_of_network_manager(value: int, costs: bool) -> None:
    assert says_metered(value) is costs


def test_no_answer_is_no() -> None:
    assert says_metered(None) is False


def test_without_a_system_bus_it_is_no(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DBUS_SYSTEM_BUS_ADDRESS", "unix:path=/nonexistent/bus")
    assert connection_is_metered() is False
