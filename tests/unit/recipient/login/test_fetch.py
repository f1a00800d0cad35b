"""The way to log-in services: which addresses are asked, and how much of an answer is taken."""

from __future__ import annotations

import ssl
from contextlib import nullcontext

import pytest

from recipient.errors import Refused
from recipient.login.fetch import MAX_ANSWER_BYTES, ProviderWeb, may_be_asked
from tests.support.http_servers import Handler, serving

PUBLIC, HERE = "https://login.example.org", "http://127.0.0.1:8080"


@pytest.mark.parametrize(
    ("url", "issuer", "asked"),
    [
        ("https://login.example.org/token", PUBLIC, True),
        ("https://keys.example.net:8443/keys", PUBLIC, True),
        ("https://10.0.0.7/token", PUBLIC, True),  # a hospital's own network
        ("http://login.example.org/token", PUBLIC, False),
        ("https://127.0.0.1/token", PUBLIC, False),
        ("http://127.0.0.1:5000/token", PUBLIC, False),
        ("http://[::1]/token", PUBLIC, False),
        ("https://user@login.example.org/token", PUBLIC, False),
        ("javascript:alert(1)", PUBLIC, False),
        ("file:///etc/passwd", PUBLIC, False),
        ("", PUBLIC, False),
        ("http://127.0.0.1:8080/token", HERE, True),
        ("javascript:alert(1)", HERE, False),
        ("http://login.example.org/token", HERE, False),
    ],
)
def test_only_addresses_by_our_rules_are_asked(url: str, issuer: str, asked: bool) -> None:
    assert may_be_asked(url, issuer=issuer) is asked


def web() -> ProviderWeb:
    return ProviderWeb(tls=ssl.create_default_context())


@pytest.mark.parametrize(
    ("status", "size", "code"),
    [
        (200, 10, ""),
        (200, MAX_ANSWER_BYTES, ""),
        (200, MAX_ANSWER_BYTES + 1, "service_unreachable"),
        (302, 0, "service_unreachable"),
        (400, 10, "service_refused"),
        (401, 10, "service_refused"),
        (429, 10, "service_unreachable"),
        (500, 10, "service_unreachable"),
    ],
)
def test_answers_are_judged_by_status_and_size(status: int, size: int, code: str) -> None:
    def behave(handler: Handler) -> None:
        handler.answer(status, b"x" * size, location="http://127.0.0.1:9/elsewhere")

    with serving(behave) as server:
        outcome = pytest.raises(Refused, match=code) if code else nullcontext()
        with outcome:
            body = web().post_form(f"{server.url}/token", {"code": "a&b"}, basic=("id", "p w:&"))
            assert len(body) == size
        assert server.seen[0].body == b"code=a%26b"
        assert server.seen[0].headers["authorization"] == "Basic aWQ6cCt3JTNBJTI2"
        assert len(server.seen) == 1


def test_nobody_there_is_unreachable() -> None:
    with serving(lambda handler: handler.answer(200)) as server:
        gone = server.url
    with pytest.raises(Refused, match="service_unreachable"):
        web().get(f"{gone}/.well-known/openid-configuration")
    with pytest.raises(Refused, match="service_unreachable"):
        web().get("ftp://login.example.org")
