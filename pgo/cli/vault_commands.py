"""``pgo vault``: list, make and check vaults, and change what opens them.

A code or passphrase is read from a prompt, a file or standard input, never from an argument; a new recovery
code is printed once, on standard output.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from pgo.bootstrap import build_application
from pgo.cli.terminal import DONE, opened, read_passphrase, say, say_json
from pgo.store.clouds import cloud_of
from pgo.usecases.keys import change_passphrase, key_facts, renew_recovery_code, renew_vault_key
from pgo.usecases.read import counts_by_type
from pgo.usecases.unlock import check_vault, create_vault, unlock, unlock_with_code, vaults


def create(options: argparse.Namespace) -> int:
    """Make a vault and print its recovery code once."""
    folder: Path = options.vault
    _warn_of_cloud(folder)
    app = build_application(folder.parent)
    new = create_vault(app, folder, read_passphrase(options.passphrase_file, twice=True))
    new.session.lock()
    if options.json:
        say_json({"vault": str(folder), "recovery_code": new.recovery_code_text})
    else:
        say("The vault is made. Write this recovery code on paper; it is shown only now:")
        say(new.recovery_code_text)
    return DONE


def check(options: argparse.Namespace) -> int:
    """Verify a vault, and say what its passphrase costs to guess."""
    with opened(options.vault, options.passphrase_file) as session:
        check_vault(session)
        total, facts = sum(counts_by_type(session).values()), key_facts(session)
    if options.json:
        say_json(
            {
                "ok": True,
                "total": total,
                "generation": facts.generation,
                "guess_mib": facts.memory_mib,
                "guess_seconds": facts.seconds,
                "recovery_confirmed": facts.confirmed,
                "keyring": facts.in_keyring,
            }
        )
        return DONE
    say(f"The vault is whole: {total} records.")
    took = f", {facts.seconds:g} seconds where it was chosen" if facts.seconds else ""
    say(f"A guess at the passphrase takes {facts.memory_mib} MiB{took}. Vault key number {facts.generation}.")
    if not facts.confirmed:
        say("The recovery code was never typed back.")
    _warn_of_cloud(options.vault)
    return DONE


def list_vaults(options: argparse.Namespace) -> int:
    """List the vaults of this user; needs no passphrase, so it says nothing about what is in them."""
    app = build_application(options.vaults or options.default_vaults())
    places = [(place, False) for place in vaults(app)]
    places += [(place, True) for place in vaults(app, hidden=True)]
    if options.json:
        rows = [
            {"name": place.name, "vault": str(place.folder), "keyring": place.keyring, "hidden": hidden}
            for place, hidden in places
        ]
        say_json({"vaults": rows})
        return DONE
    for place, hidden in places:
        say("\t".join((place.name, str(place.folder), "not in the list" if hidden else "")).rstrip())
    if not places:
        say("There are no vaults yet.")
    return DONE


def passphrase(options: argparse.Namespace) -> int:
    """Choose another passphrase; no record is encrypted again."""
    with opened(options.vault, options.passphrase_file) as session:
        change_passphrase(session, read_passphrase(options.new_passphrase_file, twice=True))
    say("The new passphrase works from now on. A key ring that opened this vault does not any more.")
    return DONE


def recovery(options: argparse.Namespace) -> int:
    """Renew the recovery code; with ``--use`` open with the code, choose a passphrase, get a new code."""
    if not options.use:
        with opened(options.vault, options.passphrase_file) as session:
            code = renew_recovery_code(session)
    else:
        app = build_application(options.vault.parent)
        session = unlock_with_code(
            app, options.vault, read_passphrase(options.code_file, ask="Recovery code: ")
        )
        try:
            change_passphrase(session, read_passphrase(options.new_passphrase_file, twice=True))
            code = renew_recovery_code(session)
        finally:
            session.lock()
    say("Write this new recovery code on paper; the one before opens nothing any more:")
    say(code)
    return DONE


def renew_key(options: argparse.Namespace) -> int:
    """Copy everything under a new vault key; the old file is overwritten and removed."""
    words = read_passphrase(options.passphrase_file)
    app = build_application(options.vault.parent)
    session = unlock(app, options.vault, words)
    try:
        renewal = renew_vault_key(session, words, on_progress=_bar)
    finally:
        session.lock()
    renewal.session.lock()
    say("The vault has a new key. Write this new recovery code on paper; the one before opens nothing:")
    say(renewal.recovery_code_text)
    return DONE


def _bar(share: float) -> None:
    if sys.stderr.isatty():
        sys.stderr.write(f"\r{share:4.0%}" + ("\n" if share >= 1 else ""))
        sys.stderr.flush()


def _warn_of_cloud(folder: Path) -> None:
    service = cloud_of(folder)
    if service:
        sys.stderr.write(
            f"pgo: {service} keeps this folder in step; that can damage a vault or put an old one back.\n"
        )
