"""Who comes in by a log-in service: whom it vouches for, whom the clinic admitted, what is left behind."""

from __future__ import annotations

from recipient.accounts import add_account, close_account
from recipient.login.admission import admit
from tests.support.login_place import Place, is_in, reheaded
from tests.support.login_service import (
    CLIENT_ID,
)


def test_session_id_is_new_and_the_one_before_opens_nothing(place: Place) -> None:
    browser = place.clinic.browser()
    query = place.service.authorize(place.leave(browser))
    before = browser.cookies["pgo_recipient"]
    place.come_back(browser, query)
    assert browser.cookies["pgo_recipient"] != before
    thief = place.clinic.browser()
    thief.cookies.set("pgo_recipient", before)
    assert not is_in(thief)


def test_without_a_vouched_second_factor_ours_is_asked(place: Place) -> None:
    place.trust(amr=())
    browser, answer = place.log_in()
    assert answer.headers["location"] == "/portal/login/setup"
    assert not is_in(browser)


def test_the_class_that_the_operator_asks_for_has_to_be_said(place: Place) -> None:
    place.trust(amr=(), acr=("loa3", "loa4"))
    for said, goes_in in (("loa2", False), (None, False), (["loa3"], False), ("loa4", True)):
        place.service.claims = {"acr": said}
        assert is_in(place.log_in()[0]) is goes_in, said


def test_renewed_keys_are_fetched_once_and_not_at_will(place: Place) -> None:
    place.log_in()
    place.clinic.clock.forward(minutes=2)
    place.service.new_key("second")
    browser, _ = place.log_in()
    assert is_in(browser)
    fetched = place.service.asked.count("/keys")
    reheaded("other", kid="made up")(place)
    for _ in range(5):
        place.log_in()
    assert place.service.asked.count("/keys") == fetched


def test_an_address_lets_in_once_verified_and_then_its_subject_only(place: Place) -> None:
    store, at = place.clinic.store, place.clinic.clock()
    add_account(store, name="bakker", display="B. Bakker", role="arts", password=None, at=at)
    admit(store, name="bakker", issuer=place.service.url, who="Bakker@Example.org")
    for claims, goes_in in (
        ({"sub": "s-7", "email": "bakker@example.org"}, False),
        ({"sub": "s-7", "email": "bakker@example.org", "email_verified": "true"}, False),
        ({"sub": "s-7", "email": "bakker@example.org", "email_verified": True}, True),
        ({"sub": "s-8", "email": "bakker@example.org", "email_verified": True}, False),
        ({"sub": "s-7"}, True),
    ):
        place.service.claims = claims
        assert is_in(place.log_in()[0]) is goes_in, claims
    close_account(store, name="bakker")
    browser, answer = place.log_in()
    assert answer.status_code == 403
    assert not is_in(browser)


def test_a_role_lets_in_while_somebody_has_it(place: Place) -> None:
    place.trust(role_claim="realm.roles", roles={"portal-arts": "arts"})
    for claims, goes_in in (
        ({"sub": "r-1"}, False),
        ({"sub": "r-1", "realm": {"roles": ["portal-arts"]}, "name": ""}, False),
        ({"sub": "r-1", "realm": {"roles": ["portal-arts-2"]}}, False),
        ({"sub": "r-1", "realm": {"roles": ["x", "portal-arts"]}, "name": "R. Rol"}, True),
        ({"sub": "r-1", "realm": {"roles": ["x"]}}, False),
    ):
        place.service.claims = claims
        assert is_in(place.log_in()[0]) is goes_in, claims


def test_logging_out_here_ends_the_session_and_offers_to_log_out_there(place: Place) -> None:
    from tests.e2e.recipient_server import form_token

    browser, _ = place.log_in()
    token = form_token(browser.get("/portal"))
    page = browser.post("/portal/logout", data={"token": token})
    assert page.status_code == 200
    assert f'action="{place.service.url}/end"' in page.text
    assert f'name="client_id" value="{CLIENT_ID}"' in page.text
    assert f"form-action 'self' {place.service.url};" in page.headers["content-security-policy"]
    assert not is_in(browser)
