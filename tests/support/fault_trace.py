"""What a process did to a folder, read from a trace of its system calls, as operations on files and names.

Files and folders are numbers here, so that an operation stays true when a name changes later. Calls that
failed, and calls outside the folder, are left out.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeAlias

CALLS = "openat,write,pwrite64,ftruncate,fsync,fdatasync,unlink,rmdir,rename,link,mkdir,sendto"
OPTIONS = ("-y", "-xx", "-s", "10000000", "-e", f"trace={CALLS}")
ROOT = 0

_LINE = re.compile(r"(?P<call>[a-z0-9]+)\((?P<arguments>.*)\)\s+= (?P<result>-?\d+)")
_HEX = re.compile(r"\\x([0-9a-f]{2})")
_TEXTS = re.compile(r'"((?:\\x[0-9a-f]{2})*)"')
_HANDLE = re.compile(r"(\d+)<((?:\\x[0-9a-f]{2}|[^>\\])*)>")
_SHARED_MEMORY = "-shm"  # written through mmap, never synced, rebuilt by the engine after a crash


@dataclass(frozen=True)
class Write:
    """Bytes at a place of a file."""

    file: int
    offset: int
    data: bytes


@dataclass(frozen=True)
class Cut:
    """A file got another length."""

    file: int
    size: int


@dataclass(frozen=True)
class Rename:
    """Names that changed together: (folder, name) to a node, or to nothing; which nodes are folders."""

    entries: tuple[tuple[int, str, int | None], ...]
    folders: frozenset[int] = frozenset()


@dataclass(frozen=True)
class Sync:
    """What was written to this file, or named in this folder, is on the disk from here on."""

    node: int


@dataclass(frozen=True)
class Ack:
    """The process said that a step is done."""


Operation: TypeAlias = Write | Cut | Rename | Sync | Ack


@dataclass
class Tree:
    """A folder: names in folders, and the bytes of files."""

    names: dict[int, dict[str, int]] = field(default_factory=lambda: {ROOT: {}})
    data: dict[int, bytes] = field(default_factory=dict)

    def find(self, parts: Iterable[str]) -> int | None:
        node: int | None = ROOT
        for part in parts:
            node = self.names.get(node, {}).get(part) if node is not None else None
        return node

    def fresh(self) -> int:
        return 1 + max([*self.names, *self.data])

    def write_to(self, folder: Path, node: int = ROOT) -> None:
        """Lay the tree down in an empty folder."""
        folder.mkdir(mode=0o700)
        for name, child in self.names[node].items():
            if child in self.names:
                self.write_to(folder / name, child)
            else:
                (folder / name).write_bytes(self.data[child])


def read_tree(folder: Path) -> Tree:
    """The folder as it lies on the disk before the process starts."""
    tree = Tree()

    def take(path: Path, node: int) -> None:
        for entry in sorted(path.iterdir()):
            if entry.name.endswith(_SHARED_MEMORY):
                continue
            child = tree.fresh()
            tree.names[node][entry.name] = child
            if entry.is_dir():
                tree.names[child] = {}
                take(entry, child)
            else:
                tree.data[child] = entry.read_bytes()

    take(folder, ROOT)
    return tree


class TraceReader:
    """Follows the names while it reads; ``operations`` is what happened, in order."""

    def __init__(self, folder: Path, start: Tree) -> None:
        self._folder = folder.resolve()
        self._live = Tree({node: dict(names) for node, names in start.names.items()}, dict(start.data))
        self._next = start.fresh()
        self._places: dict[str, int] = {}
        self.operations: list[Operation] = []

    def read(self, trace: str) -> list[Operation]:
        for line in trace.splitlines():
            found = _LINE.match(line)
            if found is not None and not found["result"].startswith("-"):
                self._take(found["call"], found["arguments"], int(found["result"]))
        return self.operations

    def _take(self, call: str, arguments: str, result: int) -> None:
        texts = [_decoded(text) for text in _TEXTS.findall(arguments)]
        if call == "sendto":
            if texts and texts[0].startswith(b'{"done"'):
                self.operations.append(Ack())
        elif call == "openat":
            self._opened(_text(texts[0]), arguments, result)
        elif call in ("write", "pwrite64", "ftruncate", "fsync", "fdatasync"):
            self._on_file(call, arguments, texts, result)
        else:
            self._on_names(call, [self._parts(_text(text)) for text in texts])

    def _opened(self, path: str, arguments: str, handle: int) -> None:
        self._places[str(handle)] = 0
        parts = self._parts(path)
        if parts is None:
            return
        node = self._live.find(parts)
        if node is None and "O_CREAT" in arguments:
            self._name((*self._place(parts), self._new_file()))
        elif node is not None and "O_TRUNC" in arguments:
            self.operations.append(Cut(node, 0))

    def _on_file(self, call: str, arguments: str, texts: list[bytes], result: int) -> None:
        handle = _HANDLE.match(arguments)
        parts = self._parts(_text(_decoded(handle[2]))) if handle is not None else None
        node = self._live.find(parts) if parts is not None else None
        if handle is None or node is None:
            return
        if call in ("fsync", "fdatasync"):
            self.operations.append(Sync(node))
        elif call == "ftruncate":
            self.operations.append(Cut(node, int(arguments.rpartition(",")[2])))
        else:
            at = int(arguments.rpartition(",")[2]) if call == "pwrite64" else self._places[handle[1]]
            if call == "write":
                self._places[handle[1]] = at + result
            self.operations.append(Write(node, at, texts[0][:result]))

    def _on_names(self, call: str, paths: list[tuple[str, ...] | None]) -> None:
        inside = [path for path in paths if path]
        if not inside:
            return
        if len(inside) != len(paths):
            raise ValueError("a name moved in or out of the folder under test")
        first = self._live.find(inside[0])
        if call == "mkdir":
            node = self._new_folder()
            self._name((*self._place(inside[0]), node))
        elif call in ("unlink", "rmdir"):
            self._name((*self._place(inside[0]), None))
        elif call == "link":
            self._name((*self._place(inside[1]), first))
        else:
            self._name((*self._place(inside[1]), first), (*self._place(inside[0]), None))

    def _name(self, *entries: tuple[int, str, int | None]) -> None:
        change = Rename(entries, frozenset(node for _, _, node in entries if node in self._live.names))
        apply_names(self._live, change)
        self.operations.append(change)

    def _place(self, parts: tuple[str, ...]) -> tuple[int, str]:
        parent = self._live.find(parts[:-1])
        if parent is None:
            raise ValueError("a name in a folder that was never made")
        return parent, parts[-1]

    def _new_file(self) -> int:
        self._next += 1
        return self._next

    def _new_folder(self) -> int:
        self._next += 1
        self._live.names[self._next] = {}
        return self._next

    def _parts(self, path: str) -> tuple[str, ...] | None:
        if path.endswith((_SHARED_MEMORY, " (deleted)")):
            return None
        try:
            return Path(path).relative_to(self._folder).parts
        except ValueError:
            return None


def apply_names(tree: Tree, change: Rename) -> None:
    """Change names; what is named gets at least an empty content."""
    for folder, name, node in change.entries:
        tree.names.setdefault(folder, {})
        if node is not None and node in change.folders:
            tree.names.setdefault(node, {})
        elif node is not None:
            tree.data.setdefault(node, b"")
        if node is None:
            tree.names[folder].pop(name, None)
        else:
            tree.names[folder][name] = node


def _decoded(text: str) -> bytes:
    return bytes.fromhex("".join(_HEX.findall(text)))


def _text(data: bytes) -> str:
    return data.decode("utf-8", errors="surrogateescape")


_OPENED = re.compile(r'(?:openat|open|creat)\([^"]*"(?P<path>[^"]*)"(?P<how>[^)]*)\)\s+= \d+')
_TO_WRITE = ("O_WRONLY", "O_RDWR", "O_CREAT")


def paths_written(trace: str) -> list[Path]:
    """Files that were opened for writing, in a trace of ``openat`` without ``-xx``."""
    found = (_OPENED.search(line) for line in trace.splitlines())
    return [Path(one["path"]) for one in found if one and any(flag in one["how"] for flag in _TO_WRITE)]
