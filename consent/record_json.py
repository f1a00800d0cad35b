"""Read and write records as JSON bytes.

1. Bytes are read by the strict reader of `crypto`; anything but integers, texts, lists and objects
   of the expected shape is refused.
2. `version` must be one we know: an older reader refuses rather than guesses.
3. An unknown member of a *record* is refused (rules carry the forward compatibility, per rule).
4. `record_payload` gives canonical bytes (RFC 8785) that read back to an equal record.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final, Literal, cast

from consent.codes import Erase
from consent.dates import instant_text, parse_day, parse_instant
from consent.errors import InvalidDocument, UnknownCode
from consent.records import (
    Authority,
    Basis,
    By,
    Cosignature,
    Grant,
    GrantId,
    KeyRecord,
    Record,
    RecordHash,
    Shown,
    Target,
    Withdrawal,
)
from consent.rule_json import MAX_ITEMS, rule_from_json, rule_to_json
from consent.rules import Period
from crypto.canonical import canonical_bytes, parse_strict
from crypto.errors import Malformed
from crypto.public_keys import EDDSA

VERSION: Final = 1
MAX_RECORD_BYTES: Final = 48 * 1024
_COMMON: Final = frozenset({"kind", "version", "seen", "subject", "by", "at"})
_MEMBERS: Final[Mapping[str, frozenset[str]]] = {
    "grant": _COMMON | {"id", "period", "rules", "shown", "answers", "review_by", "after_death"},
    "withdrawal": _COMMON | {"id", "target", "erase", "reason"},
    "key": _COMMON | {"action", "kid", "key", "algorithm", "from_position", "replaces"},
    "authority": _COMMON | {"id", "representative", "basis", "period", "scope", "cosigners", "born_on"},
    "cosignature": _COMMON | {"target"},
}


def parse_record(payload: bytes) -> Record:
    """Read one record from untrusted bytes.

    Raises:
        InvalidDocument: not strict JSON, not a record, or a record that breaks a rule.
    """
    return record_from_json(read_object(payload, max_bytes=MAX_RECORD_BYTES))


def read_object(payload: bytes, *, max_bytes: int) -> Mapping[str, object]:
    """Read a strict JSON object.

    Raises:
        InvalidDocument: the bytes are not strict JSON or not an object.
    """
    try:
        value = parse_strict(payload, max_bytes=max_bytes)
    except Malformed as exc:
        raise InvalidDocument("malformed") from exc
    if not isinstance(value, Mapping):
        raise InvalidDocument("not_an_object")
    return value


def record_from_json(value: object) -> Record:
    """Read one record from parsed JSON.

    Raises:
        InvalidDocument: not a record, or a record that breaks a rule.
    """
    if not isinstance(value, Mapping):
        raise InvalidDocument("not_an_object")
    kind = value.get("kind")
    if not isinstance(kind, str) or kind not in _MEMBERS:
        raise UnknownCode("kind")
    if value.get("version") != VERSION or isinstance(value.get("version"), bool):
        raise InvalidDocument("version")
    if not value.keys() <= _MEMBERS[kind]:
        raise InvalidDocument("unknown_member")
    return _READ[kind](value)


def _period(value: Mapping[str, object]) -> Period:
    period = _list(value, "period")
    if len(period) != 2:
        raise InvalidDocument("period")
    return Period(parse_instant(period[0]), parse_instant(period[1]))


def _grant(value: Mapping[str, object]) -> Grant:
    review_by, after_death = value.get("review_by"), value.get("after_death", False)
    if not isinstance(after_death, bool):
        raise InvalidDocument("after_death")
    return Grant(
        id=GrantId(_text(value, "id")),
        subject=_text(value, "subject"),
        by=_by(value),
        at=parse_instant(value.get("at")),
        period=_period(value),
        rules=tuple(rule_from_json(rule) for rule in _list(value, "rules")),
        seen=_seen(value),
        shown=_shown(value.get("shown")),
        answers=_text(value, "answers") if "answers" in value else None,
        review_by=None if review_by is None else parse_instant(review_by),
        after_death=after_death,
    )


def _withdrawal(value: Mapping[str, object]) -> Withdrawal:
    target = _list(value, "target")
    if not target or not all(isinstance(word, str) for word in target):
        raise InvalidDocument("target")
    kind, *values = cast("list[str]", target)
    try:
        erase = Erase(_text(value, "erase"))
    except ValueError as exc:
        raise UnknownCode("erase") from exc
    return Withdrawal(
        target=Target(
            cast('Literal["all", "grant", "actor", "purpose", "lift", "authority"]', kind), tuple(values)
        ),
        subject=_text(value, "subject"),
        by=_by(value),
        at=parse_instant(value.get("at")),
        erase=erase,
        reason=_text(value, "reason") if "reason" in value else None,
        seen=_seen(value),
        id=_text(value, "id") if "id" in value else None,
    )


def _key(value: Mapping[str, object]) -> KeyRecord:
    action = _text(value, "action")
    position = value.get("from_position")
    if action not in ("add", "rotate", "revoke"):
        raise UnknownCode("key_action")
    if position is not None and (not isinstance(position, int) or isinstance(position, bool)):
        raise InvalidDocument("from_position")
    return KeyRecord(
        action=cast('Literal["add", "rotate", "revoke"]', action),
        kid=_text(value, "kid"),
        subject=_text(value, "subject"),
        by=_by(value),
        at=parse_instant(value.get("at")),
        key=_text(value, "key") if "key" in value else None,
        algorithm=_text(value, "algorithm") if "algorithm" in value else EDDSA,
        from_position=position,
        replaces=_text(value, "replaces") if "replaces" in value else None,
        seen=_seen(value),
    )


def _authority(value: Mapping[str, object]) -> Authority:
    cosigners = _list(value, "cosigners") if "cosigners" in value else []
    if not all(isinstance(kid, str) and kid for kid in cosigners):
        raise InvalidDocument("cosigners")
    try:
        basis = Basis(_text(value, "basis"))
    except ValueError as exc:
        raise UnknownCode("basis") from exc
    scope = tuple(rule_from_json(rule) for rule in _list(value, "scope")) if "scope" in value else ()
    return Authority(
        id=_text(value, "id"),
        representative=_text(value, "representative"),
        basis=basis,
        subject=_text(value, "subject"),
        by=_by(value),
        at=parse_instant(value.get("at")),
        period=_period(value),
        scope=scope,
        cosigners=frozenset(str(kid) for kid in cosigners),
        born_on=parse_day(value["born_on"]) if "born_on" in value else None,
        seen=_seen(value),
    )


def _cosignature(value: Mapping[str, object]) -> Cosignature:
    return Cosignature(
        target=RecordHash(_text(value, "target")),
        subject=_text(value, "subject"),
        by=_by(value),
        at=parse_instant(value.get("at")),
        seen=_seen(value),
    )


_READ: Final[Mapping[str, Callable[[Mapping[str, object]], Record]]] = {
    "grant": _grant,
    "withdrawal": _withdrawal,
    "key": _key,
    "authority": _authority,
    "cosignature": _cosignature,
}


def _text(value: Mapping[str, object], name: str) -> str:
    found = value.get(name)
    if not isinstance(found, str) or not found:
        raise InvalidDocument(f"without_{name}")
    return found


def _list(value: Mapping[str, object], name: str) -> list[object]:
    found = value.get(name)
    if not isinstance(found, list) or len(found) > MAX_ITEMS:
        raise InvalidDocument(f"not_a_list_{name}")
    return found


def _seen(value: Mapping[str, object]) -> frozenset[RecordHash]:
    items = _list(value, "seen")
    if not all(isinstance(item, str) and item.startswith("sha256:") for item in items):
        raise InvalidDocument("seen")
    return frozenset(RecordHash(str(item)) for item in items)


def _by(value: Mapping[str, object]) -> By:
    by = value.get("by")
    if not isinstance(by, Mapping) or by.keys() - {"authority"} != {"kid", "role"}:
        raise InvalidDocument("by")
    role = cast('Literal["self", "representative"]', _text(by, "role"))
    return By(_text(by, "kid"), role, _text(by, "authority") if "authority" in by else None)


def _shown(value: object) -> Shown | None:
    if value is None:
        return None
    if not isinstance(value, Mapping) or value.keys() != {"lang", "text_hash"}:
        raise InvalidDocument("shown")
    return Shown(_text(value, "lang"), _text(value, "text_hash"))


def record_payload(record: Record) -> bytes:
    """Write a record as canonical JSON bytes.

    Raises:
        InvalidDocument: a rule came from a newer version and cannot be rewritten.
    """
    return canonical_bytes(record_to_json(record))


def record_to_json(record: Record) -> dict[str, Any]:
    """Give the JSON value of a record; members that are absent are left out."""
    value: dict[str, Any] = {
        "version": VERSION,
        "seen": sorted(record.seen),
        "subject": record.subject,
        "by": _by_to_json(record.by),
        "at": instant_text(record.at),
    }
    match record:
        case Grant():
            value |= _grant_members(record)
        case Withdrawal():
            value |= {"kind": "withdrawal", "id": record.id, "reason": record.reason}
            value |= {"target": [record.target.kind, *record.target.values], "erase": record.erase.value}
        case KeyRecord():
            value |= {"kind": "key", "action": record.action, "kid": record.kid, "key": record.key}
            value |= {"from_position": record.from_position, "replaces": record.replaces}
            value |= {"algorithm": None if record.algorithm == EDDSA else record.algorithm}
        case Authority():
            value |= _authority_members(record)
        case Cosignature():  # pragma: no branch (mypy: nothing else is left)
            value |= {"kind": "cosignature", "target": record.target}
    return {name: item for name, item in value.items() if item is not None}


def _by_to_json(by: By) -> dict[str, str]:
    value: dict[str, str] = {"kid": by.kid, "role": by.role}
    return value if by.authority is None else value | {"authority": by.authority}


def _authority_members(record: Authority) -> dict[str, Any]:
    return {
        "kind": "authority",
        "id": record.id,
        "representative": record.representative,
        "basis": record.basis.value,
        "period": [instant_text(record.period.from_at), instant_text(record.period.until_at)],
        "scope": [rule_to_json(rule) for rule in record.scope] or None,
        "cosigners": sorted(record.cosigners) or None,
        "born_on": None if record.born_on is None else record.born_on.isoformat(),
    }


def _grant_members(grant: Grant) -> dict[str, Any]:
    shown, review = grant.shown, grant.review_by
    return {
        "kind": "grant",
        "id": grant.id,
        "period": [instant_text(grant.period.from_at), instant_text(grant.period.until_at)],
        "rules": [rule_to_json(rule) for rule in grant.rules],
        "shown": None if shown is None else {"lang": shown.lang, "text_hash": shown.text_hash},
        "answers": grant.answers,
        "review_by": None if review is None else instant_text(review),
        "after_death": True if grant.after_death else None,
    }
