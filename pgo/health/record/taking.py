"""Decide for one decoded resource whether it is taken, taken after conversion from STU3, or set aside.

Rules:

1. What comes as R4 and passes the light check (``shape``) is taken as it came, small faults included: it is
   the patient's, and nobody else will mend it.
2. What shows itself as STU3 is converted (``pgo.health.record.stu3``). What we make ourselves must be R4 to
   the letter (``pgo.health.fhir_r4.validate``). ``raw`` is then R4, ``original`` the bytes that came.
3. A resource without a mark of its own is read as STU3 when the file names Dutch STU3 profiles elsewhere, or
   when it holds elements R4 does not know and is STU3 to the letter. When it holds elements that STU3 does
   not know, it is R4 after all.
4. A resource that shows marks of both releases is set aside (``stu3_ambiguous``): picking one is guessing.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pgo.health.fhir_r4 import Rule, validate
from pgo.health.record.resource import Resource, SetAside
from pgo.health.record.shape import STU3_PROFILE, Problem, check_resource
from pgo.health.record.stu3 import NotConvertible, convert, is_convertible
from pgo.health.record.writer import write_exact

_TYPE_NAME = re.compile(r"[A-Za-z]{1,64}\Z")
# A Dutch STU3 profile where a resource names its profile, in JSON or XML.
_NAMES_STU3 = re.compile(
    rb'(?:"profile"\s*:\s*\[\s*"|<profile\s+value\s*=\s*")(?:' + STU3_PROFILE.pattern.encode() + rb")"
)
_OTHER_RELEASE = "wrong_version_stu3"


@dataclass(frozen=True, slots=True)
class Piece:
    """One resource as it stood in a file.

    Attributes:
        where: its place, as shown (``"entry 12"``).
        full_url: ``Bundle.entry.fullUrl``.
        source: the exact bytes, JSON or XML.
        form: ``"json"`` or ``"xml"``.
        stu3_file: the file names Dutch STU3 profiles.
    """

    where: str
    full_url: str | None
    source: bytes
    form: str
    stu3_file: bool


def names_stu3(data: bytes) -> bool:
    """Say whether a file names a Dutch STU3 profile anywhere."""
    return _NAMES_STU3.search(data) is not None


def take_body(body: object, piece: Piece, *, raw: bytes) -> Resource | SetAside:
    """Turn a decoded body into a resource, or set it aside with the first broken rule.

    Args:
        body: Decoded JSON of the resource, R4 or STU3.
        piece: Where it came from.
        raw: The JSON bytes of ``body``; for JSON the same as ``piece.source``.
    """
    problem = check_resource(body, raw=raw)
    members = body if isinstance(body, dict) else {}
    marked = problem is not None and problem.code == _OTHER_RELEASE
    if marked or _may_be_stu3(problem, members, piece, raw):
        found = _converted(members, piece)
        if isinstance(found, Resource) or marked:
            return found
    if problem is not None:
        return set_aside(members, piece, problem)
    original = None if piece.form == "json" else piece.source
    return Resource(raw, members, *_names(members), piece.full_url, original, piece.form)


def _may_be_stu3(problem: Problem | None, members: Mapping[str, Any], piece: Piece, raw: bytes) -> bool:
    """Say whether rule 3 allows a try; what the try gives decides."""
    if problem is not None and problem.code != "bad_structure":
        return False
    if piece.stu3_file:
        return True
    strange = problem is None and is_convertible(str(members.get("resourceType")))
    return strange and any(issue.rule is Rule.UNKNOWN_ELEMENT for issue in validate(members, raw=raw))


def take_stu3(body: Mapping[str, Any], piece: Piece) -> Resource | SetAside:
    """Convert a body that is known to be STU3."""
    return _converted(body, piece)


def set_aside(members: Mapping[str, Any], piece: Piece, problem: Problem) -> SetAside:
    """Keep the bytes with the reason; type and id only where they have the form of one."""
    kind, identity = members.get("resourceType"), members.get("id")
    shown = kind if isinstance(kind, str) and _TYPE_NAME.match(kind) else None
    known_id = identity if isinstance(identity, str) else None
    return SetAside(
        piece.where, shown, known_id, problem.code, problem.detail, piece.source, piece.full_url or ""
    )


def _names(members: Mapping[str, Any]) -> tuple[str, str | None]:
    identity = members.get("id")
    return str(members["resourceType"]), identity if isinstance(identity, str) else None


def _converted(members: Mapping[str, Any], piece: Piece) -> Resource | SetAside:
    kind = members.get("resourceType")
    if not isinstance(kind, str) or not is_convertible(kind):
        return set_aside(members, piece, Problem(_OTHER_RELEASE, kind if isinstance(kind, str) else ""))
    try:
        made = convert(members)
    except NotConvertible as exc:
        code = "stu3_ambiguous" if exc.detail.endswith("unknown element") else exc.code
        return set_aside(members, piece, Problem(code, exc.detail))
    raw = write_exact(made)
    problem = check_resource(made, raw=raw) or _fault(made, raw)
    if problem is not None:
        return set_aside(members, piece, problem)
    return Resource(raw, made, *_names(made), piece.full_url, piece.source, f"stu3_{piece.form}")


def _fault(made: Mapping[str, Any], raw: bytes) -> Problem | None:
    issues = validate(made, raw=raw)
    return Problem("bad_structure", str(issues[0])) if issues else None
