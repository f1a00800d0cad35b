"""Talk to a terminal: passphrase in, sentences and JSON out, errors as exit codes."""

from __future__ import annotations

import getpass
import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from pgo.errors import (
    AppError,
    BackupRefused,
    DiskFailed,
    InputRefused,
    KeyLost,
    KeyringRefused,
    Locked,
    NotFound,
    StoreDamaged,
    StoreFull,
    VaultBusy,
    VaultTooNew,
    WrongPassphrase,
)
from pgo.usecases.session import Session

DONE, USAGE, REFUSED, LOCKED, DAMAGED = 0, 2, 3, 4, 5
_STANDARD_INPUT = "-"
_MAX_PASSPHRASE_BYTES = 4096

_SENTENCES: dict[type[AppError], str] = {
    Locked: "The vault is locked.",
    WrongPassphrase: "This passphrase does not open this vault; nothing was changed.",
    VaultBusy: "The vault is open in another program; close it there first.",
    KeyLost: "There is a database but no header that could open it; nothing was changed.",
    StoreFull: "The disk is full; nothing was changed.",
    VaultTooNew: "A newer version of this program made or used this vault; nothing was changed.",
    KeyringRefused: "The key ring of this computer did not help; the passphrase still opens the vault.",
    DiskFailed: "The disk does not read or write as it should; the change was not kept.",
}
_BACKUPS = {
    "backup_unknown": "This file is no backup of a vault.",
    "backup_damaged": "This backup is damaged and cannot be trusted; use another one.",
    "backup_newer": "A newer version of the program made this backup; update first.",
    "backup_other_vault": "This backup is of another vault; nothing was changed.",
    "backup_older": "The vault there is newer than this backup; add --older to put it back all the same.",
    "backup_folder": "The folder or file cannot be reached or written.",
    "backup_running": "A backup is being made already.",
    "backup_stopped": "Stopped; nothing was left behind.",
}
_REFUSALS = {
    "vault_exists": "The folder is not empty; nothing was changed.",
    "vault_name": "A vault's name has 1 to 40 letters, digits or spaces.",
    "weak_passphrase": "This passphrase is too easy to guess ({detail}); four unrelated words make a"
    " good one.",
    "passphrases_differ": "The two passphrases differ; nothing was changed.",
    "passphrase_unreadable": "The passphrase file cannot be read as UTF-8 text.",
    "recovery_code": "This recovery code is not right. {detail}",
    "card_invalid": "This is no valid card of a recipient.",
    "card_expired": "This card has expired; ask the recipient for a new one.",
    "card_key_changed": "This card names a known recipient but carries another key; it was not taken over.",
    "recipient_in_use": "There are grants for this recipient; withdraw them instead.",
    "choice_invalid": "This choice cannot be signed: {fields}.",
    "no_consent": "The file holds no Consent resource.",
    "file_exists": "The file exists already; nothing was written.",
    "demo_clinic": "The demo clinic did not start.",
    "export_choice": "There is no such part or sensitive subject.",
    "journal_nothing_to_check": "Name a file, or a vault with --vault, or both.",
    "journal_no_end": "The file lacks the signed end of a journal: it was cut off, or is no journal.",
    "journal_other_key": "The journal was signed by another key than that of this vault.",
    "journal_bad_signature": "The signature at the end of the journal does not hold.",
    "journal_other_vault": "The journal is of another vault.",
}


def sentence(error: AppError) -> str:
    """One sentence for an error, without personal data."""
    if isinstance(error, StoreDamaged):
        return f"The vault is damaged or not complete ({error.reason}); nothing was changed or made anew."
    if isinstance(error, NotFound):
        return f"There is no such {error.what.replace('_', ' ')}."
    if isinstance(error, BackupRefused):
        return _BACKUPS[error.code]
    if isinstance(error, InputRefused):
        fields = ", ".join(f"{name} ({key})" for name, key in sorted(error.fields.items()))
        known = _REFUSALS.get(error.code)
        return known.format(detail=error.detail, fields=fields) if known else reason(error.code, error.detail)
    return _SENTENCES.get(type(error), f"It did not work (code {error.code}).")


def reason(code: str, detail: str = "") -> str:
    """Why an entry or file was not taken, in English: the words the screens use, and where."""
    from pgo.ui.text import has, t

    key = f"collect.reason.{code}"
    words = t("en", key) if has("en", key) else t("en", "collect.reason.unknown", code=code)
    return f"{words} ({detail})" if detail else words


def exit_code(error: AppError) -> int:
    """The exit code that belongs to an error."""
    if isinstance(error, Locked | WrongPassphrase | VaultBusy):
        return LOCKED
    if isinstance(error, StoreDamaged | KeyLost) or error.code == "backup_damaged":
        return DAMAGED
    return REFUSED


def say(text: str) -> None:
    """Print a line."""
    sys.stdout.write(f"{text}\n")


def say_json(value: Any) -> None:
    """Print one JSON object."""
    sys.stdout.write(json.dumps(value, ensure_ascii=False) + "\n")


def read_passphrase(source: str | None, *, twice: bool = False, ask: str = "Passphrase: ") -> str:
    """Read a passphrase from a prompt, a file or standard input.

    Args:
        source: path of a file, ``-`` for standard input, None for a prompt without echo.
        twice: ask a second time at the prompt.
        ask: words of the prompt.

    Raises:
        InputRefused: ``passphrase_unreadable`` or ``passphrases_differ``.
    """
    if source is None:
        first = getpass.getpass(ask)
        if twice and getpass.getpass("Once more: ") != first:
            raise InputRefused("passphrases_differ")
        return first
    try:
        if source == _STANDARD_INPUT:
            data = sys.stdin.buffer.read(_MAX_PASSPHRASE_BYTES)
        else:
            with Path(source).open("rb") as stream:
                data = stream.read(_MAX_PASSPHRASE_BYTES)
        text = data.decode("utf-8")
    except (OSError, UnicodeDecodeError) as exc:
        raise InputRefused("passphrase_unreadable") from exc
    return text.partition("\n")[0].removesuffix("\r")


@contextmanager
def opened(folder: Path, passphrase_file: str | None) -> Iterator[Session]:
    """Unlock a vault for one command and lock it again."""
    from pgo.bootstrap import build_application
    from pgo.usecases.unlock import unlock

    app = build_application(folder.parent)
    session = unlock(app, folder, read_passphrase(passphrase_file))
    try:
        yield session
    finally:
        session.lock()
