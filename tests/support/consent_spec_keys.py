"""The specification of consent, chapter on keys: what a copied, distrusted or certified key can do."""

from __future__ import annotations

from dataclasses import replace

from consent.document import sign_record
from consent.ledger import Ledger
from consent.model import By, Category, Record, RecordHash, deny_rule
from crypto.chain import GENESIS
from crypto.keys import SigningKey
from tests.support.consent_builders import KEY, SECOND_KEY, SUBJECT, a_grant, key_record
from tests.support.consent_case import Case
from tests.support.es256 import Es256Key

HARDWARE = Es256Key(2**200 + 7)
Entry = tuple[Record, SigningKey, int]


def _log(*entries: Entry, more: tuple[str, ...] = ()) -> Ledger:
    """Really sign each record by a key at a place of its chain; each has seen what stands before it."""
    tokens: list[str] = []
    at_place: dict[tuple[str, int], RecordHash] = {}
    for record, key, place in entries:
        told = replace(record, by=By(key.public.id), seen=frozenset(at_place.values()))
        previous = at_place.get((key.public.id, place - 1), GENESIS)
        signed = sign_record(told, key, position=place, previous=previous)
        at_place[key.public.id, place] = signed.hash
        tokens.append(signed.token)
    return Ledger.of([*tokens, *more], keys=[KEY.public, SECOND_KEY.public], subject=SUBJECT)


_NO_LABS = a_grant(deny_rule(category=[Category.LABS]), grant_id="no")
_OTHER, _THIRD = a_grant(grant_id="other"), a_grant(grant_id="third")
_TWICE: tuple[Entry, ...] = ((a_grant(), KEY, 0), (_OTHER, KEY, 0))
_ENROLLED = replace(
    key_record("add", KEY, KEY),
    kid=HARDWARE.public.id,
    key=HARDWARE.public.text,
    algorithm=HARDWARE.public.algorithm,
)
_BY_HARDWARE = HARDWARE.record(a_grant(), position=0, previous=GENESIS)


def _distrust(place: int) -> Record:
    return key_record("revoke", KEY, SECOND_KEY, from_position=place)


def _case(sentence: str, outcome: str, ledger: Ledger) -> Case:
    return Case("Keys", sentence, (), outcome, ledger=ledger)


KEYS: tuple[Case, ...] = (
    _case("A key that signed two records for one place permits nothing", "fork", _log(*_TWICE)),
    _case(
        "What such a key denied holds",
        "denied-by-patient",
        _log((_NO_LABS, KEY, 0), (_OTHER, KEY, 0), (a_grant(), SECOND_KEY, 0)),
    ),
    _case("Other keys are untouched by it", "permit", _log(*_TWICE, (a_grant(), SECOND_KEY, 0))),
    _case(
        "Distrusted from the split on by another key, it permits again what it permitted before",
        "permit",
        _log((a_grant(), KEY, 0), (_OTHER, KEY, 1), (_THIRD, KEY, 1), (_distrust(1), SECOND_KEY, 0)),
    ),
    _case(
        "A key distrusted from a place permits nothing from there",
        "signature",
        _log((a_grant(), KEY, 0), (_distrust(0), SECOND_KEY, 0)),
    ),
    _case(
        "What it denied holds all the same",
        "denied-by-patient",
        _log((_NO_LABS, KEY, 0), (_distrust(0), SECOND_KEY, 0), (a_grant(), SECOND_KEY, 1)),
    ),
    _case(
        "A key in hardware (ES256) permits once a trusted key certified it",
        "permit",
        _log((_ENROLLED, KEY, 0), more=(_BY_HARDWARE,)),
    ),
)
