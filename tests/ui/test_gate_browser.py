"""Can anything except the browser we launched talk to the app? Asked on the wire and in a real browser."""

from __future__ import annotations

import contextlib
import http.server
import json
import re
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import msgpack  # type: ignore[import-untyped]
import pytest
from playwright.sync_api import Browser, Page
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect
from websockets.typing import Origin

from pgo.ui.control import CONTROL_FILE, ask_for_link
from tests.support.applications import PASSPHRASE
from tests.support.flet_ui import Server, Ui, server
from tests.support.plain_flet import SECRET

pytestmark = pytest.mark.ui


@pytest.fixture
def entry(srv: Server) -> tuple[str, str]:
    """Use the link without a browser: (address under the secret prefix, cookie)."""
    answer = httpx.get(srv.link)
    prefix = re.search(r"url=(/[^/]+)/", answer.text)
    assert prefix is not None
    origin = srv.link.partition("/launch")[0]
    return origin + prefix[1], answer.headers["set-cookie"].partition(";")[0]


def test_the_gate_on_the_wire(entry: tuple[str, str]) -> None:
    base, cookie = entry
    origin = base.rpartition("/")[0]
    page = httpx.get(base + "/", headers={"cookie": cookie})
    assert page.status_code == 200
    assert "default-src 'none'" in page.headers["content-security-policy"]
    assert "unsafe-eval" not in page.headers["content-security-policy"].replace("wasm-unsafe-eval", "")
    assert page.headers["cache-control"] == "no-store"
    assert page.headers["x-frame-options"] == "DENY"
    assert "access-control-allow-origin" not in page.headers
    assert "server" not in page.headers
    assert httpx.get(base + "/").status_code == 403
    assert httpx.get(base + "/", headers={"cookie": cookie, "host": "evil.example"}).status_code == 421
    assert httpx.get(base + "/docs", headers={"cookie": cookie}).status_code == 404
    traversal = httpx.get(base + "/..%2f..%2f..%2f..%2fetc/passwd", headers={"cookie": cookie})
    assert "root:" not in traversal.text

    address = base.replace("http", "ws") + "/ws"
    with connect(address, additional_headers={"Cookie": cookie}, origin=Origin(origin)):
        pass
    refused: tuple[tuple[dict[str, str], str | None], ...] = (
        ({"Cookie": cookie}, None),
        ({"Cookie": cookie}, "http://evil.example"),
        ({"Cookie": cookie}, "http://127.0.0.1:1"),
        ({}, origin),
        ({"Cookie": "pgo=guess"}, origin),
    )
    for headers, sent in refused:
        with (
            pytest.raises(InvalidStatus) as error,
            connect(address, additional_headers=headers, origin=Origin(sent) if sent else None),
        ):
            pass
        assert error.value.response.status_code == 403, (headers, sent)


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_only_loopback_listens(srv: Server) -> None:
    inodes = set()
    for handle in Path(f"/proc/{srv.process.pid}/fd").iterdir():
        with contextlib.suppress(FileNotFoundError):  # the program may close a file while we look
            if found := re.match(r"socket:\[(\d+)\]", str(handle.readlink())):
                inodes.add(found[1])
    listening = []
    for table in ("tcp", "tcp6"):
        for line in Path(f"/proc/{srv.process.pid}/net/{table}").read_text().splitlines()[1:]:
            fields = line.split()
            if fields[3] == "0A" and fields[9] in inodes:
                listening.append(fields[1].partition(":")[0])
    assert listening == ["0100007F"]  # 127.0.0.1, once


# What Flet's own client sends first; plain Flet answers it with the whole screen.
_PAGE = {"route": "/", "width": 9, "height": 9, "web": True, "platform": "linux", "media": {}}
HELLO = b"\x00" + msgpack.packb([1, {"session_id": None, "page_name": "", "page": _PAGE}])
ATTACK = """<!doctype html><meta charset=utf-8>
<script>
  const out = { read: '' };
  const socket = new WebSocket("SOCKET");
  socket.binaryType = 'arraybuffer';
  socket.onopen = () => { out.ws = 'open'; socket.send(new Uint8Array(HELLO)); };
  socket.onerror = () => out.ws = 'refused';
  socket.onmessage = m => out.read += new TextDecoder().decode(m.data);
  fetch("TARGET", {credentials: 'include'}).then(r => r.text())
    .then(() => out.fetch = 'read').catch(() => out.fetch = 'refused');
</script>
<iframe src="TARGET"></iframe>
<img src="TARGETfavicon.png" onload="out.img='read'" onerror="out.img='refused'">
<script src="TARGETflutter.js" onload="out.js='read'" onerror="out.js='refused'"></script>"""


@contextmanager
def hostile(target: str) -> Iterator[tuple[str, list[str]]]:
    """A page on another port that tries everything on `target`; yields its address and the cookies it got."""
    cookies: list[str] = []
    script = ATTACK.replace("TARGET", target).replace("SOCKET", target.replace("http", "ws") + "ws")
    script = script.replace("HELLO", str(list(HELLO)))

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            cookies.append(self.headers.get("cookie", ""))
            self.send_response(200)
            self.send_header("content-type", "text/html")
            self.end_headers()
            self.wfile.write(script.encode())

        def log_message(self, format: str, *args: object) -> None:
            """Stay silent."""

    listener = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=listener.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{listener.server_port}/", cookies
    finally:
        listener.shutdown()
        thread.join()
        listener.server_close()


def tries(page: Page, address: str) -> dict[str, str]:
    """Open the hostile page and wait until all its tries have ended."""
    page.goto(address)
    end = time.monotonic() + 10
    while time.monotonic() < end:
        out: dict[str, str] = page.evaluate("out")
        if all(out.get(name) for name in ("ws", "fetch", "img", "js")) and (
            out["ws"] != "open" or out["read"]
        ):
            break
        page.wait_for_timeout(100)
    page.wait_for_timeout(300)
    return dict(page.evaluate("out"))


def test_a_hostile_page_in_the_same_browser_reads_nothing(opened: Ui) -> None:
    base = re.match(r"http://[^/]+/[^/]+/", opened.page.url)
    assert base is not None
    with hostile(base[0]) as (address, cookies):
        page = opened.context.new_page()
        out = tries(page, address)
        page.close()
    assert {name: out.get(name) for name in ("ws", "fetch", "img", "js")} == dict.fromkeys(
        ("ws", "fetch", "img", "js"), "refused"
    )
    assert out["read"] == ""
    assert all("pgo" not in cookie for cookie in cookies), "the cookie reached another port"
    opened.expect_text("Vergrendelen")  # and the real window still works


def test_the_same_page_reads_plain_flet(browser: Browser) -> None:
    """The control: without our gate the attack works, so the test above can fail."""
    with server(module="tests.support.plain_flet") as plain:
        end = time.monotonic() + 20
        while time.monotonic() < end:
            try:
                httpx.get(plain.link)
                break
            except httpx.TransportError:
                time.sleep(0.2)
        context = browser.new_context()
        with hostile(plain.link) as (address, _):
            out = tries(context.new_page(), address)
        context.close()
    assert out["ws"] == "open"
    assert SECRET in out["read"]


def test_the_cdn_call_is_blocked_and_nothing_else_leaves(opened: Ui) -> None:
    blocked = [x for x in opened.failed if x.startswith("csp")]
    assert len(opened.foreign) == len(blocked) == 1, "Flet changed what it loads: look at the policy again"
    assert "rive" in blocked[0]


def test_nothing_stays_on_screen_when_the_app_stops(opened: Ui, srv: Server) -> None:
    opened.expect_text("Vergrendelen")
    srv.process.terminate()
    srv.process.wait(10)
    opened.expect_text(re.compile("De app is afgesloten"))
    assert "Vergrendelen" not in opened.document()
    assert not list(Path(srv.log).read_text().splitlines()), "the log is not empty"


def test_a_second_start_gets_a_new_link_and_ends_the_first_window(
    opened: Ui, srv: Server, vaults: Path, browser: Browser
) -> None:
    assert (vaults / CONTROL_FILE).stat().st_mode & 0o777 == 0o600
    assert httpx.get(srv.link).status_code == 403  # the first link is used up
    link = ask_for_link(vaults)
    assert link is not None
    with Ui(link, browser=browser) as second:
        second.expect_text("Proef openen")  # locked: the open vault is not handed over
        opened.expect_text(re.compile("in een ander venster geopend"))
        assert "Vergrendelen" not in opened.document()
        second.fill_key("passphrase", PASSPHRASE)
        second.click_key("unlock")
        second.expect_text("Vergrendelen")


def test_a_second_tab_is_locked_and_ends_the_first(opened: Ui) -> None:
    tab = opened.context.new_page()
    tab.goto(opened.page.url)
    tab.get_by_text("Proef openen").first.wait_for(state="attached")
    opened.expect_text("Dit venster is gesloten")
    opened.expect_no_text("Vergrendelen")


def test_no_app_running_gives_no_link(tmp_path: Path) -> None:
    assert ask_for_link(tmp_path) is None
    (tmp_path / CONTROL_FILE).write_text(json.dumps({"port": 9, "secret": "x"}))
    assert ask_for_link(tmp_path) is None


def test_auto_lock_empties_the_page(vaults: Path, browser: Browser) -> None:
    with server(str(vaults), "100") as fast, Ui(fast.link, browser=browser) as ui:
        ui.fill_key("passphrase", PASSPHRASE)
        ui.click_key("unlock")
        ui.expect_text("Vergrendelen")
        ui.expect_text(re.compile("Vergrendeld omdat"))  # five minutes at a hundredfold speed
        assert "Vergrendelen" not in ui.document()
        ui.expect_text("Proef openen")
