"""Most of these harnesses need a POSIX system, and time when the machine is busy."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

collect_ignore = (
    [
        "test_after_lock.py",
        "test_backup_faults.py",
        "test_disk_full.py",
        "test_fhir_withdrawal.py",
        "test_kill.py",
        "test_nth_call.py",
        "test_power_loss.py",
        "test_renewal_kills.py",
        "test_sync_delivery.py",
        "test_sync_restore.py",
        "test_sync_withdrawal.py",
        "test_wrong_databases.py",
    ]
    if sys.platform == "win32"
    else []
)
SECONDS = 900


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """A harness makes hundreds of processes and syncs: a stopwatch for single tests says nothing about it."""
    for item in items:
        if Path(__file__).parent in item.path.parents and item.get_closest_marker("timeout") is None:
            item.add_marker(pytest.mark.timeout(SECONDS))
