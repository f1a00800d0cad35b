"""Bring a parcel to a server and look whether it is so.

1. What may no longer be there goes first; a withdrawal never waits for records. A server that keeps what
   others refer to says 409 to some, and a batch has no order: while something went, the rest is tried again.
2. Then the controls. Where Consent or the anchor Patient does not get in, no record goes.
3. Then the records, in Bundles. One that is refused as a whole is halved until the culprit is alone.
4. Everything that was taken is read back and compared (`read_back`). What is not as sent is said.
5. What could not be deleted before is tried once more: another resource may have pointed at it.

Nothing here is a proof: a server can say and show what it likes. The outcome says what it showed, and when.

Source: FHIR R4 http.html#transaction, #delete.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Final

from sync.errors import RemoteRuleError
from sync.fhir_server.capability import STOPPING, check
from sync.fhir_server.client import Reply
from sync.fhir_server.names import name_of, references_of, type_of, with_references
from sync.fhir_server.parcel import Body, Parcel
from sync.fhir_server.read_back import ALTERED, differs
from sync.fhir_server.reading import Found, Line, ask_many, look_up
from sync.fhir_server.transaction import Sending, bundle_bytes, entries_of, prepare, way_of

NOT_TAKEN: Final = "not_taken"
SERVER_REFUSED: Final = "server_refused"
SEVERAL: Final = "several_there"
TOO_LARGE: Final = "too_large"
STILL_THERE: Final = "still_there"
NO_DELETE: Final = "no_delete"

RECORDS_PER_BUNDLE: Final = 100
"""No standard element says what a server takes at once; this is small, and a refusal is halved anyway."""

ROUNDS: Final = 8
"""Of deleting: one for each step in a chain of references (report, observation, its members, encounter)."""

_CONFLICT: Final = 409
_HALVED: Final = {"fhir_too_large": TOO_LARGE, "fhir_refused": SERVER_REFUSED, "fhir_several": SEVERAL}


@dataclass(slots=True)
class Outcome:
    """What a server shows after a delivery.

    Attributes:
        stored: name to place there, for everything that is there as we sent it.
        refused: name to reason, for what is not, or not as we sent it.
        lying: places of what is there though it is among `refused`.
        removed: names that are not there any more.
        kept: name to reason, for what should not be there and is.
    """

    stored: dict[str, str] = field(default_factory=dict)
    refused: dict[str, str] = field(default_factory=dict)
    lying: dict[str, str] = field(default_factory=dict)
    removed: set[str] = field(default_factory=set)
    kept: dict[str, str] = field(default_factory=dict)


def deliver(line: Line, parcel: Parcel) -> Outcome:
    """Deliver by the steps of this module.

    Raises:
        Unreachable: later; everything can be sent again as it is.
        RemoteRuleError: the server refused; `fhir_cannot` when it does not take what must go first.
    """
    outcome, known = Outcome(), dict(parcel.known)
    _remove(line, parcel.gone, outcome)  # step 1
    if _lacks(line):
        if parcel.records:
            raise RemoteRuleError("fhir_cannot")
        return outcome
    _store(line, parcel.controls, known, outcome)  # step 2
    lost = {reason for name, reason in outcome.refused.items() if type_of(name) != "Provenance"}
    if lost:
        raise RemoteRuleError("fhir_several" if SEVERAL in lost else "fhir_no_consent")
    for start in range(0, len(parcel.records), RECORDS_PER_BUNDLE):  # steps 3, 4
        _store(line, parcel.records[start : start + RECORDS_PER_BUNDLE], known, outcome)
    left = [name for name, reason in outcome.kept.items() if reason == STILL_THERE]
    if left and outcome.stored:  # step 5
        _remove(line, left, outcome)
    return outcome


def _lacks(line: Line) -> bool:
    return any(lack in STOPPING for lack, _ in check(line.capability, ()).lacks)


def _store(line: Line, bodies: Sequence[Body], known: dict[str, str], outcome: Outcome) -> None:
    going = []
    for body in bodies:
        if way_of(body, line.capability) is None:
            outcome.refused[name_of(body)] = NOT_TAKEN
        else:
            going.append(body)
    found = _send_and_look(line, going, known, outcome)
    # If-None-Exist found an older one, which it leaves as it is: now that its place is known, it is updated.
    older = {one.name for one in found if one.method == "POST" and outcome.refused.get(one.name) == ALTERED}
    for name in older:
        known[name] = outcome.lying.pop(name)
        del outcome.refused[name]
    _send_and_look(line, [body for body in going if name_of(body) in older], known, outcome)


def _send_and_look(
    line: Line, bodies: Sequence[Body], known: dict[str, str], outcome: Outcome
) -> list[Sending]:
    sent = _send(line, bodies, known, outcome) if bodies else []
    for one, found in zip(sent, look_up(line, [one.name for one in sent]), strict=True):
        _compare(one, found, known, outcome)
    return sent


def _send(line: Line, bodies: Sequence[Body], known: dict[str, str], outcome: Outcome) -> list[Sending]:
    """Send one Bundle; returns what the server says it took."""
    kind = line.capability.bundle_type or ""
    sendings = prepare(bodies, line.capability, known)
    content = bundle_bytes(sendings, bundle_type=kind, base=line.base)
    try:
        reply = _post(line, content)
    except RemoteRuleError as exc:
        reason = _HALVED.get(exc.code)
        if reason is None:
            raise
        if len(bodies) == 1:
            outcome.refused[sendings[0].name] = reason
            return []
        middle = len(bodies) // 2
        return [*_send(line, bodies[:middle], known, outcome), *_send(line, bodies[middle:], known, outcome)]
    taken = []
    answers = entries_of(reply.body, [type_of(one.name) for one in sendings], bundle_type=kind)
    for one, answer in zip(sendings, answers, strict=True):
        if answer.status not in (200, 201, 204):
            outcome.refused[one.name] = SEVERAL if answer.status == 412 else SERVER_REFUSED
            continue
        if one.method == "POST" and answer.there:
            known[one.name] = answer.there
        taken.append(one)
    return taken


def _post(line: Line, content: bytes) -> Reply:
    """Send one Bundle, and once more when another request was at the same resource.

    Source: FHIR R4 http.html#transaction (409); HAPI JPA configuration, "Version Conflicts".
    """
    ask = partial(line.ask, "POST", "", body=content, headers={"prefer": "return=minimal"})
    try:
        return ask()
    except RemoteRuleError as exc:
        if exc.status != _CONFLICT:
            raise
    return ask()


def _compare(sent: Sending, found: Found, known: dict[str, str], outcome: Outcome) -> None:
    if len(found.bodies) > 1:
        outcome.refused[sent.name] = SEVERAL
        outcome.lying[sent.name] = found.places[0]
        return
    body = found.bodies[0] if found.bodies else None
    problem = differs(_expected(sent, known), body)
    there = found.places[0] if found.places else ""
    if problem is None:
        known[sent.name] = there
        outcome.stored[sent.name] = there
    else:
        outcome.refused[sent.name] = problem
        if there:
            outcome.lying[sent.name] = there


def _expected(sent: Sending, known: dict[str, str]) -> Body:
    """What should come back: a `urn:uuid:` inside the Bundle has become a place by now."""
    if not any(reference.startswith("urn:uuid:") for reference in references_of(sent.body)):
        return sent.body
    by_uuid = {f"urn:uuid:{name.partition('/')[2]}": there for name, there in known.items()}
    body: Body = with_references(sent.body, lambda reference: by_uuid.get(reference, reference))
    return body


def _remove(line: Line, names: Sequence[str], outcome: Outcome) -> None:
    """Delete what the server may no longer have, and look whether it went (step 1)."""
    possible = [name for name in names if line.capability.deletes(type_of(name))]
    for name in names:
        if name not in possible:
            outcome.kept[name] = NO_DELETE
    there = _places(line, possible)
    for _ in range(ROUNDS):
        if not there:
            break
        _delete(line, [place for places in there.values() for place in places])
        left = _places(line, tuple(there))
        if left == there:
            break
        there = left
    for name in possible:
        if name in there:
            outcome.kept[name] = STILL_THERE
        else:
            outcome.removed.add(name)
            outcome.kept.pop(name, None)


def _places(line: Line, names: Sequence[str]) -> dict[str, tuple[str, ...]]:
    """Where things lie, of those that lie there at all."""
    found = zip(names, look_up(line, names), strict=True)
    return {name: one.places for name, one in found if one.places}


def _delete(line: Line, places: Sequence[str]) -> None:
    # What points at others goes before what it points at: the order of storing, backwards.
    last_first = places[::-1]
    for start in range(0, len(last_first), RECORDS_PER_BUNDLE):
        part = last_first[start : start + RECORDS_PER_BUNDLE]
        ask_many(line, [("DELETE", place) for place in part], [type_of(place) for place in part])
