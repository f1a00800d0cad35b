"""Reading JSON, bundles and lines: exact bytes, one bad entry set aside, a useless file refused."""

from __future__ import annotations

import json

import pytest

from pgo.health.record import json_files, reader
from pgo.health.record.reader import Refused, read_records
from pgo.health.record.resource import REASON_CODES

PATIENT = '{"resourceType":"Patient","id":"p1"}'
WEIGHT = (
    '{ "resourceType" : "Observation", "id":"w1", "status":"final","code":{"text":"Gewicht"},\n'
    '  "valueQuantity": {"value": 72.50, "unit":"kg"} }'
)


def bundle(*resources: str, kind: str = "collection") -> bytes:
    entries = ",".join(
        f'{{"fullUrl":"urn:uuid:{n}", "resource" : {text} }}' for n, text in enumerate(resources)
    )
    return f'{{"resourceType":"Bundle","type":"{kind}","entry":[{entries}]}}'.encode()


def test_single_resource_keeps_its_bytes() -> None:
    intake = read_records(WEIGHT.encode(), name="w.json")
    (only,) = intake.resources
    assert only.raw == WEIGHT.encode()
    assert (only.type, only.id, only.reference, only.full_url) == (
        "Observation",
        "w1",
        "Observation/w1",
        None,
    )
    assert str(only.body["valueQuantity"]["value"]) == "72.50"
    assert (intake.format, only.original, only.original_format) == ("json", None, "json")


@pytest.mark.parametrize("kind", ["collection", "transaction", "searchset", "document", "history", "message"])
def test_every_bundle_type_is_opened_and_slices_are_exact(kind: str) -> None:
    intake = read_records(bundle(PATIENT, WEIGHT, kind=kind), name="b.json")
    assert [one.raw.decode() for one in intake.resources] == [PATIENT, WEIGHT]
    assert [one.full_url for one in intake.resources] == ["urn:uuid:0", "urn:uuid:1"]
    assert intake.set_aside == ()


def test_nested_bundle_is_opened_and_its_place_is_named() -> None:
    inner = bundle(PATIENT, '{"id":"x"}').decode()
    intake = read_records(bundle(WEIGHT, inner), name="b.json")
    assert [one.type for one in intake.resources] == ["Observation", "Patient"]
    assert [(one.entry, one.code) for one in intake.set_aside] == [("entry 2.2", "no_resource_type")]


def test_bundles_nested_too_deep_are_set_aside() -> None:
    text = PATIENT
    for _ in range(6):
        text = bundle(text).decode()
    intake = read_records(text.encode(), name="b.json")
    assert intake.resources == ()
    assert [one.code for one in intake.set_aside] == ["too_deep"]


BAD_ENTRIES = {
    "not_a_number": '{"resourceType":"Observation","status":"final","code":{"text":"x"},"valueInteger":NaN}',
    "lone_surrogate": '{"resourceType":"Patient","name":[{"text":"\\ud800"}]}',
    "nul": '{"resourceType":"Patient","name":[{"text":"a\\u0000b"}]}',
    "duplicate_key": '{"resourceType":"Patient","id":"a","id":"b"}',
    "too_deep": '{"resourceType":"Patient","x":' + "[" * 10_000 + "]" * 10_000 + "}",
    "not_json": '{"resourceType":"Patient","id":tru}',
    "no_resource_type": '{"id":"a"}',
    "unknown_type": '{"resourceType":"Wish"}',
    "not_fhir": "[1, 2]",
    "bad_structure": '{"resourceType":"Patient","name":{"text":"a"}}',
    "placeholder": '{"resourceType":"Patient","birthDate":"${DATE, T, Y, -40}"}',
    "wrong_version_stu3": '{"resourceType":"DataElement","status":"draft","element":[{"path":"x"}]}',
    "stu3_ambiguous": '{"resourceType":"Condition","subject":{"display":"x"},"assertedDate":"2017",'
    '"recordedDate":"2018"}',
    "wrong_version_r5": '{"resourceType":"Encounter","status":"planned","class":[{"text":"x"}]}',
}


@pytest.mark.parametrize(("code", "bad"), BAD_ENTRIES.items())
def test_one_bad_entry_is_set_aside_and_the_rest_goes_on(code: str, bad: str) -> None:
    intake = read_records(bundle(PATIENT, bad, WEIGHT), name="b.json")
    assert [one.raw.decode() for one in intake.resources] == [PATIENT, WEIGHT]
    (aside,) = intake.set_aside
    assert (aside.entry, aside.code) == ("entry 2", code)
    assert aside.raw is not None
    assert bad.encode() in aside.raw
    assert code in REASON_CODES


@pytest.mark.parametrize(("code", "bad"), BAD_ENTRIES.items())
def test_the_same_fault_in_a_single_resource_refuses_the_file(code: str, bad: str) -> None:
    with pytest.raises(Refused) as refusal:
        read_records(bad.encode(), name="x.json")
    assert refusal.value.code == code


def test_invalid_utf8_in_one_entry_is_set_aside() -> None:
    broken = bundle(PATIENT, '{"resourceType":"Patient","id":"?"}').replace(b'"?"', b'"\xff"')
    intake = read_records(broken, name="b.json")
    assert [one.code for one in intake.set_aside] == ["not_utf8"]
    assert len(intake.resources) == 1


def test_entry_without_resource_is_set_aside_as_empty() -> None:
    data = b'{"resourceType":"Bundle","type":"history","entry":[{"request":{"method":"DELETE","url":"x"}}]}'
    intake = read_records(data, name="b.json")
    assert [(one.code, one.entry) for one in intake.set_aside] == [("empty", "entry 1")]


def test_name_twice_around_the_resource_is_set_aside() -> None:
    data = (
        '{"resourceType":"Bundle","type":"collection","entry":['
        f'{{"fullUrl":"a","fullUrl":"b","resource":{PATIENT}}},{{"resource":{WEIGHT}}}]}}'
    )
    intake = read_records(data.encode(), name="b.json")
    assert [one.type for one in intake.resources] == ["Observation"]
    assert [one.code for one in intake.set_aside] == ["duplicate_key"]


def test_name_twice_in_the_package_refuses_the_file() -> None:
    with pytest.raises(Refused, match="duplicate_key"):
        read_records(b'{"resourceType":"Bundle","type":"a","type":"b","entry":[]}', name="b.json")


@pytest.mark.parametrize("cut", [40, 100, -1])
def test_truncated_bundle_is_refused(cut: int) -> None:
    with pytest.raises(Refused, match="not_json"):
        read_records(bundle(PATIENT, WEIGHT)[:cut], name="b.json")


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"", "empty"),
        (b" \n\t ", "empty"),
        (b"\xef\xbb\xbf{}", "byte_order_mark"),
        (b"PK\x03\x04rest", "damaged"),
        (b"\x1f\x8brest", "damaged"),
        ("{}".encode("utf-16"), "not_utf8"),
        (b"not json", "not_json"),
        (b"true", "not_fhir"),
        (b"[" * 100_000, "too_deep"),
        (b'{"a":' * 100_000, "too_deep"),
    ],
)
def test_file_that_is_no_record_is_refused_with_a_code(data: bytes, code: str) -> None:
    with pytest.raises(Refused) as refusal:
        read_records(data, name="x.json")
    assert refusal.value.code == code


def test_file_above_the_limit_is_refused_before_anything_is_read() -> None:
    with pytest.raises(Refused, match="too_large"):
        read_records(b" " * (reader.MAX_FILE_BYTES + 1), name="x.json")


def test_lines_are_read_with_or_without_the_file_name() -> None:
    data = f"{PATIENT}\n\n{json.dumps(json.loads(WEIGHT))}\r\n".encode()
    for name in ("x.ndjson", "x.phr", "x.json"):
        intake = read_records(data, name=name)
        assert intake.format == "ndjson"
        assert [one.type for one in intake.resources] == ["Patient", "Observation"]


def test_a_bad_line_is_set_aside_with_its_number() -> None:
    intake = read_records(f'{PATIENT}\n{{"resourceType":\n{PATIENT}\n'.encode(), name="x.ndjson")
    assert [(one.entry, one.code) for one in intake.set_aside] == [("line 2", "not_json")]
    assert len(intake.resources) == 2


def test_a_line_above_the_limit_is_set_aside(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(json_files, "MAX_LINE_BYTES", 100)
    intake = read_records(f"{PATIENT}\n{WEIGHT.replace(chr(10), ' ')}".encode(), name="x.ndjson")
    assert [(one.entry, one.code) for one in intake.set_aside] == [("line 2", "too_large")]


def test_progress_counts_up_to_the_total() -> None:
    seen: list[tuple[int, int]] = []
    read_records(
        bundle(*[PATIENT] * 200), name="b.json", on_progress=lambda done, total: seen.append((done, total))
    )
    assert seen == [(64, 200), (128, 200), (192, 200), (200, 200)]


def test_persons_are_read_from_the_patients_that_were_taken() -> None:
    name = '"name":[{"family":"Bos","given":["Jo"]}]'
    named = f'{{"resourceType":"Patient","id":"p",{name},"birthDate":"1980-02-03"}}'
    (person,) = read_records(bundle(named), name="b.json").persons
    assert (person.name, person.birth_date, person.reference) == ("Jo Bos", "1980-02-03", "Patient/p")


def test_reasons_never_repeat_what_the_file_said() -> None:
    secret = "Jansen999"
    bad = f'{{"resourceType":"{secret}"}}', f'{{"resourceType":"Patient","{secret}":"${{DATE}}"}}'
    for aside in read_records(bundle(*bad), name=f"{secret}.json").set_aside:
        assert secret not in f"{aside.entry} {aside.type} {aside.code} {aside.detail}"


@pytest.mark.parametrize(
    "resource",
    [
        '{"resourceType":"Observation","code":{"text":"x"},"_status":{"extension":[{"url":"u","valueCode":"unknown"}]}}',
        '{"resourceType":"Patient","name":[{"given":["A",null],"_given":[null,{"id":"x"}]}]}',
        '{"resourceType":"Evidence","status":"draft","exposureBackground":{"display":"x"}}',
        '{"resourceType":"Patient","birthDate":"1980"}',
        '{"resourceType":"Procedure","status":"completed","subject":{"display":"x"},"encounter":{"display":"y"},'
        '"notDone":false}',
        '{"resourceType":"Patient","text":{"status":"generated","div":"<div>${DATE, T, D, 0}</div>"}}',
    ],
)
def test_valid_but_unusual_r4_is_taken(resource: str) -> None:
    intake = read_records(bundle(resource), name="b.json")
    assert (len(intake.resources), intake.set_aside) == (1, ())
