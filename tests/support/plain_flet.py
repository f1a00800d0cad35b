"""``python -m tests.support.plain_flet``: stock Flet without our gate, the control of the hostile page."""

from __future__ import annotations

import os
import sys

os.environ["FLET_FORCE_WEB_SERVER"] = "true"

import flet as ft
from flet.utils import get_free_tcp_port

SECRET = "HbA1c 53 van de proefpatient"


def main(page: ft.Page) -> None:
    """Show something secret to whoever asks."""
    page.add(ft.Text(SECRET))


if __name__ == "__main__":
    port = get_free_tcp_port()  # type: ignore[no-untyped-call]
    print(f"http://127.0.0.1:{port}/", flush=True)
    sys.stdout = sys.stderr
    ft.run(main, host="127.0.0.1", port=port, no_cdn=True, view=ft.AppView.WEB_BROWSER)
