"""``python -m tests.support.serve FOLDER [SPEED]``: prints a one-time link, then serves.

The real host, gate and screens on real vaults in FOLDER, in a process of its own, so that tests can stop it.
With SPEED 100 the wall clock of the application runs a hundred times faster: five idle minutes take three
seconds.
"""

from __future__ import annotations

import dataclasses
import sys
import time
from datetime import UTC, datetime
from pathlib import Path

from pgo.ui.autolock import SleepWatch
from pgo.ui.host import Ready, serve_app
from tests.support.applications import an_application


def main(folder: Path, speed: float) -> None:
    """Serve until told to stop."""
    start = datetime.now(UTC)

    def fast() -> datetime:
        return start + (datetime.now(UTC) - start) * speed

    def ready(ready: Ready) -> None:
        print(ready.link, flush=True)

    real = SleepWatch(time.monotonic, lambda: datetime.now(UTC))  # a clock that runs fast is no sleep
    serve_app(dataclasses.replace(an_application(folder), clock=fast), on_ready=ready, sleep=real)


if __name__ == "__main__":
    main(Path(sys.argv[1]), float(sys.argv[2]) if len(sys.argv) > 2 else 1.0)
