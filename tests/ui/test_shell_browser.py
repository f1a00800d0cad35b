"""The frame in a real browser: keyboard only, a name on everything, text that can be read."""

from __future__ import annotations

import pytest

from tests.support.applications import PASSPHRASE
from tests.support.flet_ui import Ui

pytestmark = pytest.mark.ui

UNNAMED = """() => [...document.querySelectorAll(
  'flt-semantics:is([role=button], [role=switch], [role=radio], [role=checkbox], [role=tab]), input')]
  .filter(e => !(e.ariaLabel || e.innerText || '').trim() && !e.closest('[aria-label]'))
  .map(e => e.outerHTML.slice(0, 160))"""


def test_unlock_with_the_keyboard_and_find_a_name_on_everything(ui: Ui) -> None:
    assert ui.page.evaluate(UNNAMED) == []
    ui.tab_and_type("Wachtzin", PASSPHRASE)
    ui.press("Enter")
    ui.key("lock").wait_for(state="attached")
    ui.expect_text("Uw kluis is nog leeg")
    for tab, heading in (("Instellingen", "Automatisch vergrendelen"), ("Overzicht", "Uw kluis is nog leeg")):
        ui.click(tab)
        ui.expect_text(heading)
        assert ui.page.evaluate(UNNAMED) == [], tab
        assert ui.by_role("heading").count() >= 2
    for key, heading in (
        ("who", "Van wie deze kluis is"),
        ("back", "Wie erin kan"),
        ("settings-keys", "Wachtzin"),
    ):
        ui.click_key(key)
        ui.expect_text(heading)
        assert ui.page.evaluate(UNNAMED) == [], key
    ui.click("Overzicht")
    ui.expect_text("Uw kluis is nog leeg")
    ui.tab_to("Gegevens ophalen")
    ui.press("Enter")
    ui.expect_text("Kies een bestand")
    ui.expect_no_error_box()
    ui.wait_js("document.documentElement.lang.startsWith('nl')")


@pytest.mark.parametrize("ui", [{"width": 390, "height": 844}], indirect=True)
def test_a_reload_keeps_the_vault_open_and_turning_the_phone_keeps_what_was_typed(opened: Ui) -> None:
    opened.page.reload()
    opened.enable_semantics()
    opened.expect_text("Uw kluis is nog leeg")
    assert opened.key("lock").count() == 1, "a reload within the session's time must not lock"
    opened.click("Instellen")
    opened.click_key("settings-keys")
    opened.click_key("change-passphrase")
    opened.fill_key("new-passphrase", "half getypt")
    opened.page.set_viewport_size({"width": 1000, "height": 700})
    opened.settle(500)
    inner = opened.key("new-passphrase").locator("input")
    opened.tap(inner.first)
    opened.settle(100)
    assert inner.first.input_value() == "half getypt"
