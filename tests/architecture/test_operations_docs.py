"""What the page for administrators promises: log fields and events, figures, a unit that systemd accepts."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from pathlib import Path

from recipient.config import Limits
from recipient.ingress import SLOWEST
from recipient.logs import FIELDS
from recipient.metrics import Metrics
from sync.transport import DEADLINE_SECONDS
from sync.wire import MAX_BODY_BYTES
from tests.conftest import PROJECT
from tests.support.proxies import DOCUMENTED, require

PAGE = (PROJECT / "docs" / "operations.md").read_text("utf-8")
UNIT = DOCUMENTED / "recipient.service"


def logged_events() -> set[str]:
    """Names of events that the service writes, from its sources."""
    found: set[str] = set()
    for path in (PROJECT / "recipient").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "event":
                (name, *_) = node.args
                assert isinstance(name, ast.Constant), f"an event without a fixed name in {path.name}"
                found.add(str(name.value))
    return found


def test_every_field_of_the_log_is_named() -> None:
    assert [field for field in sorted(FIELDS) if f"`{field}`" not in PAGE] == []


def test_every_event_of_the_log_is_explained() -> None:
    events = logged_events()
    assert {"ready", "stopped", "unexpected"} <= events
    assert [name for name in sorted(events - {"ready_again"}) if f"`{name}`" not in PAGE] == []


def test_every_figure_the_page_names_is_served() -> None:
    metrics = Metrics()
    metrics.answered("x", status=200, seconds=0.1)
    metrics.refused("clock")
    metrics.logged_in("ok")
    text = metrics.text()
    named = set(re.findall(r"pgo_recipient_[a-z_]+", PAGE))
    assert named
    assert [name for name in sorted(named) if name not in text] == []


def test_systemd_accepts_the_unit(tmp_path: Path) -> None:
    analyze = require("systemd-analyze")
    text = UNIT.read_text("utf-8").replace("/opt/pgo/.venv/bin/recipient", f"{sys.executable} -m recipient")
    unit = tmp_path / "recipient.service"
    unit.write_text(text.replace("User=recipient", "User=root").replace("Group=recipient", "Group=root"))
    done = subprocess.run(
        [analyze, "verify", "--man=no", str(unit)], capture_output=True, text=True, timeout=60
    )
    said = [line for line in done.stderr.splitlines() if "recipient.service" in line]
    assert said == []


def test_the_unit_gives_more_time_than_the_service_takes() -> None:
    found = re.search(r"^TimeoutStopSec=(\d+)$", UNIT.read_text("utf-8"), re.MULTILINE)
    assert found is not None
    assert int(found.group(1)) > Limits().stop_seconds


def number(file: str, pattern: str) -> float:
    """The one number that a setting of a proxy has."""
    found = re.search(pattern, (DOCUMENTED / file).read_text("utf-8"), re.MULTILINE)
    assert found is not None, f"{file} no longer says {pattern}"
    return float(found.group(1))


def test_the_proxies_leave_it_to_the_service_to_say_too_large() -> None:
    """Its refusal is final for the app; that of a proxy would be tried again and again."""
    for file, pattern in (
        ("nginx.conf", r"client_max_body_size (\d+)m;"),
        ("Caddyfile", r"max_size (\d+)MiB"),
    ):
        assert number(file, pattern) * 1024 * 1024 > MAX_BODY_BYTES


def test_the_proxies_wait_longer_than_the_service_and_keep_lines_shorter() -> None:
    limits = Limits()
    whole = limits.body_deadline_seconds + MAX_BODY_BYTES / SLOWEST
    assert number("nginx.conf", r"client_body_timeout (\d+)s;") >= limits.body_deadline_seconds
    assert number("Caddyfile", r"read_body (\d+)s") > whole
    assert number("Caddyfile", r"write (\d+)m") * 60 > whole
    assert whole < DEADLINE_SECONDS, "or an app gives up before the service does"
    assert number("Caddyfile", r"keepalive (\d+)s") < limits.keep_alive_seconds
