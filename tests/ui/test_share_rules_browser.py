"""Objections, requests and exceptions in a browser: keyboard alone, and what is read aloud in order."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, expect

from consent.codes import Category
from crypto.keys import SigningKey
from pgo.usecases import objections, requests, share
from pgo.usecases.objections import ObjectionChoice
from tests.support.applications import PASSPHRASE
from tests.support.flet_ui import Ui, server
from tests.support.requests_signed import a_request
from tests.support.sharing import CLINIC_ID, CLINIC_NAME, a_card, an_open_vault

pytestmark = pytest.mark.ui
PHONE = {"width": 390, "height": 844}
TALL = {"width": 390, "height": 2600}
SCREEN_SECONDS = 30.0
KEY = SigningKey.from_seed(bytes(range(7, 39)))


@pytest.fixture
def ui(tmp_path: Path, browser: Browser, request: pytest.FixtureRequest) -> Iterator[Ui]:
    """The app on a vault with one clinic, one request and one objection, on the sharing screen."""
    options: dict[str, Any] = dict(getattr(request, "param", {}))
    session = an_open_vault(tmp_path)
    share.add_recipient(session, a_card(KEY))
    requests.take_in(session, a_request(KEY))
    labs = ObjectionChoice(categories=frozenset({Category.LABS}))
    objections.object_to(session, labs, lang="nl", shown_text="Niemand.")
    session.lock()
    with server(str(tmp_path)) as running, Ui(running.link, browser=browser, **options) as window:
        window.fill_key("passphrase", PASSPHRASE)
        window.click_key("unlock")
        window.click(re.compile("^Delen"))
        window.expect_text("Met wie kunt u delen")
        yield window


def spoken(ui: Ui) -> list[str]:
    """What a screen reader meets, in document order: names of nodes and texts."""
    script = """() => [...document.querySelectorAll('flt-semantics, flt-semantics span, h1, h2, h3')]
        .map(e => e.getAttribute('aria-label') || (e.children.length ? '' : e.textContent))
        .filter(Boolean)"""
    found = ui.page.evaluate(script)
    return [str(text) for text in found]


def fault_of_order(words: list[str], parts: tuple[str, ...]) -> str:
    """What is missing or out of order among the words read aloud; empty when nothing is."""
    place = -1
    for part in parts:
        place = next((n for n, text in enumerate(words) if n > place and part in text), -1)
        if place < 0:
            return f"{part!r} is not read, or too early: {words}"
    return ""


def in_order(ui: Ui, *parts: str) -> None:
    """Assert that these words are met in this order, once the screen is there whole."""
    end = time.monotonic() + SCREEN_SECONDS
    while (fault := fault_of_order(spoken(ui), parts)) and time.monotonic() < end:
        ui.settle(50)  # a screen arrives in several frames
    assert not fault, fault


@pytest.mark.parametrize("ui", [TALL], indirect=True)
def test_what_is_read_aloud_follows_what_is_seen(ui: Ui) -> None:
    in_order(
        ui, "U deelt nu met niemand", "Met wie kunt u delen", CLINIC_NAME, "Meer over delen", "Verzoeken"
    )
    ui.click_key("to-requests")
    ui.expect_text(f"{CLINIC_NAME} vraagt om gegevens")
    in_order(
        ui,
        f"{CLINIC_NAME} vraagt om gegevens",
        f"{CLINIC_NAME} schrijft:",
        "Wat vragen zij?",
        "Naam, geboortedatum en adres",
        "Ja, of alleen een deel",
        "Later",
        "Nee",
        "Dan is het nee.",
    )
    ui.click_key("request-yes-request-1")
    ui.expect_text("Een bezwaar van u houdt 1 gegeven tegen.")
    in_order(
        ui,
        "Wat wilt u delen?",
        "Doel: voor uw behandeling",
        "Hoe lang?",
        "Uit welke tijd?",
        "Losse gegevens en schrijvers",
        f"Wat {CLINIC_NAME} te zien krijgt",
        "Een bezwaar van u",
        "Hef dit bezwaar op",
        "Dit blijft bij u",
    )
    ui.expect_no_error_box()


def test_an_objection_is_made_with_the_keyboard_alone(ui: Ui) -> None:
    ui.tab_to("Bezwaren 1 bezwaar geldt nu")
    ui.press("Enter")
    ui.expect_text("Niemand krijgt dit ooit te zien")
    ui.tab_to("Nieuw bezwaar")
    ui.press("Enter")
    ui.expect_text("Waar gaat het over?")
    ui.tab_to("Hiv")
    ui.press("Space")
    ui.expect_text(re.compile("Dit gaat nu over 1 van uw 8 gegevens"))
    ui.tab_to("Onderteken bezwaar", limit=60)
    ui.press("Enter")
    ui.expect_text(re.compile("alles over hiv"))
    expect(ui.page.get_by_role("button", name=re.compile("^Hef op: "))).to_have_count(2)


@pytest.mark.parametrize("ui", [PHONE], indirect=True)
def test_the_third_layer_works_by_touch_on_a_phone(ui: Ui) -> None:
    ui.click_key(f"give-{CLINIC_ID}")
    ui.expect_text(re.compile("6 van uw 8 gegevens"))
    ui.click_key("share-refine")
    ui.click_key("share-single-except")
    ui.fill_key("share-pick", "metho")
    ui.expect_text(re.compile("Methotrexaat · "))
    ui.tap(ui.page.get_by_role("switch", name=re.compile("Methotrexaat")))
    ui.expect_text(re.compile("5 van uw 8 gegevens"))
    ui.expect_text(re.compile("Deze gegevens gaan niet mee: Methotrexaat"))
    ui.expect_no_error_box()
