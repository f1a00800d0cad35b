"""What can be wrong with a resource, and what follows from it.

An issue is *fatal* when a reader could be misled by showing the resource all the same: nobody can say what
it is (no resource, a malformed id), or at its top an element that the standard demands is missing, does not
have the JSON form that reading leans on, or says two things where the standard allows one. Everything else
is a *remark*: the record is kept and shown, and the remark can be shown with it.

The line lies there on purpose. Real systems send codes from outside a value set, elements of their own
(``_id`` of their database), numbers as texts, half dates; a Dutch laboratory sends both a moment and a
period of taking the sample. A person is better served by a record with a remark than by one in quarantine.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum

_INDEX = re.compile(r"\[[0-9]+\]")
_JSON = "https://hl7.org/fhir/R4/json.html"
_DATATYPES = "https://hl7.org/fhir/R4/datatypes.html"


class Rule(StrEnum):
    """The rules, by the name that stays stable (it is a key of translated texts)."""

    NOT_A_RESOURCE = "not_a_resource"
    WRONG_FORM = "wrong_form"
    WRONG_TYPE = "wrong_type"
    TWO_CHOICES = "two_choices"
    MISSING = "missing"
    BAD_ID = "bad_id"
    BAD_TEXT = "bad_text"
    BAD_NUMBER = "bad_number"
    UNKNOWN_CODE = "unknown_code"
    UNKNOWN_ELEMENT = "unknown_element"
    EMPTY = "empty"
    TWIN = "twin"
    EXTENSION = "extension"
    CONTAINED = "contained"


SOURCES: dict[Rule, str] = {
    Rule.NOT_A_RESOURCE: f"{_JSON}#resources",
    Rule.WRONG_FORM: f"{_JSON}#object",
    Rule.WRONG_TYPE: f"{_JSON}#primitive",
    Rule.TWO_CHOICES: "https://hl7.org/fhir/R4/formats.html#choice",
    Rule.MISSING: "https://hl7.org/fhir/R4/conformance-rules.html#cardinality",
    Rule.BAD_ID: f"{_DATATYPES}#id",
    Rule.BAD_TEXT: f"{_DATATYPES}#primitive",
    Rule.BAD_NUMBER: f"{_DATATYPES}#integer",
    Rule.UNKNOWN_CODE: "https://hl7.org/fhir/R4/terminologies.html#required",
    Rule.UNKNOWN_ELEMENT: f"{_JSON}#xml",
    Rule.EMPTY: f"{_JSON}#object",
    Rule.TWIN: f"{_JSON}#primitive",
    Rule.EXTENSION: "https://hl7.org/fhir/R4/extensibility.html#Extension",
    Rule.CONTAINED: "https://hl7.org/fhir/R4/references.html#contained",
}
"""Where the standard says it."""

_FATAL_AT_THE_TOP = frozenset({Rule.MISSING, Rule.WRONG_FORM, Rule.BAD_ID, Rule.TWO_CHOICES})


@dataclass(frozen=True, slots=True)
class Issue:
    """One difference from the standard.

    Attributes:
        path: Where, in element names and indices (``Patient.name[0].family``); never a value.
        rule: Which rule is broken.
    """

    path: str
    rule: Rule

    @property
    def source(self) -> str:
        """Where the standard says it."""
        return SOURCES[self.rule]

    @property
    def fatal(self) -> bool:
        """Whether showing the resource all the same could mislead."""
        depth = self.path.count(".")
        return depth == 0 or (depth == 1 and self.rule in _FATAL_AT_THE_TOP)

    @property
    def detail(self) -> str:
        """Element and rule without indices: safe to keep, to count and to log.

        The name of an unknown element was chosen by the sender and is left out.
        """
        known = self.path.rpartition(".")[0] if self.rule is Rule.UNKNOWN_ELEMENT else self.path
        return f"{_INDEX.sub('', known)}: {self.rule}"

    def __str__(self) -> str:
        return f"{self.path}: {self.rule}"
