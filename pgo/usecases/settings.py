"""Language, theme, text size and auto-lock.

Everything is kept in the vault. Language and theme are also kept beside the vaults, because the lock screen
must speak the right language before anything is unlocked; neither says anything about the patient.
"""

from __future__ import annotations

import contextlib
import json
import math
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal, get_args

from pgo.errors import AppError, InputRefused
from pgo.store.files import make_private_folder, save_atomically
from pgo.store.journal import Event
from pgo.usecases.session import Application, Session

Language = Literal["nl", "en"]
Theme = Literal["system", "light", "dark"]

AUTO_LOCK_MINUTES = (1, 2, 5, 10, 15)
"""Choices; 5 is the default (guide security 2: locked after 5 minutes idle). There is no "never"."""

_PREFS_FILE = "display.json"
_KEY = "settings"
_LANGUAGES: tuple[Language, ...] = get_args(Language)
_THEMES: tuple[Theme, ...] = get_args(Theme)

TEXT_SCALES = (1.0, 1.15, 1.3, 1.5, 2.0)
"""Choices; 2.0 is what WCAG 2.2 success criterion 1.4.4 asks for."""


@dataclass(frozen=True, slots=True)
class LockScreenPrefs:
    """What is known before unlocking."""

    language: Language = "nl"
    theme: Theme = "system"


@dataclass(frozen=True, slots=True)
class Settings:
    """Choices of the person, with the defaults of a new vault."""

    language: Language = "nl"
    theme: Theme = "system"
    text_scale: float = 1.0
    auto_lock_minutes: int = 5


def lock_screen_prefs(app: Application) -> LockScreenPrefs:
    """Language and theme for the lock screen; the defaults when none were kept or they cannot be read."""
    kept: Any = None
    with contextlib.suppress(OSError, ValueError):
        kept = json.loads(_prefs_path(app).read_bytes())
    return _prefs(kept)


def save_lock_screen_prefs(app: Application, prefs: LockScreenPrefs) -> None:
    """Keep language and theme for the lock screen."""
    make_private_folder(app.vaults)
    save_atomically(_prefs_path(app), json.dumps(asdict(prefs)).encode("ascii"))


def settings(session: Session) -> Settings:
    """The settings of this vault."""
    kept = session.store.settings.get(_KEY)
    return _settings(kept) if kept is not None else Settings()


def save_settings(session: Session, new: Settings) -> None:
    """Keep the settings in the vault, and language and theme also for the lock screen.

    Raises:
        InputRefused: ``settings_invalid`` (a value outside the offered choices).
    """
    if new != _settings(asdict(new)):
        raise InputRefused("settings_invalid")
    store, at = session.store, session.now()
    before, after = asdict(settings(session)), asdict(new)
    changed = sorted(name for name in after if after[name] != before[name])
    with store.write(at):
        store.settings.put(_KEY, after)
        if changed:
            store.journal.add(Event.SETTINGS_CHANGED, at=at, settings=" ".join(changed))
    with contextlib.suppress(OSError, AppError):  # only how the lock screen looks; the choice itself is kept
        save_lock_screen_prefs(session.app, LockScreenPrefs(new.language, new.theme))
    session.changed()


def _prefs_path(app: Application) -> Path:
    return app.vaults / _PREFS_FILE


def _prefs(value: Any) -> LockScreenPrefs:
    """What is unknown falls back to the default: a broken display preference must not lock anybody out."""
    kept = value if isinstance(value, dict) else {}
    default = LockScreenPrefs()
    return LockScreenPrefs(
        language=kept["language"] if kept.get("language") in _LANGUAGES else default.language,
        theme=kept["theme"] if kept.get("theme") in _THEMES else default.theme,
    )


def _settings(value: Any) -> Settings:
    prefs, default = _prefs(value), Settings()
    kept = value if isinstance(value, dict) else {}
    scale, minutes = kept.get("text_scale"), kept.get("auto_lock_minutes")
    known = isinstance(scale, int | float) and any(math.isclose(scale, offered) for offered in TEXT_SCALES)
    return Settings(
        language=prefs.language,
        theme=prefs.theme,
        text_scale=float(scale) if known and scale is not None else default.text_scale,
        auto_lock_minutes=minutes if minutes in AUTO_LOCK_MINUTES else default.auto_lock_minutes,
    )
