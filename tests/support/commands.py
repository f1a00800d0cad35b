"""The commands in tests: a guess at a passphrase costs little and is not measured."""

from __future__ import annotations

import pytest

from crypto.passphrase import Price
from pgo import bootstrap
from tests.support.applications import CHEAP


def cheap_commands(monkeypatch: pytest.MonkeyPatch) -> None:
    """Take the least price for new passphrases; that it is measured is tested where it is done."""
    monkeypatch.setattr(bootstrap, "measured_price", lambda: Price(CHEAP, 0.5))
