"""Take in a file of records: keep what can be kept, say what cannot and why.

Rules:
1. One bad entry never aborts the rest; it is set aside with a reason and its bytes are kept.
2. The same file twice changes nothing and says so.
3. Records of another person are never mixed in: the person is asked first, and nothing is stored until then.
4. Everything of one file is stored in one transaction.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TypeAlias

from crypto.canonical import sha256_id
from pgo.errors import InputRefused
from pgo.health.record.kinds import RecordKind, kind_of
from pgo.health.record.reader import READER_VERSION
from pgo.health.record.resource import Intake, PersonMention, Refused, Resource, SetAside
from pgo.store.journal import Event
from pgo.store.quarantine import Quarantined
from pgo.usecases.content import prepare
from pgo.usecases.persons import Sorted, Verdict, sort_by_person
from pgo.usecases.queue import records_changed
from pgo.usecases.same_person_link import PERSON_REFERENCES, is_link, linked_references
from pgo.usecases.saving import compare, save, vault_person
from pgo.usecases.session import Session

Progress: TypeAlias = Callable[[int, int], None]

READABLE_LATER = frozenset(
    {"wrong_version_stu3", "wrong_version_r5", "stu3_ambiguous", "unsupported_type", "unknown_type"}
)
"""Reasons that lie with us as much as with the file: the file is kept and tried again after an update."""

_ZIP = b"PK"


@dataclass(frozen=True, slots=True)
class PersonQuestion:
    """The file may be about somebody else.

    Attributes:
        vault_person: whom this vault is about.
        file_person: whom the file is about.
        certain: True when they differ for certain (another identifier), False when it cannot be told.
    """

    vault_person: PersonMention
    file_person: PersonMention
    certain: bool


@dataclass(frozen=True, slots=True)
class CollectResult:
    """What one file brought.

    Attributes:
        file: name as picked.
        imported: new records and new versions.
        unchanged: entries already there with equal content, or lying in the trash.
        in_trash: of these, entries the person threw away before; they stay in the trash.
        by_kind: imported, per kind.
        set_aside: entries not taken, with the reason, in file order.
        person_question: set when nothing was stored because the person must answer first.
        seconds: time taken.
    """

    file: str
    imported: int
    unchanged: int
    in_trash: int
    by_kind: Mapping[RecordKind, int]
    set_aside: tuple[SetAside, ...]
    person_question: PersonQuestion | None
    seconds: float


def collect(
    session: Session,
    data: bytes,
    *,
    name: str,
    on_progress: Callable[[int, int], None] | None = None,
    accept_person: bool = False,
    cancelled: Callable[[], bool] | None = None,
) -> CollectResult:
    """Read one file and store what it holds.

    Args:
        session: the open vault.
        data: untrusted bytes of the file.
        name: its name, shown as the source of the records.
        on_progress: called with (done, total) entries, from this thread.
        accept_person: the person looked at the question and said "yes, these records are mine".
        cancelled: asked while the file is read; yes stops it (``cancelled``), the store is unchanged.

    Raises:
        InputRefused: nothing of the file can be used (``not_json``, ``too_large``, ...); the store is
        unchanged. Locked: the session is closed.
    """
    started = session.app.clock()
    report = on_progress or _silent
    if (archive := _archive_taker(data)) is not None:
        return archive(
            session,
            data,
            name=name,
            on_progress=on_progress,
            accept_person=accept_person,
            cancelled=cancelled,
        )
    intake = read(session, data, name=name, report=report, cancelled=cancelled)
    with session.store.alone():
        result = store_intake(
            session, intake, data=data, name=name, report=report, accept_person=accept_person
        )
    if result.imported or result.set_aside:
        session.changed()
    return replace(result, seconds=(session.app.clock() - started).total_seconds())


def _archive_taker(data: bytes) -> Callable[..., CollectResult] | None:
    """Give what takes an archive of our own back in, ``None`` for every other file."""
    if not data.startswith(_ZIP):
        return None
    from pgo.usecases.export_import import is_archive, take_archive  # it builds on this module

    return take_archive if is_archive(data) else None


def read(
    session: Session,
    data: bytes,
    *,
    name: str,
    report: Progress,
    cancelled: Callable[[], bool] | None = None,
) -> Intake:
    """Read a file with the session's reader; the first half of the count is its.

    Raises:
        InputRefused: nothing can be used. What a later version may be able to read is no refusal: it comes
        back as the one set-aside entry ``file``.
    """
    try:
        return session.reader.read(
            data, name=name, on_progress=lambda done, total: report(done, 2 * total), cancelled=cancelled
        )
    except Refused as exc:
        if exc.code not in READABLE_LATER:
            raise InputRefused(exc.code, exc.detail) from exc
        return Intake((), (SetAside("file", None, None, exc.code, exc.detail, data),), (), "")


def store_intake(
    session: Session, intake: Intake, *, data: bytes, name: str, report: Progress, accept_person: bool
) -> CollectResult:
    """Store what a file gave, in one transaction.

    Args:
        session: the open vault, held alone.
        intake: what was read.
        data: the bytes of the file.
        name: its name.
        report: told (done, total), the second half of the count.
        accept_person: the person said that the records are theirs.
    """
    store, at = session.store, session.now()
    known = frozenset(store.settings.get(PERSON_REFERENCES) or ())
    person = vault_person(store)
    intake, sorting = _sorted(intake, person, known, accept=accept_person)
    set_aside = (*intake.set_aside, *of_others(intake.resources, sorting))
    if sorting.verdict is not Verdict.TAKE:
        question = person_question(sorting, person)
        return CollectResult(name, 0, 0, 0, {}, set_aside if question is None else (), question, 0.0)
    mine = [intake.resources[index] for index in sorting.ours]
    changes = compare(store, mine)
    total = 2 * max(len(intake.resources), 1)
    report(total - len(changes.new), total)
    digest = sha256_id(data)
    fresh_aside = bool(set_aside) and not store.quarantine.holds(digest)
    if changes.new or fresh_aside:
        prepared = prepare(store, changes.new, self_authored=False)
        with store.write(at):
            source_id = store.records.add_source(
                name, sha256=digest, kind="file", size_bytes=len(data), at=at
            )
            ids = save(store, prepared, source_id=source_id, at=at)
            if fresh_aside:
                store.quarantine.add(source_id, [_quarantined(entry) for entry in set_aside])
            store.settings.put(PERSON_REFERENCES, sorted(known | sorting.references))
            counts = {"imported": len(ids), "unchanged": changes.unchanged, "set_aside": len(set_aside)}
            store.journal.add(Event.FILE_COLLECTED, at=at, source=source_id, **counts)
            if ids:
                records_changed(store, at=at)
    report(total, total)
    by_kind = Counter(kind_of(resource.type) for resource in changes.new)
    return CollectResult(
        name, len(changes.new), changes.unchanged, changes.in_trash, by_kind, set_aside, None, 0.0
    )


def _sorted(
    intake: Intake, person: PersonMention | None, known: frozenset[str], *, accept: bool
) -> tuple[Intake, Sorted]:
    """Sort by person; the note of an export that says who is who has done its work then, and is left out."""
    linked = linked_references(intake.resources)
    intake = replace(intake, resources=tuple(one for one in intake.resources if not is_link(one)))
    return intake, sort_by_person(intake.resources, person=person, known=known, accept=accept, linked=linked)


def person_question(sorting: Sorted, person: PersonMention | None) -> PersonQuestion | None:
    """What to ask the patient about a file; None when nobody in it can be asked about."""
    if sorting.stranger is None:
        return None
    nobody = PersonMention(None, None, frozenset(), "", "", "")
    return PersonQuestion(person or nobody, sorting.stranger, certain=sorting.certain)


def of_others(resources: Sequence[Resource], sorting: Sorted) -> list[SetAside]:
    """Resources of other people: told, but not kept, not even their bytes."""
    code = "several_persons" if sorting.verdict is Verdict.SEVERAL else "other_patient"
    entries = []
    for index in sorting.others:
        resource = resources[index]
        entries.append(SetAside(f"resource {index + 1}", resource.type, resource.id, code, "", None))
    return entries


def _quarantined(entry: SetAside) -> Quarantined:
    foreign = entry.code in ("other_patient", "several_persons")
    return Quarantined(
        entry.entry,
        entry.type,
        None if foreign else entry.id,
        entry.code,
        entry.detail,
        entry.raw,
        entry.full_url,
        READER_VERSION,
    )


def _silent(done: int, total: int) -> None:
    """Tell nobody."""
