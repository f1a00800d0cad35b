from __future__ import annotations

import json
from typing import Any

import pytest

from crypto.canonical import canonical_bytes
from sync.bundle import (
    Item,
    build_push,
    build_statement_content,
    build_transaction,
    parse_push,
    parse_statement_content,
    read_transaction,
    split,
)
from sync.errors import LocalRuleError, RemoteRuleError
from sync.wire import MAX_CONTENT_BYTES

SUBJECT = "subject-key"
ODD = b'{ "resourceType" : "Observation",\n\t"valueQuantity":{"value":1.10 },"note":"\\u00e9\\/ \xc3\xa9" }'
PATIENT = b'{"resourceType":"Patient","id":"source-id"}'
RESOURCES = [("Observation/7", ODD), ("Patient/1", PATIENT)]
URLS = {"Patient/1": "urn:uuid:0f-1"}


def _transaction(resources: list[tuple[str, bytes]] = RESOURCES) -> bytes:
    return build_transaction(resources, subject_id=SUBJECT, full_urls=URLS)


def _refused(data: bytes) -> None:
    with pytest.raises(RemoteRuleError) as refusal:
        read_transaction(data, subject_id=SUBJECT)
    assert refusal.value.code == "bad_content"


def test_resources_come_out_as_the_bytes_that_went_in() -> None:
    items = read_transaction(_transaction(), subject_id=SUBJECT)
    assert [(item.reference, item.raw, item.full_url) for item in items] == [
        ("Observation/7", ODD, None),
        ("Patient/1", PATIENT, "urn:uuid:0f-1"),
    ]
    assert items[1].body == {"resourceType": "Patient", "id": "source-id"}


def test_the_bundle_is_a_fhir_transaction() -> None:
    bundle = json.loads(_transaction())
    assert (bundle["resourceType"], bundle["type"]) == ("Bundle", "transaction")
    assert bundle["entry"][0]["request"] == {"method": "PUT", "url": "Observation/7"}
    assert bundle["entry"][1]["fullUrl"] == "urn:uuid:0f-1"
    assert bundle["identifier"]["value"] == SUBJECT


def test_building_twice_gives_the_same_bytes() -> None:
    assert _transaction() == _transaction()


def test_nothing_to_send_is_an_empty_bundle() -> None:
    assert read_transaction(_transaction([]), subject_id=SUBJECT) == ()


@pytest.mark.parametrize(
    "reference",
    [
        "",
        "Patient",
        "Patient/",
        "/1",
        "patient/1",
        "Patient/1/2",
        "Patient/a b",
        'Patient/1"}',
        "Patient/" + "x" * 65,
        "Patient/1\n",
    ],
)
def test_a_reference_has_one_form(reference: str) -> None:
    with pytest.raises(LocalRuleError) as refusal:
        _transaction([(reference, PATIENT)])
    assert refusal.value.code == "bad_reference"


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"[]",
        b'"Patient"',
        b"{}",
        b'{"resourceType":"Observation"}',
        PATIENT + b'},{"resource":' + PATIENT,
        PATIENT[:-1],
        PATIENT[:-1] + b',"x":"\\"}',
        PATIENT[:-1] + b',"x":"a\nb"}',
        b'{"resourceType":"Patient","x":"\xff"}',
        b'{"resourceType":"Patient","x":' + b"[" * 100_000 + b"]" * 100_000 + b"}",
    ],
)
def test_bytes_that_are_not_one_such_resource_are_not_spliced(raw: bytes) -> None:
    with pytest.raises(LocalRuleError) as refusal:
        _transaction([("Patient/1", raw)])
    assert refusal.value.code == "not_a_resource"


def test_a_resource_as_deep_as_allowed_goes_through() -> None:
    deep = b'{"resourceType":"Patient","x":' + b"[" * 63 + b"]" * 63 + b"}"
    items = read_transaction(_transaction([("Patient/1", deep)]), subject_id=SUBJECT)
    assert items[0].raw == deep
    push = build_push(
        statement="a.b.c", transaction=_transaction([("Patient/1", deep)]), purpose="TREAT", actions=["view"]
    )
    assert parse_push(push, subject_id=SUBJECT).items[0].raw == deep


def _changed(change: Any) -> bytes:
    bundle = json.loads(_transaction([("Patient/1", PATIENT)]))
    change(bundle)
    return json.dumps(bundle).encode()


@pytest.mark.parametrize(
    "change",
    [
        lambda b: b.update(type="batch"),
        lambda b: b.update(resourceType="List"),
        lambda b: b.update(extra=1),
        lambda b: b.update(total=1),
        lambda b: b.pop("type"),
        lambda b: b.pop("identifier"),
        lambda b: b.pop("entry"),
        lambda b: b["identifier"].update(value="other"),
        lambda b: b["identifier"].update(use="official"),
        lambda b: b.update(entry={}),
        lambda b: b["entry"].append(1),
        lambda b: b["entry"].append(b["entry"][0]),
        lambda b: b["entry"][0].pop("resource"),
        lambda b: b["entry"][0].pop("request"),
        lambda b: b["entry"][0].update(search={}),
        lambda b: b["entry"][0].update(fullUrl=1),
        lambda b: b["entry"][0].update(resource=[]),
        lambda b: b["entry"][0].update(resource={"resourceType": "Observation"}),
        lambda b: b["entry"][0]["request"].update(method="DELETE"),
        lambda b: b["entry"][0]["request"].update(url="Patient"),
        lambda b: b["entry"][0]["request"].update(url="Patient/1?x=1"),
        lambda b: b["entry"][0]["request"].update(ifMatch="1"),
        lambda b: b["entry"][0]["request"].pop("url"),
    ],
)
def test_any_other_bundle_is_refused(change: Any) -> None:
    _refused(_changed(change))


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"[]",
        b"null",
        _transaction() + b" {}",
        _transaction()[:-1],
        b"[" * 100_000,
        _transaction().replace(b'"type":"transaction"', b'"type":"transaction","type":"transaction"'),
        _transaction().replace(b'"id":"source-id"', b'"id":"source-id","id":"x"'),
        _transaction().replace(b"source-id", b"\\ud800"),
    ],
)
def test_broken_text_is_refused(data: bytes) -> None:
    _refused(data)


def test_size_is_bounded() -> None:
    with pytest.raises(RemoteRuleError):
        read_transaction(_transaction(), subject_id=SUBJECT, max_bytes=len(_transaction()) - 1)


def test_too_many_entries_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sync.bundle.MAX_ENTRIES", 1)
    _refused(_transaction())


def _push(**changes: Any) -> bytes:
    arguments: dict[str, Any] = {
        "statement": "a.b.c",
        "transaction": _transaction(),
        "purpose": "TREAT",
        "actions": ["view", "copy", "view"],
    }
    return build_push(**{**arguments, **changes})


def test_a_push_reads_back() -> None:
    push = parse_push(_push(), subject_id=SUBJECT)
    assert (push.statement, push.purpose, push.actions) == ("a.b.c", "TREAT", ("copy", "view"))
    assert push.items == read_transaction(_transaction(), subject_id=SUBJECT)
    assert all(isinstance(item, Item) for item in push.items)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{}",
        b"[]",
        _push() + b"x",
        _push().replace(b'"purpose":"TREAT",', b""),
        _push().replace(b'"purpose":"TREAT"', b'"purpose":1'),
        _push().replace(b'"purpose":"TREAT"', b'"purpose":"TREAT","purpose":"TREAT"'),
        _push().replace(b'"purpose"', b'"reason"'),
        _push().replace(b'["copy","view"]', b'"view"'),
        _push().replace(b'["copy","view"]', b"[1]"),
        _push(statement=""),
        _push(transaction=b"{}"),
        _push(transaction=b"1"),
        _push(transaction=build_transaction(RESOURCES, subject_id="other")),
    ],
)
def test_another_push_is_refused(content: bytes) -> None:
    with pytest.raises(RemoteRuleError) as refusal:
        parse_push(content, subject_id=SUBJECT)
    assert refusal.value.code == "bad_content"


def test_a_statement_message_reads_back() -> None:
    assert parse_statement_content(build_statement_content("a.b.c")) == "a.b.c"


@pytest.mark.parametrize(
    "content", [b"", b"{}", b'{"statement":1}', b'{"statement":""}', b'{"statement":"a","x":1}', b'"a"']
)
def test_another_statement_message_is_refused(content: bytes) -> None:
    with pytest.raises(RemoteRuleError) as refusal:
        parse_statement_content(content)
    assert refusal.value.code == "bad_content"


def _resource(size: int) -> bytes:
    head = canonical_bytes({"resourceType": "Patient"})[:-1] + b',"x":"'
    return head + b"x" * (size - len(head) - 2) + b'"}'


def test_what_fits_goes_in_one_push() -> None:
    assert split(RESOURCES) == (tuple(RESOURCES),)
    assert split([]) == ()


def test_more_is_divided_in_order_and_every_part_fits() -> None:
    resources = [(f"Patient/{number}", _resource(3_000 + number)) for number in range(40)]
    groups = split(resources, max_bytes=20_000)
    assert [pair for group in groups for pair in group] == resources
    assert len(groups) > 5
    for group in groups:
        assert len(build_transaction(list(group), subject_id=SUBJECT)) < 20_000


def test_a_full_part_stays_below_the_limit_of_a_message() -> None:
    resources = [(f"Patient/{number}", _resource(100_000)) for number in range(80)]
    for group in split(resources):
        transaction = build_transaction(list(group), subject_id=SUBJECT)
        push = build_push(statement="x" * 65_000, transaction=transaction, purpose="TREAT", actions=["view"])
        assert len(push) <= MAX_CONTENT_BYTES


def test_a_single_resource_that_never_fits_is_said() -> None:
    with pytest.raises(LocalRuleError) as refusal:
        split([("Patient/1", _resource(20_001))], max_bytes=20_000)
    assert refusal.value.code == "too_large"
