"""What is left after a fault: does it open, with which secrets, and which state does it hold?

A state is compared as a whole: whatever a step changes must be there entirely or not at all.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass
from pathlib import Path

from crypto.errors import WrongKey
from crypto.passphrase import Argon2Parameters, derive_kek, unwrap_key
from pgo.errors import AppError, StoreDamaged
from pgo.store.header import load_header, slot_aad
from pgo.store.journal import Event
from pgo.store.migrations import schema_version
from pgo.store.opening import open_with_code, open_with_passphrase
from pgo.store.slots import code_opens
from pgo.store.vault import Vault

State = tuple[object, ...]
_RANDOM = frozenset({"grant", "generation"})  # one renewal more when the first could not be opened
_OPENINGS = frozenset({Event.UNLOCKED, Event.RECOVERY_USED})
"""Opening is written down each time; a harness opens a vault more often than its scenario does."""


@dataclass(frozen=True)
class Found:
    """One vault after a fault."""

    state: State | None
    refused: str = ""


def examine(folder: Path, *, code: str = "", passphrase: str = "") -> Found:
    """Open a vault with its code (cheap) or passphrase, check all of it, say what it holds, close it."""
    try:
        vault = open_with_code(folder, code) if code else open_with_passphrase(folder, passphrase)
        try:
            vault.check()
            return Found(state_of(vault))
        finally:
            vault.close()
    except AppError as exc:
        return Found(None, f"{exc.code} {exc.reason if isinstance(exc, StoreDamaged) else ''}".strip())


def state_of(vault: Vault) -> State:
    """Everything a person could miss, without what differs from run to run (random ids, times)."""
    rows = vault._engine.rows
    return (
        schema_version(vault._engine),
        tuple(rows("SELECT key, value FROM setting ORDER BY key")),
        tuple(rows("SELECT kind, subject, body FROM draft ORDER BY kind, subject")),
        tuple(
            rows(
                "SELECT type, resource_id, versions, raw_sha256, deleted_at IS NULL FROM record ORDER BY 1, 2"
            )
        ),
        tuple(rows("SELECT count(*), sum(length(raw)) FROM version")),
        tuple(rows("SELECT key, at, value FROM measure ORDER BY 1, 2, 3")),
        tuple(rows("SELECT entry, code, raw FROM quarantine ORDER BY id")),
        tuple(rows("SELECT name, sha256 FROM source ORDER BY id")),
        tuple(rows("SELECT recipient_id, choice FROM ledger ORDER BY position")),
        tuple(rows("SELECT recipient_id, kind, state FROM outbox ORDER BY id")),
        _journal(vault),
    )


def opening_secrets(folder: Path, passphrases: tuple[str, ...], codes: tuple[str, ...]) -> frozenset[str]:
    """Which of these secrets open the vault as it lies there."""
    header = load_header(folder).header
    opening = {code for code in codes if code_opens(header, code)}
    slot = header.slot("passphrase")
    if slot is not None and slot.parameters is not None:
        for passphrase in reversed(passphrases):  # one key wraps a slot: who opens it is the only one
            try:
                unwrap_key(
                    slot.wrapped,
                    _kek(passphrase, slot.salt, slot.parameters),
                    aad=slot_aad(header, "passphrase", slot.parameters),
                )
            except WrongKey:
                continue
            opening.add(passphrase)
            break
    return frozenset(opening)


@functools.lru_cache(maxsize=2_000)
def _kek(passphrase: str, salt: bytes, parameters: Argon2Parameters) -> bytes:
    """Thousands of images share few salts: the price of the passphrase is paid once for each."""
    return derive_kek(passphrase, salt=salt, parameters=parameters)


def _journal(vault: Vault) -> tuple[object, ...]:
    """Events with their counts; a step that was told to have failed and was done again may be there twice."""
    lines = [
        (line.event, *sorted(detail for detail in line.details.items() if detail[0] not in _RANDOM))
        for line in vault.journal.lines()
    ]
    lines = [line for line in lines if line[0] not in _OPENINGS]
    return tuple(line for index, line in enumerate(lines) if index == 0 or line != lines[index - 1])
