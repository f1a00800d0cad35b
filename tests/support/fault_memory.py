"""Look for byte strings in the memory of another process and in files (Linux: proc(5), /proc/pid/mem)."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from pathlib import Path

_REGION = re.compile(r"([0-9a-f]+)-([0-9a-f]+) r")
_CHUNK_BYTES = 16 << 20


def in_memory(pid: int, wanted: Mapping[str, bytes]) -> Counter[str]:
    """How often each string stands in the readable memory of a process."""
    found: Counter[str] = Counter()
    longest = max(map(len, wanted.values()))
    with Path(f"/proc/{pid}/mem").open("rb", buffering=0) as memory:
        for line in Path(f"/proc/{pid}/maps").read_text().splitlines():
            region = _REGION.match(line)
            if region is None or line.endswith(("[vvar]", "[vsyscall]")):
                continue
            start, end = (int(number, 16) for number in region.groups())
            for at in range(start, end, _CHUNK_BYTES):
                try:
                    memory.seek(at)
                    piece = memory.read(min(_CHUNK_BYTES + longest - 1, end - at))
                except OSError:  # a guard page, a device
                    continue
                found.update({name: piece.count(text) for name, text in wanted.items()})
    return +found


def in_files(folders: Iterable[Path], wanted: Mapping[str, bytes]) -> dict[str, list[str]]:
    """Which files under the folders hold which strings."""
    found: dict[str, list[str]] = {}
    for folder in folders:
        for path in folder.rglob("*"):
            if path.is_file():
                data = path.read_bytes()
                held = [name for name, text in wanted.items() if text in data]
                if held:
                    found[path.name] = held
    return found
