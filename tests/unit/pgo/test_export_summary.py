"""The paper: a PDF/A-2a that can be read aloud, with the chosen parts and nothing that was not ticked."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import pikepdf
import pypdfium2
import pytest
from hypothesis import given
from hypothesis import strategies as st

from consent.codes import Sensitivity
from pgo.health.demo import demo_bundle
from pgo.health.summary.glyphs import covered, printable
from pgo.health.summary.model import Section, Summary
from pgo.health.summary.paper import build_pdf, has_replaced
from pgo.store.journal import Event
from pgo.ui.paper_words import PaperWords
from pgo.usecases.collect import collect
from pgo.usecases.export_summary import (
    OFF_AT_FIRST,
    SummaryChoice,
    build_summary,
    export_summary,
    summary_offer,
)
from pgo.usecases.export_summary_lines import Part
from pgo.usecases.medicate import remove
from pgo.usecases.session import Session
from tests.support.vaults import START, Home, a_bundle, a_condition, a_patient, a_weight

NL, EN = PaperWords("nl"), PaperWords("en")


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Session:
    home = Home(tmp_path_factory.mktemp("paper"))
    session = home.open_new()
    collect(session, demo_bundle(home.clock.now.date()), name="demo.json")
    return session


def words_of(pdf: bytes) -> str:
    document = pypdfium2.PdfDocument(pdf)
    pages = [document[number].get_textpage().get_text_range() for number in range(len(document))]
    document.close()
    return " ".join(" ".join(pages).split())


def a_summary(*cells: str) -> Summary:
    section = Section("Deel", ("Wat",) * len(cells), (cells,), (1,) * len(cells), "niets")
    return Summary("nl", "Titel", "Naam", (), "Inleiding", (section,), (), "Voet", "{page} van {pages}")


def fonts_of(page: Any) -> list[Any]:
    return [font for _, font in page.Resources.get("/Font", {}).items()]


def test_it_has_what_pdf_a_2a_and_pdf_ua_ask_for_and_nothing_that_they_forbid(demo: Session) -> None:
    data = export_summary(demo, SummaryChoice(parts=frozenset(Part)), NL)
    with pikepdf.open(io.BytesIO(data)) as pdf:
        root = pdf.Root
        with pdf.open_metadata() as xmp:
            said = [xmp.get(name) for name in ("pdfaid:part", "pdfaid:conformance", "pdfuaid:part")]
            assert (*said, xmp.pdfa_status) == ("2", "A", "1", "2A")
        assert str(root.OutputIntents[0].S) == "/GTS_PDFA1"
        assert "/DestOutputProfile" in root.OutputIntents[0]
        assert (str(root.Lang), bool(root.MarkInfo.Marked)) == ("nl", True)
        assert bool(root.ViewerPreferences.DisplayDocTitle)
        assert str(pdf.docinfo.Title) == "Samenvatting van mijn gezondheid"
        assert not pdf.is_encrypted
        assert not {"/OpenAction", "/AA", "/AcroForm", "/Names"} & set(root.keys())
        assert b"/JavaScript" not in data
        assert b"/EmbeddedFile" not in data
        fonts = [font for page in pdf.pages for font in fonts_of(page)]
        assert fonts
        for font in fonts:
            descriptor = font.DescendantFonts[0].FontDescriptor
            assert {"/FontFile2", "/FontFile3"} & set(descriptor.keys())
            assert "/ToUnicode" in font
        assert tags(root.StructTreeRoot) >= {"/H1", "/H2", "/Table", "/TH", "/TD", "/TR"}


def tags(node: Any) -> set[str]:
    found = {str(node.S)} if "/S" in node else set()
    children = node.get("/K", [])
    for child in children if isinstance(children, pikepdf.Array) else [children]:
        if isinstance(child, pikepdf.Dictionary):
            found |= tags(child)
    return found


@pytest.mark.parametrize("words", [NL, EN], ids=["nl", "en"])
def test_the_chosen_parts_are_on_it_in_both_languages(demo: Session, words: PaperWords) -> None:
    text = words_of(export_summary(demo, SummaryChoice(parts=frozenset(Part)), words))
    for part in set(Part) - {Part.PERSON, Part.NUMBER}:
        assert words.t(f"paper.part.{part}") in text
    for expected in ("Sanne Voorbeeld", "Penicilline", "Metformine tablet 500 mg", "<4"):
        assert expected in text
    assert "[paper" not in text
    assert words.t("paper.page", page=1, pages=3) in text


def test_what_was_not_chosen_is_not_on_it(demo: Session) -> None:
    text = words_of(export_summary(demo, SummaryChoice(parts=frozenset({Part.ALLERGIES})), NL))
    assert "Penicilline" in text
    for absent in ("Sanne", "Metformine", "Bovendruk", "Utrecht"):
        assert absent not in text


def test_the_number_and_past_medication_are_off_at_first() -> None:
    assert SummaryChoice().parts == frozenset(Part) - OFF_AT_FIRST
    assert Part.NUMBER in OFF_AT_FIRST


def test_sensitive_subjects_the_trash_and_mistakes_stay_off(tmp_path: Path) -> None:
    session = Home(tmp_path).open_new()
    sensitive = a_condition("c2", text="Alcoholafhankelijkheid")
    sensitive["code"] = {
        "coding": [{"system": "http://hl7.org/fhir/sid/icd-10", "code": "F10.2"}],
        "text": "Alcoholafhankelijkheid",
    }
    mistake = a_condition("c3", text="Vergissing")
    mistake["verificationStatus"] = {
        "coding": [
            {
                "system": "http://terminology.hl7.org/CodeSystem/condition-ver-status",
                "code": "entered-in-error",
            }
        ]
    }
    gone = a_condition("c4", text="Weggegooid")
    records = (a_patient(bsn="999999990"), a_condition("c1"), sensitive, mistake, gone)
    collect(session, a_bundle(*records), name="a.json")
    trashed = next(row for row in session.store.records.of_kinds(("condition",)) if row.resource_id == "c4")
    remove(session, trashed.id)
    offer = summary_offer(session, NL)
    assert offer.sensitive == {Sensitivity.SUBSTANCE: 1}
    text = words_of(export_summary(session, SummaryChoice(), NL))
    assert "Hoofdpijn" in text
    for absent in ("Alcohol", "Vergissing", "Weggegooid", "999999990"):
        assert absent not in text
    ticked = SummaryChoice(frozenset(Part), sensitive=frozenset({Sensitivity.SUBSTANCE}))
    text = words_of(export_summary(session, ticked, NL))
    assert "Alcoholafhankelijkheid" in text
    assert "999999990" in text
    events = [line.event for line in session.store.journal.lines()]
    assert events[-2:] == [Event.EXPORTED, Event.EXPORTED]
    session.lock()


def test_an_empty_part_says_that_nothing_is_known(tmp_path: Path) -> None:
    session = Home(tmp_path).open_new()
    text = words_of(export_summary(session, SummaryChoice(), NL))
    assert text.count("niets bekend") == len(frozenset(Part) - OFF_AT_FIRST - {Part.PERSON})
    session.lock()


def test_digits_and_comparators_stay_as_written(tmp_path: Path) -> None:
    session = Home(tmp_path).open_new()
    raw = json.loads(a_weight("w1"))
    weights = [a_weight(f"w{n}", kilos=kilos) for n, kilos in ((1, "70.50"), (2, "7.0e1"))]
    low = raw | {"id": "w3", "code": {"text": "CRP"}, "effectiveDateTime": "2026-02-01"}
    low["valueQuantity"] = {"value": 0.41, "comparator": "<", "unit": "mg/l"}
    body = ",".join(f'{{"resource":{one}}}' for one in [*weights, json.dumps(low)])
    collect(session, f'{{"resourceType":"Bundle","type":"collection","entry":[{body}]}}'.encode(), name="w")
    said = raw | {"id": "w4", "code": {"text": "Bloedgroep"}, "valueString": "A positief"}
    del said["valueQuantity"]
    collect(session, a_bundle(said), name="bloed.json")
    rows = build_summary(session, SummaryChoice(), EN).sections[-1].rows
    assert ("Bloedgroep", "A positief") in [row[:2] for row in rows]  # a result without a number is not lost
    cells = [cell for row in rows for cell in row]
    assert any(cell.startswith("<0.41") for cell in cells)
    assert any("70.50" in cell for cell in cells)
    session.lock()


def test_words_of_a_record_are_never_mark_up() -> None:
    hostile = '#panic() *x* _y_ $ @a <b> [c] \\u{41} #sys.inputs.data // "q" `z` = '
    text = words_of(build_pdf(a_summary(hostile), at=START))
    assert " ".join(hostile.split()) in text


def test_the_same_summary_at_the_same_moment_is_the_same_file() -> None:
    assert build_pdf(a_summary("x"), at=START) == build_pdf(a_summary("x"), at=START)


def test_what_the_font_cannot_draw_gets_a_mark_and_never_vanishes() -> None:
    assert printable("≤5 ≥6 a→b ㎎") == "<=5 >=6 a->b mg"
    assert (printable("张"), has_replaced(a_summary("张")), has_replaced(a_summary("é"))) == (
        "�",
        True,
        False,
    )
    assert printable("a\u202eb\u0007c") == "abc"
    assert len(covered()) > 1_000


@given(st.text(max_size=60))
def test_any_text_can_be_set(text: str) -> None:
    assert build_pdf(a_summary(text, "x"), at=START).startswith(b"%PDF-")


def test_naughty_strings_can_be_set(shared_data: Path) -> None:
    strings = json.loads((shared_data / "hostile" / "naughty-strings" / "blns.json").read_bytes())
    section = Section("Deel", ("Wat",), tuple((text,) for text in strings), (1,), "niets")
    summary = Summary("nl", "T", "N", (), "I", (section,), (), "V", "{page} van {pages}")
    assert build_pdf(summary, at=START).startswith(b"%PDF-")


def test_a_very_long_text_runs_over_pages_instead_of_being_cut() -> None:
    text = words_of(build_pdf(a_summary("woord " * 4_000 + "EINDE"), at=START))
    assert "EINDE" in text
