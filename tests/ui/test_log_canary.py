"""Logs (guide security 3.16): with every logger at its loudest, no log says a word of a person."""

from __future__ import annotations

import logging
from pathlib import Path

import pytest

from pgo.errors import AppError
from pgo.ui.safety import quiet_logs
from pgo.usecases.collect import collect
from pgo.usecases.keys import change_passphrase, renew_recovery_code
from pgo.usecases.unlock import unlock, unlock_with_code
from tests.support.applications import PASSPHRASE
from tests.support.fault_figures import figures
from tests.support.headless import run
from tests.support.screens import locked_frame
from tests.support.vaults import Home, a_bundle, a_condition, a_patient

CANARIES = ("Kanarius", "Zeldzame Wespenallergie", "999911120", PASSPHRASE, "andere geheime woorden hier")
NEVER_LOUD = ("flet", "flet_controls", "flet_transport", "httpx", "httpcore", "flet_web")


def test_no_log_says_a_word_of_a_person(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    quiet_logs()
    with caplog.at_level(logging.DEBUG):
        home = Home(tmp_path)
        codes = _use_everything(home)
        _show_screens(home)
    said = "\n".join([caplog.text, *(repr(record.__dict__) for record in caplog.records)])
    found = [word for word in (*CANARIES, *codes) if word in said]
    figures["logs"] = (
        f"{len(caplog.records)} lines, {len(CANARIES) + len(codes)} canaries, {len(found)} found"
    )
    assert found == [], {record.name for record in caplog.records if found[0] in repr(record.__dict__)}


def _use_everything(home: Home) -> list[str]:
    """Make, fill, break, recover; returns the codes that were shown."""
    session = home.open_new("Kanarius")
    record = a_bundle(
        a_patient(name="Kanarius Voorbeeld", bsn="999911120"), a_condition("c1", text=CANARIES[1])
    )
    collect(session, record, name="Kanarius.json")
    bad = (b'{"resourceType": "Bundle", "Kanarius', b"<Patient><Kanarius></Patient>", b"%PDF-Kanarius")
    for data in bad:
        try:
            collect(session, data, name="Kanarius.bin")
        except AppError:
            continue
    code = renew_recovery_code(session)
    change_passphrase(session, CANARIES[4])
    session.lock()
    for attempt in (PASSPHRASE, CANARIES[4]):
        try:
            unlock(home.app, session.folder, attempt).lock()
        except AppError:
            continue
    unlock_with_code(home.app, session.folder, code).lock()
    return [code]


def _show_screens(home: Home) -> None:
    async def go() -> None:
        async with locked_frame(home.app) as (app, state, _):
            await app.type("passphrase", CANARIES[4])
            await app.click("unlock")
            await app.wait(lambda: state.unlocked, "it did not open")
            for route in ("/profile", "/timeline", "/settings/person", "/settings/keys"):
                app.page.navigate(route)
                await app.wait(lambda route=route: app.page.route == route, route)  # type: ignore[misc]
                await app.settle(60)

    run(go())


def test_loud_loggers_of_libraries_are_kept_quiet() -> None:
    root = logging.getLogger()
    before = root.level
    try:
        root.setLevel(logging.DEBUG)
        quiet_logs()
        for name in NEVER_LOUD:
            assert not logging.getLogger(name).isEnabledFor(logging.INFO), name
    finally:
        root.setLevel(before)
