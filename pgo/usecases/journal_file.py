"""The journal as a file that anybody can check: JSON lines, the last one the signed head.

Form (``urn:pgo:journal:1``), every line in the one spelling of RFC 8785:

1. Each line of the journal: ``{"body":{...},"journal":"<vault id>","link":"sha256:...","position":n}``.
2. The last line: ``{"head":"<JWS>","journal":"...","key":"<public key>","schema":"urn:pgo:journal:1"}``.
   The JWS is signed by the key of the vault that also signs consent, over count, link of the last line,
   moment and journal. Without it a file cut at its end would look whole.

The public key stands in the file: a check without the vault proves that one key signed this end, and its
fingerprint says which; with the vault it is compared to the vault's own key.

Lines hold event names, moments, counts and numbers of this vault, no health data; which record a number is,
only the vault knows.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from consent.dates import instant_text
from crypto.canonical import JsonValue, canonical_bytes, parse_strict
from crypto.chain import GENESIS
from crypto.errors import CryptoError
from crypto.keys import SigningKey, VerifyKey
from crypto.signing import sign_jws, verify_jws
from pgo.errors import InputRefused
from pgo.usecases.journal_verify import Claim, Finding, Head, verify_lines

SCHEMA = "urn:pgo:journal:1"
TYP = "pgo-journal+jws"
MAX_FILE_BYTES = 50_000_000
_MAX_LINE_BYTES = 70_000
_LINK = re.compile(r"sha256:[0-9a-f]{64}")
_MEMBERS = frozenset({"body", "journal", "link", "position"})
_HEAD_MEMBERS = frozenset({"head", "journal", "key", "schema"})


@dataclass(frozen=True, slots=True)
class Verified:
    """What a check of a journal found.

    Attributes:
        count: lines the signed end speaks of.
        fingerprint: of the key that signed the end, for comparing by eye.
        signed_at: when it was signed, None for an open vault.
        findings: every fault with its place; empty when everything holds.
    """

    count: int
    fingerprint: str
    signed_at: datetime | None
    findings: tuple[Finding, ...]


def build_journal_file(
    rows: Iterable[tuple[int, bytes, str]], *, journal: str, key: SigningKey, at: datetime
) -> bytes:
    """Write the file.

    Args:
        rows: (position, body, link) oldest first.
        journal: id of the vault.
        key: the vault's signing key.
        at: the moment of writing.
    """
    lines: list[bytes] = []
    head = GENESIS
    for position, body, chained in rows:
        value = _strict(body)
        lines.append(
            canonical_bytes({"body": value, "journal": journal, "link": chained, "position": position})
        )
        head = chained
    said: dict[str, JsonValue] = {
        "at": instant_text(at),
        "count": len(lines),
        "journal": journal,
        "link": head,
        "schema": SCHEMA,
    }
    token = sign_jws(canonical_bytes(said), key, typ=TYP)
    lines.append(
        canonical_bytes({"head": token, "journal": journal, "key": key.public.text, "schema": SCHEMA})
    )
    return b"\n".join(lines) + b"\n"


def verify_journal_file(data: bytes, *, key: VerifyKey | None = None, journal: str | None = None) -> Verified:
    """Check a file; every fault is named with its place.

    Args:
        data: the file, untrusted.
        key: the key that must have signed it; None takes the one in the file, whose fingerprint the person
            compares.
        journal: the vault it must be of; None takes the one of the signed end.

    Raises:
        InputRefused: ``too_large``; ``journal_no_end`` (no signed last line: cut off, or no journal),
            ``journal_other_key``, ``journal_bad_signature``, ``journal_other_vault``.
    """
    if len(data) > MAX_FILE_BYTES:
        raise InputRefused("too_large")
    lines = data.removesuffix(b"\n").split(b"\n")
    end = _read_end(lines[-1])
    signed_by = _key(end["key"])
    if key is not None and signed_by != key:
        raise InputRefused("journal_other_key")
    said = _signed(end["head"], signed_by)
    if said["journal"] != end["journal"] or journal not in (None, said["journal"]):
        raise InputRefused("journal_other_vault")
    claims = [_claim(number, line) for number, line in enumerate(lines[:-1], start=1)]
    findings = verify_lines(claims, journal=said["journal"], head=Head(said["count"], said["link"]))
    return Verified(said["count"], signed_by.fingerprint(), datetime.fromisoformat(said["at"]), findings)


def is_link(text: str) -> bool:
    """Whether a text has the form of a link."""
    return _LINK.fullmatch(text) is not None


def _read_end(line: bytes) -> Mapping[str, Any]:
    value = _object(line)
    if value is None or value.keys() != _HEAD_MEMBERS or value["schema"] != SCHEMA:
        raise InputRefused("journal_no_end")
    return value


def _key(text: object) -> VerifyKey:
    try:
        return VerifyKey.from_text(str(text))
    except CryptoError as exc:
        raise InputRefused("journal_bad_signature") from exc


def _signed(token: object, key: VerifyKey) -> Mapping[str, Any]:
    try:
        said = _strict(verify_jws(str(token), key, typ=TYP))
    except CryptoError as exc:
        raise InputRefused("journal_bad_signature") from exc
    members = {"at": str, "count": int, "journal": str, "link": str, "schema": str}
    if not isinstance(said, dict) or {name: type(value) for name, value in said.items()} != members:
        raise InputRefused("journal_no_end")
    return said


def _claim(number: int, line: bytes) -> Claim:
    """Read a line; written in any other way than ours it is unreadable, so no line has two readings."""
    value = _object(line)
    unreadable = Claim(number, "", number - 1, "", None)
    if value is None or value.keys() != _MEMBERS or not isinstance(value["body"], dict):
        return unreadable
    journal, position, chained = value["journal"], value["position"], value["link"]
    if not isinstance(journal, str) or type(position) is not int or position < 0:
        return unreadable
    if not isinstance(chained, str) or not is_link(chained):
        return unreadable
    return Claim(number, journal, position, chained, canonical_bytes(value["body"]))


def _object(line: bytes) -> dict[str, Any] | None:
    try:
        value = _strict(line)
        same = canonical_bytes(value) == line
    except CryptoError:
        return None
    return value if same and isinstance(value, dict) else None


def _strict(data: bytes) -> Any:
    return parse_strict(data, max_bytes=_MAX_LINE_BYTES, max_depth=6)
