"""Runs the examples of docs/consent-format.md. `python -m tests.support.consent_format` writes their output.

A block with `file=NAME` is a file, a `console` block is a command and what it prints.
"""

from __future__ import annotations

import contextlib
import io
import json
import os
import re
import shlex
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from consent.document import sign_record
from crypto.chain import GENESIS
from pgo.cli import main
from tests.support.consent_builders import KEY, SUBJECT, a_grant

PAGE = Path(__file__).resolve().parents[2] / "docs" / "consent-format.md"
_FILE = re.compile(r"^```\w+ file=(\S+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_CONSOLE = re.compile(r"^```console\n\$ pgo ([^\n]*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def signed_log() -> str:
    token = sign_record(a_grant(), KEY, position=0, previous=GENESIS).token
    return json.dumps({"subject": SUBJECT, "keys": [KEY.public.text], "records": [token]}, indent=1)


def forged_log() -> str:
    """The same with one character of the payload changed."""
    value = json.loads(signed_log())
    header, payload, signature = value["records"][0].split(".")
    value["records"] = [f"{header}.{payload[:-1]}{'A' if payload[-1] != 'A' else 'Q'}.{signature}"]
    return json.dumps(value)


def ran(page: str) -> str:
    """The page with the output of every command as it is now."""
    with tempfile.TemporaryDirectory() as folder, _in(Path(folder)):
        for name, text in _FILE.findall(page):
            Path(name).write_text(text, encoding="utf-8")
        Path("forged.json").write_text(forged_log(), encoding="utf-8")
        return _CONSOLE.sub(lambda match: f"```console\n$ pgo {match[1]}\n{_output(match[1])}```", page)


def examples(page: str) -> list[tuple[str, str]]:
    return _CONSOLE.findall(page)


def _output(command: str) -> str:
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        main(shlex.split(command))
    return out.getvalue() + err.getvalue()


@contextlib.contextmanager
def _in(folder: Path) -> Iterator[None]:
    """A working folder, and UTC: words show moments in the zone of the device."""
    before, zone = Path.cwd(), os.environ.get("TZ")
    os.environ["TZ"] = "UTC"
    time.tzset()
    os.chdir(folder)
    try:
        yield
    finally:
        os.chdir(before)
        os.environ.pop("TZ")
        if zone is not None:
            os.environ["TZ"] = zone
        time.tzset()


if __name__ == "__main__":
    text = PAGE.read_text(encoding="utf-8")
    signed = re.sub(
        r"(file=signed\.json\n).*?(```)", lambda m: f"{m[1]}{signed_log()}\n{m[2]}", text, flags=re.DOTALL
    )
    PAGE.write_text(ran(signed), encoding="utf-8")
