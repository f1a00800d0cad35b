"""Small files that would become large work: refused within the limits of the reading process (check 18)."""

from __future__ import annotations

import gzip
import io
import json
import re
import warnings
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from pgo.health.record.resource import Refused
from pgo.usecases.child_limits import LEAST_CPU_SECONDS, MEMORY_BYTES
from pgo.usecases.intake_process import ReaderProcess
from tests.support.fault_figures import figures
from tests.support.vaults import a_patient

resource = pytest.importorskip("resource", reason="the limits of a process are those of a POSIX system")
PATIENT = json.dumps(a_patient()).encode()
MEGABYTE = 1_000_000


def zipped(*members: tuple[str, bytes]) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # two members of one name are part of the attack
        for name, data in members:
            archive.writestr(name, data)
    return packed.getvalue()


def overlapping(times: int) -> bytes:
    """Many entries of the directory that name the same packed bytes."""
    one = zipped(("a.json", b" " * (10 * MEGABYTE) + PATIENT))
    start = int.from_bytes(one[-6:-2], "little")
    directory, end = one[start:-22], bytearray(one[-22:])
    end[8:12] = times.to_bytes(2, "little") * 2
    end[12:16] = (len(directory) * times).to_bytes(4, "little")
    return one[:start] + directory * times + bytes(end)


def lying() -> bytes:
    """A member that says it is small."""
    data = bytearray(zipped(("a.json", b" " * (60 * MEGABYTE))))
    real = (60 * MEGABYTE).to_bytes(4, "little")
    return bytes(data).replace(real, (100).to_bytes(4, "little"))


BOMBS: dict[str, Callable[[], bytes]] = {
    "JSON 100,000 deep": lambda: b'{"resourceType":"Patient","a":' + b"[" * 100_000,
    "JSON 1,000,000 closed brackets": lambda: b'{"a":%s%s}' % (b"[" * 10**6, b"]" * 10**6),
    "a number of 10,000 digits": lambda: b'{"resourceType":"Patient","a":1' + b"0" * 10_000 + b"}",
    "an exponent of a million": lambda: b'{"resourceType":"Patient","a":1e1000000}',
    "1,000,000 lines": lambda: b"{}\n" * 10**6,
    "a line of 40 MB": lambda: b'{"resourceType":"Patient","id":"' + b"a" * (40 * MEGABYTE) + b'"}\n{}\n',
    "1,000,000 entries": lambda: b'{"resourceType":"Bundle","entry":[%s{}]}' % (b"{}," * 10**6),
    "1,000,000 names in one object": lambda: b"{" + b",".join(b'"k%d":0' % n for n in range(10**6)) + b"}",
    "Bundles in Bundles": lambda: b'{"resourceType":"Bundle","type":"batch","entry":[{"resource":' * 3_000,
    "gzip, 1 to 1000": lambda: gzip.compress(bytes(200 * MEGABYTE), compresslevel=9),
    "gzip in gzip": lambda: gzip.compress(gzip.compress(bytes(200 * MEGABYTE))),
    "zip, 1 to 1000": lambda: zipped(("a.json", bytes(200 * MEGABYTE))),
    "zip of 5,000 members": lambda: zipped(*((f"{n}.json", b"{}") for n in range(5_000))),
    "zip whose members overlap": lambda: overlapping(900),
    "zip that lies about its sizes": lying,
    "more than 50 MB": lambda: b" " * (51 * MEGABYTE),
}  # fmt: skip


@pytest.fixture(scope="module")
def reader() -> Iterator[ReaderProcess]:
    made = ReaderProcess()
    yield made
    made.close()


def outcome(reader: ReaderProcess, data: bytes) -> str:
    try:
        intake = reader.read(data, name="file")
    except Refused as exc:
        return exc.code
    return f"took {len(intake.resources)}, set aside {len(intake.set_aside)}"


@pytest.mark.timeout(1200)
def test_no_bomb_goes_off(reader: ReaderProcess) -> None:
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    outcomes = {name: outcome(reader, make()) for name, make in BOMBS.items()}
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    spent = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    taken = {name: found for name, found in outcomes.items() if re.match("took [1-9]", found)}
    stopped = list(outcomes.values()).count("reader_stopped")
    figures["bombs"] = (
        f"{len(outcomes)} tried, {len(taken)} accepted, 0 crashed ({stopped} stopped by the limits:"
        f" {LEAST_CPU_SECONDS} s of computing, {MEMORY_BYTES >> 20} MiB), {spent:.0f} s of computing in all"
    )
    assert taken == {}
    assert outcome(reader, PATIENT) == "took 1, set aside 0", "after all that a good file is read"


def test_the_limits_are_real(tmp_path: Path) -> None:
    """The control: a reader that asks for more memory than its limit is stopped, and says so."""
    program = tmp_path / "greedy.py"
    program.write_text(
        "from pgo.usecases.child_limits import limit_memory, MEMORY_BYTES\n"
        "import sys\n"
        "limit_memory()\n"
        "try:\n    bytearray(MEMORY_BYTES)\nexcept MemoryError:\n    sys.exit(7)\n"
    )
    greedy = ReaderProcess(command=(str(program),))
    try:
        assert outcome(greedy, PATIENT) == "reader_stopped"
    finally:
        greedy.close()
