"""What the page for administrators promises: log fields and events, figures, a unit that systemd accepts."""

from __future__ import annotations

import ast
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from recipient.config import Limits
from recipient.logs import FIELDS
from recipient.metrics import Metrics
from tests.conftest import PROJECT

PAGE = (PROJECT / "docs" / "operations.md").read_text("utf-8")
UNIT = PROJECT / "docs" / "operations" / "recipient.service"


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
    if shutil.which("systemd-analyze") is None:
        pytest.skip("systemd is not here")
    text = UNIT.read_text("utf-8").replace("/opt/pgo/.venv/bin/recipient", f"{sys.executable} -m recipient")
    unit = tmp_path / "recipient.service"
    unit.write_text(text.replace("User=recipient", "User=root").replace("Group=recipient", "Group=root"))
    done = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", str(unit)], capture_output=True, text=True, timeout=60
    )
    said = [line for line in done.stderr.splitlines() if "recipient.service" in line]
    assert said == []


def test_the_unit_gives_more_time_than_the_service_takes() -> None:
    found = re.search(r"^TimeoutStopSec=(\d+)$", UNIT.read_text("utf-8"), re.MULTILINE)
    assert found is not None
    assert int(found.group(1)) > Limits().stop_seconds
