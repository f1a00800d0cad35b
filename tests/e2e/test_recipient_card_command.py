"""The commands about a recipient's card: numbers, another signing key, the picture; and where it is shown."""

from __future__ import annotations

from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from xml.etree import ElementTree

import httpx
import pytest

from recipient.cli import main
from recipient.identity import load_identity
from recipient.store import open_store
from sync.card import RecipientCard, card_parts, parse_card
from sync.succession import follow
from tests.e2e.recipient_server import running_clinic


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "clinic"
    words = ["--name", "Praktijk Zuid", "--id", "ura:00000123", "--url", "https://share.example.org"]
    assert main(["init", "--data", str(made), *words]) == 0
    return made


def _card(folder: Path) -> tuple[RecipientCard, tuple[str, ...]]:
    out = folder.parent / "card.txt"
    assert main(["card", "--data", str(folder), "--out", str(out)]) == 0
    token, successions = card_parts(out.read_bytes())
    return parse_card(token, at=datetime.now(UTC)), successions


def test_numbers_go_on_the_card_beside_the_one_that_is_the_id(folder: Path) -> None:
    assert main(["number", "agb:01234567", "--data", str(folder)]) == 0
    assert main(["number", "big:19012345601", "--data", str(folder)]) == 0
    assert {value for _, value in _card(folder)[0].identifiers} == {"00000123", "01234567", "19012345601"}


@pytest.mark.parametrize("number", ["agb:123", "uzi:12345678", "ura:00000999", "bsn:123456782", "agb"])
def test_a_number_that_cannot_be_is_refused_in_a_sentence(
    folder: Path, number: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["number", number, "--data", str(folder)]) == 3
    assert "8, 8 or 9 digits" in capsys.readouterr().err
    assert [value for _, value in _card(folder)[0].identifiers] == ["00000123"]


def test_another_signing_key_is_followed_from_the_first_card(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    first, none = _card(folder)
    for _ in range(2):
        assert main(["rotate-key", "--data", str(folder)]) == 0
    now, successions = _card(folder)
    assert (none, len(successions)) == ((), 2)
    assert len(follow(first.verify_key, now, successions)) == 2
    assert now.fingerprint in capsys.readouterr().out


def test_the_old_key_is_in_no_file_any_more(folder: Path) -> None:
    with closing(open_store(folder)) as store:
        seed = load_identity(store).signing.seed
    assert main(["rotate-key", "--data", str(folder)]) == 0
    assert [path.name for path in folder.iterdir() if path.is_file() and seed in path.read_bytes()] == []


def test_the_picture_is_an_svg_of_its_own(folder: Path) -> None:
    out = folder.parent / "card.svg"
    assert main(["card", "--data", str(folder), "--qr", str(out)]) == 0
    root = ElementTree.fromstring(out.read_bytes())
    assert root.tag == "{http://www.w3.org/2000/svg}svg"
    assert list(root.iter("{http://www.w3.org/2000/svg}script")) == []


def test_the_service_shows_card_and_picture_and_a_fresh_one_every_day(tmp_path: Path) -> None:
    with (
        running_clinic(tmp_path / "clinic") as clinic,
        httpx.Client(base_url=clinic.url, trust_env=False) as browser,
    ):
        first = parse_card(browser.get("/v1/card").text, at=clinic.clock())
        picture = browser.get("/v1/card.svg")
        clinic.clock.forward(days=2)
        second = parse_card(browser.get("/v1/card").text, at=clinic.clock())
    assert picture.headers["content-type"].startswith("image/svg+xml")
    assert second.issued_at - first.issued_at >= timedelta(days=1)
    assert second.verify_key == first.verify_key
