"""A clinic and the log-in service it trusts, over real HTTP, for tests of logging in."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx

from recipient.accounts import add_account
from recipient.login.admission import admit
from recipient.login.services import LoginService, set_service
from tests.e2e.recipient_server import Clinic, running_clinic
from tests.support.login_service import (
    CLIENT_ID,
    CLIENT_SECRET,
    Claims,
    LoginServiceDouble,
    make_key,
    public_pem,
    running_login_service,
    sign,
)

OWN_KEY = make_key("RS256")


@dataclass
class Place:
    """A clinic that trusts one service, with one account that may come in by it."""

    clinic: Clinic
    service: LoginServiceDouble

    def trust(self, **changes: object) -> None:
        settings: dict[str, object] = {
            "name": "ziekenhuis",
            "label": "Ziekenhuis",
            "amr": ("mfa",),
            **changes,
        }
        set_service(
            self.clinic.store,
            LoginService(
                issuer=self.service.url,
                client_id=CLIENT_ID,
                secret=CLIENT_SECRET,
                **settings,  # type: ignore[arg-type]
            ),
        )

    def leave(self, browser: httpx.Client) -> str:
        answer = browser.get("/portal/login/at/ziekenhuis")
        assert answer.status_code == 303, answer.text
        return answer.headers["location"]

    def come_back(self, browser: httpx.Client, query: str) -> httpx.Response:
        return browser.get(f"/portal/login/at/ziekenhuis/done?{query}")

    def log_in(self, browser: httpx.Client | None = None) -> tuple[httpx.Client, httpx.Response]:
        browser = browser or self.clinic.browser()
        return browser, self.come_back(browser, self.service.authorize(self.leave(browser)))

    def make_honest(self) -> None:
        """Let hours pass and the service do everything right."""
        self.clinic.clock.forward(hours=2)
        self.service.algorithm, self.service.token_of = "RS256", None
        self.service.keys = {"first": OWN_KEY}
        self.service.claims, self.service.document = {}, {}
        self.service.asked.clear()
        self.trust()


def is_in(browser: httpx.Client) -> bool:
    answer = browser.get("/portal")
    assert answer.status_code in (200, 303), answer.text
    return answer.status_code == 200


@contextlib.contextmanager
def a_place(folder: Path) -> Iterator[Place]:
    """Run a clinic and a log-in service until the end of the block."""
    with running_clinic(folder / "clinic") as clinic:
        add_account(
            clinic.store, name="jansen", display="J. Jansen", role="arts", password=None, at=clinic.clock()
        )
        with running_login_service(clinic.clock) as service:
            admit(clinic.store, name="jansen", issuer=service.url, who="subject-1")
            yield Place(clinic, service)


def reheaded(key: str = "own", **changes: object) -> Callable[[Place], None]:
    """Change the header; sign with the own key, another, the public key as a secret, or not at all."""

    def spoil(place: Place) -> None:
        service = place.service
        keys = {"own": service.key, "other": make_key("RS256"), "pem": public_pem(service.key), "none": None}

        def make(header: Claims, claims: Claims) -> str:
            changed = {name: value for name, value in {**header, **changes}.items() if value is not None}
            return sign(changed, claims, keys[key])

        service.token_of = make

    return spoil
