"""A file picked in a real browser comes in through our own route; one too large is refused at once."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.support.flet_ui import Server, Ui
from tests.ui.test_collect_screen import bundle, patient, weight

pytestmark = pytest.mark.ui


@pytest.mark.parametrize("ui", [{"width": 390, "height": 844}], indirect=True)
def test_a_file_comes_in_and_a_too_large_one_does_not(opened: Ui, srv: Server, tmp_path: Path) -> None:
    small = tmp_path / "klein.json"
    # More than the largest message of the socket: it can only have come through the route.
    many = [weight("1", str(n)) for n in range(30, 4000)]
    small.write_bytes(bundle(patient("1"), *many))
    assert small.stat().st_size > 1024 * 1024
    large = tmp_path / "groot.json"
    with large.open("wb") as file:
        file.truncate(60 * 1024 * 1024)

    opened.click_key("to-collect")
    opened.expect_text("Kies een bestand")
    with opened.page.expect_file_chooser() as chooser:
        opened.click_key("pick")
    chooser.value.set_files(large)
    opened.expect_text(re.compile("groter dan 50 MB"))
    with opened.page.expect_file_chooser() as chooser:
        opened.click_key("pick")
    chooser.value.set_files(small)
    opened.expect_text(re.compile("3.?971 gegevens uit klein.json staan nu in uw kluis"), timeout=60)
    opened.expect_no_error_box()
    assert srv.log.read_text() == ""
