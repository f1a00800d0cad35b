"""Name, age and date of birth, as a list of people shows them."""

from __future__ import annotations

from datetime import date

from recipient.portal.text import day_text, t


def initials(name: str) -> str:
    """Return the first letters of first and last word, a dash for nobody."""
    words = [word for word in name.split() if word[0].isalpha()]
    if not words:
        return "–"
    return (words[0][0] + (words[-1][0] if len(words) > 1 else "")).upper()


def age_on(birth_date: str, day: date) -> int | None:
    """Return whole years lived on a day; None when the date is not known to the day or lies after it."""
    try:
        born = date.fromisoformat(birth_date)
    except ValueError:
        return None
    years = day.year - born.year - ((day.month, day.day) < (born.month, born.day))
    return years if years >= 0 else None


def born_text(birth_date: str, *, lang: str, age: int | None) -> str:
    """Word a date of birth with the age, or that it is not shared."""
    if not birth_date:
        return t(lang, "person.born_unknown")
    if age is None:
        return t(lang, "person.born_only", date=day_text(lang, birth_date))
    return t(lang, "person.born", date=day_text(lang, birth_date), age=age)
