"""The clinician's pages in a real browser: hostile mark-up does nothing, axe-core finds nothing serious."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from markupsafe import Markup
from playwright.sync_api import Browser, Error

from consent.codes import ANY
from tests.e2e.recipient_server import Clinic, running_clinic
from tests.support import clinical
from tests.support.clinical_rich import rich_record
from tests.support.hostile_markup import MARKUP, STRINGS
from tests.support.node_modules import node_modules
from tests.support.patient_side import PatientSide
from tests.support.portal_browser import Visitor, logged_in

pytestmark = [pytest.mark.ui, pytest.mark.timeout(300)]
__all__ = ["node_modules"]
_SIZES = ({"width": 390, "height": 844}, {"width": 1280, "height": 800})


@pytest.fixture
def clinic(tmp_path: Path) -> Iterator[Clinic]:
    with running_clinic(tmp_path / "clinic") as running:
        yield running


def share(clinic: Clinic, records: list[dict[str, Any] | bytes]) -> str:
    """Share everything; give the address of the patient's page."""
    patient = PatientSide.of(clinic.url, at=clinic.clock())
    patient.grant(at=clinic.clock(), category=ANY, sensitivity=ANY)
    receipt = patient.push(records, at=clinic.clock())
    assert receipt.refused == ()
    (address,) = re.findall(r'href="(/portal/patient/[\w-]+)"', clinic.member().get("/portal").text)
    return f"{clinic.url}{address}"


def records_of(clinic: Clinic, address: str) -> list[str]:
    """Addresses of every record's page, from the timeline."""
    text = clinic.member().get(address.removeprefix(clinic.url) + "/timeline").text
    return [
        f"{clinic.url}{path}"
        for path in dict.fromkeys(re.findall(r'href="(/portal/[^"]+/record/\d+)"', text))
    ]


def hostile_record() -> list[dict[str, Any] | bytes]:
    """A vector in every narrative and title, hostile texts elsewhere, a name that turns around."""
    texts = [*MARKUP, *STRINGS]
    conditions: list[dict[str, Any] | bytes] = []
    for number, text in enumerate(texts):
        body = clinical.condition(f"c{number}", text, code=str(100 + number))
        body["note"] = [{"text": text}]
        body["asserter"] = {"display": text[:200]}
        if number < len(MARKUP):
            div = f'<div xmlns="http://www.w3.org/1999/xhtml"><p>Tekst {number}</p>{text}</div>'
            body["text"] = {"status": "additional", "div": div}
        conditions.append(body)
    return [clinical.patient(name="\u202eegnafred\u202c<b onclick=alert(0)>", given=STRINGS[0]), *conditions]


def test_hostile_markup_does_nothing_and_the_test_would_see_it(
    clinic: Clinic, browser: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    address = share(clinic, hostile_record())
    pages = records_of(clinic, address)
    assert len(pages) == len(MARKUP) + len(STRINGS)
    with logged_in(clinic, browser) as visitor:
        for page in (f"{clinic.url}/portal", address, f"{address}/timeline", f"{address}/print", *pages):
            visitor.looks_at(page)
        assert (visitor.dialogs, visitor.away, visitor.foreign) == ([], [], [])
        assert not re.search("[\u202a-\u202e\u2066-\u2069]", visitor.page.locator("body").inner_text())
    monkeypatch.setattr("recipient.portal.details.safe_narrative", Markup)
    with logged_in(clinic, browser) as visitor:
        for page in pages:
            with contextlib.suppress(Error):  # a page that is led away says so below
                visitor.looks_at(page)
            if visitor.dialogs and visitor.away and visitor.foreign:
                break
        assert visitor.dialogs
        assert visitor.away
        assert visitor.foreign


def test_axe_finds_nothing_serious_on_any_page(clinic: Clinic, browser: Browser, node_modules: Path) -> None:
    address = share(clinic, rich_record())
    clinic.member().get(address.removeprefix(clinic.url))
    clinic.clock.forward(hours=2)
    text = clinic.member().get(address.removeprefix(clinic.url)).text
    trends = re.findall(r'href="(/portal/[^"]+/trend/\w+)"', text)
    letter = re.search(
        r'href="(/portal/[^"]+/record/\d+)">\s*<span class="line-main"><span class="line-title">Ontslag', text
    )
    assert letter is not None
    pages = ["/portal", "/portal/emergency", *trends[:1], trends[-1], letter.group(1)]
    urls = [address, f"{address}/timeline", f"{address}/print", *(clinic.url + page for page in pages)]
    axe = (node_modules / "axe-core" / "axe.min.js").read_text("utf-8")
    with logged_in(clinic, browser) as visitor:
        found = {url: serious(visitor, url, axe) for url in urls}
        visitor.page.context.clear_cookies()
        found["log in"] = serious(visitor, f"{clinic.url}/portal/login", axe)
        visitor.page.evaluate("() => document.body.append(new Image())")
        assert any("image-alt" in one for one in run_axe(visitor))  # the tool is awake
    assert {url: rules for url, rules in found.items() if rules} == {}


def serious(visitor: Visitor, url: str, axe: str) -> list[str]:
    """Run axe over one page, at both sizes, light and dark; give serious and critical findings."""
    page = visitor.page
    page.goto(url, wait_until="load")
    page.evaluate("() => document.querySelectorAll('details').forEach(one => { one.open = true; })")
    page.evaluate(axe)
    return run_axe(visitor)


def run_axe(visitor: Visitor) -> list[str]:
    """Give serious and critical findings of the page as it stands."""
    page, found = visitor.page, []
    for size in _SIZES:
        page.set_viewport_size(size)
        for scheme in ("light", "dark"):
            page.emulate_media(color_scheme=scheme)
            violations = page.evaluate("async () => (await axe.run()).violations")
            found += [
                f"{scheme} {size['width']}: {one['id']} {one['nodes'][0]['html'][:160]}"
                for one in violations
                if one["impact"] in ("serious", "critical")
            ]
    return found
