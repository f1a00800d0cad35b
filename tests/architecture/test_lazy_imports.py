"""What a start must not load: each of these costs a tenth of a second or more, or is not needed to unlock.

The figures are in the guide (performance 8): pydantic 182 ms, fhir.resources 297, httpx 104 to 234, jwt 129.
"""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from tests.conftest import PROJECT

NEVER_AT_START = (
    "fhir",
    "pydantic",
    "fastapi",
    "httpx",
    "jinja2",
    "jwt",
    "zxcvbn",
    "flet",
    "recipient",
    "starlette",
)


def loaded_by(code: str) -> set[str]:
    program = (
        f"import json, sys\n{code}\nprint(json.dumps(sorted({{n.partition('.')[0] for n in sys.modules}})))"
    )
    done = subprocess.run([sys.executable, "-c", program], cwd=PROJECT, capture_output=True, check=True)
    return set(json.loads(done.stdout.splitlines()[-1]))


def test_building_the_application_loads_nothing_heavy() -> None:
    loaded = loaded_by(
        "import pathlib, pgo.bootstrap; pgo.bootstrap.build_application(pathlib.Path('x'), deliver=True)"
    )
    assert loaded.isdisjoint(NEVER_AT_START)
    assert "sqlcipher3" not in loaded


def test_unlocking_reading_and_listing_load_nothing_heavy() -> None:
    loaded = loaded_by(
        "import tempfile, pathlib\n"
        "from tests.support.vaults import Home, a_bundle, a_patient\n"
        "from pgo.store.opening import create_vault, open_with_passphrase\n"
        "from tests.support.applications import CHEAP\n"
        "from pgo.usecases.session import Session\n"
        "from pgo.usecases.collect import collect\n"
        "from pgo.usecases import read\n"
        "home = Home(pathlib.Path(tempfile.mkdtemp()))\n"
        "store, _ = create_vault(home.folder / 'v', 'vier losse woorden', argon2=CHEAP, at=home.clock())\n"
        "session = Session(home.app, store, folder=home.folder / 'v')\n"
        "collect(session, a_bundle(a_patient()), name='a.json')\n"
        "read.overview(session), read.timeline(session), read.profile(session)\n"
        "session.lock()\n"
    )
    assert loaded.isdisjoint(
        {"fhir", "pydantic", "fastapi", "httpx", "jinja2", "zxcvbn", "flet", "recipient"}
    )


@pytest.mark.parametrize("words", [["--help"], ["vault", "create", "--help"], ["share", "sign", "--help"]])
def test_help_loads_no_part_of_the_app(words: list[str]) -> None:
    loaded = loaded_by(
        "import pgo.cli\n"
        "try:\n"
        f"    pgo.cli.main({words!r})\n"
        "except SystemExit as end:\n"
        "    assert end.code == 0\n"
    )
    assert loaded.isdisjoint({*NEVER_AT_START, "sqlcipher3"})
