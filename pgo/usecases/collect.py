"""Take in a file of records: keep what can be kept, say what cannot and why.

Rules:
1. One bad entry never aborts the rest; it is set aside with a reason and its bytes are kept.
2. The same file twice changes nothing and says so.
3. Records of another person are never mixed in: the person is asked first, and nothing is stored until then.
4. Everything of one file is stored in one transaction.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pgo.usecases.session import Session

if TYPE_CHECKING:
    from pgo.health.record.index import RecordKind
    from pgo.health.record.reader import PersonMention, SetAside


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
        unchanged: entries already there with equal content.
        in_trash: entries the person threw away before; left in the trash, not counted as unchanged.
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
) -> CollectResult:
    """Read one file and store what it holds.

    Args:
        session: the open vault.
        data: untrusted bytes of the file.
        name: its name, shown as the source of the records.
        on_progress: called with (done, total) entries, from this thread.
        accept_person: the person looked at the question and said "yes, these records are mine".

    Raises:
        InputRefused: nothing of the file can be used (``not_json``, ``too_large``, ...); the store is unchanged.
        Locked: the session is closed.
    """
    raise NotImplementedError
