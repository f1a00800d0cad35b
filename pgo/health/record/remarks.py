"""What the patient says about a record: a remark in own words, or a request to correct it.

Rules:

1. The record itself is never touched: a remark and a request are resources of their own that point at it.
2. A remark is a ``Communication`` by the patient; our own category says that it is one.
3. A request is a ``Communication`` with the patient's words and a ``Task`` that asks for the work, as the HL7
   guide has it. Both carry the same code; nothing claims that anybody received them.
4. The bytes are ours, in a fixed order: the same words, ids and moment give the same bytes.

Sources: https://hl7.org/fhir/R4/communication.html, https://hl7.org/fhir/R4/task.html; HL7 Patient Request
for Corrections 1.0.0, https://hl7.org/fhir/uv/patient-corrections/; Nictiz "Delen wijzigingsverzoeken" 1.0
(profile dwv-PatientCorrectionsCommunication, which names the code system of an earlier draft). The right
itself: GDPR article 16 (rectification, own statement) and 12(3) (answer within a month); Dutch Civil Code
7:454(2) (own statement in the file).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from pgo.health.medication.forms import REQUIRED, TOO_LONG
from pgo.health.record.safe import obj, objs, text
from pgo.health.record.words import plain_display
from pgo.health.record.writer import Authored, fhir_instant, write_json

_REMARK: Final = ("urn:pgo:codes:record", "patient-remark")
_GUIDE: Final = "http://hl7.org/fhir/uv/patient-corrections/CodeSystem/"
_COMMUNICATION_TYPES: Final = f"{_GUIDE}PatientCorrectionCommunicationTypes"
_DRAFT: Final = (
    "https://hl7.org/fhir/uv/fhir-patient-correction/CodeSystem/PatientCorrectionCommunicationTypes"
)
_REQUEST: Final = "medRecCxReq"
_TASK_TYPES: Final = f"{_GUIDE}PatientCorrectionTaskTypes"
MAX_WORDS: Final = 4_000
CODES: Final = frozenset(
    ("|".join(_REMARK), *(f"{system}|{_REQUEST}" for system in (_COMMUNICATION_TYPES, _DRAFT, _TASK_TYPES)))
)
"""``system|code`` of every resource this module writes; they are shown in a place of their own."""


@dataclass(frozen=True, slots=True)
class Target:
    """The record a remark is about.

    Attributes:
        name: the reference that means it and no other record.
        type: its FHIR type.
        title: what it is called, for people.
    """

    name: str
    type: str
    title: str


@dataclass(frozen=True, slots=True)
class Asked:
    """A correction request as typed: what is wrong, what it should be, who should correct it."""

    wrong: str
    right: str
    recipient: str


def remark_faults(words: str) -> Mapping[str, str]:
    """Say what is wrong with a remark: field to message key; empty when it can be kept."""
    return _faults(words=words)


def request_faults(asked: Asked) -> Mapping[str, str]:
    """Say what is wrong with a request; only what is wrong must be filled in."""
    further = {"right": asked.right, "recipient": asked.recipient}
    return _faults(wrong=asked.wrong, **{name: words for name, words in further.items() if words.strip()})


def _faults(**fields: str) -> Mapping[str, str]:
    return {
        name: REQUIRED if not words.strip() else TOO_LONG
        for name, words in fields.items()
        if not words.strip() or len(words.strip()) > MAX_WORDS
    }


def build_remark(words: str, target: Target, *, id: str, subject: str, at: datetime) -> bytes:
    """Build a remark about a record.

    Args:
        words: The patient's own words, not empty.
        target: What it is about.
        id: Logical id of the remark.
        subject: Reference text of the patient.
        at: When it was written, aware.
    """
    system, code = _REMARK
    return write_json(
        {
            "resourceType": "Communication",
            "id": id,
            "status": "completed",
            "category": [{"coding": [{"system": system, "code": code}]}],
            "subject": {"reference": subject},
            "topic": {"text": target.title},
            "about": [_about(target)],
            "sent": fhir_instant(at),
            "sender": {"reference": subject},
            "payload": [{"contentString": words.strip()}],
        }
    )


def build_request(
    asked: Asked, target: Target, *, ids: tuple[str, str], subject: str, at: datetime
) -> tuple[bytes, bytes]:
    """Build a correction request: the words and the task, in this order.

    Args:
        asked: What was typed.
        target: What it is about.
        ids: Logical ids of the words and of the task.
        subject: Reference text of the patient.
        at: When it was written, aware.
    """
    message = _message(asked, target, id=ids[0], subject=subject)
    return write_json(message), write_json(_task(asked, target, ids=ids, subject=subject, at=at))


def _message(asked: Asked, target: Target, *, id: str, subject: str) -> dict[str, Authored]:
    words: Authored = [{"contentString": part.strip()} for part in (asked.wrong, asked.right) if part.strip()]
    types: Authored = [{"system": system, "code": _REQUEST} for system in (_COMMUNICATION_TYPES, _DRAFT)]
    return {
        "resourceType": "Communication",
        "id": id,
        "status": "preparation",
        "category": [{"coding": types}],
        "subject": {"reference": subject},
        "topic": {"text": target.title},
        "about": [_about(target)],
        "recipient": [{"display": asked.recipient.strip()}],
        "sender": {"reference": subject},
        "payload": words,
    }


def _task(
    asked: Asked, target: Target, *, ids: tuple[str, str], subject: str, at: datetime
) -> dict[str, Authored]:
    return {
        "resourceType": "Task",
        "id": ids[1],
        "status": "draft",
        "intent": "proposal",
        "code": {"coding": [{"system": _TASK_TYPES, "code": _REQUEST}]},
        "description": target.title,
        "focus": _about(target),
        "for": {"reference": subject},
        "authoredOn": fhir_instant(at),
        "requester": {"reference": subject},
        "owner": {"display": asked.recipient.strip()},
        "reasonReference": {"reference": f"Communication/{ids[0]}"},
    }


def is_remark(body: Mapping[str, Any]) -> bool:
    """Say whether a resource is a remark of the patient."""
    return _has_category(body, *_REMARK)


def is_request(body: Mapping[str, Any]) -> bool:
    """Say whether a resource holds the words of a correction request."""
    return any(_has_category(body, system, _REQUEST) for system in (_COMMUNICATION_TYPES, _DRAFT))


def name_of_target(body: Mapping[str, Any]) -> str:
    """Give the name of the record a remark or request is about; empty when it names none."""
    about = obj(body, "about")
    return text(about, "reference") or text(about, "identifier", "value")


def words_of(body: Mapping[str, Any]) -> tuple[str, ...]:
    """Give what the patient wrote, part by part."""
    return tuple(filter(None, (text(item, "contentString") for item in objs(body, "payload"))))


def recipient_of(body: Mapping[str, Any]) -> str:
    """Give whom a request is for, in words."""
    return text(body, "recipient", "display")


def _has_category(body: Mapping[str, Any], system: str, code: str) -> bool:
    found = (coding for item in objs(body, "category") for coding in objs(item, "coding"))
    return any(text(coding, "system") == system and text(coding, "code") == code for coding in found)


def _about(target: Target) -> Authored:
    """Point at a record; one without an id is named by its content."""
    named: dict[str, Authored] = (
        {"identifier": {"system": _REMARK[0], "value": target.name}}
        if target.name.startswith("~")
        else {"reference": target.name}
    )
    return {**named, "type": target.type, "display": target.title}


# Elements that name who wrote or stands for a record, most useful for a letter first.
_AUTHORS: Final = (
    *("custodian", "managingOrganization", "serviceProvider", "performer", "asserter", "recorder"),
    *("requester", "author", "informationSource"),
)


def author_of(body: Mapping[str, Any]) -> str:
    """Give who stands for a record, in the source's words; empty when it names nobody."""
    for name in _AUTHORS:
        who = obj(body, name)
        if words := plain_display(text(who, "display") or text(who, "actor", "display")):
            return words
    return ""
