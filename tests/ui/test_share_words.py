"""The words of a share: everything is said, nothing is promised that was not confirmed."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, date, datetime
from itertools import product

import pytest

from consent.codes import Category, Sensitivity
from consent.decision import GrantState, Reason
from pgo.ui.looked_words import access_action, access_kinds, fetch_problem
from pgo.ui.sharing_words import (
    Tone,
    badge,
    category_name,
    choice_sentences,
    delivery_sentences,
    held_sentences,
    kind_name,
    know_sentences,
    purpose_name,
    receipt_sentence,
    refusal,
    sensitivity_name,
    shown_text,
)
from pgo.ui.text import LANGUAGES, catalogue
from pgo.usecases.share import (
    DeliveryState,
    DeliveryView,
    ReceiptView,
    RecipientRow,
    ShareChoice,
    SharePreview,
    ShareRow,
    presets,
)

AT = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
CLINIC = RecipientRow("ura:00000123", "Oefenkliniek", "clinic", "ABCD EFGH", "http://127.0.0.1:1", AT, AT)
CHOICE = ShareChoice(
    recipient_id=CLINIC.id,
    categories=frozenset({Category.MEDICATIONS, Category.ALLERGIES}),
    sensitivity=frozenset(),
    purpose="TREAT",
    period=(date(2026, 11, 22), date(2027, 2, 22)),
)
QUIET = DeliveryView(
    state=DeliveryState.NOTHING_YET,
    delivered_count=0,
    refused_count=0,
    last_at=None,
    attempts=0,
    next_at=None,
    last_error="",
)


def a_share(grant: GrantState = GrantState.IN_FORCE, /, **delivery: object) -> ShareRow:
    return ShareRow(
        grant_id="g1",
        recipient=CLINIC,
        choice=CHOICE,
        state=grant,
        signed_at=AT,
        withdrawn_at=None,
        delivery=replace(QUIET, **delivery),  # type: ignore[arg-type]
    )


def a_receipt(state: str, *, stored: int = 0) -> ReceiptView:
    return ReceiptView(stored_at=AT, kind="push", stored=stored, refused=0, state=state)


# ------------------------------------------------------------------ what a choice means


def test_a_choice_is_said_in_full() -> None:
    assert choice_sentences("nl", CHOICE, name="Oefenkliniek") == (
        "Oefenkliniek krijgt een kopie van uw gegevens en mag die bekijken.",
        "Alleen dit gaat mee: medicijnen; allergieën.",
        "Gevoelige onderwerpen gaan niet mee.",
        "Ook oude gegevens gaan mee.",
        "Opmerkingen en vrije tekst gaan niet mee.",
        "Doel: voor uw behandeling. Niet voor iets anders.",
        "Het delen begint op 22 november 2026 en stopt na 22 februari 2027.",
        "Komen er in die tijd nieuwe gegevens bij die hieronder vallen? Dan gaan die ook mee.",
        "U kunt op elk moment stoppen. U hoeft niet te zeggen waarom.",
    )


@pytest.mark.parametrize("lang", LANGUAGES)
@pytest.mark.parametrize(
    "change",
    [
        {"categories": CHOICE.categories | {Category.LABS}},
        {"categories": frozenset(Category)},
        {"categories": frozenset(Category) - {Category.ADMIN}},
        {"sensitivity": frozenset({Sensitivity.HIV})},
        {"purpose": "HRESCH"},
        {"period": (date(2026, 11, 23), date(2027, 2, 22))},
        {"period": (date(2026, 11, 22), date(2027, 2, 23))},
        {"data_from": date(2024, 1, 1)},
        {"keep_text": True},
    ],
)
def test_no_two_different_choices_read_the_same(lang: str, change: dict[str, object]) -> None:
    other = replace(CHOICE, **change)  # type: ignore[arg-type]
    assert shown_text(lang, other, name="X") != shown_text(lang, CHOICE, name="X")


@pytest.mark.parametrize("lang", LANGUAGES)
def test_every_chosen_kind_and_subject_is_named_or_all_others_are(lang: str) -> None:
    for count in range(1, len(Category)):
        chosen = frozenset(list(Category)[:count])
        said = choice_sentences(lang, replace(CHOICE, categories=chosen), name="X")[1].casefold()
        chosen_named = all(category_name(lang, c).casefold() in said for c in chosen)
        rest_named = all(category_name(lang, c).casefold() in said for c in set(Category) - chosen)
        assert chosen_named or rest_named, (count, said)
    for cluster in Sensitivity:
        said = choice_sentences(lang, replace(CHOICE, sensitivity=frozenset({cluster})), name="X")[2]
        assert sensitivity_name(lang, cluster).casefold() in said.casefold()


def test_an_unknown_purpose_shows_its_code_and_is_never_called_treatment() -> None:
    assert purpose_name("nl", "MARKT") == "Voor een ander doel (code MARKT)"


@pytest.mark.parametrize("lang", LANGUAGES)
def test_the_signed_words_hold_what_cannot_be_undone(lang: str) -> None:
    assert all(
        line in shown_text(lang, CHOICE, name="X").split("\n") for line in know_sentences(lang, name="X")
    )


@pytest.mark.parametrize("lang", LANGUAGES)
def test_every_code_that_can_be_shown_has_a_text(lang: str) -> None:
    missing = [
        key
        for key in (
            *(f"share.cat.{c}" for c in Category),
            *(f"share.sens.{s}" for s in Sensitivity),
            *(f"share.kind.{k}" for k in ("clinic", "registry")),
            *(f"share.looked.action.{a}" for a in ("list", "open", "timeline", "trend", "details")),
        )
        if key not in catalogue(lang)
    ]
    assert not missing


# ------------------------------------------------------------------ preview


def test_held_back_is_said_largest_first_and_unknown_reasons_are_added_up() -> None:
    preview = SharePreview(
        total=260,
        permitted=214,
        held_back={
            Reason.DATA_PERIOD: 12,
            Reason.SENSITIVE: 31,
            Reason.FORK: 1,
            Reason.SIGNATURE: 2,
            Reason.CATEGORY: 0,
        },
        by_category={},
        sample=(),
    )
    assert held_sentences("nl", preview) == (
        "31 gegevens: gevoelig onderwerp",
        "12 gegevens: te oud, of de datum is onbekend",
        "3 gegevens: valt niet onder uw keuze",
    )


@pytest.mark.parametrize("lang", LANGUAGES)
@pytest.mark.parametrize("reason", list(Reason))
def test_every_reason_has_words(lang: str, reason: Reason) -> None:
    preview = SharePreview(total=1, permitted=0, held_back={reason: 1}, by_category={}, sample=())
    (line,) = held_sentences(lang, preview)
    assert re.fullmatch(r"1 (gegeven|record): [a-z][^\[\]{}]+", line)


# ------------------------------------------------------------------ states


def in_state(delivery: DeliveryState, **more: object) -> ShareRow:
    return a_share(GrantState.IN_FORCE, state=delivery, **more)


def stopped(delivery: DeliveryState, *receipts: ReceiptView, **more: object) -> ShareRow:
    return a_share(GrantState.WITHDRAWN, state=delivery, receipts=receipts, **more)


@pytest.mark.parametrize(
    ("row", "key", "tone", "past"),
    [
        (in_state(DeliveryState.NOTHING_YET), "queued", Tone.WAIT, False),
        (in_state(DeliveryState.WAITING), "queued", Tone.WAIT, False),
        (in_state(DeliveryState.WAITING, attempts=1), "waiting", Tone.WAIT, False),
        (in_state(DeliveryState.SENDING), "sending", Tone.WAIT, False),
        (in_state(DeliveryState.DELIVERED, delivered_count=3), "delivered", Tone.GOOD, False),
        (in_state(DeliveryState.DELIVERED, delivered_count=3, refused_count=1), "partly", Tone.WARN, False),
        (in_state(DeliveryState.REFUSED), "refused", Tone.WARN, False),
        (in_state(DeliveryState.WITHDRAWN_CONFIRMED), "unknown", Tone.WARN, False),
        (a_share(GrantState.NOT_YET), "not_yet", Tone.WAIT, False),
        (a_share(GrantState.EXPIRED), "expired", Tone.OFF, True),
        (a_share(GrantState.UNKNOWN), "unknown", Tone.WARN, False),
        (a_share(GrantState.FROZEN), "frozen", Tone.WARN, False),
        (stopped(DeliveryState.WITHDRAWN_WAITING), "stopping", Tone.WAIT, False),
        (stopped(DeliveryState.WITHDRAWN_CONFIRMED, a_receipt("stopped")), "stopped", Tone.OFF, True),
        (stopped(DeliveryState.WITHDRAWN_CONFIRMED, a_receipt("erased")), "stopped", Tone.OFF, True),
        (stopped(DeliveryState.WITHDRAWN_CONFIRMED, a_receipt("cannot")), "stopped_cannot", Tone.WARN, True),
    ],
)
def test_badge(row: ShareRow, key: str, tone: Tone, past: bool) -> None:
    shown = badge(row)
    assert (shown.key, shown.tone, shown.past) == (key, tone, past)


@pytest.mark.parametrize(("state", "delivery"), list(product(GrantState, DeliveryState)))
def test_every_state_has_a_badge_with_words_and_sentences(state: GrantState, delivery: DeliveryState) -> None:
    row = a_share(state, state=delivery)
    for lang in LANGUAGES:
        assert f"share.state.{badge(row).key}" in catalogue(lang)
        lines = delivery_sentences(lang, row)
        silent = (
            state is GrantState.IN_FORCE and delivery is DeliveryState.DELIVERED
        )  # no receipt yet to tell of
        assert lines or silent
        assert not any("[" in line or "{" in line for line in lines)


@pytest.mark.parametrize("delivery", [d for d in DeliveryState if d is not DeliveryState.WITHDRAWN_CONFIRMED])
def test_a_stop_is_never_called_confirmed_before_it_is(delivery: DeliveryState) -> None:
    row = stopped(delivery, a_receipt("stored", stored=12), last_at=AT, delivered_count=12)
    lines = delivery_sentences("nl", row)
    assert lines[0] == "Op dit apparaat is het delen gestopt. Er gaat niets meer naar Oefenkliniek."
    assert "nog niet bevestigd" in lines[1]
    assert not any("heeft bevestigd" in line for line in lines)


@pytest.mark.parametrize(
    ("receipt", "part"),
    [
        ("stopped", "er is niets meer te zien"),
        ("erased", "gestopt en gewist"),
        ("cannot", "een deel bewaren"),
    ],
)
def test_a_confirmed_stop_says_what_the_recipient_confirmed(receipt: str, part: str) -> None:
    lines = delivery_sentences("nl", stopped(DeliveryState.WITHDRAWN_CONFIRMED, a_receipt(receipt)))
    assert part in lines[1]


@pytest.mark.parametrize("code", ["unreachable", "timeout", "no_proof", "bad_receipt", "clock"])
def test_reasons_that_sync_gives_have_words(code: str) -> None:
    row = in_state(DeliveryState.WAITING, attempts=1, next_at=AT, last_error=code)
    assert not any(f"code {code}" in line for line in delivery_sentences("nl", row))


@pytest.mark.parametrize("kind", ["clinic", "registry"])
def test_every_preset_has_words(kind: str) -> None:
    for preset in presets(kind):
        for lang in LANGUAGES:
            assert f"share.preset.{preset.key}" in catalogue(lang)
            assert f"share.purpose.{preset.purpose}" in catalogue(lang)


def test_a_waiting_share_says_why_and_when_it_is_tried_again() -> None:
    row = in_state(DeliveryState.WAITING, attempts=3, next_at=AT, last_error="unreachable")
    lines = delivery_sentences("nl", row)
    assert "staan klaar op dit apparaat" in lines[0]
    assert "niet bereikbaar" in lines[1]
    assert re.search(r"Volgende poging: 22 november 2026, \d\d:\d\d\. Al 3 keer geprobeerd\.", lines[2])


def test_an_error_nobody_foresaw_shows_its_code() -> None:
    row = in_state(DeliveryState.WAITING, attempts=1, next_at=AT, last_error="wonderlijk")
    assert any("code wonderlijk" in line for line in delivery_sentences("nl", row))


def test_new_data_that_waits_does_not_hide_what_was_received() -> None:
    row = in_state(DeliveryState.WAITING, attempts=1, last_at=AT, delivered_count=12)
    lines = delivery_sentences("nl", row)
    assert lines[0].startswith("Oefenkliniek heeft 12 gegevens ontvangen.")
    assert "staan klaar" in lines[1]


def test_refused_records_are_told() -> None:
    row = in_state(DeliveryState.DELIVERED, last_at=AT, delivered_count=12, refused_count=2)
    assert any("2 gegevens niet aangenomen" in line for line in delivery_sentences("nl", row))


@pytest.mark.parametrize("state", ["stored", "stopped", "erased", "cannot"])
def test_a_receipt_says_who_signed_it(state: str) -> None:
    said = receipt_sentence("nl", a_receipt(state, stored=214), name="Oefenkliniek")
    assert "Ondertekend door Oefenkliniek" in said
    assert ("214 gegevens ontvangen" in said) == (state == "stored")


# ------------------------------------------------------------------ cards and looks


@pytest.mark.parametrize("code", ["card_invalid", "card_expired", "card_key_changed"])
def test_every_refusal_of_a_card_has_its_own_sentence(code: str) -> None:
    for lang in LANGUAGES:
        assert refusal(lang, code) != refusal(lang, "something else")


def test_looks_show_unknown_codes_and_known_words() -> None:
    assert access_action("nl", "open") == "Overzicht bekeken"
    assert access_action("nl", "printed") == "Gebruikt (printed)"
    assert access_kinds("nl", ("medications", "genetics", "zzz")) == "medicijnen; DNA-gegevens; zzz"
    assert kind_name("nl", "spaceship") == "Organisatie"


@pytest.mark.parametrize(
    ("code", "known", "part"),
    [
        ("unreachable", True, "de lijst van de laatste keer"),
        ("unreachable", False, "Probeer het later"),
        ("access_log_rolled_back", True, "korter dan de vorige keer"),
        ("bad_access_log", True, "De handtekening van Oefenkliniek klopt niet"),
        ("not_shared", False, "code not_shared"),
    ],
)
def test_a_failed_fetch_tells_a_broken_list_from_a_broken_line(code: str, known: bool, part: str) -> None:
    assert part in fetch_problem("nl", code, name="Oefenkliniek", known=known)


JARGON = re.compile(
    r"\b(fhir|grant|consent|token|provision|resource|bundle|jws|json|receipt|statement|opt-in|push|sync\w*)\b",
    re.IGNORECASE,
)


@pytest.mark.parametrize("lang", LANGUAGES)
def test_no_jargon_on_the_sharing_screens(lang: str) -> None:
    allowed = {"share.detail.receipts", "share.detail.receipts_none"} if lang == "en" else set()
    found = {
        key: text
        for key, text in catalogue(lang).items()
        if key.startswith("share.") and key not in allowed and JARGON.search(text)
    }
    assert not found


def test_dutch_sentences_stay_short() -> None:
    long = {
        sentence: len(sentence.split())
        for key, text in catalogue("nl").items()
        if key.startswith("share.")
        for sentence in re.split(r"(?<=[.?!])\s", text)
        if len(sentence.split()) > 26
    }
    assert not long
