"""Mark-up from outside: only what the allow-list names is left, whatever comes in."""

from __future__ import annotations

import json
from html.parser import HTMLParser
from pathlib import Path

import pytest

from recipient.portal.narrative import ATTRIBUTES, ELEMENTS, MAX_CHARACTERS, MAX_DEPTH, safe_narrative
from tests.support.hostile_markup import MARKUP, STRINGS


class Reader(HTMLParser):
    """Collects what is left that should not be."""

    def __init__(self) -> None:
        super().__init__()
        self.foreign: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in ELEMENTS:
            self.foreign.append(tag)
        allowed = ATTRIBUTES.get(tag, set())
        self.foreign += [f"{tag}@{name}" for name, _ in attrs if name not in allowed]

    def handle_comment(self, data: str) -> None:
        self.foreign.append("comment")


def foreign(markup: str) -> list[str]:
    """Elements and attributes outside the allow-list."""
    reader = Reader()
    reader.feed(markup)
    reader.close()
    return reader.foreign


@pytest.mark.parametrize("vector", [*MARKUP, *STRINGS])
def test_nothing_foreign_is_left(vector: str) -> None:
    for around in ("{}", "<div><p>voor {} na</p></div>", "<table><tr><td>{}</td></tr></table>"):
        assert foreign(safe_narrative(around.replace("{}", vector))) == []


def test_the_check_itself_sees_what_is_foreign() -> None:
    assert foreign("<p class='x'><img src='y'></p><!-- z -->") == ["p@class", "img", "img@src", "comment"]


def test_what_a_narrative_needs_stays() -> None:
    table = '<table><tbody><tr><th rowspan="2">Dag</th><td>39,2</td></tr></tbody></table>'
    assert safe_narrative(f"<p><b>Koorts</b></p>{table}") == f"<p><b>Koorts</b></p>{table}"


@pytest.mark.parametrize("value", ["0", "-1", "1000", "x", "2 onclick=alert(1)", ""])
def test_only_small_numbers_stay_in_a_cell(value: str) -> None:
    assert "span" not in safe_narrative(f"<table><tr><td colspan='{value}'>x</td></tr></table>")


def test_headings_of_the_source_never_compete_with_ours() -> None:
    assert safe_narrative("<h1 id='main'>Brief</h1><H2>Kop</H2>") == "<h4>Brief</h4><h4>Kop</h4>"


@pytest.mark.parametrize("way", ["\u202e", "&#8238;", "&#x202E;"])
def test_text_is_not_turned_around_however_the_control_is_written(way: str) -> None:
    assert safe_narrative(f"<p>dosis {way}05 mg</p>") == "<p>dosis 05 mg</p>"


def test_what_says_nothing_is_not_shown() -> None:
    for empty in ("", "<div> &nbsp;<br/></div>", "<script>1</script>", "<img src='x'/>"):
        assert safe_narrative(empty) == ""


def test_deep_and_long_ones_end_in_words_and_in_time() -> None:
    deep = "<div>" * (MAX_DEPTH + 1)
    assert safe_narrative(f"{deep}a &lt;b&gt; c") == "a &lt;b&gt; c"
    for unit in ("<div>", "<a ", "<", "<b <c>", "&", "</p>", "<!--"):
        assert foreign(safe_narrative(unit * (MAX_CHARACTERS // len(unit) + 10))) == []


@pytest.mark.data
def test_narratives_of_real_files_keep_their_words_and_lose_the_rest(shared_data: Path) -> None:
    shown = 0
    for path in sorted((shared_data / "hl7-r4-examples").glob("*.json")):
        body = json.loads(path.read_text("utf-8"))
        div = body.get("text", {}).get("div", "") if isinstance(body, dict) else ""
        cleaned = safe_narrative(div)
        assert foreign(cleaned) == []
        shown += bool(cleaned)
    assert shown > 50


@pytest.mark.data
def test_a_list_of_naughty_strings_leaves_nothing_foreign(shared_data: Path) -> None:
    strings = json.loads((shared_data / "hostile" / "naughty-strings" / "blns.json").read_text("utf-8"))
    assert len(strings) > 400
    assert [one for one in strings if foreign(safe_narrative(f"<p>{one}</p>"))] == []
