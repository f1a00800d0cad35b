"""``pgo app`` and ``pgo open``: start the app, or hand out a new link to the one that runs."""

from __future__ import annotations

import argparse
import signal
import sys
import threading
import webbrowser
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from pgo.cli.terminal import DONE, REFUSED, say

if TYPE_CHECKING:
    from pgo.ui.host import Ready
    from pgo.usecases.session import Application

_REDIRECT_SECONDS = 30.0


def run_app(options: argparse.Namespace) -> int:
    """Start the app; a second start only opens the one that runs."""
    from pgo.bootstrap import build_application
    from pgo.usecases.unlock import tidy

    folder: Path = options.vaults or options.default_vaults()
    if _open_running(folder, no_browser=options.no_browser):
        return DONE
    application = build_application(folder, deliver=True)
    tidy(application)
    serve(
        application,
        port=options.port,
        on_ready=lambda ready: show(ready.link, no_browser=options.no_browser),
    )
    return DONE


def open_again(options: argparse.Namespace) -> int:
    """Open the running app with a new one-time link."""
    if _open_running(options.vaults or options.default_vaults(), no_browser=options.no_browser):
        return DONE
    sys.stderr.write("pgo: the app is not running; start it with 'pgo app'.\n")
    return REFUSED


def serve(application: Application, *, port: int, on_ready: Callable[[Ready], None]) -> None:
    """Serve the app until the process is told to stop."""
    from pgo.ui.host import serve_app

    stop_politely()
    serve_app(application, on_ready=on_ready, port=port)


def stop_politely() -> None:
    """Let a stop signal run the clean-up of everybody above: the server hands it on after closing."""
    if threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGTERM, lambda _number, _frame: sys.exit(DONE))


def show(link: str, *, no_browser: bool) -> None:
    """Open a one-time link in the browser, or print it where no browser can be opened."""
    from pgo.ui.host import write_redirect_file

    if not no_browser:
        page = write_redirect_file(link)  # the secret must not show in the list of processes
        timer = threading.Timer(_REDIRECT_SECONDS, lambda: page.unlink(missing_ok=True))
        timer.daemon = True
        timer.start()
        if webbrowser.open(page.as_uri()):
            say("The app is open in your browser. Stop it with Ctrl+C.")
            sys.stdout.flush()
            return
        page.unlink(missing_ok=True)
    say(f"Open this link in your browser (it works once): {link}")
    sys.stdout.flush()


def _open_running(folder: Path, *, no_browser: bool) -> bool:
    from pgo.ui.control import ask_for_link

    link = ask_for_link(folder)
    if link is None:
        return False
    show(link, no_browser=no_browser)
    return True
