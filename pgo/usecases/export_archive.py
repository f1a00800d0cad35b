"""Everything in one file: a zip with the records as FHIR, documents, consents, the journal, tables and paper.

Rules:

1. Nothing is hidden silently: trash, older contents, originals and what was set aside are in it; what is not
   in it (keys, half-typed forms, what waits to be sent) is named in the manifest and in the README.
2. ``manifest.json`` names every member with its size and SHA-256, and the hash over all records
   (``pgo.store.holdings.Holdings.digest``): a vault that took the archive in has the same hash.
3. The same vault at the same moment gives the same bytes: members in order of name, no file times.
4. The file is not encrypted: it is made to be read by others. The screen says so before it is saved; the
   encrypted form of everything is the backup.

Form: PKZIP APPNOTE 6.3, deflate; names are ASCII made here.
"""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from importlib.metadata import PackageNotFoundError, version

from consent.dates import instant_text
from crypto.canonical import JsonValue, canonical_bytes, sha256_id
from pgo.health.assets import ASSETS
from pgo.health.summary.words import Words
from pgo.store.journal import Event
from pgo.usecases.export_consents import consent_members
from pgo.usecases.export_documents import within_limits
from pgo.usecases.export_looked import looked_members
from pgo.usecases.export_members import Progress, RecordMembers, record_members
from pgo.usecases.export_tables import build_table
from pgo.usecases.journal import signed_journal
from pgo.usecases.session import Session

SCHEMA = "urn:pgo:export:1"
MANIFEST, JOURNAL = "manifest.json", "journal.jsonl"
LEFT_OUT = (
    "keys",
    "passphrase",
    "half_typed_forms",
    "unfinished_questionnaires",
    "waiting_to_be_sent",
    "settings",
)
"""What an archive never holds; the README says the same in words."""

_READMES = ("README.nl.txt", "README.en.txt")
_NO_TIME = (1980, 1, 1, 0, 0, 0)  # the earliest a zip can say (APPNOTE 4.4.6)
_READABLE = 0o600 << 16
_LEVEL = 6


@dataclass(frozen=True, slots=True)
class Archive:
    """An archive ready to be saved.

    Attributes:
        data: the bytes of the zip.
        records: records outside the trash.
        trashed: records in the trash.
        documents: documents as files of their own.
        documents_left: documents only inside the records, because there are too many or too large ones.
        holdings: hash over all records.
    """

    data: bytes
    records: int
    trashed: int
    documents: int
    documents_left: int
    holdings: str


def export_archive(
    session: Session,
    words: Words,
    *,
    paper: Callable[[], bytes] | None = None,
    on_progress: Progress | None = None,
) -> Archive:
    """Make the archive; the journal says so, in the archive as well.

    Args:
        session: the open vault.
        words: language of the tables.
        paper: makes the summary on paper that goes along; None for none.
        on_progress: called with (done, total) records.
    """
    store, at = session.store, session.now()
    with store.alone():  # others may read meanwhile, nobody changes anything under way
        found = record_members(session, on_progress=on_progress or _silent)
        with store.write(at):
            counts = {"records": found.present, "trashed": found.trashed}
            store.journal.add(Event.EXPORTED, at=at, form="archive", **counts)
        documents, left = within_limits(iter(found.documents))
        members = {**found.members, **documents, **_beside(session, words, at=at)}
        holdings = store.holdings.digest()
    if paper is not None:
        members["summary.pdf"] = paper()
    members[MANIFEST] = _manifest(members, found, holdings=holdings, documents_left=left, at=at)
    session.changed()
    return Archive(_zip(members), found.present, found.trashed, len(documents), left, holdings)


def _beside(session: Session, words: Words, *, at: datetime) -> dict[str, bytes]:
    """Consents, who looked, journal, tables and the explanation."""
    tables = {
        f"tables/{words.t('paper.file.measurements')}.csv": build_table(session, "measurements", words)[0],
        f"tables/{words.t('paper.file.medication')}.csv": build_table(session, "medication", words)[0],
    }
    readmes = {name: (ASSETS / "export" / name).read_bytes() for name in _READMES}
    journal = {JOURNAL: signed_journal(session, at=at)}
    return {**consent_members(session), **looked_members(session), **journal, **tables, **readmes}


def _manifest(
    members: Mapping[str, bytes], found: RecordMembers, *, holdings: str, documents_left: int, at: datetime
) -> bytes:
    said: dict[str, JsonValue] = {
        "schema": SCHEMA,
        "made_at": instant_text(at),
        "program": f"pgo {_program_version()}",
        "holdings": holdings,
        "records": found.present,
        "trashed": found.trashed,
        "documents_left": documents_left,
        "left_out": list(LEFT_OUT),
        "members": [
            {"name": name, "bytes": len(members[name]), "sha256": sha256_id(members[name])}
            for name in sorted(members)
        ],
    }
    return canonical_bytes(said) + b"\n"


def _zip(members: Mapping[str, bytes]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED, compresslevel=_LEVEL) as archive:
        for name in [MANIFEST, *sorted(members.keys() - {MANIFEST})]:
            info = zipfile.ZipInfo(name, _NO_TIME)
            info.compress_type = zipfile.ZIP_DEFLATED
            info.create_system = 3  # the same on every machine; 3 is Unix (APPNOTE 4.4.2)
            info.external_attr = _READABLE
            archive.writestr(info, members[name], compresslevel=_LEVEL)
    return out.getvalue()


def _program_version() -> str:
    try:
        return version("pgo")
    except PackageNotFoundError:  # run from the folder, not installed
        return "unknown"


def _silent(done: int, total: int) -> None:
    """Tell nobody."""
