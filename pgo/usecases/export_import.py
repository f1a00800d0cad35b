"""Take an export archive back in: the records with all their contents, the trash, what was set aside.

Rules:

1. An archive that does not hold is refused as a whole; nothing of it is stored.
2. The same rules as for any file: another person's records are never mixed in without asking, what is there
   already is unchanged, what lies in the trash stays there, everything is one transaction.
3. A record that is new here comes back with its older contents, its original, its source and its place (list
   or trash); of a record that is known here only the newest content counts.
4. Consents and journal of the other vault stay files: they are signed by its keys. What was shared there is
   not shared from here.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from urllib.parse import quote

from crypto.canonical import sha256_id
from crypto.errors import CryptoError
from pgo.errors import InputRefused
from pgo.health.record.kinds import kind_of
from pgo.health.record.reader import READER_VERSION
from pgo.health.record.resource import Resource, SetAside
from pgo.store.journal import Event
from pgo.store.quarantine import Quarantined
from pgo.usecases.collect import CollectResult, of_others, person_question, read
from pgo.usecases.content import ORIGIN_URN, content_hash, identity_of, prepare, stored_resource
from pgo.usecases.export_lines import RecordLine, SourceLine, VersionLine
from pgo.usecases.export_read import Opened, is_archive, open_archive
from pgo.usecases.persons import Verdict, sort_by_person
from pgo.usecases.queue import records_changed
from pgo.usecases.same_person_link import PERSON_REFERENCES, is_link, linked_references
from pgo.usecases.saving import compare, save, vault_person
from pgo.usecases.session import Session

__all__ = ["is_archive", "take_archive"]

Identity = tuple[str, str, str]


@dataclass(frozen=True, slots=True)
class _Contents:
    """What an archive holds: newest contents with their lines, and what the reader did not take."""

    opened: Opened
    lines: Mapping[Identity, RecordLine]
    resources: tuple[Resource, ...]
    aside: tuple[SetAside, ...]


@dataclass(frozen=True, slots=True)
class _Piece:
    """One content to store, with its source and moment."""

    resource: Resource
    own: bool
    source: int
    stored_at: datetime


def take_archive(
    session: Session,
    data: bytes,
    *,
    name: str,
    on_progress: Callable[[int, int], None] | None = None,
    accept_person: bool = False,
    cancelled: Callable[[], bool] | None = None,
) -> CollectResult:
    """Read an archive and store what is new in it; arguments and result as ``pgo.usecases.collect.collect``.

    Raises:
        InputRefused: ``archive_damaged`` with the member that does not hold; nothing was stored.
    """
    started = session.app.clock()
    report = on_progress or _silent
    contents = _read(session, open_archive(data), name=name, report=report, cancelled=cancelled)
    with session.store.alone():
        result = _take(session, contents, data=data, name=name, accept_person=accept_person)
    report(1, 1)
    if result.imported:
        session.changed()
    return replace(result, seconds=(session.app.clock() - started).total_seconds())


def _read(
    session: Session,
    opened: Opened,
    *,
    name: str,
    report: Callable[[int, int], None],
    cancelled: Callable[[], bool] | None,
) -> _Contents:
    """Read the Bundles with the reader of all files; each resource gets its line's address and original."""
    lines = {(line.type, line.id, line.origin): line for line in opened.records()}
    resources: list[Resource] = []
    aside: list[SetAside] = []
    for part in (*opened.bundles("records"), *opened.bundles("trash")):
        intake = read(session, part, name=name, report=_silent, cancelled=cancelled)
        resources += [_completed(one, lines) for one in intake.resources]
        aside += intake.set_aside
        report(len(resources), 2 * max(len(lines), 1))
    return _Contents(opened, lines, tuple(resources), tuple(aside))


def _completed(resource: Resource, lines: Mapping[Identity, RecordLine]) -> Resource:
    line = lines.get(_identity(resource))
    if line is None or not line.versions:
        return resource
    newest = line.versions[-1]
    completed = replace(resource, original=newest.original, original_format=newest.format)
    as_it_came = replace(completed, full_url=line.full_url or None)
    # Its own address, unless the record is known by more than that says.
    return as_it_came if _identity(as_it_came) == _identity(resource) else completed


def _take(
    session: Session, contents: _Contents, *, data: bytes, name: str, accept_person: bool
) -> CollectResult:
    store = session.store
    known = frozenset(store.settings.get(PERSON_REFERENCES) or ())
    person = vault_person(store)
    linked = linked_references(contents.resources)
    mine = tuple(one for one in contents.resources if not is_link(one))
    sorting = sort_by_person(mine, person=person, known=known, accept=accept_person, linked=linked)
    aside = (*contents.aside, *of_others(mine, sorting))
    if sorting.verdict is not Verdict.TAKE:
        question = person_question(sorting, person)
        return CollectResult(name, 0, 0, 0, {}, aside if question is None else (), question, 0.0)
    changes = compare(store, [mine[index] for index in sorting.ours])
    waiting = any(not store.quarantine.holds(one.sha256) for one in _sources_set_aside(contents.opened))
    if changes.new or waiting:
        at = session.now()
        with store.write(at):
            source_id = store.records.add_source(
                name, sha256=sha256_id(data), kind="file", size_bytes=len(data), at=at
            )
            _store(session, contents, changes.new, source_id=source_id, at=at)
            store.settings.put(PERSON_REFERENCES, sorted(known | sorting.references))
            counts = {"imported": len(changes.new), "unchanged": changes.unchanged, "set_aside": len(aside)}
            store.journal.add(Event.FILE_COLLECTED, at=at, source=source_id, **counts)
            records_changed(store, at=at)
    by_kind = Counter(kind_of(resource.type) for resource in changes.new)
    return CollectResult(
        name, len(changes.new), changes.unchanged, changes.in_trash, by_kind, aside, None, 0.0
    )


def _store(
    session: Session, contents: _Contents, new: Sequence[Resource], *, source_id: int, at: datetime
) -> None:
    """Store all contents of the new records, oldest round first, then what belongs to the trash."""
    store = session.store
    sources = _add_sources(session, contents.opened)
    for group in list(_rounds(session, contents.lines, new, at=at)):
        first = group[0]
        prepared = prepare(store, [piece.resource for piece in group], self_authored=first.own)
        save(store, prepared, source_id=sources.get(first.source, source_id), at=first.stored_at)
    for resource in new:
        line = contents.lines.get(_identity(resource))
        if line is not None and line.trashed_at is not None:
            known = store.records.known(line.type, line.id, line.origin)
            if known is not None:
                store.records.move_to_trash(known.id, at=line.trashed_at)
    _set_aside(session, contents.opened, sources)
    entries = [
        Quarantined(one.entry, one.type, one.id, one.code, one.detail, one.raw, one.full_url, READER_VERSION)
        for one in contents.aside
    ]
    store.quarantine.add(source_id, entries)
    _keep_apart(session, contents.opened, at=at)


def _keep_apart(session: Session, opened: Opened, *, at: datetime) -> None:
    """What the patient said is not the same stays so."""
    records = session.store.records
    pairs = [
        frozenset({one.id, other.id})
        for one, other in ((records.known(*one), records.known(*other)) for one, other in opened.apart())
        if one is not None and other is not None and one.id != other.id
    ]
    records.reading.apart.add(pairs, at=at)


def _rounds(
    session: Session, lines: Mapping[Identity, RecordLine], new: Sequence[Resource], *, at: datetime
) -> Iterator[list[_Piece]]:
    """Contents that may be stored together: first contents first, one source and moment at a time."""
    rounds: dict[tuple[int, datetime, int, bool], list[_Piece]] = {}
    for resource in new:
        line = lines.get(_identity(resource))
        known = session.store.records.known(*_identity(resource)) is not None
        if line is None or not line.versions or known:
            pieces = [_Piece(resource, line is not None and line.own, -1, at)]
        else:
            older = [_Piece(_older(line, v), line.own, v.source, v.stored_at) for v in line.versions[:-1]]
            newest = line.versions[-1]
            pieces = [*older, _Piece(resource, line.own, newest.source, newest.stored_at)]
        for number, piece in enumerate(pieces):
            key = (number, piece.stored_at, piece.source, piece.own)
            rounds.setdefault(key, []).append(piece)
    yield from (rounds[key] for key in sorted(rounds))


def _older(line: RecordLine, version: VersionLine) -> Resource:
    """An older content under the address of its record, so that it is stored as that record."""
    url = line.full_url or f"{ORIGIN_URN}{quote(line.origin, safe='')}/{line.type}/{line.id}"
    try:
        resource = stored_resource(version.raw or b"", url)
    except (CryptoError, KeyError, TypeError) as exc:
        raise InputRefused("archive_damaged", "versions") from exc
    completed = replace(resource, original=version.original, original_format=version.format)
    if _identity(completed) != (line.type, line.id, line.origin):
        raise InputRefused("archive_damaged", "versions")
    return completed


def _add_sources(session: Session, opened: Opened) -> dict[int, int]:
    """Number in the archive to number here."""
    add = session.store.records.add_source
    return {
        one.source: add(
            one.name,
            sha256=one.sha256,
            kind="self" if one.kind == "self" else "file",
            size_bytes=one.bytes,
            at=one.collected_at,
        )
        for one in opened.sources()
    }


def _sources_set_aside(opened: Opened) -> list[SourceLine]:
    """Sources of which something was set aside."""
    numbers = {one.source for one in opened.set_aside()}
    return [one for one in opened.sources() if one.source in numbers]


def _set_aside(session: Session, opened: Opened, sources: Mapping[int, int]) -> None:
    held = {one.source for one in _sources_set_aside(opened) if session.store.quarantine.holds(one.sha256)}
    by_source: dict[int, list[Quarantined]] = {}
    for one in opened.set_aside():
        entry = Quarantined(
            one.entry, one.type, one.id, one.code, one.detail, one.raw, one.full_url, one.reader
        )
        by_source.setdefault(one.source, []).append(entry)
    for source, entries in by_source.items():
        if source in sources and source not in held:
            session.store.quarantine.add(sources[source], entries)


def _identity(resource: Resource) -> Identity:
    return identity_of(resource, content_hash(resource.body))


def _silent(done: int, total: int) -> None:
    """Tell nobody."""
