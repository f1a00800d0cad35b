"""How backups are said: age, size, and how far a step is. Plain functions, no Flet."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

from pgo.ui.text import fmt_number, t

_MEGA = 1_000_000  # as file managers count
STEPS = ("copy", "write", "read", "compare")


def age(lang: str, at: datetime, now: datetime) -> str:
    """Say how long ago a day was: today, yesterday, so many days ago."""
    days = (now.astimezone().date() - at.astimezone().date()).days
    if days <= 0:
        return t(lang, "backup.today")
    return t(lang, "backup.yesterday") if days == 1 else t(lang, "backup.days_ago", n=days)


def size(lang: str, size_bytes: int) -> str:
    """Say how large a file is; never nothing."""
    megabytes = max(Decimal(size_bytes) / _MEGA, Decimal("0.1"))
    return t(lang, "backup.megabytes", size=fmt_number(lang, megabytes.quantize(Decimal("0.1"))))


def step(lang: str, phase: str, done: int, total: int) -> tuple[str, float | None, str]:
    """Say how far a backup is: which step, the share of it, and that in numbers."""
    label = t(lang, f"backup.step.{phase}") if phase in STEPS else t(lang, "backup.step.start")
    if not total:
        return label, None, ""
    detail = t(lang, "backup.progress", done=size(lang, done), total=size(lang, total))
    return label, min(done / total, 1.0), detail
