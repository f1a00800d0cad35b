"""The signed documents of tests/vectors/consent mean the same on every machine."""

from __future__ import annotations

import base64
from typing import Any

import pytest

from consent.document import verify_record
from consent.errors import ConsentError
from crypto.keys import VerifyKey
from crypto.public_keys import key_from_jwk
from tests.support.vectors import load
from tests.vectors.consent.generate import FILE, text

VECTORS = load("consent/documents.json")
KEY = VerifyKey.from_bytes(base64.urlsafe_b64decode(VECTORS["key"] + "="))


@pytest.mark.parametrize("vector", VECTORS["documents"], ids=lambda vector: vector["name"])
def test_document(vector: dict[str, Any]) -> None:
    if vector["expect"] == "ok":
        assert verify_record(vector["token"], KEY).hash == vector["hash"]
    else:
        with pytest.raises(ConsentError) as caught:
            verify_record(vector["token"], KEY)
        assert caught.value.reason == vector["expect"]


@pytest.mark.parametrize("vector", VECTORS["es256_documents"], ids=lambda vector: vector["name"])
def test_document_under_a_p256_key(vector: dict[str, Any]) -> None:
    key = key_from_jwk(VECTORS["es256"]["jwk"])
    assert key.id == VECTORS["es256"]["kid"]
    if vector["expect"] == "ok":
        assert verify_record(vector["token"], key).hash == vector["hash"]
    else:
        with pytest.raises(ConsentError) as caught:
            verify_record(vector["token"], key)
        assert caught.value.reason == vector["expect"]


def test_the_file_is_what_the_generator_makes() -> None:
    assert FILE.read_text(encoding="utf-8") == text()
