"""What a clinician reads on the pages of one patient who shares a bit of everything."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from consent.codes import ANY
from tests.e2e.recipient_server import Clinic, running_clinic
from tests.support import clinical
from tests.support.clinical_rich import PDF, rich_record
from tests.support.patient_side import PatientSide


@dataclass
class World:
    """A clinic, a patient who shares everything, and a member."""

    clinic: Clinic
    patient: PatientSide
    member: httpx.Client
    address: str

    def words(self, path: str = "") -> str:
        """The words of a page, without mark-up, white space folded."""
        text = re.sub(r"<[^>]*>", " ", self.member.get(self.address + path).text)
        return " ".join(html.unescape(text).split())

    def link(self, title: str, kind: str = "record") -> str:
        """Address of the page behind a line or tile, relative to the patient."""
        text = self.member.get(self.address).text
        for path, inside in re.findall(rf'href="{self.address}(/{kind}/\w+)">(.*?)</a>', text, re.DOTALL):
            if title in inside:
                return str(path)
        raise AssertionError(f"no {kind} named {title}")


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with running_clinic(tmp_path_factory.mktemp("page") / "clinic") as clinic:
        yield a_world(clinic)


@pytest.fixture
def fresh(tmp_path: Path) -> Iterator[World]:
    """For tests that change something."""
    with running_clinic(tmp_path / "clinic") as clinic:
        yield a_world(clinic)


def a_world(clinic: Clinic) -> World:
    patient = PatientSide.of(clinic.url, at=clinic.clock())
    patient.grant(at=clinic.clock(), category=ANY, sensitivity=ANY)
    assert patient.push(rich_record(), at=clinic.clock()).refused == ()
    member = clinic.member()
    (address,) = re.findall(r'href="(/portal/patient/[\w-]+)"', member.get("/portal").text)
    return World(clinic, patient, member, address)


def test_dangers_stand_first_and_say_how_bad_and_by_whom(world: World) -> None:
    words = world.words()
    assert re.search(r"Allergieën en waarschuwingen 3 Penicilline Huiduitslag Ernstig", words)
    assert re.search(r"Pinda Huiduitslag Volgens patiënt", words)
    assert "Pacemaker" in words[: words.index("Gebruikt nu")]


def test_one_medicine_is_one_line_with_what_each_party_says(world: World) -> None:
    words = world.words()
    assert "Gebruikt nu 2" in words
    assert "Metoprolol tablet mga 50 mg 2 maal per dag 1 stuk" in words
    assert "Patiënt gebruikt minder dan afgesproken." in words
    for said in (
        "Afgesproken Huisarts M. Bakker · 3 nov 2025",
        "Uitgegeven 180 stuk · 12 jan 2026 · Apotheek De Vijzel",
        "Patiënt zegt 1 maal per dag 1 stuk · 20 feb 2026",
    ):
        assert said in words
    assert "Paracetamol 500 mg Zo nodig 1 tablet, hooguit 4 per dag Alleen volgens patiënt" in words
    assert "Ook hierover" in world.words(world.link("Metoprolol"))


def test_a_result_outside_what_its_laboratory_calls_normal_is_marked(world: World) -> None:
    assert "Kalium 5,6 mmol/L Hoog" in world.words()
    page = world.words(world.link("Kalium", "trend"))
    assert "Normaal volgens de bron: 3,5 - 5,0 mmol/L." in page
    assert "10 feb 2026 5,6 Hoog mmol/L 3,5 - 5,0 mmol/L" in page
    assert 'class="normal"' in world.member.get(world.address + world.link("Kalium", "trend")).text


def test_a_value_below_the_limit_of_a_method_keeps_its_sign_and_says_it(world: World) -> None:
    assert re.search(r"CRP < minder dan 5 mg/L", world.words())


def test_a_score_says_which_end_is_bad_in_which_band_and_who_says_so(world: World) -> None:
    assert "PHQ-9 totaalscore 8 licht 0–27, hoger is slechter" in world.words()
    page = world.words(world.link("PHQ-9", "trend"))
    assert "Van 0 tot 27. Hoger is slechter. Een score is geen diagnose." in page
    assert "5–9 licht nu" in page
    assert "Kroenke" in page


def test_a_wish_says_no_where_the_patient_said_no(world: World) -> None:
    assert re.search(r"Behandelwensen Reanimatie Nee", world.words())


def test_remarks_and_requests_stand_in_the_patients_words_beside_what_they_are_about(
    world: World,
) -> None:
    words = world.words()
    assert "Kreeg jeuk en bulten, in 2015. Over: Penicilline" in words
    assert "Verzoek om verbetering" in words
    assert "Moet zijn: Ik ben in 2019 gestopt." in words
    assert "Kreeg jeuk en bulten" in world.words(world.link("Penicilline"))


def test_purpose_end_and_scope_stand_on_every_page(world: World) -> None:
    for path in ("", "/timeline", world.link("Kalium", "trend"), world.link("Penicilline"), "/print"):
        words = world.words(path)
        assert "Gedeeld voor behandeling, tot 31 mei 2026" in words
        assert "Sanne Voorbeeld" in words
        assert "Alles" in words


def test_a_narrative_is_shown_cleaned_and_says_whose_words_it_is(world: World) -> None:
    page = world.member.get(world.address + world.link("Ontslagbrief")).text
    assert "<h4>Ontslagbrief</h4><p>Opname wegens <b>koorts</b>.</p>" in page
    assert '<td colspan="2">39,2</td>' in page
    assert "Zo heeft de bron het opgeschreven" in page


def test_a_file_leaves_as_a_download_only_and_the_patient_sees_that_it_did(fresh: World) -> None:
    path = f"{fresh.link('Ontslagbrief')}/file/1"
    answer = fresh.member.get(fresh.address + path)
    assert answer.content == PDF
    assert answer.headers["content-type"] == "application/pdf"
    assert re.fullmatch(r'attachment; filename="record-\d+-1\.pdf"', answer.headers["content-disposition"])
    assert answer.headers["content-security-policy"].startswith("sandbox; default-src 'none'")
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["cache-control"] == "no-store"
    for wrong in ("/file/0", "/file/2", "/file/99999999999999999999"):
        assert fresh.member.get(fresh.address + fresh.link("Ontslagbrief") + wrong).status_code == 404
    log = fresh.patient.who_looked(at=fresh.clinic.clock())
    seen = [entry.categories for entry in log.entries if entry.action == "document"]
    assert seen == [("documents",), (), (), ()]  # what was asked for in vain showed nothing


def test_paper_says_whose_when_by_whom_and_is_an_event(fresh: World) -> None:
    words = fresh.words("/print")
    assert "Afgedrukt 2 mrt 2026" in words
    assert "door S. de Wit, internist, Praktijk Zuid" in words
    assert "Patiënt gebruikt minder dan afgesproken." in words
    log = fresh.patient.who_looked(at=fresh.clinic.clock())
    assert log.entries[-1].action == "print"


def test_other_pages_print_as_a_pointer_to_the_page_for_paper(world: World) -> None:
    page = world.member.get(world.address).text
    assert 'class="with-record"' in page
    assert "paper-only" in page


def test_what_came_since_the_last_visit_stands_out_until_the_next_one(fresh: World) -> None:
    assert "U opent dit dossier voor het eerst." in fresh.words()
    fresh.clinic.clock.forward(hours=5)
    fresh.member = fresh.clinic.member()
    assert "Niets nieuws sinds u keek op" in fresh.words()
    fresh.clinic.clock.forward(hours=5)
    fresh.patient.push([clinical.allergy("a9", "Latex")], at=fresh.clinic.clock())
    fresh.member = fresh.clinic.member()
    for _ in range(2):  # going back to a page is the same visit
        assert re.search(r"Nieuw 1 Sinds u keek op [^.]*\. Latex Allergie", fresh.words())
    assert "Latex" in fresh.words("/timeline?new=1")
    assert "Kalium" not in fresh.words("/timeline?new=1")
    fresh.clinic.clock.forward(hours=5)
    fresh.member = fresh.clinic.member()
    assert "Niets nieuws" in fresh.words()


@pytest.mark.parametrize(
    ("path", "present", "absent"),
    [
        ("/timeline?kind=vaccination", "Influenza", "Kalium"),
        ("/timeline?span=1y", "Kalium", "Diabetes"),
        ("/timeline?kind=nonsense&span=nonsense&from=x", "Diabetes", "Niets in wat gedeeld is"),
        ("/timeline?from=999999", "Niets in wat gedeeld is", "Kalium"),
    ],
)
def test_the_timeline_is_filtered_and_takes_any_address(
    world: World, path: str, present: str, absent: str
) -> None:
    words = world.words(path)
    words = words[words.index("Tijdlijn") :]
    assert present in words
    assert absent not in words
