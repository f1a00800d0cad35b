"""The gate's decisions, without a network: the whole matrix, one right row per door."""

from __future__ import annotations

from itertools import product

import pytest

from pgo.ui.gate import Allow, Door, Keys, Knock, Refuse, judge

OURS = "http://127.0.0.1:4711"


class Ticks:
    """A clock the test moves."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def some_keys() -> tuple[Keys, Ticks]:
    ticks = Ticks()
    return Keys(4711, ticks), ticks


def good_cookie(keys: Keys) -> str:
    header = keys.use_link(keys.new_link().partition("?")[2])
    assert header is not None
    return header.partition(";")[0]


def knock(keys: Keys, **changes: object) -> Knock:
    """The one right request for the start page, with changes."""
    values: dict[str, object] = {
        "websocket": False,
        "method": "GET",
        "path": keys.prefix + "/",
        "query": "",
        "hosts": (keys.authority,),
        "origins": (),
        "fetch_site": "same-origin",
        "cookie": "",
        "authorization": "",
    }
    return Knock(**{**values, **changes})  # type: ignore[arg-type]


HOSTS = (
    ("127.0.0.1:4711",),
    ("localhost:4711",),
    ("127.0.0.1",),
    ("evil.example:4711",),
    ("127.0.0.1:4711", "evil.example"),
    (),
)
ORIGINS = (
    (),
    (OURS,),
    ("http://evil.example",),
    ("http://127.0.0.1:1",),
    ("null",),
    (OURS, "http://evil.example"),
)
SITES = ("", "none", "same-origin", "same-site", "cross-site", "same-origin,cross-site")
COOKIES = ("good", "", "guess", "other name")


def test_of_the_whole_matrix_only_the_right_rows_pass() -> None:
    keys, _ = some_keys()
    cookie = good_cookie(keys)
    cookies = {"good": cookie, "": "", "guess": f"{keys.cookie_name}=guess", "other name": f"x{cookie}"}
    paths = (keys.prefix + "/", keys.prefix + "/main.dart.js", "/", "/other/", keys.prefix)
    tried = passed = 0
    for host, origin, site, jar, path, websocket in product(
        HOSTS, ORIGINS, SITES, COOKIES, paths, (True, False)
    ):
        request = knock(
            keys,
            hosts=host,
            origins=origin,
            fetch_site=site,
            cookie=cookies[jar],
            path=path,
            websocket=websocket,
        )
        right = (
            host == ("127.0.0.1:4711",)
            and (origin == (OURS,) or (origin == () and not websocket))
            and site in ("", "none", "same-origin")
            and jar == "good"
            and path.startswith(keys.prefix + "/")
        )
        verdict = judge(request, keys)
        assert isinstance(verdict, Allow) == right, request
        tried += 1
        passed += right
    assert (tried, passed) == (8640, 3 * 2 * 2 + 3 * 2)


@pytest.mark.parametrize(
    "rest", ["/docs", "/redoc", "/openapi.json", "/oauth_callback", "/upload", "/docs/oauth2"]
)
def test_flets_extra_routes_are_closed(rest: str) -> None:
    keys, _ = some_keys()
    request = knock(keys, path=keys.prefix + rest, cookie=good_cookie(keys))
    assert judge(request, keys) == Refuse(404, "not found")


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE"])
def test_changing_methods_reach_only_our_two_routes(method: str) -> None:
    keys, _ = some_keys()
    cookie = good_cookie(keys)
    for rest, wanted in (("/take", "PUT"), ("/awake", "POST"), ("/", ""), ("/ws", "")):
        request = knock(keys, path=keys.prefix + rest, method=method, origins=(OURS,), cookie=cookie)
        assert isinstance(judge(request, keys), Allow) == (method == wanted), rest
        from_nowhere = knock(keys, path=keys.prefix + rest, method=method, cookie=cookie)
        assert judge(from_nowhere, keys) == Refuse(403, "no origin")


def test_a_link_opens_once() -> None:
    keys, _ = some_keys()
    query = keys.new_link().partition("?")[2]
    request = knock(keys, path="/launch", query=query, fetch_site="cross-site")
    assert judge(request, keys) == Allow(Door.LAUNCH)
    assert keys.use_link(query) is not None
    assert judge(request, keys) == Refuse(403, "link used or too old")
    assert keys.use_link(query) is None


def test_a_link_runs_out() -> None:
    keys, ticks = some_keys()
    query = keys.new_link(valid_seconds=30).partition("?")[2]
    ticks.now += 30.0
    assert judge(knock(keys, path="/launch", query=query), keys) == Refuse(403, "link used or too old")


def test_a_new_link_ends_the_cookie_before_it_and_all_other_links() -> None:
    keys, _ = some_keys()
    first = good_cookie(keys)
    left_over = keys.new_link().partition("?")[2]
    second = good_cookie(keys)
    assert not keys.cookie_is_good(first)
    assert keys.cookie_is_good(second)
    assert not keys.link_is_good(left_over)


def test_cookie_is_hidden_from_scripts_other_sites_and_other_ports() -> None:
    keys, _ = some_keys()
    header = keys.use_link(keys.new_link().partition("?")[2])
    assert header is not None
    assert "HttpOnly" in header
    assert "SameSite=Strict" in header
    assert f"Path={keys.prefix}" in header


@pytest.mark.parametrize(
    ("changes", "allowed"),
    [
        ({}, True),
        ({"method": "GET"}, False),
        ({"origins": (OURS,)}, False),
        ({"fetch_site": "same-origin"}, False),
        ({"authorization": "Bearer guess"}, False),
        ({"authorization": ""}, False),
        ({"hosts": ("localhost:4711",)}, False),
    ],
)
def test_control_door_is_for_programs_with_the_secret_only(changes: dict[str, object], allowed: bool) -> None:
    keys, _ = some_keys()
    right = {
        "path": "/control",
        "method": "POST",
        "fetch_site": "",
        "authorization": f"Bearer {keys.control_secret}",
    }
    verdict = judge(knock(keys, **{**right, **changes}), keys)
    assert isinstance(verdict, Allow) == allowed
    if allowed:
        assert verdict == Allow(Door.CONTROL)


def test_odd_cookie_headers_are_refused_not_raised() -> None:
    keys, _ = some_keys()
    for header in ('"', "=", "a=b; \x00", f"{keys.cookie_name}=\xff", ";" * 1000):
        assert judge(knock(keys, cookie=header), keys) == Refuse(403, "no session")


def test_no_secret_shows_in_the_representation() -> None:
    keys, _ = some_keys()
    shown = repr(keys)
    assert keys.prefix not in shown
    assert keys.control_secret not in shown


def test_an_ended_window_may_read_that_it_has_ended_and_nothing_else() -> None:
    keys, _ = some_keys()
    assert judge(knock(keys, path=keys.prefix + "/gone"), keys) == Allow(Door.APP)
    assert judge(knock(keys, path=keys.prefix + "/gone", method="POST", origins=(OURS,)), keys) == Refuse(
        403, "no session"
    )
    assert judge(knock(keys, path=keys.prefix + "/gone", fetch_site="same-site"), keys) == Refuse(
        403, "cross site"
    )
    assert judge(knock(keys, path=keys.prefix + "/gone/x"), keys) == Refuse(403, "no session")
