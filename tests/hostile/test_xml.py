"""XML that expands, fetches or nests: refused, within its limits, and nothing is ever fetched (check 16).

A trap listens on this machine; every document that names an address names the trap's.
"""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from pathlib import Path
from xml.etree import ElementTree

import pytest

from pgo.health.record.reader import read_records
from pgo.health.record.resource import Refused
from tests.support.fault_figures import figures

PATIENT = '<Patient xmlns="http://hl7.org/fhir"><id value="p1"/>{}</Patient>'
SECRET = "only-in-a-local-file"


class Trap:
    """Counts who comes."""

    def __init__(self) -> None:
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.address = f"http://127.0.0.1:{self._socket.getsockname()[1]}"
        self.visits = 0
        self._thread = threading.Thread(target=self._listen, daemon=True)
        self._thread.start()

    def _listen(self) -> None:
        while True:
            try:
                visitor, _ = self._socket.accept()
            except OSError:
                return
            self.visits += 1
            visitor.close()

    def close(self) -> None:
        self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()
        self._thread.join()


@pytest.fixture
def trap() -> Iterator[Trap]:
    made = Trap()
    yield made
    made.close()


def laughs(depth: int) -> str:
    entities = ['<!ENTITY l0 "ha">'] + [
        f'<!ENTITY l{n} "{"".join([f"&l{n - 1};"] * 10)}">' for n in range(1, depth)
    ]
    return f"<!DOCTYPE Patient [{''.join(entities)}]>"


def documents(trap: Trap, secret: Path) -> dict[str, str]:
    """Ours, each wrong in one way."""
    external = f'<!DOCTYPE Patient [<!ENTITY x SYSTEM "{trap.address}/x">]>'
    local = f'<!DOCTYPE Patient [<!ENTITY x SYSTEM "{secret.as_uri()}">]>'
    return {
        "billion laughs": laughs(10) + PATIENT.format('<gender value="&l9;"/>'),
        "one entity many times": f'<!DOCTYPE Patient [<!ENTITY a "{"a" * 50_000}">]>'
        + PATIENT.format("".join('<language value="&a;"/>' for _ in range(2_000))),
        "external entity over http": external + PATIENT.format('<gender value="x"/><text>&x;</text>'),
        "external entity from a file": local + PATIENT.format("<text>&x;</text>"),
        "external document type": f'<!DOCTYPE Patient SYSTEM "{trap.address}/p.dtd">' + PATIENT.format(""),
        "parameter entity": f'<!DOCTYPE Patient [<!ENTITY % p SYSTEM "{trap.address}/p"> %p;]>'
        + PATIENT.format(""),
        "default attribute": '<!DOCTYPE Patient [<!ATTLIST gender value CDATA "female">]>'
        + PATIENT.format("<gender/>"),
        "deep": PATIENT.format("<contained>" * 100_000 + "</contained>" * 100_000),
        "deep and open": PATIENT.format("<a>" * 1_000_000).removesuffix("</Patient>"),
        "two roots": PATIENT.format("") * 2,
        "wrong characters": PATIENT.format('<gender value="&#0;"/>'),
    }


def harmless(trap: Trap) -> dict[str, str]:
    """Odd, and without any effect: may be read, may not fetch."""
    return {
        "style sheet": f'<?xml-stylesheet href="{trap.address}/s"?>' + PATIENT.format(""),
        "inclusion": PATIENT.format(
            f'<xi:include xmlns:xi="http://www.w3.org/2001/XInclude" href="{trap.address}/i"/>'
        ),
        "schema location": PATIENT.format("").replace(
            "<Patient",
            '<Patient xmlns:s="http://www.w3.org/2001/XMLSchema-instance"'
            f' s:noNamespaceSchemaLocation="{trap.address}/x"',
        ),
    }  # fmt: skip


def taken(data: bytes) -> int:
    """How many resources were read; a refusal is none."""
    try:
        return len(read_records(data, name="file.xml").resources)
    except Refused:
        return 0


def test_nothing_expands_fetches_or_nests(trap: Trap, tmp_path: Path) -> None:
    secret = tmp_path / "secret.txt"
    secret.write_text(SECRET)
    ours = {name: taken(text.encode()) for name, text in documents(trap, secret).items()}
    odd = {name: taken(text.encode()) for name, text in harmless(trap).items()}
    figures["hostile XML, ours"] = (
        f"{len(ours)} tried, {sum(map(bool, ours.values()))} accepted, 0 crashed;"
        f" {len(odd)} odd ones, {sum(map(bool, odd.values()))} read; the trap was visited {trap.visits} times"
    )
    assert [name for name, count in ours.items() if count] == []
    assert trap.visits == 0


@pytest.mark.data
def test_the_known_bombs_are_refused(shared_data: Path) -> None:
    files = sorted((shared_data / "hostile/xml-bombs").glob("*.xml"))
    accepted = [path.name for path in files if taken(path.read_bytes())]
    figures["hostile XML, known bombs"] = f"{len(files)} tried, {len(accepted)} accepted, 0 crashed"
    assert len(files) >= 5
    assert accepted == []


def test_a_plain_parser_as_a_control_expands() -> None:
    """What is refused above does work on a parser that believes its input."""
    text = laughs(4) + PATIENT.format("<gender>&l3;</gender>")
    found = ElementTree.fromstring(text)
    assert "ha" * 1_000 in "".join(found.itertext())
