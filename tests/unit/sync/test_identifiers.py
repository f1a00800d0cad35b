"""Numbers of Dutch care providers on a card."""

from __future__ import annotations

import pytest

from sync.card import parse_card, sign_card
from sync.errors import LocalRuleError
from sync.identifiers import BY_SCHEME, check_identifiers, shown_identifier
from tests.support.sync_world import AT, CLINIC_SIGNING, a_card

GOOD = {"ura": "00000123", "agb": "01234567", "big": "19012345601", "uzi": "900012345"}


@pytest.mark.parametrize(("scheme", "value"), sorted(GOOD.items()))
def test_a_well_formed_number_stands_on_a_card_by_url_and_by_oid(scheme: str, value: str) -> None:
    known = BY_SCHEME[scheme]
    both = ((known.system, value), (f"urn:oid:{known.oid}", value))
    card = a_card(id=f"{scheme}:{value}", identifiers=both)
    assert parse_card(sign_card(card, CLINIC_SIGNING), at=AT).identifiers == both
    assert shown_identifier(known.system, value) == f"{scheme.upper()} {value}"


@pytest.mark.parametrize(("scheme", "value"), sorted(GOOD.items()))
@pytest.mark.parametrize("spoil", [lambda v: v[1:], lambda v: v + "0", lambda v: v[:-1] + "x", lambda v: ""])
def test_a_number_of_another_form_is_refused(scheme: str, value: str, spoil: object) -> None:
    wrong = spoil(value)  # type: ignore[operator]
    with pytest.raises(LocalRuleError, match="bad_identifier"):
        check_identifiers("reg:test", ((BY_SCHEME[scheme].system, wrong),))
    with pytest.raises(LocalRuleError, match="bad_identifier"):
        check_identifiers(f"{scheme}:{wrong}", ())


def test_digits_of_another_script_are_no_digits() -> None:
    with pytest.raises(LocalRuleError):
        check_identifiers("ura:٠٠٠٠٠١٢٣", ())


def test_the_number_of_the_id_and_the_one_listed_must_be_the_same() -> None:
    with pytest.raises(LocalRuleError, match="bad_identifier"):
        check_identifiers("ura:00000123", ((BY_SCHEME["ura"].system, "00000124"),))
    check_identifiers("ura:00000123", ((BY_SCHEME["agb"].system, "01234567"),))


def test_other_systems_are_left_alone() -> None:
    check_identifiers("reg:oefen", (("https://example.org/registry", "any text"),))
    assert shown_identifier("https://example.org/registry/", "7") == "registry 7"
