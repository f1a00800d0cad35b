"""The numbers under which Dutch care providers are known, and how they are written.

A number on a card is what the recipient says about itself; that it is well formed proves nothing more. What
is not well formed is refused, because a mistyped number would show patients another provider's.

| scheme | who | digits | OID |
|---|---|---|---|
| `ura` | an organisation in the UZI register | 8 | 2.16.528.1.1007.3.3 |
| `agb` | a provider that sends claims | 8 | 2.16.840.1.113883.2.4.6.1 |
| `big` | a professional in the BIG register | 11 | 2.16.528.1.1007.5.1 |
| `uzi` | a professional's pass | 9 | 2.16.528.1.1007.3.1 |

None of them has a check digit that holds for all numbers in use, so length and digits are the whole rule.

Sources: Nictiz, FHIR NamingSystems at http://fhir.nl/fhir/NamingSystem (ura, agb-z, big, uzi-nr-pers), with
their OIDs in the Dutch OID register; CIBG, UZI-register, Certification Practice Statement (subscriber number
of 8 digits, UZI number of 9); Vektis, AGB-code (2 digits for the kind of care, 6 for the provider); CIBG,
BIG-register (registration number of 11 digits).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from sync.errors import LocalRuleError


@dataclass(frozen=True, slots=True)
class NamingSystem:
    """One kind of number.

    Attributes:
        scheme: short name, as in the id of a card (`ura:00000123`).
        system: as in FHIR `Identifier.system`.
        oid: the same in the Dutch OID register.
        digits: how many it has.
        label: how people call it.
    """

    scheme: str
    system: str
    oid: str
    digits: int
    label: str

    def fits(self, value: str) -> bool:
        """Tell whether a number is well formed."""
        return re.fullmatch(rf"[0-9]{{{self.digits}}}", value) is not None


_BASE = "http://fhir.nl/fhir/NamingSystem/"
_ALL = (
    NamingSystem("ura", _BASE + "ura", "2.16.528.1.1007.3.3", 8, "URA"),
    NamingSystem("agb", _BASE + "agb-z", "2.16.840.1.113883.2.4.6.1", 8, "AGB"),
    NamingSystem("big", _BASE + "big", "2.16.528.1.1007.5.1", 11, "BIG"),
    NamingSystem("uzi", _BASE + "uzi-nr-pers", "2.16.528.1.1007.3.1", 9, "UZI"),
)
BY_SCHEME: Mapping[str, NamingSystem] = MappingProxyType({one.scheme: one for one in _ALL})
BY_SYSTEM: Mapping[str, NamingSystem] = MappingProxyType(
    {name: one for one in _ALL for name in (one.system, f"urn:oid:{one.oid}")}
)


def check_identifiers(recipient_id: str, identifiers: tuple[tuple[str, str], ...]) -> None:
    """Check the numbers of a card against each other and against their form.

    Args:
        recipient_id: `scheme:value`; a scheme of this module has to be well formed too.
        identifiers: pairs (system, value); systems we do not know are left alone.

    Raises:
        LocalRuleError: `bad_identifier`.
    """
    scheme, _, value = recipient_id.partition(":")
    own = BY_SCHEME.get(scheme)
    if own is not None and not own.fits(value):
        raise LocalRuleError("bad_identifier")
    for system, number in identifiers:
        known = BY_SYSTEM.get(system)
        if known is None:
            continue
        if not known.fits(number) or (known is own and number != value):
            raise LocalRuleError("bad_identifier")


def shown_identifier(system: str, value: str) -> str:
    """Write a number with the name people know it by; of an unknown system, its last part."""
    known = BY_SYSTEM.get(system)
    label = known.label if known else re.split(r"[/:]", system.rstrip("/"))[-1]
    return f"{label} {value}"
