"""A day with a vault, full of markers: words that occur nowhere else, so that whatever leaks can be found."""

from __future__ import annotations

import json
import logging
import secrets
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pgo.errors import InputRefused, WrongPassphrase
from pgo.health.medication.entry import MedicationForm
from pgo.usecases.collect import collect
from pgo.usecases.medicate import keep_form, save_medication
from pgo.usecases.read import record, timeline
from pgo.usecases.unlock import unlock
from tests.support.fault_scenarios import Bench, Step
from tests.support.vaults import a_bundle, a_condition, a_patient

INPUT, LOG, TEMP = "input.json", "log.txt", "temp"
NAMES = (
    "passphrase typed wrong", "given name", "family name", "street", "telephone", "condition 1",
    "condition 2", "condition 3", "note", "laboratory text", "allergy", "organisation", "set aside",
    "broken file",
    "medicine typed", "dose typed", "half-typed form", "search words", "file name", "narrative",
)  # fmt: skip


@dataclass(frozen=True)
class Markers:
    """Twenty words of one run."""

    words: dict[str, str]

    def bytes(self) -> dict[str, bytes]:
        return {name: word.encode() for name, word in self.words.items()}


def new_markers() -> Markers:
    return Markers({name: f"Merk{secrets.token_hex(8)}" for name in NAMES})


def a_marked_file(words: dict[str, str]) -> bytes:
    """A file that carries the markers where a provider would write about a person."""
    patient: dict[str, Any] = {
        **a_patient(name=f"{words['given name']} {words['family name']}"),
        "address": [{"line": [words["street"]]}],
        "telecom": [{"system": "phone", "value": words["telephone"]}],
    }
    conditions = [a_condition(f"c{n}", text=words[f"condition {n}"]) for n in (1, 2, 3)]
    conditions[0]["note"] = [{"text": words["note"]}]
    narrative = f'<div xmlns="http://www.w3.org/1999/xhtml">{words["narrative"]}</div>'
    conditions[1]["text"] = {"status": "generated", "div": narrative}
    subject = {"reference": "Patient/p1"}
    result = {
        "resourceType": "Observation", "id": "o1", "status": "final", "subject": subject,
        "code": {"text": words["laboratory text"]}, "valueString": words["laboratory text"],
        "performer": [{"display": words["organisation"]}],
    }  # fmt: skip
    allergy = {
        "resourceType": "AllergyIntolerance", "id": "a1", "patient": subject,
        "code": {"text": words["allergy"]},
    }  # fmt: skip
    aside = {"resourceType": "Observation", "id": words["set aside"]}
    return a_bundle(patient, *conditions, result, allergy, aside)


def day(bench: Bench) -> list[Step]:
    """One step: everything from a mistyped passphrase to the lock, with the loudest logging there is."""

    def live() -> None:
        logging.basicConfig(filename=bench.place / LOG, level=logging.DEBUG)
        tempfile.tempdir = str(bench.place / TEMP)
        _one_day(bench, json.loads((bench.place.parent / INPUT).read_bytes()))

    return [live]


def _one_day(bench: Bench, told: dict[str, Any]) -> None:
    words = told["words"]
    try:
        unlock(bench.home.app, bench.folder, words["passphrase typed wrong"])
    except WrongPassphrase:
        logging.getLogger("tests").warning("refused as it should be")
    session = unlock(bench.home.app, bench.folder, told["passphrase"])
    try:
        collect(session, f'{{"resourceType": "{words["broken file"]}'.encode(), name="broken.json")
    except InputRefused:
        logging.getLogger("tests").warning("refused as it should be")
    collect(session, told["file"].encode(), name=f"{words['file name']}.json")
    for row in timeline(session, query=words["search words"]).rows + timeline(session).rows:
        record(session, row.id)
    keep_form(session, "medication", {"name": words["half-typed form"]})
    save_medication(session, MedicationForm(name=words["medicine typed"], dosage=words["dose typed"]))
    session.lock()


def prepare(place: Path, passphrase: str, markers: Markers) -> Path:
    """Write what the child reads; the file holds the markers and is removed before anything is searched."""
    (place / TEMP).mkdir()
    told = place.parent / INPUT
    file = a_marked_file(markers.words).decode()
    told.write_text(json.dumps({"passphrase": passphrase, "words": markers.words, "file": file}))
    return told
