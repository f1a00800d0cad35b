"""``pgo demo``: a local clinic and the app, with a ready-made invented patient; everything below one folder.

The clinic is the real recipient program in a process of its own. The patient, the clinician and all
passwords are invented and public; they protect nothing but the demonstration. Removing the folder removes
everything.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pgo.bootstrap import build_application, wall_clock
from pgo.cli.running import serve, show, stop_politely
from pgo.cli.terminal import DONE, say
from pgo.config import DEMO_START_SECONDS, DEMO_STOP_SECONDS
from pgo.errors import InputRefused
from pgo.store.files import make_private_folder
from pgo.usecases.session import DemoInfo

PATIENT = "Demo"
PASSPHRASE = "vier koele bergmeren wachten"  # noqa: S105 - public on purpose, see the module docstring
CLINIC_NAME = "Demokliniek De Vuurtoren"
CLINIC_ID = "ura:99999999"
CLINICIAN = "demo"
CLINICIAN_NAME = "D. Demo"
CLINICIAN_PASSWORD = "rustig blauw fietspad morgen"  # noqa: S105 - public on purpose
_LOOK_AGAIN_SECONDS = 0.05


def run_demo(options: argparse.Namespace) -> int:
    """Run clinic and app until stopped."""
    from pgo.ui.control import ask_for_link

    data: Path = options.data.resolve()
    make_private_folder(data)
    vaults = data / "vaults"
    link = ask_for_link(vaults)
    if link is not None:  # a second start opens the demonstration that runs
        show(link, no_browser=options.no_browser)
        return DONE
    stop_politely()
    with _clinic(data / "clinic") as ready_file:
        _prepare_patient(vaults)
        _load_app()  # while the clinic starts
        clinic = _wait(ready_file)
        info = DemoInfo(
            vault=vaults / PATIENT,
            passphrase=PASSPHRASE,
            portal_url=f"{clinic['url']}/portal",
            portal_user=CLINICIAN,
            portal_password=CLINICIAN_PASSWORD,
            card_text=Path(clinic["card"]).read_text(encoding="ascii"),
        )
        application = build_application(vaults, demo=info, deliver=True)

        def on_ready(ready: Any) -> None:
            _introduce(data, info)
            show(ready.link, no_browser=options.no_browser)

        serve(application, port=options.port, on_ready=on_ready)
    return DONE


def _load_app() -> None:
    from pgo.ui.host import load_server

    load_server()


@contextlib.contextmanager
def _clinic(folder: Path) -> Iterator[Path]:
    """Run the recipient below ``folder``; yields the file it writes when it answers."""
    if not (folder / "made").exists():
        shutil.rmtree(folder, ignore_errors=True)  # of a start that was interrupted
        _recipient("init", "--data", folder, "--name", CLINIC_NAME, "--id", CLINIC_ID)
        _recipient(
            *(
                "user",
                "add",
                CLINICIAN,
                "--data",
                folder,
                "--display",
                CLINICIAN_NAME,
                "--password-file",
                "-",
                "--no-second-factor",  # counts on this machine only, and the clinic's log-in page says so
            ),
            given=CLINICIAN_PASSWORD,
        )
        (folder / "made").touch(mode=0o600)
    ready_file = folder / "ready.json"
    ready_file.unlink(missing_ok=True)
    command = [*_program(), "serve", "--data", str(folder), "--ready-file", str(ready_file)]
    with (folder / "log.jsonl").open("wb") as log:  # what the clinic says of itself; nobody's data is in it
        process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=log, env=_environment()
        )
    try:
        yield ready_file
    finally:
        process.terminate()
        try:
            process.wait(DEMO_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _recipient(*words: str | Path, given: str = "") -> None:
    done = subprocess.run(
        [*_program(), *map(str, words)],
        input=f"{given}\n",
        text=True,
        stdout=subprocess.DEVNULL,
        check=False,
        env=_environment(),
    )
    if done.returncode != 0:
        raise InputRefused("demo_clinic")


def _program() -> list[str]:
    return [sys.executable, "-m", "recipient"]


def _environment() -> dict[str, str]:
    """The clinic is found beside this package, wherever the command was started from."""
    root = str(Path(__file__).resolve().parents[2])
    known = os.environ.get("PYTHONPATH")
    return {**os.environ, "PYTHONPATH": f"{root}{os.pathsep}{known}" if known else root}


def _wait(ready_file: Path) -> dict[str, str]:
    deadline = time.monotonic() + DEMO_START_SECONDS
    while time.monotonic() < deadline:
        with contextlib.suppress(OSError, ValueError):
            value = json.loads(ready_file.read_text(encoding="utf-8"))
            return {"url": str(value["url"]), "card": str(value["card"])}
        time.sleep(_LOOK_AGAIN_SECONDS)
    raise InputRefused("demo_clinic")


def _prepare_patient(vaults: Path) -> None:
    """Make the invented patient at the first start; it gets its name only when it is complete."""
    from pgo.usecases.unlock import vault_exists

    if vault_exists(vaults / PATIENT):
        return
    from pgo.health.demo import demo_bundle
    from pgo.usecases.collect import collect
    from pgo.usecases.unlock import create_vault

    preparing = vaults / f".{PATIENT}.preparing"
    shutil.rmtree(preparing, ignore_errors=True)  # of a start that was interrupted
    new = create_vault(build_application(vaults), preparing, PASSPHRASE)
    try:
        collect(new.session, demo_bundle(wall_clock().date()), name="demo.json")
    finally:
        new.session.lock()
    preparing.rename(vaults / PATIENT)


def _introduce(data: Path, info: DemoInfo) -> None:
    say(f"Everything the demo writes lies in {data}")
    say(f"Invented patient '{info.vault.name}': passphrase  {info.passphrase}")
    say("Or make an empty vault of your own on the start screen.")
    say(f"Clinic: {info.portal_url}  user  {info.portal_user}  password  {info.portal_password}")
    say(f"Card of the clinic, to add it in the app: {data / 'clinic' / 'card.txt'}")
