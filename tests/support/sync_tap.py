"""A line in one process with a tap: what leaves is opened with the recipient's key and judged anew.

The judge is `naive_consent`, over the records signed so far, at the moment of sending; what each resource is
it knows from a table of its own (`FACTS`), not from our classifier. Behind the tap lies a real inbox on a
real store. Faults come from a list: one word for each message.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from types import MappingProxyType
from typing import Any

from consent.model import Action, Category, Grant, ResourceFacts, Sensitivity
from consent.outcome import Question
from pgo.usecases.consenting import load_ledger
from pgo.usecases.session import Session
from recipient.errors import Refused
from recipient.identity import build_card, create_identity, load_identity
from recipient.inbox import Inbox
from recipient.store import create_store, open_store
from sync.bundle import parse_push
from sync.card import RecipientCard, card_file
from sync.envelope import OpenedMessage, open_message, peek_message_id
from sync.errors import RemoteRuleError, Unreachable
from sync.wire import PATHS, REFUSALS, Kind, sign_time
from tests.support.naive_consent import Naive
from tests.support.sharing import CLINIC_ID, CLINIC_NAME
from tests.support.vaults import START

ENDPOINT = "http://127.0.0.1:9"
_NONE = frozenset[Sensitivity]()

FACTS: Mapping[str, tuple[str, Category, frozenset[Sensitivity]]] = MappingProxyType(
    {
        "": ("Patient/p1", Category.DEMOGRAPHICS, _NONE),
        "L04AX03": ("MedicationStatement/m1", Category.MEDICATIONS, _NONE),
        "B03BB01": ("MedicationStatement/m2", Category.MEDICATIONS, _NONE),
        "J01CE": ("AllergyIntolerance/a1", Category.ALLERGIES, _NONE),
        "M06.9": ("Condition/c1", Category.PROBLEMS, _NONE),
        "B24": ("Condition/c2", Category.PROBLEMS, frozenset({Sensitivity.HIV})),
        "718-7": ("Observation/o1", Category.LABS, _NONE),
        "29463-7": ("Observation/o2", Category.VITALS, _NONE),
    }
)
"""Code of each record of `sharing.a_record` to its name and what it is; "" is the patient."""


@dataclass
class Clinic:
    """A real inbox on a real store, in this process; one folder holds its life."""

    folder: Path

    @staticmethod
    def base(folder: Path) -> None:
        """Make what every life begins with."""
        store = create_store(folder)
        create_identity(
            store, recipient_id=CLINIC_ID, name=CLINIC_NAME, kind="clinic", url=ENDPOINT, at=START
        )
        card = build_card(load_identity(store), endpoint=ENDPOINT, at=START)[1]
        (folder / "card.txt").write_text(card_file(card))
        store.close()

    @classmethod
    def copy(cls, base: Path, folder: Path) -> Clinic:
        shutil.copytree(base, folder)
        return cls(folder)

    def __post_init__(self) -> None:
        self._open()

    def restart(self) -> None:
        """Close the store and open it anew."""
        self.store.close()
        self._open()

    def _open(self) -> None:
        self.store = open_store(self.folder)
        self.identity = load_identity(self.store)
        self.inbox = Inbox(self.store, self.identity)

    def answer(self, path: str, body: bytes, *, at: datetime) -> bytes:
        """Answer one message as the service does."""
        work = {
            PATHS[Kind.PUSH]: self.inbox.receive,
            PATHS[Kind.ACCESS]: self.inbox.access,
            PATHS[Kind.HEAD]: self.inbox.head,
        }[path]
        try:
            return work(body, at=at)
        except RemoteRuleError as exc:
            proof = None
            if exc.code == "clock":
                proof = sign_time(self.identity.signing, message_id=peek_message_id(body), at=at)
            raise RemoteRuleError(exc.code, status=REFUSALS[exc.code], proof=proof) from exc
        except Refused as exc:
            raise Unreachable("busy") from exc

    def receipts(self) -> dict[str, str]:
        return {str(mid): str(token) for mid, token in self.store.rows("SELECT mid, receipt FROM message")}

    def held(self) -> int:
        return int(self.store.rows("SELECT count(*) FROM resource")[0][0])


@dataclass
class Tap:
    """A `Transport`; ``violations`` says what left without a permit."""

    clinic: Clinic
    their_clock: Callable[[], datetime]
    session: Session | None = None
    faults: list[str] = field(default_factory=list)
    withdrawn_there: set[str] = field(default_factory=set)
    must_ask: bool = False
    judged: int = 0
    violations: list[str] = field(default_factory=list)
    late: list[tuple[str, bytes]] = field(default_factory=list)
    sent: list[tuple[str, bytes]] = field(default_factory=list)

    def send(self, card: RecipientCard, path: str, body: bytes) -> bytes:
        self._judge(card, body)
        self.sent.append((path, body))
        fault = self.faults.pop(0) if self.faults else ""
        if fault == "lost":
            raise Unreachable
        if fault == "late":
            self.late.append((path, body))
            raise Unreachable
        if fault == "spoilt":
            body = body[: len(body) // 2] + bytes([body[len(body) // 2] ^ 1]) + body[len(body) // 2 + 1 :]
        if fault == "twice":
            self._quietly(path, body)
        if fault == "old":
            self._quietly(*self.sent[len(self.sent) // 2])
        answer = self.clinic.answer(path, body, at=self.their_clock())
        for one in self.late:
            self._quietly(*one)
        self.late.clear()
        if fault == "unanswered":
            raise Unreachable
        return b"ok" if fault == "fake" else answer

    def _quietly(self, path: str, body: bytes) -> None:
        try:
            self.clinic.answer(path, body, at=self.their_clock())
        except (RemoteRuleError, Unreachable):
            return

    def _judge(self, card: RecipientCard, body: bytes) -> None:
        opened = open_message(
            body,
            opening_keys=self.clinic.identity.opening,
            audience=card.id,
            at=self.their_clock(),
            already_received=lambda _sender, _message: True,  # whatever its time
        )
        if opened.kind is Kind.HEAD:
            self.must_ask = False
        elif self.must_ask:
            self.violations.append(f"{opened.kind} before the recipient was asked")
        if opened.kind is Kind.PUSH:
            self._judge_push(card, opened)

    def _judge_push(self, card: RecipientCard, opened: OpenedMessage) -> None:
        assert self.session is not None
        push = parse_push(opened.content, subject_id=opened.sender.text)
        records = load_ledger(self.session.store).records
        judge, at = Naive(records), self.session.now()
        for item in push.items:
            question = Question(
                actor=frozenset({card.actor}),
                purpose=frozenset({push.purpose}),
                action=frozenset(map(Action, push.actions)),
                facts=facts_of(json.loads(item.raw)),
            )
            self.judged += 1
            opinion = judge.permitted(question, at)
            if opinion is None:
                self.violations.append(f"{question.facts.reference} without a permit")
                continue
            if _grants(judge, opinion.basis) <= self.withdrawn_there:
                self.violations.append(f"{question.facts.reference} under a grant that was taken back")


def _grants(judge: Naive, basis: frozenset[str]) -> set[str]:
    found = [signed.record for signed in judge.records.values() if signed.hash in basis]
    return {str(record.id) for record in found if isinstance(record, Grant)}


def facts_of(body: dict[str, Any]) -> ResourceFacts:
    """What a resource of `sharing.a_record` is, by its code."""
    coded = body.get("code") or body.get("medicationCodeableConcept") or {"coding": [{"code": ""}]}
    code = coded["coding"][0]["code"]
    reference, category, sensitivity = FACTS[code]
    return ResourceFacts(
        resource_type=body["resourceType"],
        reference=reference,
        categories=frozenset({category}),
        sensitivity=sensitivity,
    )
