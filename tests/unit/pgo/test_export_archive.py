"""Everything in one file and back: equal hash, nothing left out silently, damage refused as a whole."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from consent.ledger import Ledger
from crypto.canonical import sha256_id
from crypto.keys import VerifyKey
from pgo.errors import InputRefused
from pgo.health.demo import demo_bundle
from pgo.health.medication.entry import MedicationForm
from pgo.ui.paper_words import PaperWords
from pgo.usecases.collect import collect
from pgo.usecases.export_archive import LEFT_OUT, MANIFEST, SCHEMA, Archive, export_archive
from pgo.usecases.export_import import take_archive
from pgo.usecases.export_read import is_archive
from pgo.usecases.journal_file import verify_journal_file
from pgo.usecases.medicate import remove, save_medication, trash
from pgo.usecases.read import record, records_of_type
from pgo.usecases.session import Session
from tests.support.sharing import an_open_vault
from tests.support.sharing_screens import with_share
from tests.support.vaults import Home, a_bundle, a_condition, a_patient, a_weight

WORDS = PaperWords("nl")
XML = b"""<Bundle xmlns="http://hl7.org/fhir"><type value="collection"/><entry>
<fullUrl value="https://ziekenhuis.example/fhir/Condition/x1"/>
<resource><Condition><id value="x1"/><code><text value="Uit XML"/></code>
<subject><reference value="Patient/p1"/></subject></Condition></resource></entry></Bundle>"""


def members(archive: Archive) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(archive.data)) as opened:
        return {name: opened.read(name) for name in opened.namelist()}


def rezipped(content: dict[str, bytes]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for name, data in content.items():
            archive.writestr(name, data)
    return out.getvalue()


def full_vault(home: Home) -> Session:
    """A vault with everything that is easily forgotten: versions, trash, XML, own records, set-aside ones."""
    session = home.open_new()
    first = [a_patient(), a_condition("c1", text="Hoofdpijn"), {"resourceType": "Nonsense", "id": "n"}]
    collect(session, a_bundle(*first), name="huisarts.json")
    home.clock.forward(days=1)
    collect(session, a_bundle(a_patient(), a_condition("c1", text="Migraine")), name="huisarts-2.json")
    collect(session, XML, name="ziekenhuis.xml")
    raw = '{"resourceType":"Bundle","type":"collection","entry":[{"resource":' + a_weight("w1") + "}]}"
    collect(session, raw.encode(), name="weegschaal.json")
    number = save_medication(session, MedicationForm(name="Paracetamol", start="2026-01-01"))
    save_medication(session, MedicationForm(name="Paracetamol 500", start="2026-01-01"), record_id=number)
    gone = save_medication(session, MedicationForm(name="Ibuprofen", start="2026-01-01"))
    remove(session, gone)
    with session.store.write(home.clock.now):
        session.store.records.reading.apart.add([frozenset({number, gone})], at=home.clock.now)
    return session


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path)


def test_an_empty_vault_that_takes_the_archive_in_has_an_equal_hash(home: Home) -> None:
    session = full_vault(home)
    archive = export_archive(session, WORDS)
    fresh = home.open_new("Leeg")
    assert is_archive(archive.data)
    result = take_archive(fresh, archive.data, name="alles.zip")
    assert (result.imported, result.set_aside, result.person_question) == (6, (), None)
    assert fresh.store.holdings.digest() == archive.holdings == session.store.holdings.digest()
    home.clock.forward(minutes=1)
    again = collect(fresh, archive.data, name="alles.zip")
    assert (again.imported, again.unchanged, again.in_trash) == (0, 6, 1)
    assert fresh.store.holdings.digest() == archive.holdings
    for one in (session, fresh):
        one.lock()


def test_versions_originals_sources_trash_and_what_was_set_aside_come_back(home: Home) -> None:
    archive = export_archive(full_vault(home), WORDS)
    fresh = home.open_new("Leeg")
    take_archive(fresh, archive.data, name="alles.zip")
    conditions = {row.title: record(fresh, row.id) for row in records_of_type(fresh, "Condition")}
    assert conditions["Migraine"].versions == 2
    assert conditions["Migraine"].source.name == "huisarts-2.json"
    assert conditions["Uit XML"].original_format == "xml"
    assert [row.title for row in trash(fresh)] == ["Ibuprofen"]
    (medicine,) = records_of_type(fresh, "MedicationStatement")
    assert (medicine.title, medicine.self_authored) == ("Paracetamol 500", True)
    (aside,) = fresh.store.holdings.set_aside()
    assert (aside.code, aside.type) == ("unknown_type", "Nonsense")
    assert [(one[0], other[0]) for one, other in fresh.store.holdings.apart()] == [
        ("MedicationStatement", "MedicationStatement")
    ]
    fresh.lock()


def test_the_demo_patient_comes_back_equal(home: Home) -> None:
    session = home.open_new()
    collect(session, demo_bundle(home.clock.now.date()), name="demo.json")
    archive = export_archive(session, WORDS)
    fresh = home.open_new("Leeg")
    take_archive(fresh, archive.data, name="demo.zip")
    assert fresh.store.holdings.digest() == archive.holdings
    for one in (session, fresh):
        one.lock()


def test_the_same_vault_at_the_same_moment_gives_the_same_records(home: Home) -> None:
    session = full_vault(home)
    first, second = export_archive(session, WORDS), export_archive(session, WORDS)
    one, other = members(first), members(second)
    # The journal grows by the line about the export itself; nothing else differs.
    assert {name for name in one if one[name] != other[name]} == {MANIFEST, "journal.jsonl"}
    session.lock()


def test_the_manifest_names_every_member_and_what_is_not_in_it(home: Home) -> None:
    session = full_vault(home)
    content = members(export_archive(session, WORDS))
    manifest = json.loads(content.pop(MANIFEST))
    assert {one["name"]: one["sha256"] for one in manifest["members"]} == {
        name: sha256_id(data) for name, data in content.items()
    }
    assert manifest["left_out"] == list(LEFT_OUT)
    assert {"README.nl.txt", "README.en.txt", "journal.jsonl", "tables/metingen.csv"} <= content.keys()
    assert verify_journal_file(content["journal.jsonl"], journal=session.store.vault_id).findings == ()
    assert session.store.identity_seed() not in b"".join(content.values())
    session.lock()


def test_what_was_decided_can_be_verified_from_the_files_alone(tmp_path: Path) -> None:
    session = an_open_vault(tmp_path)
    with_share(session)
    content = members(export_archive(session, WORDS))
    key = json.loads(content["consents/key.json"])
    tokens = [json.loads(line)["token"] for line in content["consents/signed-records.jsonl"].splitlines()]
    ledger = Ledger.of(tokens, keys=[VerifyKey.from_text(key["key"])], subject=key["subject"])
    assert [one.token for one in ledger.records] == tokens
    fhir = json.loads(content["consents/consents.json"])
    kinds = {one["resource"]["resourceType"] for one in fhir["entry"]}
    assert {"Consent", "Provenance"} <= kinds
    assert b"Oefenkliniek" in content["consents/recipients.jsonl"]
    session.lock()


def test_a_list_of_decisions_that_does_not_hold_can_still_be_taken_along(tmp_path: Path) -> None:
    session = an_open_vault(tmp_path)
    with_share(session)
    session.store.ledger._engine.run("UPDATE ledger SET token = token || 'x'")
    content = members(export_archive(session, WORDS))
    assert "consents/signed-records.jsonl" in content
    assert "consents/consents.json" not in content  # only of a list that was verified
    session.lock()


@pytest.mark.parametrize(
    "damage",
    [
        lambda content: content.update({"records-1.json": content["records-1.json"] + b" "}),
        lambda content: content.update({"extra.txt": b"x"}),
        lambda content: content.pop("sources.ndjson"),
        lambda content: content.update({MANIFEST: content[MANIFEST].replace(b'"bytes":', b'"bytes":1', 1)}),
        lambda content: content.update({MANIFEST: content[MANIFEST][:-9]}),
        lambda content: content.update({"../evil.json": content.pop("records-1.json")}),
    ],
    ids=["changed", "added", "removed", "manifest_edited", "manifest_cut", "renamed"],
)
def test_a_damaged_archive_is_refused_as_a_whole(
    home: Home, damage: Callable[[dict[str, bytes]], object]
) -> None:
    archive = export_archive(full_vault(home), WORDS)
    content = members(archive)
    damage(content)
    fresh = home.open_new("Leeg")
    changes = fresh.store.changes()
    with pytest.raises(InputRefused) as refused:
        take_archive(fresh, rezipped(content), name="alles.zip")
    assert refused.value.code == "archive_damaged"
    assert fresh.store.changes() == changes
    fresh.lock()


def test_no_flipped_byte_changes_a_record_unseen(home: Home) -> None:
    session = full_vault(home)
    archive = export_archive(session, WORDS)
    refused = 0
    fresh = home.open_new("Leeg")
    places = range(0, len(archive.data), max(1, len(archive.data) // 60))
    for place in places:
        data = bytearray(archive.data)
        data[place] ^= 0x41
        try:
            take_archive(fresh, bytes(data), name="x.zip")
        except InputRefused:
            refused += 1
            assert fresh.store.holdings.count() == 0
        else:  # a byte that says nothing, such as the clock of a member
            assert fresh.store.holdings.digest() == archive.holdings
            fresh.lock()
            fresh = home.open_new(f"Leeg {place}")
    assert refused > 45
    fresh.lock()
    session.lock()


def test_another_person_is_asked_about_and_nothing_is_stored(home: Home) -> None:
    archive = export_archive(full_vault(home), WORDS)
    other = home.open_new("Kind")
    collect(other, a_bundle(a_patient("k1", name="Kees Kind", born="2019-01-01")), name="kind.json")
    held = other.store.holdings.digest()
    result = take_archive(other, archive.data, name="ouder.zip")
    assert result.person_question is not None
    assert (result.imported, other.store.holdings.digest()) == (0, held)
    other.lock()


def test_a_bomb_with_a_right_manifest_is_refused_before_it_fills_the_memory(home: Home) -> None:
    session = home.open_new()
    member = b"0" * 30_000_000
    said = {"name": "records-1.json", "bytes": len(member), "sha256": sha256_id(member)}
    manifest = {"schema": SCHEMA, "holdings": "", "members": [said]}
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(MANIFEST, json.dumps(manifest))
        archive.writestr("records-1.json", member)
    with pytest.raises(InputRefused) as refused:
        take_archive(session, out.getvalue(), name="bom.zip")
    assert refused.value.code == "too_large"
    session.lock()


def test_another_zip_is_no_archive() -> None:
    assert not is_archive(rezipped({"a.json": b"{}"}))
    assert not is_archive(b"PK\x03\x04 broken")
    assert not is_archive(b"{}")
