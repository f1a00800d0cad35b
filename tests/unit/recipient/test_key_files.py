"""Keys beside the store: for the owner only, never made anew in silence, gone when nothing needs them."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from crypto.aead import AeadKey
from recipient.config import KEK_NAME
from recipient.data_keys import DataKey
from recipient.errors import Unusable
from recipient.kek import KekFile, make_kek_file
from recipient.key_copy import KeyCopy, read_key_copy, write_key_copy
from recipient.key_files import make_key, read_key
from recipient.store import create_store, open_store

posix = pytest.mark.skipif(os.name != "posix", reason="file modes are a POSIX matter")


class TestKek:
    def test_opens_what_it_wrapped_also_after_a_renewal(self, tmp_path: Path) -> None:
        keks, key = make_kek_file(tmp_path / "kek"), AeadKey.generate()
        name, wrapped = keks.wrap(key, aad=b"who")
        newer = keks.renew()
        assert keks.unwrap(name, wrapped, aad=b"who").raw() == key.raw()
        assert keks.wrap(key, aad=b"who")[0] == newer != name

    def test_what_is_destroyed_opens_nothing_also_not_from_a_process_that_read_it_before(
        self, tmp_path: Path
    ) -> None:
        keks = make_kek_file(tmp_path / "kek")
        name, wrapped = keks.wrap(AeadKey.generate(), aad=b"who")
        keks.renew()
        assert keks.keep_only(frozenset({name})) == 0  # still in use
        assert keks.keep_only(frozenset()) == 1
        assert keks.keep_only(frozenset()) == 0
        for one in (keks, KekFile(tmp_path / "kek")):
            with pytest.raises(Unusable, match="kek_missing"):
                one.unwrap(name, wrapped, aad=b"who")

    def test_a_kek_of_another_process_is_found(self, tmp_path: Path) -> None:
        early, late = make_kek_file(tmp_path / "kek"), KekFile(tmp_path / "kek")
        late.renew()
        key = AeadKey.generate()
        assert early.unwrap(*late.wrap(key, aad=b"who"), aad=b"who").raw() == key.raw()

    def test_another_name_does_not_open(self, tmp_path: Path) -> None:
        keks = make_kek_file(tmp_path / "kek")
        name, wrapped = keks.wrap(AeadKey.generate(), aad=b"who")
        with pytest.raises(Unusable, match="key_wrong"):
            keks.unwrap(name, wrapped, aad=b"else")

    @pytest.mark.parametrize(
        "text",
        [
            b"",
            b"{}",
            b"[]",
            b'{"version": 1, "keys": []}',
            b'{"version": 2, "keys": [{"id": "a", "key": "' + b"A" * 43 + b'="}]}',
            b'{"version": 1, "keys": [{"id": "a", "key": "c2hvcnQ="}]}',
            b'{"version": 1, "keys": [{"id": "a"}]}',
        ],
    )
    def test_a_file_that_is_none_is_refused(self, tmp_path: Path, text: bytes) -> None:
        (tmp_path / "kek").write_bytes(text)
        (tmp_path / "kek").chmod(0o600)
        with pytest.raises(Unusable, match="key_unsafe"):
            KekFile(tmp_path / "kek")

    @posix
    def test_files_are_for_the_owner_only_and_others_are_refused(self, tmp_path: Path) -> None:
        make_kek_file(tmp_path / "kek").renew()
        assert (tmp_path / "kek").stat().st_mode & 0o777 == 0o600
        (tmp_path / "kek").chmod(0o640)
        with pytest.raises(Unusable, match="key_unsafe"):
            KekFile(tmp_path / "kek")

    def test_a_missing_one_is_never_made_anew_for_a_store_that_may_need_it(self, tmp_path: Path) -> None:
        create_store(tmp_path / "r").close()
        (tmp_path / "r" / KEK_NAME).unlink()
        with pytest.raises(Unusable, match="kek_missing"):
            open_store(tmp_path / "r")
        assert not (tmp_path / "r" / KEK_NAME).exists()


class TestDataKey:
    def test_a_record_opens_in_its_own_place_only(self) -> None:
        key = DataKey("one", "k1", AeadKey.generate())
        sealed = key.seal("Patient/p1", "urn:uuid:1", b"{ }")
        assert key.open("Patient/p1", sealed) == ("urn:uuid:1", b"{ }")
        assert key.open("Patient/p1", key.seal("Patient/p1", None, b"")) == (None, b"")
        moved = (DataKey("two", "k1", key.key), DataKey("one", "k2", key.key))
        for other, reference in ((key, "Patient/p2"), *((one, "Patient/p1") for one in moved)):
            with pytest.raises(Unusable, match="store_damaged"):
                other.open(reference, sealed)


class TestKeysFile:
    def test_reads_back_and_takes_the_place_of_the_one_before(self, tmp_path: Path) -> None:
        first = KeyCopy(bytes(32), b"keks", (("sub", "id", "kek", b"\x00\xff", "at"),))
        write_key_copy(tmp_path / "keys", first)
        write_key_copy(tmp_path / "keys", KeyCopy(bytes(32), b"later", ()))
        assert read_key_copy(tmp_path / "keys") == KeyCopy(bytes(32), b"later", ())
        assert [path.name for path in tmp_path.iterdir()] == ["keys"]

    @pytest.mark.parametrize("change", [{"version": 2}, {"data_keys": [[1]]}, {"store_key": 5}])
    def test_what_is_none_is_refused(self, tmp_path: Path, change: dict[str, object]) -> None:
        write_key_copy(tmp_path / "keys", KeyCopy(bytes(32), b"keks", ()))
        said = json.loads((tmp_path / "keys").read_bytes()) | change
        (tmp_path / "keys").write_text(json.dumps(said), "ascii")
        with pytest.raises(Unusable, match="key_unsafe"):
            read_key_copy(tmp_path / "keys")

    def test_a_missing_one_is_named(self, tmp_path: Path) -> None:
        with pytest.raises(Unusable, match="key_missing"):
            read_key_copy(tmp_path / "keys")


def test_the_store_key_prints_nothing_and_is_made_once(tmp_path: Path) -> None:
    key = make_key(tmp_path / "key")
    assert read_key(tmp_path / "key").raw() == key.raw()
    assert key.raw().hex() not in repr(key)
    with pytest.raises(FileExistsError):
        make_key(tmp_path / "key")
