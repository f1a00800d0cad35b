"""Tables: RFC 4180, numbers as the source wrote them, and no text that a spreadsheet would run."""

from __future__ import annotations

import csv
import io
import json
import re
from itertools import chain
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pgo.health.medication.entry import MedicationForm
from pgo.health.summary.tables import csv_bytes
from pgo.ui.paper_words import PaperWords
from pgo.usecases.collect import collect
from pgo.usecases.export_tables import export_table
from pgo.usecases.medicate import remove, save_medication
from tests.support.vaults import Home, a_bundle, a_patient, a_weight

NL, EN = PaperWords("nl"), PaperWords("en")
NUMBER = re.compile(r"-?\d+(\.\d+)?(e[+-]?\d+)?", re.IGNORECASE)
STARTS = tuple("=+-@\t\r\n＝＋－＠")


def rows_of(data: bytes) -> list[list[str]]:
    text = data.decode("utf-8-sig")
    assert text.endswith("\r\n")
    return list(csv.reader(io.StringIO(text, newline=""), strict=True))


def starts_a_formula(cell: str) -> bool:
    return cell[:1] in STARTS or cell.lstrip()[:1] in STARTS


cells = st.text(st.characters(exclude_categories=("Cs",), exclude_characters="\x00"), max_size=40)


@given(st.lists(st.lists(cells, min_size=2, max_size=2), max_size=8))
def test_what_is_written_is_read_back_with_at_most_an_apostrophe_before_it(rows: list[list[str]]) -> None:
    header, *found = rows_of(csv_bytes(["één", "two"], rows))
    assert header == ["één", "two"]
    assert len(found) == len(rows)
    for cell, written in zip(chain(*found), chain(*rows), strict=True):
        assert cell in (written, f"'{written}")
        assert not starts_a_formula(cell)
        assert (cell == written) is not starts_a_formula(written)


def test_no_naughty_string_starts_a_formula_in_any_column(shared_data: Path) -> None:
    strings = json.loads((shared_data / "hostile" / "naughty-strings" / "blns.json").read_bytes())
    rows = rows_of(csv_bytes(["a", "b"], [(text, text) for text in strings], numbers={1}))[1:]
    assert len(rows) == len(strings) > 500
    guarded = 0
    for (text, number), written in zip(rows, strings, strict=True):
        assert text in (written, f"'{written}")
        assert not starts_a_formula(text)
        guarded += text != written
        # A number column takes plain numbers only; a negative number is no formula.
        assert number in (written, f"'{written}")
        assert not starts_a_formula(number) or NUMBER.fullmatch(number)
    assert guarded >= 27  # guide security 3.14
    print(f"CSV: {len(strings)} naughty strings, {guarded} guarded, 0 formulas")


@pytest.mark.parametrize("number", ["1.10", "-0.5", "0", "70.50", "6.02e23", "1E-7"])
def test_numbers_stay_digit_for_digit(number: str) -> None:
    assert csv_bytes(["n"], [(number,)], numbers={0}).decode("utf-8-sig").splitlines()[1] == number


@pytest.mark.parametrize("text", ["-1+1", "=1", "1,5", "--1", "+1", "1.", "0x10", "-", "1e99999"])
def test_what_is_no_plain_number_is_text_in_a_number_column(text: str) -> None:
    line = csv_bytes(["n"], [(text,)], numbers={0}).decode("utf-8-sig").splitlines()[1]
    assert line.startswith('"')


def test_measurements_have_their_digits_units_and_source(tmp_path: Path) -> None:
    session = Home(tmp_path).open_new()
    words = {
        "resourceType": "Observation",
        "id": "o1",
        "status": "final",
        "subject": {"reference": "Patient/p1"},
        "code": {"text": "Bloedgroep"},
        "effectiveDateTime": "2025-01-01",
        "valueString": "=HYPERLINK(1)",
    }
    body = f'{{"resource":{a_weight("w1")}}},{{"resource":{json.dumps(words)}}}'
    collect(
        session, f'{{"resourceType":"Bundle","type":"collection","entry":[{body}]}}'.encode(), name="w.json"
    )
    header, first, second = rows_of(export_table(session, "measurements", NL))
    assert header[:4] == ["datum", "naam", "waarde", "eenheid"]
    assert (first[0], first[1], first[4], first[6]) == (
        "2025-01-01",
        "Bloedgroep",
        "'=HYPERLINK(1)",
        "w.json",
    )
    assert (second[1], second[2], second[3]) == ("Gewicht", "70.50", "kg")
    assert rows_of(export_table(session, "measurements", EN))[0][:2] == ["date", "name"]
    session.lock()


def test_medication_says_who_wrote_it_and_leaves_the_trash_out(tmp_path: Path) -> None:
    session = Home(tmp_path).open_new()
    collect(session, a_bundle(a_patient()), name="p.json")
    save_medication(session, MedicationForm(name="Paracetamol", dosage="-2 per dag", start="2026-01-01"))
    remove(session, save_medication(session, MedicationForm(name="Ibuprofen", start="2026-01-01")))
    header, *rows = rows_of(export_table(session, "medication", NL))
    assert header[0] == "naam"
    assert [(row[0], row[1], row[2], row[6], row[7]) for row in rows] == [
        ("Paracetamol", "'-2 per dag", "2026-01-01", "ja", "zelf ingevuld")
    ]
    session.lock()
