"""The patient's end of the line for recipient tests: real ledger, statements, envelopes; no store."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import httpx

from consent.document import SignedRecord, sign_record
from consent.ledger import Ledger
from consent.model import (
    ANY,
    Action,
    By,
    Category,
    Erase,
    Grant,
    GrantId,
    Period,
    Record,
    Rule,
    Sensitivity,
    Shown,
    Target,
    Withdrawal,
    permit_rule,
)
from consent.statement import build_statement, sign_statement, statement_hash
from crypto.canonical import sha256_id
from crypto.chain import GENESIS
from crypto.keys import SigningKey, derive_pairwise
from sync.access import NO_HEAD, AccessHead, AccessLog, build_access_request, verify_access_log
from sync.bundle import build_push, build_statement_content, build_transaction
from sync.card import RecipientCard, parse_card
from sync.envelope import open_reply, seal_message
from sync.receipt import Receipt, verify_receipt
from sync.wire import MEDIA_TYPE, PATHS, Kind, new_message_id

SUBJECT = "synthetic-person"
CARE = (
    Category.PROBLEMS,
    Category.MEDICATIONS,
    Category.ALLERGIES,
    Category.VITALS,
    Category.LABS,
    Category.QUESTIONNAIRES,
    Category.SELF_MEASURED,
    Category.DEMOGRAPHICS,
)


@dataclass
class Answered:
    """What the recipient answered to one message."""

    response: httpx.Response
    receipt: Receipt | None
    token: str


@dataclass
class PatientSide:
    """One synthetic patient towards one recipient."""

    card: RecipientCard
    seed: bytes
    ledger: list[SignedRecord] = field(default_factory=list)
    sequence: int = 0
    previous: str | None = None
    statement: str = ""
    counter: int = 0

    def __post_init__(self) -> None:
        self.pairwise = derive_pairwise(self.seed, self.card.id)
        self.device = SigningKey.from_seed(self.seed)

    @classmethod
    def of(cls, url: str, *, at: datetime, seed: bytes = bytes(range(32))) -> PatientSide:
        card = httpx.get(f"{url}/v1/card", trust_env=False).text
        return cls(parse_card(card, at=at), seed)

    @property
    def sub(self) -> str:
        return self.pairwise.signing.public.text

    def grant(
        self,
        *,
        at: datetime,
        days: float = 90,
        category: Sequence[Category] = CARE,
        sensitivity: Sequence[Sensitivity] = (),
        grant_id: str = "G1",
        **members: Any,
    ) -> None:
        """Sign a grant for treatment and make the statement that follows from it."""
        rule = permit_rule(
            actor=[self.card.actor],
            purpose=["TREAT"],
            action=[Action.VIEW],
            category=category,
            sensitivity=sensitivity,
            **members,
        )
        self.sign_grant((rule,), at=at, days=days, grant_id=grant_id)

    def sign_grant(
        self, rules: tuple[Rule, ...], *, at: datetime, days: float = 90, grant_id: str = "G1"
    ) -> None:
        grant = Grant(
            id=GrantId(grant_id),
            subject=SUBJECT,
            by=By(self.device.public.id),
            at=at,
            period=Period(at, at + timedelta(days=days)),
            rules=rules,
            seen=frozenset(self._ledger().heads),
            shown=Shown("nl", sha256_id(b"shown")),
        )
        self._sign(grant)
        self.renew_statement(at=at)

    def withdraw(self, *, at: datetime, erase: Erase = Erase.DELETE, grant_id: str | None = None) -> None:
        target = Target("grant", (grant_id,)) if grant_id else Target("all")
        self._sign(
            Withdrawal(
                target=target,
                subject=SUBJECT,
                by=By(self.device.public.id),
                at=at,
                erase=erase,
                seen=frozenset(self._ledger().heads),
            )
        )
        self.renew_statement(at=at)

    def renew_statement(self, *, at: datetime) -> None:
        """Compile and sign the next statement."""
        self.sequence += 1
        statement = build_statement(
            self._ledger(),
            audience_actor=self.card.actor,
            audience_id=self.card.id,
            subject=self.sub,
            reply_key=self.pairwise.opening.public.text,
            sequence=self.sequence,
            previous=self.previous,
            at=at,
        )
        self.statement = sign_statement(statement, self.pairwise.signing)
        self.previous = statement_hash(self.statement)

    def push_content(self, resources: Sequence[dict[str, Any] | bytes], **changes: Any) -> bytes:
        pairs = []
        for resource in resources:
            raw = resource if isinstance(resource, bytes) else json.dumps(resource).encode()
            body = json.loads(raw)
            pairs.append((f"{body['resourceType']}/{body['id']}", raw))
        said: dict[str, Any] = {
            "statement": self.statement,
            "transaction": build_transaction(pairs, subject_id=self.sub),
            "purpose": "TREAT",
            "actions": ["view"],
        }
        return build_push(**(said | changes))

    def statement_content(self) -> bytes:
        return build_statement_content(self.statement)

    def envelope(self, kind: Kind, content: bytes, *, at: datetime, message_id: str, **changes: Any) -> bytes:
        self.counter += 1
        said: dict[str, Any] = {
            "kind": kind,
            "content": content,
            "sender": self.pairwise.signing,
            "to": self.card,
            "message_id": message_id,
            "sequence": self.counter,
            "at": at,
        }
        return seal_message(**(said | changes))

    def send(self, kind: Kind, content: bytes, *, at: datetime, message_id: str | None = None) -> Answered:
        """Send one message and verify the receipt when there is one."""
        message_id = message_id or new_message_id()
        body = self.envelope(kind, content, at=at, message_id=message_id)
        response = post(self.card, kind, body)
        if response.status_code != 200:
            return Answered(response, None, "")
        token = self.open(response, message_id)
        receipt = verify_receipt(
            token,
            self.card.verify_key,
            message_id=message_id,
            subject=self.sub,
            kind=kind,
            payload_hash=sha256_id(content),
        )
        return Answered(response, receipt, token)

    def push(self, resources: Sequence[dict[str, Any] | bytes], *, at: datetime, **changes: Any) -> Receipt:
        receipt = self.send(Kind.PUSH, self.push_content(resources, **changes), at=at).receipt
        assert receipt is not None
        return receipt

    def send_statement(self, *, at: datetime) -> Receipt:
        receipt = self.send(Kind.STATEMENT, self.statement_content(), at=at).receipt
        assert receipt is not None
        return receipt

    def who_looked(self, *, at: datetime, known: AccessHead = NO_HEAD) -> AccessLog:
        message_id = new_message_id()
        body = self.envelope(Kind.ACCESS, build_access_request(known), at=at, message_id=message_id)
        response = post(self.card, Kind.ACCESS, body)
        assert response.status_code == 200, response.text
        token = self.open(response, message_id)
        return verify_access_log(token, self.card.verify_key, subject=self.sub, known_head=known)

    def open(self, response: httpx.Response, message_id: str) -> str:
        content = open_reply(
            response.content,
            key=self.pairwise.opening,
            signer=self.card.verify_key,
            message_id=message_id,
        )
        return content.decode("ascii")

    def _ledger(self) -> Ledger:
        tokens = [signed.token for signed in self.ledger]
        return Ledger.of(tokens, keys=[self.device.public], subject=SUBJECT)

    def _sign(self, record: Record) -> None:
        previous = self.ledger[-1].hash if self.ledger else GENESIS
        self.ledger.append(sign_record(record, self.device, position=len(self.ledger), previous=previous))


def post(card: RecipientCard, kind: Kind, body: bytes) -> httpx.Response:
    """Post raw bytes to the inbox of a card."""
    with httpx.Client(trust_env=False, timeout=30) as client:
        return client.post(
            f"{card.endpoint}{PATHS[kind]}", content=body, headers={"content-type": MEDIA_TYPE}
        )


def everything_for_treatment(card: RecipientCard) -> Rule:
    """A permit for all categories and all sensitive subjects, for treatment."""
    return permit_rule(
        actor=[card.actor], purpose=["TREAT"], action=[Action.VIEW], category=ANY, sensitivity=ANY
    )
