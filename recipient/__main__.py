"""``python -m recipient``: the same as the ``recipient`` command."""

from __future__ import annotations

import sys

from recipient.cli import main

if __name__ == "__main__":
    sys.exit(main())
