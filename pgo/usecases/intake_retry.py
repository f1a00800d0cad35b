"""What was set aside: list it, try it again, hand it out, throw it away.

Rules:

1. An entry that can be read now becomes a record under the file it came with; one that cannot keeps waiting,
   with today's reason. Everything of one file is one transaction.
2. After an update of the reader every entry is tried again once, by itself (``retry_after_update``).
3. Records of somebody else are not mixed in by the back door: such entries keep waiting, and so does
   everything of a file about which the person would have to be asked.
"""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import TypeAlias
from xml.sax.saxutils import quoteattr

from pgo.errors import InputRefused, NotFound
from pgo.health.record import slicing
from pgo.health.record.reader import READER_VERSION
from pgo.health.record.resource import Intake, Refused, Resource, SetAside
from pgo.health.record.xml_tree import FHIR
from pgo.store.journal import Event
from pgo.store.quarantine import Waiting, WaitingBytes
from pgo.usecases.content import prepare
from pgo.usecases.persons import Verdict, sort_by_person
from pgo.usecases.queue import records_changed
from pgo.usecases.same_person_link import PERSON_REFERENCES
from pgo.usecases.saving import compare, save, vault_person
from pgo.usecases.session import Session

__all__ = ["Retried", "Waiting", "entry_file", "retry", "retry_after_update", "throw_away", "waiting"]

Progress: TypeAlias = Callable[[int, int], None]

_BATCH_BYTES = 15_000_000
_BATCH_ENTRIES = 500


@dataclass(frozen=True, slots=True)
class Retried:
    """What a new try brought: records stored, entries that needed no place any more, entries that wait on."""

    imported: int
    settled: int
    waiting: int


def waiting(session: Session) -> tuple[Waiting, ...]:
    """What was set aside and kept, newest file first."""
    return tuple(session.store.quarantine.waiting())


def retry(session: Session, *, on_progress: Progress | None = None) -> Retried:
    """Try everything again that waits.

    Args:
        session: the open vault.
        on_progress: called with (done, total) entries, from this thread.
    """
    return _retry(session, [one.id for one in waiting(session)], on_progress)


def retry_after_update(session: Session) -> Retried:
    """Try again what an older reader set aside; nothing to do in most sessions."""
    return _retry(session, session.store.quarantine.read_before(READER_VERSION), None)


def throw_away(session: Session, entry_id: int) -> None:
    """Forget one entry for good.

    Raises:
        NotFound: it is not there (any more).
    """
    at = session.now()
    with session.store.alone():
        if not session.store.quarantine.bytes_of([entry_id]):
            raise NotFound("set_aside")
        with session.store.write(at):
            session.store.quarantine.remove([entry_id])
            session.store.journal.add(Event.QUARANTINE_DISCARDED, at=at, entries=1)
    session.changed()


def entry_file(session: Session, entry_id: int) -> tuple[str, bytes]:
    """Give one entry as a file: a name without anything of the person in it, and the bytes as they came.

    Raises:
        NotFound: it is not there (any more).
    """
    found = session.store.quarantine.bytes_of([entry_id])
    if not found:
        raise NotFound("set_aside")
    raw = found[0].raw
    ending = "xml" if raw.lstrip()[:1] == b"<" else "json" if raw.lstrip()[:1] in b"{[" else "bin"
    return f"set-aside-{entry_id}.{ending}", raw


def _retry(session: Session, ids: Sequence[int], on_progress: Progress | None) -> Retried:
    report = on_progress or _silent
    done = imported = settled = 0
    for batch in _batches(session, ids):
        try:
            intake = session.reader.read(_as_zip(batch), name="")
        except Refused as exc:
            raise InputRefused(exc.code, exc.detail) from exc
        with session.store.alone():
            new, gone = _settle(session, batch, intake)
        imported, settled, done = imported + new, settled + gone, done + len(batch)
        report(done, len(ids))
    if settled:
        session.changed()
    return Retried(imported, settled, len(ids) - settled)


def _batches(session: Session, ids: Sequence[int]) -> Iterator[list[WaitingBytes]]:
    """Give entries of one file at a time, no more than the reader takes at once."""
    sizes = {one.id: one for one in waiting(session)}
    known = [sizes[number] for number in ids if number in sizes]
    for _, group in groupby(known, key=lambda one: one.source_id):
        batch: list[int] = []
        room = _BATCH_BYTES
        for one in group:
            if batch and (one.size_bytes > room or len(batch) == _BATCH_ENTRIES):
                yield session.store.quarantine.bytes_of(batch)
                batch, room = [], _BATCH_BYTES
            batch.append(one.id)
            room -= one.size_bytes
        yield session.store.quarantine.bytes_of(batch)


def _as_zip(batch: Sequence[WaitingBytes]) -> bytes:
    """Put the entries side by side, each a file of its own: the reader numbers them as they stand here."""
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w", zipfile.ZIP_STORED) as archive:
        for number, one in enumerate(batch, start=1):
            archive.writestr(zipfile.ZipInfo(str(number)), _standing_alone(one))
    return held.getvalue()


def _standing_alone(one: WaitingBytes) -> bytes:
    """Put a Bundle around an entry: a piece of XML has lost its name space, a resource its full url."""
    raw = one.raw
    if one.entry == "file" or raw.startswith((b"PK", b"\x1f\x8b")):
        return raw
    if raw.lstrip()[:1] == b"<":
        return _in_xml(raw, one.full_url)
    try:
        is_resource = b"resourceType" in raw and "resourceType" in slicing.members(raw)
    except slicing.NotSliceable:
        return raw
    if not is_resource:
        return b'{"resourceType":"Bundle","type":"collection","entry":[' + raw + b"]}"
    if not one.full_url:
        return raw
    from pgo.health.record.writer import write_json  # for this one text

    address = write_json({"fullUrl": one.full_url})[:-1]
    return (
        b'{"resourceType":"Bundle","type":"collection","entry":[' + address + b',"resource":' + raw + b"}]}"
    )


def _in_xml(raw: bytes, full_url: str) -> bytes:
    if FHIR.encode() in raw[:300] or raw.lstrip().startswith(b"<?"):
        return raw
    address = f"<fullUrl value={quoteattr(full_url)}/>".encode() if full_url else b""
    entry = (
        raw
        if raw.startswith(b"<entry")
        else b"<entry>" + address + b"<resource>" + raw + b"</resource></entry>"
    )
    return b'<Bundle xmlns="' + FHIR.encode() + b'"><type value="collection"/>' + entry + b"</Bundle>"


def _settle(session: Session, batch: Sequence[WaitingBytes], intake: Intake) -> tuple[int, int]:
    """Store what was read of one batch. Returns how many records came and how many entries are settled."""
    store, at = session.store, session.now()
    known = frozenset(store.settings.get(PERSON_REFERENCES) or ())
    sorting = sort_by_person(intake.resources, person=vault_person(store), known=known, accept=False)
    failed = {number: (one.code, one.detail) for one in reversed(intake.set_aside) for number in _places(one)}
    foreign = [intake.resources[index] for index in sorting.others]
    for number, one in enumerate(batch, start=1):
        if any(_came_from(resource, one) for resource in foreign):
            failed.setdefault(number, ("other_patient", ""))
    mine = [intake.resources[i] for i in sorting.ours] if sorting.verdict is Verdict.TAKE else []
    if sorting.verdict is not Verdict.TAKE:
        failed = {number: failed.get(number, ("other_patient", "")) for number in range(1, len(batch) + 1)}
    changes = compare(store, mine)
    prepared = prepare(store, changes.new, self_authored=False)
    gone = [one.id for number, one in enumerate(batch, start=1) if number not in failed]
    with store.write(at):
        stored = save(store, prepared, source_id=batch[0].source_id, at=at)
        store.quarantine.remove(gone)
        still = [(batch[number - 1].id, *why) for number, why in failed.items()]
        store.quarantine.tried(still, reader=READER_VERSION)
        counts = {"imported": len(stored), "waiting": len(still)}
        store.journal.add(Event.QUARANTINE_RETRIED, at=at, source=batch[0].source_id, **counts)
        if stored:
            records_changed(store, at=at)
    return len(stored), len(gone)


def _places(one: SetAside) -> Iterator[int]:
    """Give the number of the file a set-aside piece of a zip came from."""
    number = one.entry.removeprefix("file ").partition(",")[0]
    if number.isdecimal():
        yield int(number)


def _came_from(resource: Resource, one: WaitingBytes) -> bool:
    return (resource.original or resource.raw) in one.raw


def _silent(done: int, total: int) -> None:
    """Tell nobody."""
