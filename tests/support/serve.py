"""``python -m tests.support.serve FOLDER [--auto-lock-seconds N]``: prints a one-time link, then serves.

The real host, gate and screens on real vaults in FOLDER, in a process of its own, so that tests can stop it.
"""

from __future__ import annotations

import sys
from pathlib import Path

from pgo.ui.host import Ready, serve_app
from tests.support.applications import an_application


def ready(ready: Ready) -> None:
    """Say where to go."""
    print(ready.link, flush=True)


if __name__ == "__main__":
    serve_app(an_application(Path(sys.argv[1])), on_ready=ready)
