"""Names that point elsewhere: no name from outside ever becomes a place on the disk (check 19).

Every open, rename, link and removal of this process is watched while the names travel through import, store
and export; the vault's own folder is the only place where anything may happen.
"""

from __future__ import annotations

import base64
import io
import os
import sys
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import Any

from pgo.ui.paper_words import PaperWords
from pgo.usecases.collect import collect
from pgo.usecases.export_archive import export_archive
from tests.support.fault_figures import figures
from tests.support.vaults import Home, a_bundle, a_condition, a_patient

NAMES = (
    "../../outside.json", "/etc/outside.json", "..\\..\\outside.json", "C:\\outside.json", "C:outside.json",
    "\\\\server\\share\\outside.json", "//server/outside.json", "a/../../../outside.json", "~/outside.json",
    "$HOME/outside.json", "%TEMP%\\outside.json", "CON", "aux.json", "NUL.json", "lpt1", "file.json:stream",
    "name\u202ejson.exe", "name\njson", "name.json.", " ", ".", "..", "a" * 5_000, "nul\x00byte.json",
)  # fmt: skip
_WATCHED = frozenset({"os.rename", "os.remove", "os.link", "os.symlink", "os.mkdir", "os.rmdir", "os.chmod"})
_WRITES = frozenset("wax+")
_watch: list[set[str]] = []


def _hook(event: str, arguments: tuple[Any, ...]) -> None:
    if not _watch:
        return
    if event == "open" and isinstance(arguments[0], str | Path) and _to_write(*arguments[1:3]):
        _watch[-1].add(str(arguments[0]))
    elif event in _WATCHED:
        _watch[-1].update(str(part) for part in arguments if isinstance(part, str | Path))


def _to_write(mode: str | None, flags: int) -> bool:
    """Whether an open is for writing: ``open`` says so by its mode, ``os.open`` by its flags only."""
    return bool(_WRITES & set(mode)) if mode is not None else bool(flags & (os.O_WRONLY | os.O_RDWR))


sys.addaudithook(_hook)


@contextmanager
def watched() -> Iterator[set[str]]:
    """The paths that were written, made, renamed or removed."""
    _watch.append(set())
    try:
        yield _watch[-1]
    finally:
        _watch.pop()


def zip_of(names: tuple[str, ...]) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for number, name in enumerate(names):
            member = zipfile.ZipInfo(name.split("\x00")[0] or "x")
            member.external_attr = (0o120777 if number % 4 == 0 else 0o100644) << 16  # each fourth a link
            archive.writestr(member, a_bundle(a_patient(), a_condition(f"c{number}")))
    return packed.getvalue()


def a_document(number: int, title: str) -> dict[str, Any]:
    content = {
        "contentType": "application/pdf",
        "data": base64.b64encode(b"%PDF-1.4 x").decode(),
        "title": title,
    }
    return {
        "resourceType": "DocumentReference", "id": f"d{number}", "status": "current", "description": title,
        "subject": {"reference": "Patient/p1"}, "content": [{"attachment": content}],
    }  # fmt: skip


def harmless(name: str) -> bool:
    """Whether a member name stays where an unpacker is told to unpack, on any system."""
    parts = (*PurePosixPath(name).parts, *PureWindowsPath(name).parts)
    stems = {Path(part).stem.casefold() for part in parts}
    windows = PureWindowsPath(name)
    return (
        not ({"..", "~"} & set(parts) or windows.drive or windows.root or name.startswith("/"))
        and not stems & {"con", "aux", "nul", "prn", "lpt1", "com1"}
        and name.isascii()
        and name.isprintable()
        and ":" not in name
        and len(name) < 200
    )


def test_no_name_from_outside_becomes_a_place(tmp_path: Path) -> None:
    home = Home(tmp_path / "vaults")
    session = home.open_new()
    documents = [a_document(number, name.replace("\x00", "")) for number, name in enumerate(NAMES)]
    with watched() as touched:
        collect(session, zip_of(NAMES), name="../../../names.zip")
        for number, name in enumerate(NAMES):
            collect(session, a_bundle(a_patient(), a_condition(f"n{number}")), name=name.replace("\x00", ""))
        collect(session, a_bundle(a_patient(), *documents), name="documents.json")
        made = export_archive(session, PaperWords("nl"))
    session.lock()
    outside = [path for path in touched if not Path(path).resolve().is_relative_to(home.folder)]
    with zipfile.ZipFile(io.BytesIO(made.data)) as archive:
        members = archive.namelist()
    strange = [name for name in members if not harmless(name)]
    figures["hostile names"] = (
        f"{len(NAMES)} names as file, zip member and document: {len(outside)} files outside,"
        f" {len(strange)} of {len(members)} names in the export lead elsewhere"
    )
    assert outside == []
    assert strange == []
    assert sum(name.startswith("documents/") for name in members) == len(NAMES)


def test_the_watch_sees_a_file_outside(tmp_path: Path) -> None:
    """The control: a naive unpacker is caught, and most of the names above lead elsewhere."""
    with watched() as touched:
        (tmp_path / "outside.json").write_text("x")
    assert any(path.endswith("outside.json") for path in touched)
    assert sum(not harmless(name) for name in NAMES) >= 18
