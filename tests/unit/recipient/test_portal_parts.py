"""Words, charts and small parts of pages."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from xml.etree import ElementTree

import pytest

import recipient.portal
from recipient.portal.charts import Dot, line_chart, spark_line
from recipient.portal.details import laid_out
from recipient.portal.people import age_on, born_text, initials
from recipient.portal.text import LANGUAGES, catalogue, choose_language, day_text, number_text, shown, t

AT = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
PORTAL = Path(recipient.portal.__file__).parent


class TestWords:
    def test_both_languages_have_the_same_keys_and_places(self) -> None:
        words = {lang: catalogue(lang) for lang in LANGUAGES}
        assert words["nl"].keys() == words["en"].keys()
        for key in words["nl"]:
            places = [
                sorted(part.split("}")[0] for part in words[lang][key].split("{")[1:]) for lang in LANGUAGES
            ]
            assert places[0] == places[1], key

    def test_every_key_is_used(self) -> None:
        source = "".join(
            path.read_text("utf-8")
            for pattern in ("*.py", "templates/*.html")
            for path in PORTAL.glob(pattern)
        )
        families = (
            *("purpose.", "category.", "sensitivity.", "kind.", "status.", "gender.", "message.", "reason."),
            *("order.", "nav.", "span.", "flag.", "band.", "file.", "medicine.ended.", "medicine.differs."),
            *("medicine.agreed", "medicine.next", "medicine.plan", "medicine.schedule"),
        )
        unused = [key for key in catalogue("nl") if f'"{key}"' not in source and f"'{key}'" not in source]
        assert [
            key for key in unused if not key.startswith((*families, "service.", "account.password_"))
        ] == []

    def test_no_key_is_doubled_in_a_file(self) -> None:
        for lang in LANGUAGES:
            pairs: list[list[tuple[str, str]]] = []
            for path in (PORTAL / "locale").glob(f"{lang}.*json"):
                json.loads(path.read_text("utf-8"), object_pairs_hook=pairs.append)
            keys = [key for pair in pairs for key, _ in pair]
            assert len(keys) == len(set(keys)) == len(catalogue(lang))

    @pytest.mark.parametrize(
        ("cookie", "header", "lang"),
        [
            ("en", "nl", "en"),
            ("nl", "en-GB,en;q=0.9", "nl"),
            (None, "en-GB,en;q=0.9,nl;q=0.8", "en"),
            (None, "de, nl;q=0.2, en;q=0.1", "nl"),
            (None, "nl;q=0.1,en;q=0.9", "en"),
            (None, "en;q=0", "nl"),
            (None, "", "nl"),
            ("xx", "fr", "nl"),
            (None, ";q=x,,," * 50, "nl"),
        ],
    )
    def test_language_follows_switch_then_browser(self, cookie: str | None, header: str, lang: str) -> None:
        assert choose_language(cookie, header) == lang

    @pytest.mark.parametrize(
        ("text", "nl", "en"),
        [
            ("2026-03-05", "5 mrt 2026", "5 Mar 2026"),
            ("2026-03-05T23:30:00+01:00", "5 mrt 2026", "5 Mar 2026"),
            ("2026-05", "mei 2026", "May 2026"),
            ("2026", "2026", "2026"),
            ("2026-13-01", "2026", "2026"),
            ("", "", ""),
            ("unknown", "unknown", "unknown"),
        ],
    )
    def test_dates_keep_their_precision(self, text: str, nl: str, en: str) -> None:
        assert (day_text("nl", text), day_text("en", text)) == (nl, en)

    def test_numbers_keep_their_digits(self) -> None:
        assert number_text("nl", "1.10") == "1,10"
        assert number_text("nl", "<0.41") == "<0,41"
        assert number_text("en", "1.10") == "1.10"
        assert number_text("nl", "50.0 mmol/mol") == "50,0 mmol/mol"
        assert number_text("nl", "12.5/8.2 kPa") == "12,5/8,2 kPa"
        for text in ("v1.2 twice", "1.2.840.10008", "2026.01.02", "A10.5"):
            assert number_text("nl", text) == text

    def test_direction_marks_cannot_turn_a_dose_around(self) -> None:
        assert shown("take \u202e05\u202c mg") == "take 05 mg"

    def test_unknown_key_is_a_fault_not_a_blank(self) -> None:
        with pytest.raises(KeyError):
            t("nl", "no.such.key")


class TestPeople:
    def test_initials(self) -> None:
        assert initials("Johanna van den Berg") == "JB"
        assert initials("Cher") == "C"
        assert initials("") == "–"
        assert initials("(unknown)") == "–"

    @pytest.mark.parametrize(
        ("born", "age"),
        [
            ("1970-03-02", 56),
            ("1970-03-03", 55),
            ("2026-03-03", None),
            ("1970", None),
            ("", None),
            ("2024-02-29", 2),
        ],
    )
    def test_age(self, born: str, age: int | None) -> None:
        assert age_on(born, date(2026, 3, 2)) == age

    def test_unknown_date_of_birth_is_said(self) -> None:
        assert born_text("", lang="en", age=None) == "Date of birth not shared"
        assert born_text("1970", lang="en", age=None) == "Born 1970"


class TestCharts:
    def dots(self, *values: str) -> list[Dot]:
        return [Dot(AT + timedelta(days=30 * index), Decimal(value)) for index, value in enumerate(values)]

    def test_drawing_is_well_formed_and_described(self) -> None:
        svg = line_chart(self.dots("5.1", "7.5", "6.2"), lang="nl", title="HbA1c", description="3 waarden")
        root = ElementTree.fromstring(str(svg))
        assert root.get("role") == "img"
        assert [child.text for child in root[:2]] == ["HbA1c", "3 waarden"]
        assert [one.get("class") for one in root.iter("circle")] == ["dot", "dot", "dot last"]

    def test_higher_value_is_drawn_higher_and_time_is_to_scale(self) -> None:
        dots = [
            Dot(AT, Decimal(1)),
            Dot(AT + timedelta(days=10), Decimal(3)),
            Dot(AT + timedelta(days=40), Decimal(2)),
        ]
        root = ElementTree.fromstring(str(line_chart(dots, lang="en", title="x", description="y")))
        line = next(root.iter("polyline")).get("points", "")
        points = [tuple(map(float, pair.split(","))) for pair in line.split()]
        assert points[1][1] < points[2][1] < points[0][1]
        assert (points[1][0] - points[0][0]) * 3 == pytest.approx(points[2][0] - points[1][0], abs=0.5)

    def test_foreign_title_cannot_leave_its_element(self) -> None:
        svg = line_chart(
            self.dots("1", "2"), lang="nl", title="</title><script>alert(1)</script>", description="<b>"
        )
        root = ElementTree.fromstring(str(svg))
        assert [child.tag for child in root if child.tag in ("script", "b")] == []
        assert root[0].text == "</title><script>alert(1)</script>"

    @pytest.mark.parametrize(
        "values", [("5",), ("0", "0"), ("-3", "-3"), ("0.0001", "0.0002"), ("1e9", "2e9")]
    )
    def test_odd_ranges_are_drawn(self, values: tuple[str, ...]) -> None:
        root = ElementTree.fromstring(
            str(line_chart(self.dots(*values), lang="en", title="x", description="y"))
        )
        ticks = [one.text for one in root.iter("text") if one.get("text-anchor") == "end"]
        assert len(set(ticks)) == len(ticks) >= 3

    def test_axis_words_follow_the_step(self) -> None:
        root = ElementTree.fromstring(
            str(line_chart(self.dots("0", "10"), lang="nl", title="x", description="y"))
        )
        numbers = [one.text for one in root.iter("text") if one.get("x") == "54.0"]
        assert numbers == ["0,0", "2,5", "5,0", "7,5", "10,0"]

    def test_small_trend_is_hidden_from_readers(self) -> None:
        assert ElementTree.fromstring(str(spark_line(self.dots("1", "2")))).get("aria-hidden") == "true"


class TestRawRecord:
    @pytest.mark.parametrize(
        "text",
        [
            '{"a":1.10,"b":[1,2,{"c":"x, y: {z}"}],"d":"q\\"u\\\\","e":[],"f":{}}',
            '{"big":123456789012345678901234567890,"exp":1E+2,"t":true,"n":null}',
        ],
    )
    def test_layout_changes_white_space_only(self, text: str) -> None:
        pretty = laid_out(text)
        assert json.loads(pretty, parse_float=str, parse_int=str) == json.loads(
            text, parse_float=str, parse_int=str
        )
        assert "".join(pretty.split()) == "".join(text.split())
