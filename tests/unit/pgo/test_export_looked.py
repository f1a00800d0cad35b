"""Who looked, in the archive: what a stranger needs to check it, and what the check of an archive finds."""

from __future__ import annotations

import hashlib
import io
import json
import zipfile
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from itertools import product
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from crypto.canonical import b64url_decode, sha256_id
from pgo.errors import InputRefused
from pgo.ui.paper_words import PaperWords
from pgo.usecases import looked, share
from pgo.usecases.archive_verify import NO_SIGNER, ArchiveCheck, verify_archive
from pgo.usecases.export_archive import MANIFEST, export_archive
from pgo.usecases.export_import import take_archive
from pgo.usecases.export_looked import ENDS, LOOKS
from pgo.usecases.session import Session
from recipient.rotation import rotate_signing_key
from sync.errors import RemoteRuleError
from tests.support.looked import Shared, sharing_with_a_desk, the_card
from tests.support.sharing import CLINIC_ID
from tests.support.vaults import Home

WORDS = PaperWords("nl")
Members = dict[str, bytes]


@pytest.fixture
def shared(tmp_path: Path) -> Iterator[Shared]:
    """A vault that fetched three looks."""
    with sharing_with_a_desk(tmp_path) as made:
        for _ in range(3):
            made.desk.look()
        looked.fetch_access(made.session, CLINIC_ID)
        yield made


@pytest.fixture(scope="module")
def pristine(tmp_path_factory: pytest.TempPathFactory) -> Members:
    """The members of an archive with three looks; for tests that damage a copy."""
    with sharing_with_a_desk(tmp_path_factory.mktemp("pristine")) as made:
        for _ in range(3):
            made.desk.look()
        looked.fetch_access(made.session, CLINIC_ID)
        return archived(made.session)


def archived(session: Session) -> Members:
    with zipfile.ZipFile(io.BytesIO(export_archive(session, WORDS).data)) as opened:
        return {name: opened.read(name) for name in opened.namelist()}


def packed(members: Members) -> bytes:
    """The members under a manifest that is right about them, as a forger would make it."""
    said = json.loads(members[MANIFEST])
    rest = {name: data for name, data in members.items() if name != MANIFEST}
    said["members"] = [
        {"name": name, "bytes": len(data), "sha256": sha256_id(data)} for name, data in rest.items()
    ]
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for name, data in {MANIFEST: json.dumps(said).encode(), **rest}.items():
            archive.writestr(name, data)
    return out.getvalue()


def rows(data: bytes) -> list[dict[str, Any]]:
    return [json.loads(line) for line in data.splitlines()]


def written(values: list[dict[str, Any]]) -> bytes:
    return "".join(json.dumps(value) + "\n" for value in values).encode()


def checked(members: Members) -> ArchiveCheck:
    return verify_archive(packed(members))


def test_a_stranger_checks_the_list_with_a_hash_and_a_signature(shared: Shared) -> None:
    """As docs/export.md says it, with none of our code but the reading of base64."""
    members = archived(shared.session)
    (end,) = rows(members[ENDS])
    card = json.loads(b64url_decode(end["card"].split(".")[1]))
    header, payload, signature = end["head"].split(".")
    key = Ed25519PublicKey.from_public_bytes(b64url_decode(card["verify_key"]))
    key.verify(b64url_decode(signature), f"{header}.{payload}".encode())
    said = json.loads(b64url_decode(payload))
    seal = "sha256:" + "0" * 64
    lines = [row["line"] for row in rows(members[LOOKS]) if row["recipient"] == end["recipient"]]
    for line in lines:
        seal = "sha256:" + hashlib.sha256(f"pgo/1/chain\n{seal}\n{line}".encode()).hexdigest()
    assert (said["sequence"], said["seal"], said["subject"]) == (len(lines), seal, end["subject"])
    assert (len(lines), end["recipient"], end["problem"]) == (3, CLINIC_ID, "")


def test_an_archive_holds_and_says_who_signed_what_and_when(shared: Shared) -> None:
    found = checked(archived(shared.session))
    (clinic,) = found.looked
    card = share.recipient(shared.session, CLINIC_ID)
    assert found.whole
    assert (clinic.recipient, clinic.looks, clinic.fault, clinic.problem) == (CLINIC_ID, 3, "", "")
    assert clinic.fingerprint == card.fingerprint
    assert clinic.signed_at is not None
    assert found.decisions == 1


def test_an_end_holds_after_the_recipient_took_another_key(shared: Shared) -> None:
    before = share.recipient(shared.session, CLINIC_ID).fingerprint
    rotate_signing_key(shared.desk.store, at=datetime.now(UTC))
    share.add_recipient(shared.session, the_card(shared.desk.store))
    (clinic,) = checked(archived(shared.session)).looked
    assert (clinic.fingerprint, clinic.fault) == (before, "")
    assert share.recipient(shared.session, CLINIC_ID).fingerprint != before


def test_an_end_from_before_cards_were_kept_beside_it_is_checked_by_the_pinned_card(shared: Shared) -> None:
    shared.session.store.access._engine.run("UPDATE access_log SET card = ''")
    assert checked(archived(shared.session)).looked[0].signed_at is not None
    rotate_signing_key(shared.desk.store, at=datetime.now(UTC))
    share.add_recipient(shared.session, the_card(shared.desk.store))
    found = checked(archived(shared.session))
    assert (found.whole, found.looked[0].fault) == (False, NO_SIGNER)


def test_what_was_wrong_with_the_newest_answer_stands_beside_the_end_that_held(shared: Shared) -> None:
    store = shared.desk.store
    for table in ("access_event", "access_line"):
        store.run(f"DROP TRIGGER IF EXISTS {table}_stays")
        store.run(f"DELETE FROM {table}")
    with pytest.raises(RemoteRuleError):
        looked.fetch_access(shared.session, CLINIC_ID)
    (clinic,) = checked(archived(shared.session)).looked
    assert (clinic.problem, clinic.fault, clinic.looks) == ("access_log_rolled_back", "", 3)


def test_a_list_in_short_form_has_no_signed_end(tmp_path: Path) -> None:
    with sharing_with_a_desk(tmp_path) as made:
        made.line.old = True
        made.desk.look()
        looked.fetch_access(made.session, CLINIC_ID)
        members = archived(made.session)
    (clinic,) = checked(members).looked
    assert (clinic.looks, clinic.signed_at, clinic.fingerprint, clinic.fault) == (1, None, "", "")
    members[LOOKS] = members[LOOKS].replace(b"S. de Wit", b"S. de Zwart")
    assert checked(members).looked[0].fault == "access_log_broken"


def test_nobody_was_asked_means_no_files_about_it(tmp_path: Path) -> None:
    with sharing_with_a_desk(tmp_path) as made:
        members = archived(made.session)
    assert not members.keys() & {LOOKS, ENDS}
    assert checked(members).looked == ()


def test_an_archive_of_before_signed_ends_is_checked_as_far_as_it_goes(pristine: Members) -> None:
    members = {**pristine}
    del members[ENDS]
    (clinic,) = checked(members).looked
    assert (clinic.looks, clinic.signed_at, clinic.fault) == (3, None, "")


def _without_the_last(members: Members) -> None:
    members[LOOKS] = written(rows(members[LOOKS])[:-1])


def _without_any(members: Members) -> None:
    del members[LOOKS]


def _renamed(members: Members) -> None:
    members[LOOKS] = members[LOOKS].replace(b'"user": "S. de Wit"', b'"user": "S. de Zwart"')


def _of_another(members: Members) -> None:
    (end,) = rows(members[ENDS])
    members[ENDS] = written([{**end, "recipient": "ura:00000009"}])


def _about_another(members: Members) -> None:
    (end,) = rows(members[ENDS])
    members[ENDS] = written([{**end, "subject": "A" * 43}])


def _other_card(members: Members) -> None:
    (end,) = rows(members[ENDS])
    members[ENDS] = written([{**end, "card": end["card"][:-8] + "AAAAAAAA"}])


@pytest.mark.parametrize(
    ("damage", "fault"),
    [
        (_without_the_last, "access_log_gap"),
        (_without_any, "access_log_gap"),
        (_renamed, "bad_access_log"),
        (_of_another, "access_log_gap"),
        (_about_another, "bad_access_log"),
        (_other_card, "bad_card"),
    ],
)
def test_what_was_changed_in_a_list_is_found_though_the_manifest_is_right(
    pristine: Members, damage: Callable[[Members], None], fault: str
) -> None:
    members = {**pristine}
    damage(members)
    found = checked(members)
    assert not found.whole
    assert fault in {one.fault for one in found.looked}


@pytest.mark.parametrize(
    ("name", "line"),
    [(ENDS, b"{}"), (ENDS, b"[]"), (ENDS, b"no"), (LOOKS, b"{}"), (LOOKS, b'{"recipient":1}'), (LOOKS, b"1")],
)
def test_lines_that_are_none_of_ours_are_refused_by_name(pristine: Members, name: str, line: bytes) -> None:
    members = {**pristine}
    members[name] += line + b"\n"
    with pytest.raises(InputRefused) as refused:
        checked(members)
    assert (refused.value.code, refused.value.detail) == ("archive_damaged", name)


@pytest.mark.parametrize(
    "at", ["2026-03-02T09:00:00", "0001-01-01T00:00:00+14:00", "2026-13-01", "", 5, None]
)
def test_a_look_at_no_instant_is_refused(pristine: Members, at: object) -> None:
    looks = rows(pristine[LOOKS])
    members = {**pristine, LOOKS: written([{**looks[0], "at": at}, *looks[1:]])}
    with pytest.raises(InputRefused) as refused:
        checked(members)
    assert (refused.value.code, refused.value.detail) == ("archive_damaged", LOOKS)


ODD: tuple[Any, ...] = (
    *("", "x", "a\nb", "e30.e30.e30", "sha256:" + "0" * 64, "2026-01-01T00:00:00Z", "\x1b[2J"),
    *(0, -1, 2**70, 1.5, None, True, [], ["x"], {}),
)


@pytest.mark.parametrize("name", [LOOKS, ENDS])
def test_no_member_is_changed_unseen_but_what_the_app_itself_says(pristine: Members, name: str) -> None:
    """When the list was fetched and what was wrong is the app's word; a head taken away proves nothing."""
    unseen = set()
    *others, last = rows(pristine[name])
    for member, odd in product(last, ODD):
        members = {**pristine, name: written([*others, {**last, member: odd}])}
        try:
            found = checked(members)
        except InputRefused:
            continue
        if found.whole:
            unseen.add((member, odd if member == "head" else ""))
            assert member != "head" or found.looked[0].signed_at is None
    assert unseen == (set() if name == LOOKS else {("problem", ""), ("fetched_at", ""), ("head", "")})


def test_two_ends_of_one_list_are_refused(pristine: Members) -> None:
    members = {**pristine, ENDS: 2 * pristine[ENDS]}
    with pytest.raises(InputRefused) as refused:
        checked(members)
    assert (refused.value.code, refused.value.detail) == ("archive_damaged", ENDS)


def test_a_decision_that_was_changed_is_found(pristine: Members) -> None:
    members = {**pristine}
    signed = "consents/signed-records.jsonl"
    (token,) = (row["token"] for row in rows(members[signed]))
    members[signed] = written([{"token": token[:-8] + "AAAAAAAA"}])
    assert checked(members).decisions_fault == "not_trusted"


def test_decisions_under_another_key_than_that_of_the_journal_are_found(
    pristine: Members, tmp_path: Path
) -> None:
    with sharing_with_a_desk(tmp_path) as made:
        other = archived(made.session)
    taken = {name: data for name, data in other.items() if name.startswith("consents/")}
    mixed = {name: data for name, data in pristine.items() if not name.startswith("consents/")} | taken
    assert checked(mixed).decisions_fault == "wrong_key"


def test_taken_in_again_the_records_are_equal_and_looks_stay_files(shared: Shared, tmp_path: Path) -> None:
    archive = export_archive(shared.session, WORDS)
    fresh = Home(tmp_path / "elsewhere").open_new("Leeg")
    take_archive(fresh, archive.data, name="alles.zip")
    assert fresh.store.holdings.digest() == archive.holdings
    assert fresh.store.recipients.all() == ()
    fresh.lock()
