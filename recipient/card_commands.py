"""``recipient card``, ``renew-key``, ``rotate-key`` and ``number``: what patients pin, and how it changes.

Promises: nothing here prints a secret; after ``rotate-key`` the old signing key does not exist any more.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

from recipient.card_desk import card_picture
from recipient.errors import Unusable
from recipient.identity import add_opening_key, build_card, load_identity
from recipient.rotation import add_number, rotate_signing_key, successions
from recipient.service import write_whole
from recipient.terminal import Commands, command, opened, say
from sync.card import card_file

SENTENCES = {
    "bad_number": "A number is ura:, agb: or uzi: with 8, 8 or 9 digits, or big: with 11; ura as in the id.",
    "no_address": "No address is known yet: run 'recipient serve' once, or give 'recipient init --url'.",
}


def add_card_commands(commands: Commands, clock: Callable[[], datetime]) -> None:
    """Add the commands."""
    card = command(
        commands, "card", lambda said: _card(said, clock()), "print or write the card for patients"
    )
    card.add_argument("--out", type=Path, help="write the card file here")
    card.add_argument("--qr", type=Path, metavar="FILE", help="write the card as a QR code (SVG) here")
    command(
        commands,
        "renew-key",
        lambda said: _renew(said, clock()),
        "make a new opening key; old ones keep opening mail on its way",
    )
    command(
        commands,
        "rotate-key",
        lambda said: _rotate(said, clock()),
        "make a new signing key, signed by the old one, and destroy the old one",
    )
    number = command(commands, "number", _number, "put one more number of this provider on the card")
    number.add_argument("number", metavar="SCHEME:NUMBER", help="for example agb:01234567")


def _card(options: argparse.Namespace, at: datetime) -> None:
    with opened(options) as store:
        identity, former = load_identity(store), successions(store)
    endpoint = identity.url or (f"http://127.0.0.1:{identity.port}" if identity.port else None)
    if endpoint is None:
        raise Unusable("no_address")
    card, text = build_card(identity, endpoint=endpoint, at=at)
    if options.qr:
        write_whole(options.qr, card_picture(text).decode("utf-8"))
    if options.out:
        write_whole(options.out, card_file(text, former))
    if options.out or options.qr:
        say(f"Fingerprint, to compare: {card.fingerprint}")
    else:
        say(card_file(text, former))


def _renew(options: argparse.Namespace, at: datetime) -> None:
    with opened(options) as store:
        add_opening_key(store, at=at)
    say("A new key is on the card from the next start on; patients' apps fetch the new card by themselves.")


def _rotate(options: argparse.Namespace, at: datetime) -> None:
    with opened(options) as store:
        key = rotate_signing_key(store, at=at)
    say(
        "The new key signs from the next start on; start the service again now. Patients' apps follow by "
        f"themselves. Fingerprint for new patients: {key.fingerprint()}"
    )


def _number(options: argparse.Namespace) -> None:
    with opened(options) as store:
        add_number(store, options.number)
    say("The number is on the card from the next start on.")
