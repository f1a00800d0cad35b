from __future__ import annotations

import pytest

from sync.endpoint import is_public, parse_endpoint, typed_address
from sync.errors import LocalRuleError


@pytest.mark.parametrize(
    ("url", "authority", "inbox"),
    [
        ("https://clinic.example", "clinic.example", "https://clinic.example/v1/inbox"),
        ("https://clinic.example/", "clinic.example", "https://clinic.example/v1/inbox"),
        ("https://clinic.example:443/pgo", "clinic.example", "https://clinic.example/pgo/v1/inbox"),
        ("https://clinic.example:8443", "clinic.example:8443", "https://clinic.example:8443/v1/inbox"),
        (
            "https://xn--bcher-kva.example/a/b.c",
            "xn--bcher-kva.example",
            "https://xn--bcher-kva.example/a/b.c/v1/inbox",
        ),
        ("https://192.0.2.1", "192.0.2.1", "https://192.0.2.1/v1/inbox"),
        ("https://[2001:db8::1]:8443", "[2001:db8::1]:8443", "https://[2001:db8::1]:8443/v1/inbox"),
        ("http://127.0.0.1:8123", "127.0.0.1:8123", "http://127.0.0.1:8123/v1/inbox"),
        ("http://[::1]:8123", "[::1]:8123", "http://[::1]:8123/v1/inbox"),
        ("http://127.0.0.1", "127.0.0.1", "http://127.0.0.1/v1/inbox"),
    ],
)
def test_good_addresses(url: str, authority: str, inbox: str) -> None:
    endpoint = parse_endpoint(url)
    assert endpoint.authority == authority
    assert endpoint.url("/v1/inbox") == inbox


@pytest.mark.parametrize(
    "url",
    [
        "",
        "clinic.example",
        "//clinic.example",
        "http://clinic.example",
        "http://localhost:8000",
        "http://192.168.1.5",
        "http://127.0.0.1.example",
        "ftp://clinic.example",
        "file:///etc/passwd",
        "javascript:alert(1)",
        "https://",
        "https://:443",
        "https://user@clinic.example",
        "https://user:secret@clinic.example",
        "https://@clinic.example",
        "https://clinic.example?x=1",
        "https://clinic.example?",
        "https://clinic.example#top",
        "https://clinic.example#",
        "https://clinic.example/../admin",
        "https://clinic.example/a/..",
        "https://clinic.example//double",
        "https://clinic.example/%2e%2e",
        "https://clinic.example:0",
        "https://clinic.example:99999",
        "https://clinic.example:port",
        "https://cl inic.example",
        "https://clinic.example\n",
        "https://clinic\t.example",
        "https://bücher.example",
        "https://-clinic.example",
        "https://clinic..example",
        "https://clinic_1.example",
        "https://[fe80::1%25eth0]",
        "https://[::1",
        "https://" + "a" * 64 + ".example",
        "https://" + "a." * 150 + "example",
        "https://clinic.example/" + "a" * 300,
    ],
)
def test_bad_addresses_are_refused_before_any_contact(url: str) -> None:
    with pytest.raises(LocalRuleError) as refusal:
        parse_endpoint(url)
    assert refusal.value.code == "bad_endpoint"


def test_a_checked_address_takes_the_place_of_the_name() -> None:
    assert parse_endpoint("https://clinic.example/x").url("/y", host="192.0.2.1") == "https://192.0.2.1/x/y"
    assert parse_endpoint("https://clinic.example").url("/y", host="2001:db8::1") == "https://[2001:db8::1]/y"


@pytest.mark.parametrize("address", ["8.8.8.8", "1.1.1.1", "2606:4700:4700::1111"])
def test_public_addresses(address: str) -> None:
    assert is_public(address)


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1",
        "10.0.0.1",
        "172.16.0.1",
        "192.168.0.1",
        "169.254.169.254",
        "100.64.0.1",
        "0.0.0.0",
        "255.255.255.255",
        "224.0.0.1",
        "192.0.2.1",
        "198.18.0.1",
        "::1",
        "::",
        "fe80::1",
        "fe80::1%eth0",
        "fc00::1",
        "ff02::1",
        "::ffff:127.0.0.1",
        "::ffff:8.8.8.8",
        "::127.0.0.1",
        "64:ff9b::7f00:1",
        "64:ff9b:1::1",
        "2002:7f00:1::",
        "2001:db8::1",
        "localhost",
        "",
    ],
)
def test_other_addresses_are_not_public(address: str) -> None:
    assert not is_public(address)


@pytest.mark.parametrize(
    ("typed", "written"),
    [
        (" https://clinic.example/FHIR ", "https://clinic.example/FHIR"),
        ("https://Zorgcafé.nl/FHIR/R4", "https://xn--zorgcaf-hya.nl/FHIR/R4"),
        ("https://клиника.example:8443/x", "https://xn--80apagcdp.example:8443/x"),
        ("https://İstanbul.example/A", "https://xn--istanbul-o0e.example/A"),
        ("https://сlinic.example", "https://xn--linic-0ye.example"),  # the first letter is Cyrillic
        ("https://clinic。example", "https://clinic.example"),  # a full stop of another script
    ],
)
def test_a_typed_name_is_written_in_the_form_it_is_registered_in(typed: str, written: str) -> None:
    assert typed_address(typed) == written
    assert parse_endpoint(typed_address(typed)).host in written


@pytest.mark.parametrize(
    "typed", ["é", "https://", "https://é@clinic.example", "https://a\u200db.example", "https://é_.example"]
)
def test_a_typed_name_that_is_none_is_refused(typed: str) -> None:
    with pytest.raises(LocalRuleError, match="bad_endpoint"):
        parse_endpoint(typed_address(typed))


def test_a_signed_address_is_ascii_already() -> None:
    with pytest.raises(LocalRuleError, match="bad_endpoint"):
        parse_endpoint("https://zorgcafé.example")
