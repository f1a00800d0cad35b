"""``recipient user`` and ``recipient oidc`` as an operator uses them."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from pathlib import Path

import pytest

from recipient.accounts import account_id
from recipient.cli import SENTENCES, main
from recipient.login.second import enrol, is_enrolled, is_for_trial, new_secret
from recipient.login.services import login_service
from recipient.portal.text import LANGUAGES, catalogue
from recipient.store import open_store
from tests.support.login_service import running_login_service

SOURCES = Path(__file__).resolve().parents[2] / "recipient" / "login"
PASSWORD = "vier losse woorden tafel"
AT = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "clinic"
    assert main(["init", "--data", str(folder), "--name", "Praktijk Zuid", "--id", "ura:00000123"]) == 0
    return folder


def run(folder: Path, *words: str) -> int:
    return main([*words, "--data", str(folder)])


def set_up(folder: Path, issuer: str, *more: str) -> int:
    return run(folder, "oidc", "set", "zuid", "--issuer", issuer, "--client-id", "portal", *more)


def test_service_is_set_listed_checked_and_removed_and_its_secret_stays_sealed(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    secret = tmp_path / "secret"
    secret.write_text("heel geheim\n", "utf-8")
    with running_login_service(lambda: AT) as service:
        more = ("--label", "Ziekenhuis Zuid", "--client-secret-file", str(secret), "--require-amr", "mfa")
        roles = ("--role-claim", "roles", "--role", "portal-arts=arts")
        assert set_up(folder, service.url, *more, *roles) == 0
        assert "vouches" in capsys.readouterr().out
        assert run(folder, "oidc", "check", "zuid") == 0
        assert "RS256" in capsys.readouterr().out
        assert run(folder, "oidc", "list") == 0
        assert f"zuid\tZiekenhuis Zuid\t{service.url}\tportal\n" in capsys.readouterr().out
    store = open_store(folder)
    found = login_service(store, "zuid")
    assert (found.secret, found.vouches, dict(found.roles)) == ("heel geheim", True, {"portal-arts": "arts"})
    assert "heel geheim" not in str(store.rows("SELECT * FROM login_provider")) + repr(found)
    store.close()
    assert run(folder, "oidc", "check", "zuid") == 3
    assert SENTENCES["service_unreachable"] in capsys.readouterr().err
    assert [run(folder, "oidc", "remove", "zuid") for _ in range(2)] == [0, 3]
    assert SENTENCES["no_such_service"] in capsys.readouterr().err


@pytest.mark.parametrize(
    ("issuer", "more", "code"),
    [
        ("http://login.example.org", (), "bad_issuer"),
        ("https://user:pw@login.example.org", (), "bad_issuer"),
        ("https://login.example.org?a=b", (), "bad_issuer"),
        ("https://login.example.org", ("--role", "x=arts"), "roles_without_claim"),
        ("https://login.example.org", ("--role-claim", "roles"), "roles_without_claim"),
        ("https://login.example.org", ("--role-claim", "roles", "--role", "x"), "roles_without_claim"),
        ("https://login.example.org", ("--label", "a\nb"), "bad_service_text"),
    ],
)
def test_settings_that_cannot_work_are_refused_in_a_sentence(
    folder: Path, capsys: pytest.CaptureFixture[str], issuer: str, more: tuple[str, ...], code: str
) -> None:
    assert set_up(folder, issuer, *more) == 3
    assert capsys.readouterr().err == f"recipient: {SENTENCES[code]}\n"


def test_one_issuer_has_one_name(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    issuer = "https://login.example.org"
    assert set_up(folder, issuer) == 0
    assert "our second step" in capsys.readouterr().out
    assert run(folder, "oidc", "set", "other", "--issuer", issuer, "--client-id", "x") == 3
    assert SENTENCES["issuer_taken"] in capsys.readouterr().err


def test_people_are_admitted_once_and_their_second_step_can_be_reset(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    issuer = "https://login.example.org"
    add = ("--display", "J. Jansen", "--oidc", issuer)
    assert run(folder, "user", "add", "jansen", *add, "subject-1") == 0
    assert run(folder, "user", "add", "other", *add, "subject-1") == 3
    assert SENTENCES["admitted_already"] in capsys.readouterr().err
    assert run(folder, "user", "close", "other") == 3, "nothing was made halfway"
    secret = tmp_path / "password"
    secret.write_text(PASSWORD, "utf-8")
    named = ("--display", "P. Roef", "--password-file", str(secret))
    assert run(folder, "user", "add", "proef", *named, "--no-second-factor") == 0
    assert run(folder, "user", "admit", "proef", issuer, "proef@example.org") == 0
    assert run(folder, "user", "admit", "nobody", issuer, "x") == 3
    store = open_store(folder)
    account = account_id(store, "proef")
    assert is_for_trial(store, account)
    one_time = new_secret()
    assert enrol(store, account, one_time, one_time.code(AT), at=AT)
    assert run(folder, "user", "reset-totp", "proef") == 0
    assert not is_enrolled(store, account)
    store.close()
    assert run(folder, "user", "list") == 0
    assert "no second step yet" in capsys.readouterr().out


def test_every_code_of_logging_in_has_its_sentence_on_the_terminal_and_on_the_page() -> None:
    source = "".join(path.read_text("utf-8") for path in SOURCES.glob("*.py"))
    unusable = set(re.findall(r'Unusable\("(\w+)"', source))
    assert len(unusable) > 8
    assert unusable <= SENTENCES.keys()
    refused = set(re.findall(r'(?:Refused|super\(\).__init__)\("(\w+)", status', source))
    assert len(refused) > 5
    for lang in LANGUAGES:
        assert {f"service.{code}" for code in refused} <= catalogue(lang).keys()
