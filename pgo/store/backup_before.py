"""What lies beside a vault after restores: the vaults from before, and databases that no header names.

``vault.hdr.before-r<n>`` is the header of the vault as it was before the n-th restore; it names its own
database. A database that no header names was left by a restore that was cut off before its switch.
"""

from __future__ import annotations

import contextlib
import re
from dataclasses import dataclass
from pathlib import Path

from pgo.errors import AppError, NotFound
from pgo.store.backup_open import remove_database
from pgo.store.files import disk_errors, previous, shred, sync_folder
from pgo.store.header import HEADER_NAME, Header, load_header, parse_header

_BEFORE = re.compile(re.escape(HEADER_NAME) + r"\.before-r([0-9]{1,6})")
_RESTORED_FILE = re.compile(r"store-[0-9]{1,6}-r([0-9]{1,6})\.db")


@dataclass(frozen=True, slots=True)
class Before:
    """A vault as it was before a restore, still lying beside it."""

    number: int
    header: Path
    database: Path
    size_bytes: int


def before(folder: Path) -> tuple[Before, ...]:
    """Vaults as they were before a restore, newest first."""
    found, present = [], present_header(folder)
    for path in folder.glob(HEADER_NAME + ".before-r*"):
        name = _BEFORE.fullmatch(path.name)
        if name is None:
            continue
        with contextlib.suppress(AppError):
            database = folder / parse_header(path.read_bytes()).header.db_file
            if present is not None and database.name == present.db_file:
                continue  # a restore that was cut off before its switch
            size = database.stat().st_size if database.exists() else 0
            found.append(Before(int(name.group(1)), path, database, size))
    return tuple(sorted(found, key=lambda one: -one.number))


def forget_before(folder: Path) -> int:
    """Destroy what lies beside the vault from before its restores, and what no header names.

    Returns how many vaults went. The vault that is in use stays, whatever names it.

    Raises:
        NotFound: ``vault``.
        StoreDamaged: ``header``, it cannot be read: then nobody knows which database is the one in use.
    """
    current = folder / HEADER_NAME
    if not current.exists():
        raise NotFound("vault")
    present = parse_header(current.read_bytes()).header
    gone = before(folder)
    with disk_errors():
        previous(current).unlink(missing_ok=True)  # it may name what goes now
        for path in folder.glob("store-*.db"):
            if path.name != present.db_file:
                shred(path)
                remove_database(path)
        for path in folder.glob(HEADER_NAME + ".before-r*"):
            path.unlink()
        sync_folder(folder)
    return len(gone)


def present_header(folder: Path) -> Header | None:
    """The header that is there, None when none can be read: then a backup is what helps."""
    with contextlib.suppress(AppError):
        return load_header(folder).header
    return None


def named_databases(folder: Path) -> list[Path]:
    """Database files that a header of this folder names: the present one, the one before, the kept ones."""
    found: list[Path] = []
    for path in folder.glob(HEADER_NAME + "*"):
        with contextlib.suppress(AppError, OSError):
            found.append(folder / parse_header(path.read_bytes()).header.db_file)
    return found


def unnamed_databases(folder: Path) -> list[Path]:
    """Databases of restores that were cut off before their switch: no header ever named them.

    None while the present header cannot be read: it may name any of them.
    """
    try:
        parse_header((folder / HEADER_NAME).read_bytes())
    except (AppError, OSError):
        return []
    named = {path.name for path in named_databases(folder)}
    return [
        path
        for path in folder.glob("store-*-r*.db")
        if _RESTORED_FILE.fullmatch(path.name) and path.name not in named
    ]


def next_number(folder: Path) -> int:
    """The number of the next restore: one that no file here carries yet."""
    names = [path.name for path in folder.iterdir()]
    found = [form.fullmatch(name) for name in names for form in (_BEFORE, _RESTORED_FILE)]
    return max((int(match.group(1)) for match in found if match), default=0) + 1
