"""Names as Dutch people write them: order of name use, prefixes, first names before initials."""

from __future__ import annotations

from typing import Any

import pytest

from pgo.health.record.names import name_line

_R4 = "http://hl7.org/fhir/StructureDefinition/"


def _name(order: str = "", given: tuple[tuple[str, str], ...] = (), **parts: str) -> dict[str, Any]:
    name: dict[str, Any] = {"family": "als geschreven"}
    if order:
        name["extension"] = [{"url": f"{_R4}humanname-assembly-order", "valueCode": order}]
    name["_family"] = {
        "extension": [
            {"url": f"{_R4}humanname-{part.replace('_', '-')}", "valueString": value}
            for part, value in parts.items()
        ]
    }
    if given:
        name["given"] = [part for part, _ in given]
        name["_given"] = [
            {"extension": [{"url": f"{_R4}iso21090-EN-qualifier", "valueCode": mark}]} for _, mark in given
        ]
    return name


_BOTH = {"own_name": "Giessen", "own_prefix": "van der", "partner_name": "Putten", "partner_prefix": "van"}


@pytest.mark.parametrize(
    ("order", "expected"),
    [
        ("NL1", "van der Giessen"),
        ("NL2", "van Putten"),
        ("NL3", "van Putten-van der Giessen"),
        ("NL4", "van der Giessen-van Putten"),
        ("UNK", "als geschreven"),
        ("", "als geschreven"),
    ],
)
def test_the_order_of_name_use_is_the_persons_choice(order: str, expected: str) -> None:
    assert name_line(_name(order, **_BOTH)) == expected


def test_a_part_that_is_missing_leaves_the_name_as_written() -> None:
    assert name_line(_name("NL3", own_name="Giessen")) == "als geschreven"


def test_first_names_come_before_the_name_one_is_called_by_and_the_initials() -> None:
    given = (("Johanna Maria", "BR"), ("J.M.", "IN"), ("Jo", "CL"))

    assert name_line(_name("NL1", given, own_name="Visser")) == "Johanna Maria Visser"
    assert name_line(_name("NL1", given[1:], own_name="Visser")) == "Jo Visser"


def test_initials_are_written_together() -> None:
    given = (("G.", "IN"), ("Z.", "IN"), ("M.", "IN"))

    assert name_line(_name("NL1", given, own_name="Wit", own_prefix="de")) == "G.Z.M. de Wit"


def test_a_name_in_one_text_is_used_when_there_are_no_parts() -> None:
    assert name_line({"text": "Zuster Clivia"}) == "Zuster Clivia"
