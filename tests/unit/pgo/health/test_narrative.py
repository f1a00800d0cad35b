"""Of a narrative only the words come through."""

from __future__ import annotations

import pytest

from pgo.health.record.cda import read_cda
from pgo.health.record.narrative import MAX_CHARACTERS, Line, narrative_lines
from tests.unit.pgo.health.test_documents import cda


def test_headings_rows_and_items_are_lines_of_their_own() -> None:
    table = "<table><tr><td>Pinda</td><td>ernstig</td></tr></table>"
    div = f"<div><h2>Allergie</h2>{table}<ul><li>een<li>twee</ul>los</div>"
    lines = ["Allergie", "Pinda | ernstig", "een", "twee", "los"]
    assert [line.words for line in narrative_lines(div)] == lines
    assert [line.heading for line in narrative_lines(div)] == [True, False, False, False, False]


@pytest.mark.parametrize(
    ("div", "words"),
    [
        ("<p onclick='x()'>a <script>alert(1)</script>b</p>", ["a b"]),
        ("<style>p{}</style><a href='javascript:x'>c</a><img src=http://a.example>", ["c"]),
        ("&lt;b&gt;d&lt;/b&gt; &amp; e", ["<b>d</b> & e"]),
        ("f\u202eg\u2066h", ["fgh"]),
        ("<p>i<p>j</div></div>", ["i", "j"]),
        ("<", ["<"]),
        ("", []),
    ],
)
def test_no_mark_up_survives(div: str, words: list[str]) -> None:
    assert [line.words for line in narrative_lines(div)] == words


def test_a_text_without_end_is_cut() -> None:
    (line,) = narrative_lines("a" * (MAX_CHARACTERS + 5))
    assert len(line.words) == MAX_CHARACTERS


def test_the_text_of_a_cda_document_comes_back_as_it_was_made() -> None:
    lines = narrative_lines(read_cda(cda()).body["text"]["div"])
    assert lines[:2] == (Line("Allergie", heading=True), Line("Pinda | ernstig <b>", heading=False))
