"""Whether one resource fits what a search parameter asks.

Rules:

1. a token is ``code``, ``system|code``, ``system|`` or ``|code``; systems are compared as they are,
   codes without regard to case (R4: "when in doubt, insensitive");
2. an element of type ``code`` has the system that R4 binds to it;
3. a string fits when a part of the name begins with it, without regard to case, accents and spaces around;
4. a date fits as ``recipient.fhir_api.moments`` says; what cannot be read as a date fits
   nothing, not even ``ne``.

Source: FHIR R4 search.html#token, #string, #date.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from recipient.fhir_api.moments import Span, fits, spans_of
from recipient.fhir_api.parameters import Parameter, values_at

_NAME_PARTS = ("family", "given", "prefix", "suffix", "text")


@dataclass(frozen=True, slots=True)
class Token:
    """An asked token; ``system`` None is any system, empty is none; ``code`` None is any code."""

    system: str | None
    code: str | None


@dataclass(frozen=True, slots=True)
class Moment:
    """An asked date."""

    prefix: str
    span: Span


Asked = Token | Moment | str


def matches(body: Mapping[str, Any], parameter: Parameter, asked: Iterable[Asked], *, now: datetime) -> bool:
    """Tell whether any value of a parameter fits any of the asked ones."""
    found = [value for path in parameter.paths for value in values_at(body, path)]
    return any(_one_fits(found, parameter, one, now=now) for one in asked)


def _one_fits(found: list[Any], parameter: Parameter, asked: Asked, *, now: datetime) -> bool:
    match asked:
        case Token():
            codings = (pair for value in found for pair in _codings(value, parameter.system))
            return any(_token_fits(asked, system, code) for system, code in codings)
        case Moment():
            spans = (span for value in found for span in spans_of(value))
            return any(fits(asked.prefix, asked.span, span, now=now) for span in spans)
        case str():
            wanted = _plain(asked)
            return any(_plain(part).startswith(wanted) for value in found for part in _words(value))


def _token_fits(asked: Token, system: str | None, code: str | None) -> bool:
    if asked.system is not None and asked.system != (system or ""):
        return False
    return asked.code is None or (code is not None and asked.code.casefold() == code.casefold())


def _codings(value: Any, bound: str | None) -> Iterator[tuple[str | None, str | None]]:
    """Give system and code of a code, Coding, CodeableConcept or Identifier."""
    if isinstance(value, str):
        yield bound, value
    elif isinstance(value, dict):
        inner = value.get("coding")
        for coding in inner if isinstance(inner, list | tuple) else ():
            yield from _codings(coding, None) if isinstance(coding, dict) else ()
        code = value.get("code", value.get("value"))
        if isinstance(code, str):
            system = value.get("system")
            yield (system if isinstance(system, str) else None), code


def _words(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for part in _NAME_PARTS:
            for word in values_at(value, part):
                if isinstance(word, str):
                    yield word


def _plain(text: str) -> str:
    spread = unicodedata.normalize("NFD", text.strip())
    return "".join(letter for letter in spread if not unicodedata.combining(letter)).casefold()
