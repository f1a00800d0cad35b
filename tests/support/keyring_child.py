"""One process of the app, with the key ring of its session. Arguments: what to do, the folder of vaults."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

from pgo.errors import KeyringRefused
from pgo.store.oskeyring import find_os_keyring
from pgo.usecases import keys, unlock
from tests.support.applications import PASSPHRASE, an_application


def main(word: str, folder: Path) -> None:
    """Make a vault that the key ring opens, open it so, renew its key, or switch the key ring off."""
    app = replace(an_application(folder), keyring=find_os_keyring)
    place = folder / "Thuis"
    if word == "create":
        session = unlock.create_vault(app, place, PASSPHRASE).session
        keys.keyring_on(session)
    elif word == "off":
        session = unlock.unlock(app, place, PASSPHRASE)
        keys.keyring_off(session)
    else:
        session = unlock.unlock_with_keyring(app, place)
    if word == "renew":
        session = keys.renew_vault_key(session, PASSPHRASE, on_progress=lambda _share: None).session
    print("opened, by key ring" if keys.key_facts(session).in_keyring else "opened")
    session.lock()


if __name__ == "__main__":
    try:
        main(sys.argv[1], Path(sys.argv[2]))
    except KeyringRefused as refusal:
        print(refusal.code)
