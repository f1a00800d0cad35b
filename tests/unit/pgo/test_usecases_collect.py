"""Collecting: nothing twice, nothing lost, two people never mixed."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from pgo.errors import InputRefused, Locked
from pgo.health.record.kinds import RecordKind
from pgo.usecases.collect import collect
from pgo.usecases.export import export_records
from pgo.usecases.medicate import remove
from pgo.usecases.read import counts_by_type, overview, record, records_of_type, series, series_list, timeline
from pgo.usecases.same_person_link import build_link
from pgo.usecases.session import Session
from tests.support.vaults import Home, a_bundle, a_condition, a_patient, a_weight


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path)


@pytest.fixture
def session(home: Home) -> Session:
    return home.open_new()


def ids_by_title(session: Session) -> dict[str, int]:
    types = counts_by_type(session)
    return {row.title: row.id for type_ in types for row in records_of_type(session, type_)}


def test_the_same_file_twice_changes_nothing_and_says_so(session: Session) -> None:
    file = a_bundle(a_patient(), a_condition("c1"))
    first = collect(session, file, name="a.json")
    assert (first.imported, first.unchanged) == (2, 0)
    assert first.by_kind == {RecordKind.PERSON: 1, RecordKind.CONDITION: 1}
    changes = session.store.changes()
    second = collect(session, file, name="b.json")
    assert (second.imported, second.unchanged) == (0, 2)
    assert session.store.changes() == changes


def test_order_of_members_is_no_change_but_the_way_a_number_is_written_is(session: Session) -> None:
    collect(session, a_bundle(a_patient()), name="a.json")
    weight = a_weight("w1")
    collect(session, weight.encode(), name="w.json")
    members = json.loads(weight, parse_float=str)
    turned = json.dumps(dict(reversed(list(members.items())))).replace('"70.50"', "70.50")
    assert collect(session, turned.encode(), name="w.json").unchanged == 1
    assert collect(session, turned.replace("70.50", "70.5").encode(), name="w.json").imported == 1


def test_bytes_stay_exactly_as_they_came(session: Session) -> None:
    raw = a_weight("w1").replace(",", " ,\n")
    collect(session, raw.encode(), name="w.json")
    (row,) = timeline(session).rows
    content = session.store.records.content(row.id)
    assert content is not None
    assert content.raw == raw.encode()
    assert "70.50" in record(session, row.id).raw_text


def test_a_changed_record_is_a_new_version_and_the_older_is_kept(session: Session) -> None:
    collect(session, a_bundle(a_patient(), a_condition("c1", text="Hoofdpijn")), name="a.json")
    result = collect(session, a_bundle(a_patient(), a_condition("c1", text="Migraine")), name="b.json")
    assert (result.imported, result.unchanged) == (1, 1)
    detail = record(session, ids_by_title(session)["Migraine"])
    assert detail.versions == 2
    assert detail.source.name == "b.json"


def test_what_lies_in_the_trash_does_not_come_back_by_itself(session: Session) -> None:
    file = a_bundle(a_patient(), a_condition("c1"))
    collect(session, file, name="a.json")
    remove(session, ids_by_title(session)["Hoofdpijn"])
    result = collect(session, file, name="a.json")
    assert (result.imported, result.unchanged, result.in_trash) == (0, 2, 1)
    assert timeline(session).total == 0


def test_one_bad_entry_never_aborts_the_rest(session: Session) -> None:
    file = a_bundle(a_patient(), {"resourceType": "Nonsense"}, {"id": "x"}, a_condition("c1"))
    result = collect(session, file, name="a.json")
    assert result.imported == 2
    assert [entry.code for entry in result.set_aside] == ["unknown_type", "no_resource_type"]
    assert session.store.quarantine.count() == 2
    collect(session, file, name="a.json")
    assert session.store.quarantine.count() == 2


def test_a_file_that_cannot_be_used_leaves_the_store_unchanged(session: Session) -> None:
    changes = session.store.changes()
    with pytest.raises(InputRefused) as caught:
        collect(session, b"{ this is no json", name="a.json")
    assert caught.value.code == "not_json"
    assert session.store.changes() == changes


def test_another_person_is_asked_about_before_anything_is_stored(session: Session) -> None:
    collect(session, a_bundle(a_patient(bsn="999900006")), name="a.json")
    file = a_bundle(
        a_patient("p2", name="Piet Proef", born="1950-01-01", bsn="999900018"),
        a_condition("c9", subject="Patient/p2"),
    )
    result = collect(session, file, name="b.json")
    assert result.person_question is not None
    assert result.person_question.certain
    assert result.person_question.file_person.name == "Piet Proef"
    assert result.imported == 0
    assert overview(session).total == 1
    assert collect(session, file, name="b.json", accept_person=True).imported == 2


def test_the_same_person_under_another_reference_is_recognised(session: Session) -> None:
    collect(session, a_bundle(a_patient()), name="a.json")
    other = a_bundle(a_patient("x-77"), a_condition("c1", subject="Patient/x-77"))
    result = collect(session, other, name="b.json")
    assert result.person_question is None
    assert result.imported == 2


def test_of_a_file_with_several_people_only_ours_is_taken(session: Session) -> None:
    collect(session, a_bundle(a_patient()), name="a.json")
    stranger = a_patient("p2", name="Piet Proef", born="1950-01-01")
    mixed = a_bundle(a_patient(), stranger, a_condition("c1"), a_condition("c2", subject="Patient/p2"))
    result = collect(session, mixed, name="b.json")
    assert (result.imported, result.unchanged) == (1, 1)
    assert {(entry.type, entry.code) for entry in result.set_aside} == {
        ("Patient", "other_patient"),
        ("Condition", "other_patient"),
    }
    assert all(entry.raw is None for entry in result.set_aside), "nothing of another person is kept"


def test_an_empty_vault_does_not_guess_between_several_people(session: Session) -> None:
    stranger = a_patient("p2", name="Piet Proef", born="1950-01-01")
    result = collect(session, a_bundle(a_patient(), stranger), name="a.json")
    assert result.imported == 0
    assert {entry.code for entry in result.set_aside} == {"several_persons"}
    assert overview(session).total == 0


def test_records_without_a_person_resource_follow_a_reference_we_know(session: Session) -> None:
    collect(session, a_bundle(a_patient()), name="a.json")
    assert collect(session, a_bundle(a_condition("c1")), name="b.json").imported == 1
    unknown = collect(session, a_bundle(a_condition("c2", subject="Patient/zz")), name="c.json")
    assert unknown.person_question is not None
    assert not unknown.person_question.certain


def test_equal_small_ids_of_two_hospitals_stay_two_records(session: Session) -> None:
    def entry(base: str, text: str) -> dict[str, object]:
        return {"fullUrl": f"{base}/Condition/1", "resource": a_condition("1", text=text)}

    for base, text in (("https://een.example/fhir", "Hoofdpijn"), ("https://twee.example/fhir", "Jicht")):
        entries = [{"resource": a_patient()}, entry(base, text)]
        bundle = {"resourceType": "Bundle", "type": "collection", "entry": entries}
        collect(session, json.dumps(bundle).encode(), name=f"{text}.json")
    assert {"Hoofdpijn", "Jicht"} <= set(ids_by_title(session))


def test_export_then_import_gives_the_same_records(home: Home, session: Session) -> None:
    no_id = {key: value for key, value in a_condition("x", text="Zonder id").items() if key != "id"}
    collect(session, a_bundle(a_patient(), a_condition("c1"), no_id), name="a.json")
    collect(session, a_weight("w1").encode(), name="w.json")
    exported = export_records(session)
    fresh = home.open_new("Nieuw")
    result = collect(fresh, exported, name="export.json")
    assert (result.imported, result.set_aside) == (4, ())
    # Not even the vault it came from sees anything new in it.
    assert collect(session, exported, name="export.json").imported == 0
    assert export_records(fresh) == exported


def test_an_export_of_records_from_two_providers_comes_back_whole(home: Home, session: Session) -> None:
    at_another = a_patient("p9", name="S. Proef", born="")
    collect(session, a_bundle(a_patient(), a_condition("c1")), name="a.json")
    collect(
        session,
        a_bundle(at_another, a_condition("c9", subject="Patient/p9")),
        name="b.json",
        accept_person=True,
    )
    assert overview(session).total == 4
    exported = export_records(session)
    fresh = home.open_new("Nieuw")
    result = collect(fresh, exported, name="export.json")
    assert (result.imported, result.set_aside) == (4, ())
    assert export_records(fresh) == exported
    assert collect(fresh, a_bundle(a_condition("c10", subject="Patient/p9")), name="c.json").imported == 1


def test_a_note_about_one_person_counts_for_an_empty_vault_only(session: Session) -> None:
    collect(session, a_bundle(a_patient()), name="a.json")
    note = json.loads(build_link(["Patient/p1", "Patient/p2"]))
    stranger = a_patient("p2", name="Piet Proef", born="1950-01-01")
    result = collect(session, a_bundle(a_patient(), stranger, note), name="b.json")
    assert result.imported == 0
    assert {entry.code for entry in result.set_aside} == {"other_patient"}


def test_progress_ends_at_the_total(session: Session) -> None:
    seen: list[tuple[int, int]] = []
    collect(
        session,
        a_bundle(a_patient()),
        name="a.json",
        on_progress=lambda done, total: seen.append((done, total)),
    )
    assert seen[-1][0] == seen[-1][1]
    assert [done for done, _ in seen] == sorted(done for done, _ in seen)


def test_a_locked_vault_collects_nothing(session: Session) -> None:
    session.lock()
    with pytest.raises(Locked):
        collect(session, a_bundle(a_patient()), name="a.json")


def test_series_search_and_timeline(session: Session) -> None:
    collect(session, a_bundle(a_patient(), a_condition("c1", text="Reumatoïde artritis")), name="a.json")
    for number, kilos in enumerate(("70.50", "71.25")):
        collect(
            session, a_weight(f"w{number}", kilos=kilos, at=f"2026-01-0{number + 1}").encode(), name="w.json"
        )
    (line,) = series_list(session)
    assert (line.count, line.last_at) == (2, "2026-01-02")
    assert [str(point.value) for point in series(session, line.key).points] == ["70.50", "71.25"]
    assert timeline(session, query="REUMATOIDE").total == 1
    assert timeline(session, query="gewicht reuma").total == 0
    page = timeline(session, offset=1, limit=1)
    assert (page.total, len(page.rows)) == (3, 1)


def test_an_old_file_does_not_undo_a_newer_one(session: Session) -> None:
    old, new = (
        a_bundle(a_patient(), a_condition("c1", text="Jicht")),
        a_bundle(a_condition("c1", text="Artrose")),
    )
    collect(session, old, name="oud.json")
    assert collect(session, new, name="nieuw.json").imported == 1
    again = collect(session, old, name="oud.json")
    assert (again.imported, again.unchanged) == (0, 2)
    assert "Artrose" in ids_by_title(session)
