"""The header of a vault: the only part that can be read without a key, and the memory against rollback.

Form: a magic line, the length, canonical JSON, a SHA-256 line against tearing and a MAC line against
editing. The MAC key derives from the vault key, so it can be checked only after unlocking; the SHA-256
before.

What it remembers: which database file belongs to the vault, the key slots, the number of commits, the heads
of consent ledger and journal (the database may be ahead of them after a crash, never behind), and after a
clean lock the hash of the database file (catches replayed pages and bit rot, guide security facts 7 and 8).

Rules of ``parse_header``: 1 size; 2 magic and layout; 3 SHA-256; 4 strict JSON; 5 every member present and
in bounds. Any failure is ``StoreDamaged("header")``: which step failed helps nobody but an attacker. Only a
header of a later form than ours is told apart (``VaultTooNew``): that is for the person to solve.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal, get_args

from crypto.canonical import b64url, b64url_decode, canonical_bytes, parse_strict
from crypto.chain import GENESIS
from crypto.errors import CryptoError
from crypto.kdf import derive_erasable
from crypto.passphrase import Argon2Parameters
from pgo.errors import KeyLost, StoreDamaged, VaultTooNew
from pgo.store.files import disk_errors, previous, save_atomically

HEADER_NAME = "vault.hdr"
_MAGIC = b"PGO-VAULT 1\n"
_LATER_MAGIC = re.compile(rb"PGO-VAULT (?!1\n)[1-9][0-9]{0,3}\n")
_MAX_BYTES = 16_384
_MAC_LABEL = "pgo/1/header"
_DB_FILE = re.compile(r"store-[0-9]{1,6}(-r[0-9]{1,6})?\.db")
_HEX_32 = re.compile(r"[0-9a-f]{32}")

SlotKind = Literal["passphrase", "recovery", "keyring"]
_RANDOM_KINDS = ("recovery", "keyring")


@dataclass(frozen=True, slots=True)
class Slot:
    """The vault key, wrapped once; ``parameters`` only for a passphrase, the others are random enough."""

    kind: SlotKind
    salt: bytes
    wrapped: bytes
    parameters: Argon2Parameters | None


@dataclass(frozen=True, slots=True)
class Header:
    """What ``vault.hdr`` says.

    Attributes:
        vault_id: 32 hex digits, random, no meaning.
        generation: number of the vault key; a renewed key gets a new database file.
        cipher: profile of the database engine.
        slots: at most one of each kind.
        commits: commits of the database when this header was written.
        ledger_length: records in the consent ledger at that time.
        ledger_head: hash of the last one, '' for none.
        journal_length: lines in the journal at that time; 0 in a header that did not remember them yet.
        journal_head: link of the last one.
        db_sha256: hash of the closed database file after a clean lock, '' while it is (or may be) in use.
        recovery_confirmed: the present recovery code was typed back.
        restores: how many times this vault was put back from a backup; each has a database file of its own,
            so that the one before stays beside it.
    """

    vault_id: str
    generation: int
    cipher: str
    slots: tuple[Slot, ...]
    commits: int = 0
    ledger_length: int = 0
    ledger_head: str = ""
    journal_length: int = 0
    journal_head: str = GENESIS
    db_sha256: str = ""
    recovery_confirmed: bool = False
    restores: int = 0

    @property
    def db_file(self) -> str:
        """Name of the database file in the vault folder."""
        restored = f"-r{self.restores}" if self.restores else ""
        return f"store-{self.generation}{restored}.db"

    def slot(self, kind: SlotKind) -> Slot | None:
        """The slot of that kind, if there is one."""
        return next((slot for slot in self.slots if slot.kind == kind), None)

    def with_slot(self, slot: Slot) -> Header:
        """The same header with this slot in the place of the one of its kind."""
        return replace(self, slots=(*self.without_slot(slot.kind).slots, slot))

    def without_slot(self, kind: SlotKind) -> Header:
        """The same header without the slot of that kind."""
        return replace(self, slots=tuple(slot for slot in self.slots if slot.kind != kind))


@dataclass(frozen=True, slots=True)
class LoadedHeader:
    """A header as read; nothing in it may be believed before ``verify`` passed.

    Attributes:
        header: its content.
        from_previous: the current file was unreadable and the one before was taken.
    """

    header: Header
    signed: bytes
    mac: str
    from_previous: bool = False

    def verify(self, vault_key: bytes | bytearray) -> Header:
        """Check the MAC.

        Raises:
            StoreDamaged: ``header``, it was edited by someone without the vault key.
        """
        if not hmac.compare_digest(_mac(self.signed, vault_key), self.mac):
            raise StoreDamaged("header")
        return self.header


def slot_aad(header: Header, kind: SlotKind, parameters: Argon2Parameters | None) -> bytes:
    """What a wrapped key is bound to: vault, generation, slot type, cost (guide security 3.1)."""
    return canonical_bytes(
        {
            "vault_id": header.vault_id,
            "generation": header.generation,
            "slot": kind,
            "kdf": _kdf_json(parameters),
        }
    )


def build_header(header: Header, vault_key: bytes | bytearray) -> bytes:
    """The bytes of ``vault.hdr``."""
    body = canonical_bytes(_to_json(header))
    signed = _MAGIC + str(len(body)).encode("ascii") + b"\n" + body + b"\n"
    digest = hashlib.sha256(signed).hexdigest()
    return signed + f"sha256:{digest}\nmac:{_mac(signed, vault_key)}\n".encode("ascii")


def save_header(
    folder: Path, header: Header, vault_key: bytes | bytearray, *, over_torn: bool = False
) -> None:
    """Replace the header; a crash leaves the old or the new one.

    Args:
        folder: of the vault.
        header: what it says from now on.
        vault_key: for its MAC.
        over_torn: the present header cannot be read; the good one before it must not make place for it.

    Raises:
        StoreFull, DiskFailed, StoreDamaged: the old one stays; or, when only the last sync of the folder
            failed, the new one is there.
    """
    data = build_header(header, vault_key)
    with disk_errors():
        save_atomically(folder / HEADER_NAME, data, keep_current=not over_torn)


def load_header(folder: Path) -> LoadedHeader:
    """Read the header, or the one before it when the current one is torn.

    Raises:
        KeyLost: there is neither.
        StoreDamaged: ``header``, none of the two can be read.
    """
    current = folder / HEADER_NAME
    before = previous(current)
    if not current.exists() and not before.exists():
        raise KeyLost
    try:
        return parse_header(_read(current))
    except StoreDamaged:
        if not before.exists():
            raise
    return replace(parse_header(_read(before)), from_previous=True)


def parse_header(data: bytes) -> LoadedHeader:
    """Read a header in five steps (module docstring).

    Raises:
        StoreDamaged: ``header``.
        VaultTooNew: a later program wrote it.
    """
    if len(data) > _MAX_BYTES or not data.startswith(_MAGIC):  # 1, 2
        if _LATER_MAGIC.match(data):
            raise VaultTooNew
        raise StoreDamaged("header")
    length_text, newline, rest = data[len(_MAGIC) :].partition(b"\n")
    if not newline or not length_text.isdigit() or len(length_text) > len(str(_MAX_BYTES)):
        raise StoreDamaged("header")
    length = int(length_text)
    body = rest[:length]
    tail = re.fullmatch(rb"\nsha256:([0-9a-f]{64})\nmac:([0-9a-f]{64})\n", rest[length:])
    if tail is None:
        raise StoreDamaged("header")
    signed = data[: len(data) - len(tail.group(0)) + 1]
    if hashlib.sha256(signed).hexdigest() != tail.group(1).decode("ascii"):  # 3
        raise StoreDamaged("header")
    try:
        header = _from_json(parse_strict(body, max_bytes=_MAX_BYTES, max_depth=6))  # 4, 5
    except (CryptoError, KeyError, TypeError, ValueError) as exc:
        raise StoreDamaged("header") from exc
    return LoadedHeader(header=header, signed=signed, mac=tail.group(2).decode("ascii"))


def _read(path: Path) -> bytes:
    try:
        with path.open("rb") as stream:
            return stream.read(_MAX_BYTES + 1)
    except OSError as exc:
        raise StoreDamaged("header") from exc


def _mac(signed: bytes, vault_key: bytes | bytearray) -> str:
    return hmac.new(derive_erasable(vault_key, _MAC_LABEL), signed, hashlib.sha256).hexdigest()


def _kdf_json(parameters: Argon2Parameters | None) -> dict[str, int | str]:
    if parameters is None:
        return {"name": "hkdf-sha256"}
    return {
        "name": "argon2id",
        "memory_kib": parameters.memory_kib,
        "iterations": parameters.iterations,
        "lanes": parameters.lanes,
    }


def _to_json(header: Header) -> Any:
    return {
        "vault_id": header.vault_id,
        "generation": header.generation,
        "db_file": header.db_file,
        "cipher": header.cipher,
        "commits": header.commits,
        "ledger": {"length": header.ledger_length, "head": header.ledger_head},
        "journal": {"length": header.journal_length, "head": header.journal_head},
        "db_sha256": header.db_sha256,
        "recovery_confirmed": header.recovery_confirmed,
        "restores": header.restores,
        "slots": [slot_to_json(slot) for slot in header.slots],
    }


def slot_to_json(slot: Slot) -> dict[str, Any]:
    """A key slot as it stands in a header, of a vault or of a backup."""
    return {
        "kind": slot.kind,
        "salt": b64url(slot.salt),
        "wrapped": b64url(slot.wrapped),
        "kdf": _kdf_json(slot.parameters),
    }


def _from_json(value: Any) -> Header:
    ledger = value["ledger"]
    journal = value.get("journal", {"length": 0, "head": GENESIS})
    header = Header(
        vault_id=_text(value["vault_id"], _HEX_32),
        generation=_count(value["generation"]),
        cipher=_text(value["cipher"], re.compile(r"[ -~]{1,80}")),
        slots=tuple(slot_from_json(slot) for slot in value["slots"]),
        commits=_count(value["commits"]),
        ledger_length=_count(ledger["length"]),
        ledger_head=_text(ledger["head"], re.compile(r"|sha256:[0-9a-f]{64}")),
        journal_length=_count(journal["length"]),
        journal_head=_text(journal["head"], re.compile(r"sha256:[0-9a-f]{64}")),
        db_sha256=_text(value["db_sha256"], re.compile(r"|[0-9a-f]{64}")),
        recovery_confirmed=value["recovery_confirmed"] is True,
        restores=_count(value.get("restores", 0)),
    )
    if _text(value["db_file"], _DB_FILE) != header.db_file:
        raise ValueError("the file name does not belong to the generation")
    if len({slot.kind for slot in header.slots}) != len(header.slots):
        raise ValueError("two slots of one kind")
    return header


def slot_from_json(value: Mapping[str, Any]) -> Slot:
    """Read a key slot.

    Raises:
        KeyError, TypeError, ValueError, CryptoError: it is none.
    """
    kind = value["kind"]
    if kind not in get_args(SlotKind):
        raise ValueError("unknown kind of slot")
    return Slot(
        kind=kind,
        salt=b64url_decode(value["salt"]),
        wrapped=b64url_decode(value["wrapped"]),
        parameters=_parameters(value["kdf"], kind),
    )


def _parameters(kdf: Mapping[str, Any], kind: SlotKind) -> Argon2Parameters | None:
    if kind in _RANDOM_KINDS:
        if kdf["name"] != "hkdf-sha256":
            raise ValueError("unknown key derivation")
        return None
    if kdf["name"] != "argon2id":
        raise ValueError("unknown key derivation")
    # The type refuses costs outside its bounds, so a doctored header cannot hang the machine.
    return Argon2Parameters(
        memory_kib=_count(kdf["memory_kib"]), iterations=_count(kdf["iterations"]), lanes=_count(kdf["lanes"])
    )


def _text(value: object, form: re.Pattern[str]) -> str:
    if not isinstance(value, str) or form.fullmatch(value) is None:
        raise ValueError("not the expected text")
    return value


def _count(value: object) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or value < 0:
        raise ValueError("not a count")
    return value
