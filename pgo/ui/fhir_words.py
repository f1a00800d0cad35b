"""What the screens say of a plain FHIR server: less than of a recipient with a card, in words of its own.

Nobody signed anything there, so nothing is "received" or "confirmed": the server *shows* it, and when.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

from consent.decision import GrantState
from pgo.ui import sharing_words
from pgo.ui.text import fmt_moment, has, t
from pgo.usecases.fhir_servers import ServerAnswer
from pgo.usecases.picking import Named
from pgo.usecases.share import DeliveryState, ReceiptView, ShareChoice, ShareRow

KIND: Final = "fhir"
_NO_NAMES: Final[Mapping[str, Named]] = {}


def type_names(lang: str, types: Iterable[str]) -> str:
    """Name resource types; one without a name keeps that of FHIR."""
    keys = {name: f"fhir.type.{name}" for name in types}
    return ", ".join(t(lang, key) if has(lang, key) else name for name, key in keys.items())


def lack_sentences(lang: str, answer: ServerAnswer) -> tuple[str, ...]:
    """Say what a server cannot, what stops everything first."""
    return tuple(
        t(lang, f"fhir.lack.{lack.value}", types=type_names(lang, types))
        for lack, types in answer.check.lacks
    )


def know_sentences(lang: str, *, name: str) -> tuple[str, ...]:
    """Say what this app, the server and agreements take care of."""
    keys = ("fhir.know.undo", "fhir.know.tech", "fhir.know.theirs", "fhir.know.trust")
    return tuple(t(lang, key, name=name) for key in keys)


def shown_text(lang: str, choice: ShareChoice, *, name: str, names: Mapping[str, Named] = _NO_NAMES) -> str:
    """Return the exact words above the signature, one sentence per line."""
    said = sharing_words.choice_sentences(lang, choice, name=name, names=names)
    return "\n".join((*said, *know_sentences(lang, name=name)))


def delivery_sentences(lang: str, row: ShareRow) -> tuple[str, ...]:
    """Say how far a share has come."""
    name, delivery = row.recipient.name, row.delivery
    when = fmt_moment(lang, delivery.last_at) if delivery.last_at else ""
    match delivery.state:
        case DeliveryState.WITHDRAWN_GONE_THERE:
            found = t(lang, "fhir.detail.gone", name=name, when=when)
            # A delete of FHIR takes a resource away from reading; versions may stay (R4 http.html#delete).
            older = t(lang, "fhir.detail.older", name=name)
            return (t(lang, "share.detail.stopped_here", name=name), found, older)
        case DeliveryState.WITHDRAWN_STILL_THERE:
            return (t(lang, "share.detail.stopped_here", name=name), t(lang, "fhir.detail.still", name=name))
        case DeliveryState.STORED_THERE if row.state in (GrantState.IN_FORCE, GrantState.EXPIRED):
            over = [t(lang, "share.detail.expired")] if row.state is GrantState.EXPIRED else []
            return (*over, *_stored(lang, row, when=when))
        case _:
            return sharing_words.delivery_sentences(lang, row)


def _stored(lang: str, row: ShareRow, *, when: str) -> tuple[str, ...]:
    name, delivery = row.recipient.name, row.delivery
    if not delivery.delivered_count and not delivery.refused_count:
        return (t(lang, "share.detail.delivered_none"),)
    refused = [t(lang, "fhir.detail.refused", n=delivery.refused_count)] if delivery.refused_count else []
    stored = t(lang, "fhir.detail.stored", n=delivery.delivered_count, name=name, when=when)
    return (stored, *refused, t(lang, "fhir.detail.unsigned"))


def receipt_sentence(lang: str, shown: ReceiptView) -> str:
    """Say what a server showed once."""
    key = shown.state if shown.state in ("erased", "cannot") else "stored"
    return t(lang, f"fhir.detail.line_{key}", n=shown.stored, when=fmt_moment(lang, shown.stored_at))


def refusal(lang: str, code: str) -> str:
    """Say why a server is of no use and what to do about it."""
    key = f"fhir.refused.{code}"
    return t(lang, key) if has(lang, key) else t(lang, "fhir.refused.other", code=code)
