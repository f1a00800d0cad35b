"""The statement as a value, and its JSON: strict both ways.

An unknown version, member or code is refused (guide consent.md section 3, step 10): a reader that
does not understand a limit must not act on the rest. What travels is positive only: permits, whose
one possible carve-out names resources the recipient has already been sent.

Version 2 has one member more, `basis`. What permits nothing rests on nothing and is written as
version 1, so that a withdrawal is understood by a recipient that knows version 1 alone.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from consent.codes import Effect, Erase
from consent.dates import instant_text, parse_instant
from consent.duties import is_duty
from consent.errors import InvalidDocument, UnknownCode
from consent.rule_json import MAX_ITEMS, rule_from_json, rule_to_json
from consent.rules import Rule, check_rule

ENGINE: Final = 1
_MEMBERS: Final = frozenset(
    {"version", "engine_min", "issuer", "audience", "sequence", "previous", "issued_at", "next_update_at"}
    | {"until_at", "scope", "erase", "duties", "reply_key"}
)
_MEMBERS_OF: Final = {1: _MEMBERS, 2: _MEMBERS | {"basis"}}


@dataclass(frozen=True, slots=True, kw_only=True)
class Statement:
    """What one recipient may do, until when, and what it owes.

    Attributes:
        issuer: the patient's pairwise key for this recipient, base64url.
        audience: the recipient's id.
        sequence: 1, 2, 3 ... per issuer and audience.
        previous: hash of the statement before, None for the first.
        next_update_at: no new processing from here on without a newer statement.
        until_at: nothing at all from here on.
        scope: positive regions; empty when nothing is permitted.
        basis: names of the grants the scope rests on, which only the patient can tell
            (`consent.statement.basis_name`); None where nobody said (version 1).
        erase: what to do with data already held, once the scope is empty.
        reply_key: key to seal answers to the patient with, base64url.
    """

    issuer: str
    audience: str
    sequence: int
    previous: str | None
    issued_at: datetime
    next_update_at: datetime
    until_at: datetime
    scope: tuple[Rule, ...]
    erase: Erase
    duties: frozenset[str]
    reply_key: str
    basis: frozenset[str] | None = None
    engine_min: int = ENGINE

    def __post_init__(self) -> None:
        if not (self.issuer and self.audience and self.reply_key):
            raise InvalidDocument("statement_parties")
        if self.sequence < 1 or (self.sequence == 1) != (self.previous is None):
            raise InvalidDocument("statement_sequence")
        if not self.issued_at < self.next_update_at <= self.until_at:
            raise InvalidDocument("statement_times")
        if self.basis is not None and not (self.basis and self.scope):
            raise InvalidDocument("statement_basis")
        for rule in self.scope:
            if rule.effect is not Effect.PERMIT or not all(map(_names_only, rule.exception)):
                raise InvalidDocument("scope_not_positive")
            check_rule(rule)


def _names_only(rule: Rule) -> bool:
    """Say whether a carve-out does nothing but name resources."""
    return rule.instance is not None and rule == Rule(effect=Effect.DENY, instance=rule.instance)


def statement_to_json(statement: Statement) -> dict[str, Any]:
    """Give the JSON value of a statement."""
    named = {"basis": sorted(statement.basis)} if statement.basis else {}
    return named | {
        "version": 2 if named else 1,
        "engine_min": statement.engine_min,
        "issuer": statement.issuer,
        "audience": statement.audience,
        "sequence": statement.sequence,
        "previous": statement.previous,
        "issued_at": instant_text(statement.issued_at),
        "next_update_at": instant_text(statement.next_update_at),
        "until_at": instant_text(statement.until_at),
        "scope": [rule_to_json(rule) for rule in statement.scope],
        "erase": statement.erase.value,
        "duties": sorted(statement.duties),
        "reply_key": statement.reply_key,
    }


def statement_from_json(value: Mapping[str, object]) -> Statement:
    """Read a statement from parsed JSON.

    Raises:
        InvalidDocument: another version, another set of members, or a limit we do not know.
    """
    version = value.get("version")
    if not isinstance(version, int) or isinstance(version, bool) or version not in _MEMBERS_OF:
        raise InvalidDocument("version")
    if value.keys() != _MEMBERS_OF[version]:
        raise InvalidDocument("unknown_member")
    engine, sequence, previous = value["engine_min"], value["sequence"], value["previous"]
    if not isinstance(engine, int) or engine > ENGINE:
        raise InvalidDocument("engine")
    if not isinstance(sequence, int) or isinstance(sequence, bool):
        raise InvalidDocument("statement_sequence")
    if previous is not None and not isinstance(previous, str):
        raise InvalidDocument("statement_sequence")
    rules = tuple(rule_from_json(rule) for rule in _items(value["scope"]))
    duties = frozenset(_text(duty) for duty in _items(value["duties"]))
    if any(rule.unknown for rule in rules) or not all(map(is_duty, duties)):
        raise UnknownCode("scope")
    try:
        erase = Erase(_text(value["erase"]))
    except ValueError as exc:
        raise UnknownCode("erase") from exc
    return Statement(
        issuer=_text(value["issuer"]),
        audience=_text(value["audience"]),
        sequence=sequence,
        previous=previous,
        issued_at=parse_instant(value["issued_at"]),
        next_update_at=parse_instant(value["next_update_at"]),
        until_at=parse_instant(value["until_at"]),
        scope=rules,
        erase=erase,
        duties=duties,
        reply_key=_text(value["reply_key"]),
        basis=_basis(value["basis"]) if version > 1 else None,
        engine_min=engine,
    )


def _basis(value: object) -> frozenset[str]:
    names = list(map(_text, _items(value)))
    if names != sorted(set(names)):
        raise InvalidDocument("statement_basis")
    return frozenset(names)


def _items(value: object) -> list[object]:
    if not isinstance(value, list) or len(value) > MAX_ITEMS:
        raise InvalidDocument("not_a_list")
    return value


def _text(value: object) -> str:
    if not isinstance(value, str) or not value:
        raise InvalidDocument("not_text")
    return value
