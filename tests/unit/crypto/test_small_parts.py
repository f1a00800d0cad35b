"""Hash chain, key derivation, strength meter, error tree."""

from __future__ import annotations

import hashlib
import hmac
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import crypto
from crypto import errors
from crypto.chain import GENESIS, link, verify_links
from crypto.errors import BrokenChain, CryptoError, WeakParameters
from crypto.kdf import derive
from crypto.strength import estimate

BODIES = st.lists(st.binary(max_size=20), max_size=8)


def _chain(bodies: list[bytes]) -> list[tuple[bytes, str]]:
    pairs, head = [], GENESIS
    for body in bodies:
        head = link(head, body)
        pairs.append((body, head))
    return pairs


@given(BODIES)
def test_a_chain_verifies_to_its_head(bodies: list[bytes]) -> None:
    pairs = _chain(bodies)
    assert verify_links(pairs) == (pairs[-1][1] if pairs else GENESIS)


@given(st.lists(st.binary(max_size=20), min_size=2, max_size=8, unique=True), st.data())
def test_any_change_breaks_the_chain_at_its_place(bodies: list[bytes], data: st.DataObject) -> None:
    pairs = _chain(bodies)
    place = data.draw(st.integers(0, len(pairs) - 2))
    body, claimed = pairs[place]
    damaged = {
        "changed": [*pairs[:place], (body + b"x", claimed), *pairs[place + 1 :]],
        "dropped": [*pairs[:place], *pairs[place + 1 :]],
        "added": [*pairs[:place], (body + b"new", claimed), *pairs[place:]],
        "swapped": [*pairs[:place], pairs[place + 1], pairs[place], *pairs[place + 2 :]],
    }
    for chain in damaged.values():
        with pytest.raises(BrokenChain) as refusal:
            verify_links(chain)
        assert refusal.value.position == place


def test_a_cut_at_the_end_needs_the_head_kept_elsewhere() -> None:
    pairs = _chain([b"a", b"b", b"c"])
    assert verify_links(pairs[:2]) != pairs[-1][1]


def test_links_are_pinned() -> None:
    expected = hashlib.sha256(b"pgo/1/chain\n" + GENESIS.encode() + b"\nbody").hexdigest()
    assert link(GENESIS, b"body") == "sha256:" + expected


@pytest.mark.parametrize("previous", ["", "sha256:", "sha257:" + "0" * 64, GENESIS + "0"])
def test_only_a_link_can_be_continued(previous: str) -> None:
    with pytest.raises(ValueError, match="link"):
        link(previous, b"")


def test_derive_is_hkdf() -> None:
    # RFC 5869 sections 2.2 and 2.3 by hand, one block, no salt.
    key, label = b"k" * 32, "pgo/1/test"
    prk = hmac.digest(bytes(32), key, hashlib.sha256)
    assert derive(key, label) == hmac.digest(prk, label.encode() + b"\x01", hashlib.sha256)
    salted = hmac.digest(b"salt", key, hashlib.sha256)
    assert (
        derive(key, label, 16, salt=b"salt")
        == hmac.digest(salted, label.encode() + b"\x01", hashlib.sha256)[:16]
    )


def test_derive_separates_labels() -> None:
    assert len({derive(b"k" * 32, label) for label in ("pgo/1/db", "pgo/1/backup", "pgo/1/identity")}) == 3


def test_derive_refuses_weak_input_and_no_label() -> None:
    with pytest.raises(WeakParameters):
        derive(b"k" * 15, "label")
    with pytest.raises(ValueError, match="label"):
        derive(b"k" * 32, "")


@pytest.mark.parametrize(
    ("text", "score", "reason"),
    [
        ("", 0, "empty"),
        ("kort", 1, "too_short"),
        ("x9$Lq2!vTz", 1, "too_short"),
        ("password", 0, "too_short"),
        ("qwertyuiopasdfgh", 2, "guessable"),
        ("correct horse battery staple", 4, "ok"),
        ("vier gewone woorden achter elkaar", 4, "ok"),
    ],
)
def test_strength_is_judged_by_guessing(text: str, score: int, reason: str) -> None:
    found = estimate(text)
    assert found.reason == reason
    assert found.score <= score if reason != "ok" else found.score == score


def test_a_long_word_from_the_list_is_common() -> None:
    found = estimate("unbelievable")
    assert (found.reason, found.score) == ("common", found.score)
    assert found.score < 3


def test_words_about_the_person_count_as_known() -> None:
    words = ("Ouderkerkerlaan", "Zwanenburgwal")
    with_words = estimate("OuderkerkerlaanZwanenburgwal", words=words)
    assert with_words.guesses_log10 < estimate("OuderkerkerlaanZwanenburgwal").guesses_log10


def test_a_very_long_passphrase_is_judged_quickly() -> None:
    assert estimate("veertien paarden dansen " * 200).score == 4


def test_the_meter_is_not_loaded_before_it_is_used() -> None:
    code = "import sys, crypto.strength; sys.exit('zxcvbn' in sys.modules)"
    root = Path(crypto.__file__).parents[1]
    assert subprocess.run([sys.executable, "-c", code], cwd=root, check=False).returncode == 0


def test_crypto_is_ours() -> None:
    assert Path(crypto.__file__).resolve() == Path(__file__).resolve().parents[3] / "crypto" / "__init__.py"


def test_every_error_has_its_own_code() -> None:
    kinds = [
        kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, CryptoError)
    ]
    codes = [kind.code for kind in kinds]
    assert len(set(codes)) == len(codes) == 6


def test_an_error_without_details_reads_as_its_code() -> None:
    assert str(errors.WrongKey()) == "wrong_key"
    assert str(CryptoError("detail")) == "detail"
