"""Medplum's FHIR router in a process of its own, over loopback HTTP."""

from __future__ import annotations

import contextlib
import json
import subprocess
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.support.node_modules import FOLDER

PROGRAM = FOLDER / "fhir_router.mjs"


@dataclass(frozen=True, slots=True)
class Medplum:
    """The running server."""

    url: str

    def search(self, query: str) -> list[dict[str, Any]]:
        """Everything a search finds, asked without any code of ours."""
        with urllib.request.urlopen(f"{self.url}/{query}", timeout=30) as answer:
            found = json.load(answer)
        return [entry["resource"] for entry in found.get("entry", [])]


@contextlib.contextmanager
def running_medplum(said: Path | None = None) -> Iterator[Medplum]:
    """Run the router until the end of the block.

    Args:
        said: file with the capability statement it gives; the router itself has none.
    """
    call = ["node", str(PROGRAM), *(["--says", str(said)] if said else [])]
    process = subprocess.Popen(call, cwd=FOLDER, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        port = process.stdout.readline().strip()
        assert port.isdigit(), "the router did not start"
        yield Medplum(f"http://127.0.0.1:{port}")
    finally:
        process.terminate()
        process.wait(30)
        if process.stdout is not None:
            process.stdout.close()
