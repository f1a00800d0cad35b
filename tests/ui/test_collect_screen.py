"""Collect: a picked file comes in, what came and what did not is said in plain words."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import flet as ft
import pytest

from pgo.errors import InputRefused
from pgo.health.record.resource import REASON_CODES
from pgo.ui.screens.collect import Running, _draw
from pgo.ui.text import has
from pgo.ui.uploads import MAX_FILE_BYTES, Uploads
from pgo.usecases.read import overview
from tests.support.headless import run
from tests.support.screens import Frame, open_frame


def patient(number: str, family: str = "Proefpersoon") -> dict[str, Any]:
    return {
        "resourceType": "Patient",
        "id": f"p{number}",
        "identifier": [{"system": "urn:oid:2.16.840.1.113883.2.4.6.3", "value": number}],
        "name": [{"family": family, "given": ["Test"]}],
        "birthDate": "1970-01-01",
    }


def weight(number: str, kilograms: str) -> dict[str, Any]:
    return {
        "resourceType": "Observation",
        "id": f"w{kilograms}",
        "status": "final",
        "code": {"coding": [{"system": "http://loinc.org", "code": "29463-7", "display": "Body weight"}]},
        "subject": {"reference": f"Patient/p{number}"},
        "effectiveDateTime": "2024-05-01",
        "valueQuantity": {"value": int(kilograms), "unit": "kg"},
    }


def bundle(*resources: dict[str, Any]) -> bytes:
    entries = [{"resource": resource} for resource in resources]
    return json.dumps({"resourceType": "Bundle", "type": "collection", "entry": entries}).encode()


class Browser:
    """The client's side of a pick: answers `pick_files`, and puts the bytes into the slot on `upload`."""

    def __init__(self, name: str, data: bytes, *, size: int | None = None) -> None:
        self.name, self.data = name, data
        self.size = len(data) if size is None else size
        self.uploads: Uploads | None = None
        self.statuses: list[int] = []

    def results(self) -> dict[str, Any]:
        return {"pick_files": self.pick, "upload": self.upload}

    def pick(self, arguments: dict[str, Any]) -> list[dict[str, Any]]:
        assert not arguments.get("with_data"), "large messages over the socket hang without a word"
        return [{"id": 1, "name": self.name, "size": self.size, "path": None, "bytes": None}]

    def upload(self, arguments: dict[str, Any]) -> None:
        file = arguments["files"][0]
        url = file["upload_url"] if isinstance(file, dict) else file.upload_url
        self._task = asyncio.ensure_future(self._put(url.partition("?")[2]))

    async def _put(self, query: str) -> None:
        async def stream() -> AsyncIterator[bytes]:
            for start in range(0, len(self.data), 1 << 16):
                yield self.data[start : start + (1 << 16)]

        assert self.uploads is not None
        self.statuses.append(await self.uploads.take(query, stream()))


async def collect(frame: Frame, client: Browser) -> None:
    client.uploads = frame.uploads
    frame.app.conn.results.update(client.results())
    await frame.app.click("pick")


def test_a_file_comes_in_and_the_same_file_again_changes_nothing(tmp_path: Path) -> None:
    data = bundle(patient("1"), weight("1", "71"), weight("1", "72"), {"no": "type"})

    async def go() -> None:
        async with open_frame(tmp_path, route="/collect") as frame:
            await collect(frame, Browser("mijn.json", data))
            await frame.app.wait_text("3 gegevens uit mijn.json staan nu in uw kluis", 15)
            assert frame.app.has_text("Metingen")
            assert frame.app.has_text("1 gegeven opzij gelegd")
            assert frame.app.has_text("er staat niet bij wat het is")
            assert not frame.app.has_text("entry")
            await frame.app.click("aside-toggle")
            assert frame.app.has_key("aside-0")
            await collect(frame, Browser("mijn.json", data))
            await frame.app.wait_text("stond al in uw kluis", 15)
            assert not frame.app.conn.crashes

    run(go())


def test_another_persons_file_is_asked_about_and_not_mixed_in(tmp_path: Path) -> None:
    async def go() -> None:
        async with open_frame(tmp_path, route="/collect") as frame:
            await collect(frame, Browser("ik.json", bundle(patient("1"), weight("1", "71"))))
            await frame.app.wait_text("staan nu in uw kluis", 15)
            await collect(frame, Browser("ander.json", bundle(patient("2", "Anders"), weight("2", "90"))))
            await frame.app.wait_text("Zijn deze gegevens van u?", 15)
            assert frame.app.has_text("Proefpersoon")
            assert frame.app.has_text("Anders")
            assert overview(frame.session).total == 2
            await frame.app.click("person-no")
            assert frame.app.has_key("pick")
            assert overview(frame.session).total == 2

    run(go())


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"hello", "geen (volledige) JSON"),
        (b"[1]", "geen FHIR-gegevens"),
        (b'{"a": 1}', "er staat niet bij wat het is"),
        (b"", "er staat niets in"),
        (b"PK\x03\x04 x", "beschadigd"),
        (b'<ControlActProcess xmlns="urn:hl7-org:v3"/>', "HL7 v3"),
        (b"[" * 10_000, ""),
    ],
)
def test_a_file_that_cannot_be_used_is_refused_in_one_sentence(
    tmp_path: Path, data: bytes, reason: str
) -> None:
    async def go() -> None:
        async with open_frame(tmp_path, route="/collect") as frame:
            await collect(frame, Browser("raar.json", data))
            await frame.app.wait_text("raar.json is niet overgenomen", 15)
            assert frame.app.has_text(reason)
            assert frame.app.has_text("Uw kluis is niet gewijzigd")
            assert overview(frame.session).total == 0

    run(go())


def test_a_file_of_60_mb_is_refused_before_it_is_read(tmp_path: Path) -> None:
    client = Browser("groot.json", b"", size=60 * 1024 * 1024)

    async def go() -> None:
        async with open_frame(tmp_path, route="/collect") as frame:
            await collect(frame, client)
            await frame.app.wait_text("groter dan 50 MB")
            assert frame.app.has_key("pick")

    run(go())
    assert client.statuses == []


def test_choosing_nothing_changes_nothing(tmp_path: Path) -> None:
    async def go() -> None:
        async with open_frame(tmp_path, route="/collect") as frame:
            frame.app.conn.results["pick_files"] = []
            await frame.app.click("pick")
            assert frame.app.has_key("pick")

    run(go())


def test_progress_shows_how_far_it_is(tmp_path: Path) -> None:
    async def nothing(*_: object, **__: object) -> None:
        """Not pressed here."""

    async def go() -> None:
        async with open_frame(tmp_path, route="/collect") as frame:
            drawn = _draw(frame.state, Running("a.json", 412, 2176), nothing, nothing, lambda: None)
            words = [c.value for c in _texts(drawn)]
            assert "412 van 2176" in words

    run(go())


def _texts(controls: list[ft.Control]) -> list[ft.Text]:
    from tests.support.headless import _walk

    return [c for c in _walk(controls, set()) if isinstance(c, ft.Text)]


@pytest.mark.parametrize("lang", ["nl", "en"])
def test_every_reason_has_words(lang: str) -> None:
    missing = [code for code in [*REASON_CODES, "other_patient"] if not has(lang, f"collect.reason.{code}")]
    assert missing == []


# ---------------------------------------------------------------- the way a file comes in
async def pieces(*parts: bytes) -> AsyncIterator[bytes]:
    for part in parts:
        yield part


def test_a_slot_takes_one_file_once() -> None:
    async def go() -> None:
        uploads = Uploads("/prefix", limit=10)
        slot = uploads.expect()
        query = slot.url.partition("?")[2]
        assert slot.url.startswith("/prefix/take?to=")
        assert await uploads.take(query, pieces(b"ab", b"cd")) == 204
        assert await slot.data == b"abcd"
        assert await uploads.take(query, pieces(b"again")) == 404
        assert await uploads.take("to=guess", pieces(b"x")) == 404

    run(go())


def test_a_file_over_the_limit_stops_while_it_comes() -> None:
    async def go() -> None:
        uploads = Uploads("/prefix", limit=10)
        slot = uploads.expect()
        sent: list[int] = []

        async def endless() -> AsyncIterator[bytes]:
            for number in range(1000):
                sent.append(number)
                yield b"12345"

        assert await uploads.take(slot.url.partition("?")[2], endless()) == 413
        assert len(sent) == 3
        with pytest.raises(InputRefused) as refused:
            await slot.data
        assert refused.value.code == "too_large"

    run(go())


def test_forgotten_slots_take_nothing() -> None:
    async def go() -> None:
        uploads = Uploads("/prefix")
        slot = uploads.expect()
        uploads.forget()
        assert await uploads.take(slot.url.partition("?")[2], pieces(b"x")) == 404
        assert slot.data.cancelled()

    run(go())


def test_the_limit_is_below_what_is_transferred() -> None:
    assert MAX_FILE_BYTES < 60 * 1024 * 1024
