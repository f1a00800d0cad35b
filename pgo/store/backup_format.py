r"""The form of a backup file: what can be read without a key, how it is keyed, and how it is signed.

::

    PGO-BACKUP 1\n  <length>\n  <canonical JSON>\n  sha256:<hex>\n     the header, readable by anybody
    chunks of crypto.stream                                          manifest, line feed, database file
    64 bytes                                                         Ed25519 over all bytes before

Rules of ``read_header``: 1 magic and version; 2 length and layout; 3 SHA-256 (so that a damaged header is
called damaged, not a wrong passphrase); 4 strict JSON, every member present and in bounds; 5 the file is as
long as the header says. A newer version is ``backup_newer``, a file that never was a backup
``backup_unknown``, anything else ``backup_damaged``.

Keys: the stream key comes from the vault key and the hash of the whole header (which holds a random salt),
so no two backups share a key and an edited header opens nothing. The signing key comes from the identity
seed inside the database: one public key for all backups of a vault, whatever happened to its vault key.
The signature covers every byte, not only header and last tag (guide security 3.5), so that damage shows
without any passphrase.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from datetime import datetime
from typing import Any, BinaryIO

from crypto.canonical import b64url, b64url_decode, canonical_bytes, parse_strict
from crypto.errors import CryptoError
from crypto.kdf import derive
from crypto.keys import SigningKey, VerifyKey
from crypto.stream import sealed_length
from pgo.errors import BackupRefused
from pgo.store.header import Header, Slot, slot_from_json, slot_to_json
from pgo.store.instants import from_text, to_text

VERSION = 1
SUFFIX = ".pgobackup"
SIGNATURE_BYTES = 64
SALT_BYTES = 16
MAX_HEADER_BYTES = 16_384
MAX_MANIFEST_BYTES = 60_000
_MAGIC = re.compile(rb"PGO-BACKUP ([0-9]{1,4})\n")
_KEY_LABEL = "pgo/1/backup"
_STREAM_LABEL = "pgo/1/backup/stream"
_SIGNER_LABEL = "pgo/1/backup/signature"
_SIGNED_DOMAIN = b"pgo/1/backup\n"
_PORTABLE_SLOTS = ("passphrase", "recovery")
_VAULT_ID = re.compile(r"[0-9a-f]{32}")
_HASH = re.compile(r"|sha256:[0-9a-f]{64}")


@dataclass(frozen=True, slots=True, kw_only=True)
class BackupHeader:
    """What a backup says in the open.

    Attributes:
        vault_id, generation, cipher: of the vault, as in its own header; the slots are bound to them.
        schema: form of the tables inside.
        made_at: when.
        commits: changes the vault had seen.
        ledger_length, ledger_head: the consent ledger inside.
        records: records inside, the trash included.
        plain_bytes: manifest and database together.
        salt: random, for this file alone.
        signer: who signed it.
        slots: passphrase and recovery code open it on any machine; a slot bound to a machine stays home.
    """

    vault_id: str
    generation: int
    cipher: str
    schema: int
    made_at: datetime
    commits: int
    ledger_length: int
    ledger_head: str
    records: int
    plain_bytes: int
    salt: bytes
    signer: VerifyKey
    slots: tuple[Slot, ...]
    recovery_confirmed: bool = False

    def vault_header(self) -> Header:
        """The header of the vault as it was, for opening a key slot and for putting it back."""
        return Header(
            self.vault_id,
            self.generation,
            self.cipher,
            self.slots,
            commits=self.commits,
            ledger_length=self.ledger_length,
            ledger_head=self.ledger_head,
            recovery_confirmed=self.recovery_confirmed,
        )


@dataclass(frozen=True, slots=True)
class ReadHeader:
    """A header as it lies in a file: its meaning, its bytes and where the sealed part begins and ends."""

    header: BackupHeader
    raw: bytes
    sealed_bytes: int


def portable_slots(slots: tuple[Slot, ...]) -> tuple[Slot, ...]:
    """The slots that open on any machine."""
    return tuple(slot for slot in slots if slot.kind in _PORTABLE_SLOTS)


def build_header(header: BackupHeader) -> bytes:
    """The bytes a backup begins with."""
    body = canonical_bytes(_to_json(header))
    hashed = f"PGO-BACKUP {VERSION}\n{len(body)}\n".encode("ascii") + body + b"\n"
    return hashed + f"sha256:{hashlib.sha256(hashed).hexdigest()}\n".encode("ascii")


def read_header(stream: BinaryIO, *, file_bytes: int) -> ReadHeader:
    """Read a header by the rules of this module; the stream then stands at the first sealed byte.

    Raises:
        BackupRefused: ``backup_unknown``, ``backup_newer``, ``backup_damaged``.
    """
    start = stream.read(MAX_HEADER_BYTES + 256)
    magic = _MAGIC.match(start)
    if magic is None:  # 1
        raise BackupRefused("backup_unknown")
    if int(magic.group(1)) > VERSION:
        raise BackupRefused("backup_newer")
    layout = re.match(rb"([0-9]{1,5})\n", start[magic.end() :])
    if layout is None or int(layout.group(1)) > MAX_HEADER_BYTES:  # 2
        raise BackupRefused("backup_damaged")
    first = magic.end() + layout.end()
    end = first + int(layout.group(1))
    line = re.match(rb"\nsha256:([0-9a-f]{64})\n", start[end:])
    if line is None or hashlib.sha256(start[: end + 1]).hexdigest().encode("ascii") != line.group(1):  # 2, 3
        raise BackupRefused("backup_damaged")
    try:
        header = _from_json(parse_strict(start[first:end], max_bytes=MAX_HEADER_BYTES, max_depth=6))  # 4
    except (CryptoError, KeyError, TypeError, ValueError) as exc:
        raise BackupRefused("backup_damaged") from exc
    raw = start[: end + line.end()]
    sealed_bytes = sealed_length(header.plain_bytes)
    if file_bytes != len(raw) + sealed_bytes + SIGNATURE_BYTES:  # 5
        raise BackupRefused("backup_damaged")
    stream.seek(len(raw))
    return ReadHeader(header, raw, sealed_bytes)


def stream_key(vault_key: bytes | bytearray, raw_header: bytes) -> bytes:
    """The key of one backup's chunks."""
    salt = hashlib.sha256(raw_header).digest()
    return derive(derive(bytes(vault_key), _KEY_LABEL), _STREAM_LABEL, salt=salt)


def backup_signer(identity_seed: bytes) -> SigningKey:
    """The key that signs the backups of a vault."""
    return SigningKey.from_seed(derive(identity_seed, _SIGNER_LABEL))


def signed_bytes(file_digest: bytes) -> bytes:
    """What the signature covers: the SHA-256 of every byte before it, under a name of its own."""
    return _SIGNED_DOMAIN + file_digest


def _to_json(header: BackupHeader) -> Any:
    return {
        "vault_id": header.vault_id,
        "generation": header.generation,
        "cipher": header.cipher,
        "schema": header.schema,
        "made_at": to_text(header.made_at),
        "commits": header.commits,
        "ledger": {"length": header.ledger_length, "head": header.ledger_head},
        "records": header.records,
        "plain_bytes": header.plain_bytes,
        "salt": b64url(header.salt),
        "signer": header.signer.text,
        "slots": [slot_to_json(slot) for slot in header.slots],
        "recovery_confirmed": header.recovery_confirmed,
    }


def _from_json(value: Any) -> BackupHeader:
    salt = b64url_decode(value["salt"])
    if len(salt) != SALT_BYTES:
        raise ValueError("not a salt")
    header = BackupHeader(
        vault_id=_text(value["vault_id"], _VAULT_ID),
        generation=_count(value["generation"]),
        cipher=_text(value["cipher"], re.compile(r"[ -~]{1,80}")),
        schema=_count(value["schema"]),
        made_at=from_text(value["made_at"]),
        commits=_count(value["commits"]),
        ledger_length=_count(value["ledger"]["length"]),
        ledger_head=_text(value["ledger"]["head"], _HASH),
        records=_count(value["records"]),
        plain_bytes=_count(value["plain_bytes"]),
        salt=salt,
        signer=VerifyKey.from_text(value["signer"]),
        slots=tuple(slot_from_json(slot) for slot in value["slots"]),
        recovery_confirmed=value["recovery_confirmed"] is True,
    )
    if portable_slots(header.slots) != header.slots or len({slot.kind for slot in header.slots}) != len(
        header.slots
    ):
        raise ValueError("not the slots of a backup")
    return header


def _text(value: object, form: re.Pattern[str]) -> str:
    if not isinstance(value, str) or form.fullmatch(value) is None:
        raise ValueError("not the expected text")
    return value


def _count(value: object) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value < 1 << 53:
        raise ValueError("not a count")
    return value
