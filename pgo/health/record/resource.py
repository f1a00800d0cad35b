"""What the reader gives: resources as they came, what was set aside, and who is mentioned.

Rules:

1. ``raw`` is the exact slice of the input. Nothing in this package writes it anew; store, share and export
   it as it is.
2. ``body`` is the same resource decoded by the strict reader. It is shared: do not change it.
3. A reason never carries personal data: ``code`` is a stable word, ``detail`` names an element or a rule.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

REASON_CODES = (
    *("bad_structure", "byte_order_mark", "cda", "damaged", "duplicate_key", "empty", "encrypted", "hl7_v3"),
    *("lone_surrogate", "no_resource_type", "not_a_number", "not_fhir", "not_json", "not_utf8", "not_xml"),
    *("nul", "other_patient", "placeholder", "reader_stopped", "stu3_ambiguous", "too_deep", "too_large"),
    *(
        "unknown_format",
        "unknown_type",
        "unsupported_type",
        "wrong_version_r5",
        "wrong_version_stu3",
        "xml_dtd",
        "zip",
    ),
)
"""Every code of ``SetAside`` and ``Refused``; ``other_patient`` comes from the use case, not the reader."""


@dataclass(frozen=True, slots=True)
class Resource:
    """One FHIR R4 resource: its bytes, its decoded body and where it stood.

    ``original`` holds what it was converted from, with ``original_format`` ``"xml"``, ``"stu3_json"`` or
    ``"stu3_xml"``; for R4 JSON they are ``None`` and ``"json"``, and ``raw`` is the original.
    """

    raw: bytes
    body: Mapping[str, Any]
    type: str
    id: str | None
    full_url: str | None
    original: bytes | None = None
    original_format: str = "json"

    @property
    def reference(self) -> str | None:
        """Give ``Type/id``, or ``None`` when the resource carries no id."""
        return f"{self.type}/{self.id}" if self.id else None


Resolve: TypeAlias = Callable[[str], Resource | None]
"""Find the resource behind a reference text (``Type/id``, ``urn:uuid:...`` or an address)."""


@dataclass(frozen=True, slots=True)
class SetAside:
    """One piece of a file that was not taken, and why.

    ``entry`` says where (``"entry 12"``, ``"line 3"``), ``raw`` holds the bytes for a later try and
    ``full_url`` the address it stood under.
    """

    entry: str
    type: str | None
    id: str | None
    code: str
    detail: str
    raw: bytes | None
    full_url: str = ""


@dataclass(frozen=True, slots=True)
class PersonMention:
    """A person a file speaks of: a Patient resource."""

    reference: str | None
    full_url: str | None
    identifiers: frozenset[tuple[str, str]]
    name: str
    birth_date: str
    gender: str


@dataclass(frozen=True, slots=True)
class Intake:
    """What one file gave; ``format``: ``json``, ``ndjson``, ``xml``, ``zip``, ``document`` or ``cda``."""

    resources: tuple[Resource, ...]
    set_aside: tuple[SetAside, ...]
    persons: tuple[PersonMention, ...]
    format: str


class Refused(Exception):
    """Nothing of a file can be used. ``code`` is stable, ``detail`` names a rule and never a person."""

    def __init__(self, code: str, detail: str = "") -> None:
        """Keep code and detail; both are safe to show and to log."""
        super().__init__(f"{code} {detail}".strip())
        self.code = code
        self.detail = detail
