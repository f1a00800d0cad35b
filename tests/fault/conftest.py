"""Most of these harnesses need a fork server, signals and limits of a POSIX system."""

from __future__ import annotations

import sys

collect_ignore = (
    [
        "test_after_lock.py",
        "test_backup_faults.py",
        "test_disk_full.py",
        "test_kill.py",
        "test_nth_call.py",
        "test_power_loss.py",
        "test_renewal_kills.py",
        "test_wrong_databases.py",
    ]
    if sys.platform == "win32"
    else []
)
