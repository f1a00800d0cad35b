"""Write a person's name the way Dutch people write it.

Rules:

1. A family name that comes in parts is put together in the order the person chose: own name, partner's name,
   or both with a hyphen, each with its own prefix ("van der"). Without a chosen order, or with an order we do
   not know, the family name stands as the source wrote it.
2. First names come first; without them the name the person is called by, then the initials. Initials are
   written together (G.Z.M.).
3. A name in one text is used when there are no parts.

Sources: zib NameInformation-v1.1(2020), https://zibs.nl/wiki/NameInformation-v1.1(2020EN); its FHIR profile
nl-core-NameInformation; extensions humanname-own-name, -own-prefix, -partner-name, -partner-prefix and
humanname-assembly-order and iso21090-EN-qualifier of https://hl7.org/fhir/R4/extensibility-registry.html.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from pgo.health.record.safe import extension, obj, objs, text, texts

_USE_ORDER: Final = ("official", "usual", "")
_INITIALS, _CALLED = "IN", "CL"
# zib NameInformation-v1.1(2020), value set NaamgebruikCodelijst: NL1 own, NL2 partner, NL3 partner - own,
# NL4 own - partner.
_ORDERS: Final[Mapping[str, tuple[str, ...]]] = {
    "NL1": ("own",),
    "NL2": ("partner",),
    "NL3": ("partner", "own"),
    "NL4": ("own", "partner"),
}


def human_name(body: Mapping[str, Any]) -> str:
    """Give the name of a Patient, Practitioner or RelatedPerson as one line; empty when none is known."""
    names = objs(body, "name")
    for use in _USE_ORDER:
        for name in names:
            if text(name, "use") == use and (line := name_line(name)):
                return line
    return next((line for name in names if (line := name_line(name))), "")


def name_line(name: Mapping[str, Any]) -> str:
    """Give one HumanName as a line.

    >>> family = [{"url": ".../humanname-own-name", "valueString": "Giessen"},
    ...           {"url": ".../humanname-own-prefix", "valueString": "van der"},
    ...           {"url": ".../humanname-partner-name", "valueString": "Putten"}]
    >>> order = [{"url": ".../humanname-assembly-order", "valueCode": "NL3"}]
    >>> name_line({"given": ["Jo"], "family": "?", "_family": {"extension": family}, "extension": order})
    'Jo Putten-van der Giessen'
    """
    built = " ".join(filter(None, (_given(name), _family(name))))
    return built or text(name, "text")


def _family(name: Mapping[str, Any]) -> str:
    parts = obj(name, "_family")
    order = _ORDERS.get(text(extension(name, "/humanname-assembly-order"), "valueCode"), ())
    written = [_surname(parts, whose) for whose in order]
    return "-".join(written) if written and all(written) else text(name, "family")


def _surname(parts: Mapping[str, Any], whose: str) -> str:
    family = text(extension(parts, f"/humanname-{whose}-name"), "valueString")
    prefix = text(extension(parts, f"/humanname-{whose}-prefix"), "valueString")
    return f"{prefix} {family}".strip() if family else ""


def _given(name: Mapping[str, Any]) -> str:
    given = [part for part in texts(name, "given") if part.strip()]
    qualifiers = _qualifiers(name)
    if not any(qualifiers) or len(qualifiers) != len(given):
        return " ".join(part for part in given if not _looks_like_initials(part, given))
    marked = list(zip(given, qualifiers, strict=True))
    full = [part for part, mark in marked if mark not in (_INITIALS, _CALLED)]
    called = [part for part, mark in marked if mark == _CALLED]
    return " ".join(full or called) or "".join(part.strip() for part, _ in marked)


def _qualifiers(name: Mapping[str, Any]) -> list[str]:
    held = name.get("_given")
    rows = held if isinstance(held, list) else []
    return [
        text(extension(row, "/iso21090-EN-qualifier"), "valueCode") if isinstance(row, Mapping) else ""
        for row in rows
    ]


def _looks_like_initials(part: str, given: list[str]) -> bool:
    """Initials beside full names, without a mark that says so, are shown only when there is nothing else."""
    short = part.strip().endswith(".") and len(part.strip().replace(".", "")) <= 3
    return short and any(not other.strip().endswith(".") for other in given)
