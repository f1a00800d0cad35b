"""Takes messages in and is killed (SIGKILL) before a given statement: run as a program by the kill tests.

Reads lines of JSON ``{"folder", "body", "at", "kill_before"}``; forks for each, so that only the fork dies,
and answers with how it went: ``killed`` or ``done``. ``kill_before`` counts the statements a message costs
the store, the end of the transaction among them; 0 is never.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import traceback
from base64 import b64decode
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

from recipient.identity import load_identity
from recipient.inbox import Inbox
from recipient.store import Store, open_store


def die_before(store: Store, count: int) -> None:
    """Make the store's process die before its ``count``-th statement from now on."""
    left = count

    def step() -> None:
        nonlocal left
        left -= 1
        if left == 0:
            os.kill(os.getpid(), signal.SIGKILL)

    for name in ("rows", "run", "run_many"):
        real = getattr(store, name)

        def counted(*arguments: Any, _real: Any = real) -> Any:
            step()
            return _real(*arguments)

        setattr(store, name, counted)
    transaction = store.transaction

    @contextmanager
    def ended(about: str | None = None) -> Iterator[None]:
        with transaction(about):
            yield
            step()  # all is written, nothing is committed
        step()  # committed, and nobody knows

    store.transaction = ended  # type: ignore[method-assign]  # the point of this program


def take_in(order: dict[str, Any]) -> None:
    store = open_store(Path(order["folder"]))
    inbox = Inbox(store, load_identity(store))
    if order["kill_before"]:
        die_before(store, order["kill_before"])
    inbox.receive(b64decode(order["body"]), at=datetime.fromisoformat(order["at"]))
    store.close()


def main() -> int:
    for line in sys.stdin:
        child = os.fork()
        if child == 0:
            try:
                take_in(json.loads(line))
            except BaseException:  # the fork must not go on as if it were the program
                traceback.print_exc()
                os._exit(1)
            os._exit(0)
        _, status = os.waitpid(child, 0)
        word = "killed" if os.WIFSIGNALED(status) else "done" if os.WEXITSTATUS(status) == 0 else "failed"
        sys.stdout.write(word + "\n")
        sys.stdout.flush()
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
