"""``pgo share``, ``sync`` and ``looked``."""

from __future__ import annotations

import argparse
from datetime import timedelta
from typing import Any

from consent.codes import Category, Sensitivity
from pgo.cli.terminal import DONE, REFUSED, opened, say, say_json
from pgo.errors import InputRefused
from pgo.usecases.deliver import send_now
from pgo.usecases.looked import fetch_access
from pgo.usecases.read import overview
from pgo.usecases.reconcile import must_wait
from pgo.usecases.session import Session
from pgo.usecases.share import (
    ShareChoice,
    SharePreview,
    ShareRow,
    add_recipient,
    inspect_card,
    presets,
    preview,
    recipient,
    shares,
    sign_share,
    withdraw,
)
from sync.errors import SyncError

_MAX_CARD_BYTES = 64 * 1024
_LANGUAGE = "en"


def add(options: argparse.Namespace) -> int:
    """Add a recipient and print its fingerprint, to be compared with what stands on paper."""
    with options.card.open("rb") as stream:
        card_bytes = stream.read(_MAX_CARD_BYTES)
    with opened(options.vault, options.passphrase_file) as session:
        card = inspect_card(session, card_bytes)
        add_recipient(session, card_bytes)
    if options.json:
        say_json(
            {"recipient": card.id, "name": card.name, "kind": card.kind, "fingerprint": card.fingerprint}
        )
    else:
        say(f"Added {card.name} ({card.id}). Compare the fingerprint: {card.fingerprint}")
    return DONE


def show_preview(options: argparse.Namespace) -> int:
    """What a recipient would see."""
    with opened(options.vault, options.passphrase_file) as session:
        seen = preview(session, _choice(session, options))
    if options.json:
        say_json(_preview_json(seen))
    else:
        say(_preview_text(seen))
    return DONE


def sign(options: argparse.Namespace) -> int:
    """Show what the grant means, ask, sign."""
    with opened(options.vault, options.passphrase_file) as session:
        choice = _choice(session, options)
        text = _words(session, choice) + " " + _preview_text(preview(session, choice))
        if not options.json:
            say(text)
        if not options.yes and input("Sign this? [y/N] ").strip().lower() not in ("y", "yes"):
            return REFUSED
        grant_id = sign_share(session, choice, lang=_LANGUAGE, shown_text=text)
    if options.json:
        say_json({"grant": grant_id})
    else:
        say(f"Signed: {grant_id}. It is sent by 'pgo sync', or by the app.")
    return DONE


def list_shares(options: argparse.Namespace) -> int:
    """All grants."""
    with opened(options.vault, options.passphrase_file) as session:
        rows = shares(session)
    if options.json:
        say_json({"shares": [_share_json(row) for row in rows]})
        return DONE
    for row in rows:
        state = f"{row.state.value}  {row.delivery.state.value}"
        say(f"{row.grant_id}  {row.recipient.name}  until {row.choice.period[1]}  {state}")
    say(f"{len(rows)} shares")
    return DONE


def stop(options: argparse.Namespace) -> int:
    """Take a grant back."""
    with opened(options.vault, options.passphrase_file) as session:
        withdraw(session, options.grant)
    if options.json:
        say_json({"withdrawn": options.grant})
    else:
        say("Withdrawn here at once. The recipient is told by 'pgo sync', or by the app.")
    return DONE


def sync(options: argparse.Namespace) -> int:
    """Send what waits."""
    with opened(options.vault, options.passphrase_file) as session:
        report = send_now(session)
        waiting = overview(session).deliveries_waiting
        not_asked = must_wait(session)
    counts = {
        "delivered": len(report.delivered),
        "stored_unsigned": len(report.stored),
        "later": len(report.later),
        "refused": len(report.refused),
        "waiting": waiting,
    }
    if options.json:
        say_json({**counts, "not_asked_since_restore": sorted(not_asked)})
    else:
        say(", ".join(f"{count} {name}" for name, count in counts.items()))
        for recipient_id in sorted(not_asked):
            say(f"{recipient_id}: gets nothing before it was asked what it knows; this vault was put back.")
    return REFUSED if report.refused else DONE


def show_looks(options: argparse.Namespace) -> int:
    """Who looked."""
    with opened(options.vault, options.passphrase_file) as session:
        try:
            view = fetch_access(session, options.recipient)
        except SyncError as exc:
            raise InputRefused(exc.code) from exc
    if options.json:
        entries = [
            {"at": e.at.isoformat(), "user": e.user, "role": e.role, "action": e.action, "purpose": e.purpose}
            for e in view.entries
        ]
        say_json({"recipient": view.recipient_id, "verified": view.verified, "entries": entries})
        return DONE
    for entry in view.entries:
        say(f"{entry.at.isoformat()}  {entry.user} ({entry.role})  {entry.action}  {entry.purpose}")
    say(f"{len(view.entries)} looks, verified")
    return DONE


def _choice(session: Session, options: argparse.Namespace) -> ShareChoice:
    to = recipient(session, options.to)
    offered = {one.key: one for one in presets(to.kind)}
    preset = offered.get(options.preset or next(iter(offered)))
    if preset is None:
        raise InputRefused("choice_invalid", fields={"preset": "unknown"})
    first = options.first or session.today()
    try:
        categories = frozenset(map(Category, options.category)) if options.category else preset.categories
        sensitivity = frozenset(map(Sensitivity, options.sensitivity or ()))
    except ValueError as exc:
        raise InputRefused("choice_invalid", fields={"category": "unknown"}) from exc
    return ShareChoice(
        recipient_id=to.id,
        categories=categories,
        sensitivity=sensitivity,
        purpose=options.purpose or preset.purpose,
        period=(first, options.last or first + timedelta(days=preset.days)),
        data_from=options.data_from,
        keep_text=options.keep_text,
    )


def _words(session: Session, choice: ShareChoice) -> str:
    to = recipient(session, choice.recipient_id)
    kinds = ", ".join(sorted(choice.categories))
    opted = ", ".join(sorted(choice.sensitivity)) or "none"
    first, last = choice.period
    since = f", dated {choice.data_from} or later" if choice.data_from is not None else ""
    return (
        f"{to.name} ({to.id}) may look at {kinds}{since} for {choice.purpose}, from {first} up to and"
        " including"
        f" {last}. Sensitive subjects included: {opted}. You can stop this at any time."
    )


def _preview_text(seen: SharePreview) -> str:
    held = "; ".join(f"{count} {reason.value}" for reason, count in seen.held_back.items()) or "nothing"
    return f"They would see {seen.permitted} of {seen.total} records. Held back: {held}."


def _preview_json(seen: SharePreview) -> dict[str, Any]:
    return {
        "total": seen.total,
        "permitted": seen.permitted,
        "held_back": {reason.value: count for reason, count in seen.held_back.items()},
        "by_category": {category.value: list(counts) for category, counts in seen.by_category.items()},
    }


def _share_json(row: ShareRow) -> dict[str, Any]:
    return {
        "grant": row.grant_id,
        "recipient": row.recipient.id,
        "state": row.state.value,
        "delivery": row.delivery.state.value,
        "delivered": row.delivery.delivered_count,
        "refused": row.delivery.refused_count,
        "until": row.choice.period[1].isoformat(),
        "last_error": row.delivery.last_error,
    }
