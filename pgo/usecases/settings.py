"""Language, theme, text size and auto-lock.

Everything is kept in the vault. Language and theme are also kept beside the vaults, because the lock screen must
speak the right language before anything is unlocked; neither says anything about the patient.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from pgo.usecases.session import Application, Session

Language = Literal["nl", "en"]
Theme = Literal["system", "light", "dark"]

AUTO_LOCK_MINUTES = (1, 2, 5, 10, 15)
"""Choices; 5 is the default (guide security 2: locked after 5 minutes idle). There is no "never"."""

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
    raise NotImplementedError


def save_lock_screen_prefs(app: Application, prefs: LockScreenPrefs) -> None:
    """Keep language and theme for the lock screen."""
    raise NotImplementedError


def settings(session: Session) -> Settings:
    """The settings of this vault."""
    raise NotImplementedError


def save_settings(session: Session, new: Settings) -> None:
    """Keep the settings in the vault, and language and theme also for the lock screen.

    Raises:
        InputRefused: ``settings_invalid`` (a value outside the offered choices).
    """
    raise NotImplementedError
