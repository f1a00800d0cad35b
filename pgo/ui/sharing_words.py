"""What a share means, in the words of the person who signs it.

This module turns choices, previews and delivery states into plain sentences (Dutch B1 and English) and
decides nothing. What it promises:

1. Every member of a ``ShareChoice`` is said: who, what, what not, what for, from when until when. Nothing
   the grant permits is left unsaid: the patient signs the hash of exactly these words (guide consent 2.2).
2. The sentences before signing and the sentences shown later come from the same function.
3. A code without a text is shown as a code or as "other", never as if it were harmless or absent.
4. A share reads as delivered only where a checked receipt says so, and as stopped by the recipient only
   after the recipient confirmed it; until then the words say "waiting".
5. What technology enforces, what the recipient's program enforces and what rests on agreements only are
   said apart (guide security 3.21).

It imports no Flet: the words are tested without a screen.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import Final

from consent.codes import Category, Sensitivity
from consent.decision import GrantState
from pgo.ui.research_words import limit_sentences, who_sentence
from pgo.ui.sharing_errors import why
from pgo.ui.text import fmt_date, fmt_moment, has, t
from pgo.usecases.holding import Hold
from pgo.usecases.picking import Named
from pgo.usecases.share import (
    DeliveryState,
    DeliveryView,
    ReceiptView,
    ShareChoice,
    SharePreview,
    ShareRow,
)

MOST_AT_LEAST: Final = 13  # from here "everything except ..." is the shorter and clearer sentence
CATEGORY_ORDER: Final[tuple[Category, ...]] = tuple(Category)
SENSITIVITY_ORDER: Final[tuple[Sensitivity, ...]] = tuple(Sensitivity)
_NO_NAMES: Final[Mapping[str, Named]] = MappingProxyType({})


class Tone(StrEnum):
    """How a state badge looks; the words and the icon always say the same as the colour."""

    GOOD = "good"
    WAIT = "wait"
    WARN = "warn"
    OFF = "off"


@dataclass(frozen=True, slots=True)
class Badge:
    """The state of one share in two words.

    Attributes:
        key: last part of the text key ``share.state.<key>``.
        tone: colour and icon.
        past: the share does nothing any more and nobody has to confirm anything.
    """

    key: str
    tone: Tone
    past: bool = False


_DELIVERY_BADGES: Final[Mapping[DeliveryState, Badge]] = {
    DeliveryState.NOTHING_YET: Badge("queued", Tone.WAIT),
    DeliveryState.SENDING: Badge("sending", Tone.WAIT),
    DeliveryState.REFUSED: Badge("refused", Tone.WARN),
}
_SERVER_BADGES: Final[Mapping[DeliveryState, Badge]] = {
    DeliveryState.WITHDRAWN_GONE_THERE: Badge("gone_there", Tone.OFF, past=True),
    DeliveryState.WITHDRAWN_STILL_THERE: Badge("still_there", Tone.WARN),
}


def badge(row: ShareRow) -> Badge:
    """Return the badge of a share: what the patient would ask first."""
    match row.state:
        case GrantState.WITHDRAWN:
            return _stopped_badge(row.delivery)
        case GrantState.EXPIRED:
            return Badge("expired", Tone.OFF, past=True)
        case GrantState.NOT_YET:
            return Badge("not_yet", Tone.WAIT)
        case GrantState.FROZEN:
            return Badge("frozen", Tone.WARN)
        case GrantState.IN_FORCE:
            return _running_badge(row.delivery)
        case _:
            return Badge("unknown", Tone.WARN)


def _running_badge(delivery: DeliveryView) -> Badge:
    if delivery.state is DeliveryState.DELIVERED:
        return Badge("partly", Tone.WARN) if delivery.refused_count else Badge("delivered", Tone.GOOD)
    if delivery.state is DeliveryState.STORED_THERE:
        return (
            Badge("partly_there", Tone.WARN) if delivery.refused_count else Badge("stored_there", Tone.GOOD)
        )
    if delivery.state is DeliveryState.WAITING:
        return Badge("waiting" if delivery.attempts else "queued", Tone.WAIT)
    return _DELIVERY_BADGES.get(delivery.state, Badge("unknown", Tone.WARN))


def _stopped_badge(delivery: DeliveryView) -> Badge:
    if delivery.state in _SERVER_BADGES:
        return _SERVER_BADGES[delivery.state]
    if delivery.state is not DeliveryState.WITHDRAWN_CONFIRMED:
        # Whatever else the outbox says: not confirmed is not confirmed.
        return Badge("stopping", Tone.WAIT)
    if delivery.receipts and delivery.receipts[0].state == "cannot":
        return Badge("stopped_cannot", Tone.WARN, past=True)
    return Badge("stopped", Tone.OFF, past=True)


def join(parts: Iterable[str]) -> str:
    """Write a list; with semicolons, because names of kinds hold commas and "and" themselves."""
    return "; ".join(parts)


def category_name(lang: str, category: Category) -> str:
    """Return the name of a kind of data as a switch label."""
    return t(lang, f"share.cat.{category}")


def sensitivity_name(lang: str, cluster: Sensitivity) -> str:
    """Return the name of a sensitive subject as a switch label."""
    return t(lang, f"share.sens.{cluster}")


def purpose_name(lang: str, purpose: str) -> str:
    """Return what the data is for; an unknown code shows as a code."""
    key = f"share.purpose.{purpose}"
    return t(lang, key) if has(lang, key) else t(lang, "share.purpose.other", code=purpose)


def kind_name(lang: str, kind: str) -> str:
    """Return what kind of recipient this is."""
    key = f"share.kind.{kind}"
    return t(lang, key if has(lang, key) else "share.kind.other")


def lower_first(text: str) -> str:
    """Inside a sentence a label starts small, unless it is an abbreviation (DNA)."""
    return text if text[1:2].isupper() else text[:1].lower() + text[1:]


def _what(lang: str, categories: frozenset[Category]) -> str:
    chosen = [lower_first(category_name(lang, c)) for c in CATEGORY_ORDER if c in categories]
    missing = [lower_first(category_name(lang, c)) for c in CATEGORY_ORDER if c not in categories]
    if not chosen:
        return t(lang, "share.say.what_none")
    if not missing:
        return t(lang, "share.say.what_all")
    if len(chosen) >= MOST_AT_LEAST:
        return t(lang, "share.say.what_most", list=join(missing))
    return t(lang, "share.say.what_some", list=join(chosen))


def _sensitive(lang: str, clusters: frozenset[Sensitivity]) -> str:
    if not clusters:
        return t(lang, "share.say.sens_none")
    names = [lower_first(sensitivity_name(lang, s)) for s in SENSITIVITY_ORDER if s in clusters]
    return t(lang, "share.say.sens_some", list=join(names))


def what_sentences(lang: str, choice: ShareChoice) -> tuple[str, ...]:
    """Say which kinds and which sensitive subjects go along, and what for."""
    purpose = lower_first(purpose_name(lang, choice.purpose))
    return (
        _what(lang, choice.categories),
        _sensitive(lang, choice.sensitivity),
        t(lang, "share.say.purpose", purpose=purpose),
    )


def period_sentence(lang: str, choice: ShareChoice) -> str:
    """Say how long the share lasts."""
    first, last = choice.period
    return t(lang, "share.say.period", first=fmt_date(lang, first), last=fmt_date(lang, last))


def data_sentence(lang: str, choice: ShareChoice) -> str:
    """Say from which time data goes along."""
    start, end = choice.data_from, choice.data_until
    if start and end:
        return t(lang, "share.say.data_between", first=fmt_date(lang, start), last=fmt_date(lang, end))
    if end:
        return t(lang, "share.say.data_until", date=fmt_date(lang, end))
    if start:
        return t(lang, "share.say.data_from", date=fmt_date(lang, start))
    return t(lang, "share.say.data_all")


def single_sentences(lang: str, choice: ShareChoice, names: Mapping[str, Named]) -> tuple[str, ...]:
    """Say which single records go or stay, and whose writing stays; nothing when nothing was singled out."""
    lines = [
        t(lang, f"share.say.{key}", list=_named(lang, references, names))
        for key, references in (("only", choice.only), ("left_out", choice.left_out))
        if references
    ]
    if choice.without_authors:
        lines.append(t(lang, "share.say.authors", list=_named(lang, choice.without_authors, names)))
        lines.append(t(lang, "share.say.authors_unknown"))
    return tuple(lines)


def _dated(lang: str, named: Named) -> str:
    if not named.day:
        return named.title
    return t(lang, "share.say.dated", title=named.title, date=fmt_date(lang, named.day))


def _named(lang: str, references: frozenset[str], names: Mapping[str, Named]) -> str:
    """List names once each; what the vault can no longer name is counted, never left unsaid."""
    known = sorted({_dated(lang, names[one]) for one in references if one in names})
    unknown = sum(1 for one in references if one not in names)
    return join([*known, *([t(lang, "share.say.unnamed", n=unknown)] if unknown else [])])


def choice_sentences(
    lang: str, choice: ShareChoice, *, name: str, names: Mapping[str, Named] = _NO_NAMES
) -> tuple[str, ...]:
    """Say in full what a choice means.

    Args:
        lang: language of the sentences.
        choice: what the patient ticked, or what a signed grant holds.
        name: the recipient's name.
        names: name of every single record and author in the choice.

    Returns:
        Whole sentences in reading order; none is left out when a list has to be short.
    """
    what, sensitive, purpose = what_sentences(lang, choice)
    return (
        who_sentence(lang, choice, name=name),
        what,
        sensitive,
        *limit_sentences(lang, choice),
        *single_sentences(lang, choice, names),
        data_sentence(lang, choice),
        *([] if choice.is_research else [t(lang, f"share.say.text_{'in' if choice.keep_text else 'out'}")]),
        purpose,
        period_sentence(lang, choice),
        t(lang, "share.say.new_only" if choice.only else "share.say.new_too"),
        t(lang, "share.say.stop"),
    )


def know_sentences(lang: str, *, name: str) -> tuple[str, ...]:
    """Say what cannot be undone, and what technology, the recipient's program and agreements take care of."""
    keys = ("share.know.undo", "share.know.tech", "share.know.theirs", "share.know.trust")
    return tuple(t(lang, key, name=name) for key in keys)


def shown_text(lang: str, choice: ShareChoice, *, name: str, names: Mapping[str, Named] = _NO_NAMES) -> str:
    """Return the exact words above the signature, one sentence per line; the grant keeps their hash."""
    said = choice_sentences(lang, choice, name=name, names=names)
    return "\n".join((*said, *know_sentences(lang, name=name)))


def held_reason(lang: str, reason: str) -> str:
    """Say why a record stays behind, in half a sentence."""
    key = f"share.held.{reason}"
    return t(lang, key if has(lang, key) else "share.held.other")


def held_sentences(lang: str, preview: SharePreview) -> tuple[str, ...]:
    """Say why records stay behind, the largest group first."""
    groups: dict[str, int] = {}
    for reason, count in preview.held_back.items():
        why = held_reason(lang, reason)
        groups[why] = groups.get(why, 0) + count
    ordered = sorted(groups.items(), key=lambda group: (-group[1], group[0]))
    return tuple(t(lang, "share.held.line", n=count, why=why) for why, count in ordered if count)


def ever_sent(delivery: DeliveryView) -> int:
    """Return how many records the recipient took in; after a stop it holds none, but it did get them."""
    return delivery.delivered_count or sum(r.stored for r in delivery.receipts if r.state == "stored")


def sent_of(delivery: DeliveryView) -> tuple[int, int]:
    """Return how many records the recipient answered for, and how many it may have in all."""
    answered = delivery.delivered_count + delivery.refused_count
    return min(answered, delivery.to_send), delivery.to_send


def summary(lang: str, choice: ShareChoice) -> str:
    """Return one short sentence for a card: what goes along."""
    return _what(lang, choice.categories)


def _waiting(lang: str, delivery: DeliveryView, *, name: str) -> list[str]:
    lines = why(lang, delivery, name=name)
    if delivery.attempts and delivery.next_at:
        when = fmt_moment(lang, delivery.next_at)
        lines.append(t(lang, "share.detail.next_try", when=when, n=delivery.attempts))
    else:
        lines.append(t(lang, "share.detail.next_soon"))
    return lines


def _received(lang: str, delivery: DeliveryView, *, name: str) -> list[str]:
    if delivery.last_at is None:
        return []
    if not delivery.delivered_count and not delivery.refused_count:
        return [t(lang, "share.detail.delivered_none")]
    when = fmt_moment(lang, delivery.last_at)
    lines = [t(lang, "share.detail.delivered", n=delivery.delivered_count, name=name, when=when)]
    if delivery.refused_count:
        lines.append(t(lang, "share.detail.refused_items", n=delivery.refused_count, name=name))
    return lines


def delivery_sentences(lang: str, row: ShareRow) -> tuple[str, ...]:
    """Say how far a share has come: received, waiting and why, stopped and by whom confirmed."""
    name, delivery = row.recipient.name, row.delivery
    match row.state:
        case GrantState.WITHDRAWN:
            return tuple(_stopped(lang, row))
        case GrantState.EXPIRED:
            return (t(lang, "share.detail.expired"), *_received(lang, delivery, name=name))
        case GrantState.NOT_YET:
            return (t(lang, "share.detail.not_yet", date=fmt_date(lang, row.choice.period[0])),)
        case GrantState.IN_FORCE:
            return (*_received(lang, delivery, name=name), *_running(lang, delivery, name=name))
        case GrantState.FROZEN:
            return (t(lang, "share.detail.frozen"), *_received(lang, delivery, name=name))
        case _:
            return (t(lang, "share.state.unknown"),)


def _running(lang: str, delivery: DeliveryView, *, name: str) -> list[str]:
    held = _HOLD_KEYS.get(delivery.hold) if delivery.hold is not None else None
    if held is not None:
        return [t(lang, f"share.detail.{held}", name=name)]
    match delivery.state:
        case DeliveryState.WAITING | DeliveryState.NOTHING_YET:
            return [t(lang, "share.detail.waiting", name=name), *_waiting(lang, delivery, name=name)]
        case DeliveryState.SENDING:
            return [t(lang, "share.detail.sending_now")]
        case DeliveryState.REFUSED:
            return [t(lang, "share.detail.refused_all", name=name), *why(lang, delivery, name=name)]
        case DeliveryState.DELIVERED:
            return []
        case _:
            return [t(lang, "share.state.unknown")]


_HOLD_KEYS: Final[Mapping[Hold, str]] = {
    Hold.METERED: "hold_metered",
    Hold.OTHER_KEY: "hold_other_key",
}
"""What the person can end; who was not asked since a restore is spoken of by the notes about that."""

_STOPPED_KEYS: Final[Mapping[str, str]] = {"erased": "stop_erased", "cannot": "stop_cannot"}


def _stopped(lang: str, row: ShareRow) -> list[str]:
    name, delivery = row.recipient.name, row.delivery
    lines = [t(lang, "share.detail.stopped_here", name=name)]
    if delivery.state is not DeliveryState.WITHDRAWN_CONFIRMED:
        return [*lines, t(lang, "share.detail.stop_waiting", name=name), *_waiting(lang, delivery, name=name)]
    newest = next((one for one in delivery.receipts if one.kind != "removal"), None)
    if newest is None:
        return [*lines, t(lang, "share.detail.stop_never_sent", name=name)]
    key = _STOPPED_KEYS.get(newest.state, "stop_confirmed")
    return [*lines, t(lang, f"share.detail.{key}", name=name, when=fmt_moment(lang, newest.stored_at))]


_RECEIPT_KEYS: Final[Mapping[str, str]] = {
    "stored": "share.detail.receipt_stored",
    "stopped": "share.detail.receipt_stopped",
    "erased": "share.detail.receipt_erased",
    "cannot": "share.detail.receipt_cannot",
}


def receipt_sentence(lang: str, receipt: ReceiptView, *, name: str) -> str:
    """Say what one verified receipt proves."""
    key = _RECEIPT_KEYS.get(receipt.state, "share.detail.receipt_stored")
    if receipt.kind == "removal":
        key = "share.detail.receipt_removed"
    return t(lang, key, n=receipt.stored, when=fmt_moment(lang, receipt.stored_at), name=name)


def refusal(lang: str, code: str) -> str:
    """Say why a card cannot be used and what to do about it."""
    key = f"share.add.refused.{code}"
    return t(lang, key if has(lang, key) else "share.add.refused.other")
