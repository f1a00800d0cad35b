"""Texts: complete in every language, none left over; and the checker itself finds what it should."""

from __future__ import annotations

import pytest

from tools.check_locale import Uses, findings, language_findings, use_findings, uses_in


def test_every_text_is_there_in_every_language_and_none_is_left_over() -> None:
    assert findings() == []


def found_in(source: str, *keys: str) -> list[str]:
    uses = Uses()
    uses_in(source, "x.py", uses)
    return list(use_findings(frozenset(keys), uses))


def test_a_missing_key_is_found_with_its_place() -> None:
    assert found_in('\napp.t("a.gone")') == ["a.gone: asked for in x.py:2, no such text"]
    assert found_in('t(lang, "a.yes" if x else "a.gone")', "a.yes") == [
        "a.gone: asked for in x.py:1, no such text"
    ]


def test_a_key_nobody_uses_is_found() -> None:
    assert found_in('app.t("a.used")', "a.used", "a.left") == ["a.left: used nowhere"]


def test_f_strings_use_the_keys_their_fixed_parts_fit() -> None:
    assert found_in('app.t(f"error.{code}")', "error.locked", "other.thing") == ["other.thing: used nowhere"]
    assert found_in('app.t(f"{key}.short")', "nav.home.short", "nav.home") == ["nav.home: used nowhere"]
    assert found_in('f"{a}.{b}"', "nav.home") == ["nav.home: used nowhere"]


def test_the_singular_goes_with_its_plural() -> None:
    assert found_in('app.t("a.count", n=n)', "a.count", "a.count.one") == []


@pytest.mark.parametrize(
    ("nl", "en", "finding"),
    [
        ({"a.b": "x"}, {}, "a.b: no text in en"),
        ({"a.b": "{n} x"}, {"a.b": "x"}, "a.b: the languages fill in different places"),
        ({"a.b": "x "}, {"a.b": "x"}, "a.b: empty or with a space at an end in nl"),
    ],
)
def test_differences_between_languages_are_found(
    nl: dict[str, str], en: dict[str, str], finding: str
) -> None:
    assert list(language_findings({"nl": nl, "en": en})) == [finding]
