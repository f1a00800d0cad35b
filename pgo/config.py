"""Where things lie and how they are tuned, with units in the names. No clock, no environment beyond folders.

Source of the folders: XDG Base Directory Specification 0.8 (Linux), Apple File System Programming Guide
(macOS), Known Folders FOLDERID_LocalAppData (Windows).
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

LONGEST_PAUSE_SECONDS = 600.0
"""The deliverer looks at least this often whether a statement has to be renewed."""

SHORTEST_PAUSE_SECONDS = 0.5
"""Between two passes of the deliverer, so that a quick series of changes makes one delivery."""

DEMO_FOLDER = Path("demo-data")
DEMO_START_SECONDS = 30.0
DEMO_STOP_SECONDS = 5.0


def default_vaults_folder() -> Path:
    """Folder of the vaults when none is given: the platform's place for a program's data of this user."""
    return _user_data_folder() / "vaults"


def _user_data_folder() -> Path:
    if sys.platform == "win32":
        base = os.environ.get("LOCALAPPDATA")
        return (Path(base) if base else Path.home() / "AppData" / "Local") / "pgo"
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Application Support" / "pgo"
    base = os.environ.get("XDG_DATA_HOME")
    # The specification: a relative path is invalid and has to be ignored.
    return (Path(base) if base and Path(base).is_absolute() else Path.home() / ".local" / "share") / "pgo"
