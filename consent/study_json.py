"""Read and write what a study says of itself; "?" is a fact that is not known.

An absent flag is no, an absent region is unknown (a study is always somewhere), an absent list of
topics is an empty one: absent means no.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from consent.errors import InvalidDocument
from consent.research import OPT_INS, Study

UNKNOWN: Final = "?"
_FLAGS: Final = (*OPT_INS, "nonprofit", "ethics")


def study_from_json(value: object) -> Study:
    """Read a study.

    Raises:
        InvalidDocument: a member of the wrong shape, or one this version does not know.
    """
    if not isinstance(value, Mapping) or not value.keys() <= {"topics", "regions", *_FLAGS}:
        raise InvalidDocument("study")
    flags = {name: _flag(value.get(name, False)) for name in _FLAGS}
    return Study(
        topics=_texts(value.get("topics", [])), regions=_texts(value.get("regions", UNKNOWN)), **flags
    )


def _flag(value: object) -> bool | None:
    if value == UNKNOWN:
        return None
    if not isinstance(value, bool):
        raise InvalidDocument("study")
    return value


def _texts(value: object) -> frozenset[str] | None:
    if value == UNKNOWN:
        return None
    if not isinstance(value, list) or not all(isinstance(text, str) and text for text in value):
        raise InvalidDocument("study")
    return frozenset(value)


def study_to_json(study: Study) -> dict[str, Any]:
    """Give the JSON value of a study, with every member said."""
    value: dict[str, Any] = {
        "topics": UNKNOWN if study.topics is None else sorted(study.topics),
        "regions": UNKNOWN if study.regions is None else sorted(study.regions),
    }
    for name in _FLAGS:
        flag = getattr(study, name)
        value[name] = UNKNOWN if flag is None else flag
    return value
