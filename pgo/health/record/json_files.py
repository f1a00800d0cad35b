"""Read JSON files: one resource, a Bundle of any type, nested Bundles, or one resource per line.

Rules:

1. Each entry or line passes the strict JSON reader (``crypto.canonical.parse_strict``) on its own, then
   ``taking``. The reason of the first broken rule is kept, with the bytes.
2. A Bundle inside a Bundle is opened, at most four deep. The Bundle itself is packaging and is not kept.
3. Lines are recognised by what stands in them, never by the name of the file.
4. A line is at most 5 MB, and there are at most 200,000 lines or entries.

Sources: HL7 FHIR R4, https://hl7.org/fhir/R4/bundle.html, /json.html, /nd-json.html; RFC 8259.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import TypeAlias

from crypto.canonical import parse_strict
from crypto.errors import Malformed
from pgo.health.record import slicing
from pgo.health.record.resource import Refused, Resource, SetAside
from pgo.health.record.taking import Piece, names_stu3, take_body

MAX_TEXT_BYTES = 50_000_000
MAX_LINE_BYTES = 5_000_000
MAX_ENTRIES = 200_000
MAX_DEPTH = 64
MAX_BUNDLE_DEPTH = 4
PROGRESS_EVERY = 64

Progress: TypeAlias = Callable[[int, int], None]
_SPACE = b" \t\r\n"
_TOP_MEMBER = re.compile(rb'\{\s*"resourceType"\s*:\s*"Bundle"')
_LOOKED_AT_LINES = 5


def read_json(data: bytes, report: Progress) -> tuple[str, Iterator[Resource | SetAside]]:
    """Read a JSON file.

    Args:
        data: The file, untrusted, at most the size the caller allows.
        report: Told (done, total) entries.

    Returns:
        ``"ndjson"`` or ``"json"``, and what is found, in file order, as it is read.

    Raises:
        Refused: When nothing of the file can be used.
    """
    reading = _Reading(report, names_stu3(data))
    if _looks_like_lines(data):
        return "ndjson", reading.lines(data)
    return "json", reading.document(data.strip(_SPACE))


def _looks_like_lines(data: bytes) -> bool:
    """Say whether complete objects stand on lines of their own."""
    lines = [line.strip(_SPACE) for line in data.lstrip(_SPACE).split(b"\n", _LOOKED_AT_LINES)]
    lines = [line for line in lines[:_LOOKED_AT_LINES] if line]
    if len(lines) < 2:
        return False
    if _is_object(lines[0]):
        return True
    # A first line may be broken; then a later one must be whole, and the file no JSON of one piece.
    return any(_is_object(line) for line in lines[1:]) and not _is_object(data)


def _is_object(text: bytes) -> bool:
    if not (text.lstrip(_SPACE).startswith(b"{") and text.rstrip(_SPACE).endswith(b"}")):
        return False
    try:
        slicing.members(text)
    except slicing.NotSliceable:
        return False
    return True


@dataclass(frozen=True, slots=True)
class _Reading:
    """One file being read: whom to tell the count, and whether it names STU3 profiles."""

    report: Progress = field(repr=False)
    stu3_file: bool

    def lines(self, data: bytes) -> Iterator[Resource | SetAside]:
        lines = [(number, line.strip(_SPACE)) for number, line in enumerate(data.split(b"\n"), start=1)]
        lines = [(number, line) for number, line in lines if line]
        if len(lines) > MAX_ENTRIES:
            raise Refused("too_large", f"more than {MAX_ENTRIES} lines")
        for done, (number, line) in enumerate(lines):
            where = f"line {number}"
            if len(line) > MAX_LINE_BYTES:
                yield SetAside(where, None, None, "too_large", f"more than {MAX_LINE_BYTES} bytes", None)
            else:
                yield from self._resource(line, where, None, 1)
            self._tell(done + 1, len(lines))

    def document(self, data: bytes) -> Iterator[Resource | SetAside]:
        """Read a single resource or a Bundle; here a fault of the one resource is a fault of the file."""
        if _is_bundle(data):
            return self._bundle(data, "", 1)
        found = self._take(data, "file", None)
        if isinstance(found, SetAside):
            raise Refused(found.code, found.detail)
        self.report(1, 1)
        return iter((found,))

    def _bundle(self, data: bytes, inside: str, level: int) -> Iterator[Resource | SetAside]:
        """Open a Bundle. Faults of the package itself raise ``Refused``; faults of an entry are set aside."""
        try:
            parts = slicing.members(data)
            entries = slicing.items(parts["entry"]) if "entry" in parts else []
        except slicing.NotSliceable as exc:
            raise Refused("not_json", "the file is no complete JSON") from exc
        if len(entries) > MAX_ENTRIES:
            raise Refused("too_large", f"more than {MAX_ENTRIES} entries")
        _check_package(data, parts)
        return self._entries(entries, inside, level)

    def _entries(self, entries: list[bytes], inside: str, level: int) -> Iterator[Resource | SetAside]:
        outermost = level == 1
        for number, entry in enumerate(entries, start=1):
            yield from self._entry(entry, f"entry {inside}{number}", level)
            if outermost:
                self._tell(number, len(entries))
        if outermost and not entries:
            self.report(0, 0)

    def _entry(self, entry: bytes, where: str, level: int) -> Iterator[Resource | SetAside]:
        try:
            parts = slicing.members(entry)
        except slicing.NotSliceable:
            yield SetAside(where, None, None, *_reason_of(entry), entry)
            return
        if "resource" not in parts:
            code, detail = _reason_of(entry)
            yield SetAside(where, None, None, code, detail, entry)
            return
        shell_fault = _shell_fault(entry, parts["resource"])
        if shell_fault is not None:
            yield SetAside(where, None, None, shell_fault, "around the resource", entry)
            return
        yield from self._resource(parts["resource"], where, _full_url(parts.get("fullUrl")), level)

    def _resource(
        self, raw: bytes, where: str, full_url: str | None, level: int
    ) -> Iterator[Resource | SetAside]:
        if not _is_bundle(raw):
            yield self._take(raw, where, full_url)
            return
        if level >= MAX_BUNDLE_DEPTH:
            yield SetAside(where, "Bundle", None, "too_deep", "Bundle in Bundle", raw)
            return
        try:
            yield from self._bundle(raw, where.removeprefix("entry ") + ".", level + 1)
        except Refused as exc:
            yield SetAside(where, "Bundle", None, exc.code, exc.detail, raw)

    def _take(self, raw: bytes, where: str, full_url: str | None) -> Resource | SetAside:
        try:
            body = parse_strict(raw, max_bytes=MAX_TEXT_BYTES, max_depth=MAX_DEPTH)
        except Malformed as exc:
            return SetAside(where, None, None, exc.reason, _position(exc), raw)
        return take_body(body, Piece(where, full_url, raw, "json", self.stu3_file), raw=raw)

    def _tell(self, done: int, total: int) -> None:
        if done % PROGRESS_EVERY == 0 or done == total:
            self.report(done, total)


def _is_bundle(data: bytes) -> bool:
    if _TOP_MEMBER.match(data):
        return True
    if b'"Bundle"' not in data:
        return False
    try:
        return slicing.members(data).get("resourceType", b"").strip() == b'"Bundle"'
    except slicing.NotSliceable:
        return False


def _check_package(data: bytes, parts: dict[str, bytes]) -> None:
    """Pass the package without its entries through the strict reader, so that rule 1 holds for it as well."""
    listed = parts.get("entry")
    shell = data
    if listed is not None:
        start = data.find(listed)
        shell = data[:start] + b"[]" + data[start + len(listed) :]
    try:
        parse_strict(shell, max_bytes=MAX_TEXT_BYTES, max_depth=MAX_DEPTH)
    except Malformed as exc:
        raise Refused(exc.reason, "outside the entries") from exc


def _reason_of(entry: bytes) -> tuple[str, str]:
    """Say why an entry gives no resource: broken text, or nothing in it (a search note, a deletion)."""
    try:
        body = parse_strict(entry, max_bytes=MAX_TEXT_BYTES, max_depth=MAX_DEPTH)
    except Malformed as exc:
        return exc.reason, "entry"
    return ("empty", "no resource in the entry") if isinstance(body, dict) else ("bad_structure", "entry")


def _shell_fault(entry: bytes, resource: bytes) -> str | None:
    start = entry.find(resource)
    shell = entry[:start] + b"0" + entry[start + len(resource) :]
    try:
        parse_strict(shell, max_bytes=MAX_TEXT_BYTES, max_depth=MAX_DEPTH)
    except Malformed as exc:
        return exc.reason
    return None


def _full_url(raw: bytes | None) -> str | None:
    if raw is None:
        return None
    value = parse_strict(raw, max_bytes=MAX_LINE_BYTES)
    return value if isinstance(value, str) and value else None


def _position(exc: Malformed) -> str:
    return "" if exc.position is None else f"at {exc.position}"
