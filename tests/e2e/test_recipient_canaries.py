"""Check 40 of the security guide, on the recipient: personal data put into everything that can fail come out
nowhere they should not: log, figures, refusals, addresses, receipts, files on the disk.

One patient shares a record whose name and number are the canaries, so they are inside; the pages of that
patient, behind the log-in, are the one place that may show them.
"""

from __future__ import annotations

import json
import re
import socket
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import quote

import httpx
import pytest

from sync.access_full import build_full_request
from sync.wire import PATHS, Kind, new_message_id
from tests.e2e.recipient_server import form_token
from tests.support import clinical, fault_figures
from tests.support.patient_side import PatientSide
from tests.support.recipient_process import PASSWORD, RecipientProcess, running_recipient

CANARIES = ("Kanarievogel", "999990019", "kanarie-kwaal")
SPILL = "Kanarievogel 999990019 kanarie-kwaal"


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture
def recipient(tmp_path: Path) -> Iterator[RecipientProcess]:
    port = free_port()
    with running_recipient(tmp_path, "--metrics-port", str(port)) as running:
        running.metrics = f"http://127.0.0.1:{port}/metrics"
        yield running


def a_record() -> list[dict[str, object]]:
    return [
        clinical.patient("Kanarievogel"),
        {
            "resourceType": "Condition",
            "id": "k1",
            "subject": {"reference": "Patient/p1"},
            "code": {"text": "kanarie-kwaal 999990019"},
        },
    ]


class Collected:
    """Everything that came out, by where."""

    def __init__(self) -> None:
        self.places: dict[str, list[str]] = {}

    def add(self, place: str, answer: httpx.Response) -> None:
        headers = "\n".join(f"{name}: {value}" for name, value in answer.headers.items())
        self.places.setdefault(place, []).append(f"{answer.status_code}\n{headers}\n{answer.text}")

    def found(self) -> list[str]:
        return [
            f"{canary} in {place}"
            for place, texts in self.places.items()
            for text in texts
            for canary in CANARIES
            if canary.lower() in text.lower()
        ]


def strange_requests(url: str, out: Collected) -> None:
    """Canaries in addresses, headers, forms and bodies of requests that fail."""
    headers = {"referer": f"{url}/{quote(SPILL)}", "user-agent": SPILL, "accept-language": SPILL}
    headers["cookie"] = f"pgo_recipient={quote(SPILL)}"
    with httpx.Client(base_url=url, trust_env=False, timeout=60, headers=headers) as client:
        for path in ("", "portal", "portal/patient", "fhir/Patient", "v1/card", "health", "oauth"):
            out.add("unknown addresses", client.get(f"/{path}/{quote(SPILL)}?q={quote(SPILL)}"))
        for path in PATHS.values():
            for body in (
                SPILL.encode(),
                json.dumps({"v": 1, "ct": SPILL}).encode(),
                b"\xff" + SPILL.encode(),
            ):
                out.add("refused messages", client.post(path, content=body))
        out.add("wrong methods", client.request("DELETE", f"/portal/patient/{quote(SPILL)}"))
        out.add("forms", client.post("/portal", data={"q": SPILL}))
        out.add("forms", client.post("/portal/login", content=SPILL.encode()))

    del headers["cookie"]
    with httpx.Client(base_url=url, trust_env=False, timeout=60, headers=headers) as client:
        form = {"token": form_token(client.get("/portal/login")), "name": SPILL, "password": SPILL}
        out.add("log-in", client.post("/portal/login", data=form))


def shared_record(running: RecipientProcess, out: Collected) -> PatientSide:
    """A patient shares, sends nonsense inside good envelopes, and asks for the log of looks."""
    at = datetime.now(UTC)
    patient = PatientSide.of(running.url, at=at)
    patient.grant(at=at)
    contents = (patient.push_content(a_record()), json.dumps({"transaction": SPILL}).encode(), SPILL.encode())
    for content in contents:
        body = patient.envelope(Kind.PUSH, content, at=at, message_id=new_message_id())
        out.add("answers to messages", httpx.post(f"{running.url}/v1/inbox", content=body, trust_env=False))
        old = at - timedelta(days=400)
        body = patient.envelope(Kind.PUSH, content, at=old, message_id=new_message_id())
        out.add("answers to messages", httpx.post(f"{running.url}/v1/inbox", content=body, trust_env=False))
    body = patient.envelope(Kind.ACCESS, build_full_request(), at=at, message_id=new_message_id())
    out.add("answers to messages", httpx.post(f"{running.url}/v1/access", content=body, trust_env=False))
    return patient


def looks(running: RecipientProcess, out: Collected) -> int:
    """Somebody looks: the pages may show what was shared, their addresses and headers may not."""
    pages = 0
    with httpx.Client(base_url=running.url, trust_env=False, timeout=60, follow_redirects=False) as member:
        form = {"token": form_token(member.get("/portal/login")), "name": "dewit", "password": PASSWORD}
        assert member.post("/portal/login", data=form).status_code == 303
        addresses = ["/portal"]
        seen: set[str] = set()
        while addresses and len(seen) < 25:
            address = addresses.pop()
            if address in seen:
                continue
            seen.add(address)
            page = member.get(address)
            pages += any(canary in page.text for canary in CANARIES)
            out.places.setdefault("addresses and headers of pages", []).append(
                "\n".join(
                    [
                        str(page.url),
                        *page.headers.values(),
                        *re.findall(r'(?:href|action|src)="([^"]*)"', page.text),
                    ]
                )
            )
            addresses.extend(re.findall(r'href="(/portal/patient/[^"#]*)"', page.text))
        out.add("missing pages", member.get(f"/portal/patient/{quote(SPILL)}"))
    return pages


def test_no_canary_comes_out_anywhere(recipient: RecipientProcess) -> None:
    out = Collected()
    patient = shared_record(recipient, out)
    assert looks(recipient, out) > 0, "the canaries are inside, or nothing was tested"
    strange_requests(recipient.url, out)
    figures = httpx.get(recipient.metrics, trust_env=False)
    assert 'refusals_total{code="clock"} 3.0' in figures.text
    assert 'log_ins_total{outcome="failed"} 1.0' in figures.text
    assert 'log_ins_total{outcome="ok"} 1.0' in figures.text
    out.add("figures", figures)
    assert recipient.stop() == 0
    out.places["log"] = [recipient.log_text()]
    files = [path for path in recipient.folder.rglob("*") if path.is_file()]
    out.places["files"] = [path.read_bytes().decode("latin-1") for path in files]
    assert patient.sub not in recipient.log_text()
    assert out.found() == []
    counted = sum(len(texts) for texts in out.places.values())
    fault_figures.figures["canaries, recipient"] = (
        f"{len(CANARIES)} canaries searched in {counted} answers, files and logs of"
        f" {len(out.places)} kinds: 0 found"
    )
