"""The ``pgo`` command: the same use cases as the screens.

Promises: the passphrase comes from a prompt or a file, never from an argument or the environment; every
failure is one sentence on standard error without personal data; ``--json`` prints exactly one JSON object
on standard output; exit codes are 0 done, 2 wrong usage, 3 input refused, 4 locked or wrong passphrase, 5
store damaged.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence

from pgo.cli.parser import build_parser
from pgo.cli.terminal import exit_code, sentence
from pgo.errors import AppError

INTERRUPTED = 130


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command.

    Args:
        argv: arguments without the program name; the process's own when None.

    Returns:
        The exit code.
    """
    from pgo.bootstrap import harden_process

    options = build_parser().parse_args(argv)
    harden_process()
    try:
        return int(options.run(options))
    except AppError as exc:
        sys.stderr.write(f"pgo: {sentence(exc)}\n")
        return exit_code(exc)
    except OSError as exc:
        sys.stderr.write(f"pgo: a file or folder cannot be used ({exc.strerror or 'input/output error'}).\n")
        return 3
    except KeyboardInterrupt:
        return INTERRUPTED
