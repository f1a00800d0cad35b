"""``python -m tests.support.renewal_kills FOLDER``: kill a renewal of the vault key at every file operation.

Makes a vault with three records; passphrases cost nothing here. For each operation the vault is copied, a
forked child renews its key and kills itself right before that operation, and another child opens what is
left. Prints one JSON line per kill: the operation, how many records were there, which database files stayed
and which generation of the key opened.
Ends when a renewal ran through.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import sys
from collections.abc import Callable
from pathlib import Path

from pgo.store import slots
from pgo.usecases.collect import collect
from pgo.usecases.keys import key_facts, renew_vault_key
from pgo.usecases.read import counts_by_type
from pgo.usecases.unlock import check_vault, unlock
from tests.support.applications import PASSPHRASE
from tests.support.prices import free_kek
from tests.support.vaults import Home, a_bundle, a_condition, a_patient

WATCHED = frozenset({"open", "os.rename", "os.remove", "os.link"})
_WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT


class Killer:
    """Counts the operations on a vault's files, and kills its own process right before one of them."""

    def __init__(self, folder: Path, at: int) -> None:
        self.folder, self.at, self.seen, self.armed = str(folder), at, 0, False

    def hook(self, event: str, args: tuple[object, ...]) -> None:
        if not self.armed or event not in WATCHED or self.folder not in str(args[0]):
            return
        if event == "open" and not (isinstance(args[2], int) and args[2] & _WRITING):
            return
        self.step(f"{event} {Path(str(args[0])).name}")

    def step(self, what: str) -> None:
        self.seen += 1
        if self.seen == self.at:
            os.write(1, (json.dumps({"operation": what})[:-1] + ", ").encode())
            os.kill(os.getpid(), signal.SIGKILL)


def renew(folder: Path, at: int) -> None:
    """Renew and be killed before operation number ``at``; progress counts as an operation."""
    app = Home(folder.parent).app
    session = unlock(app, folder, PASSPHRASE)
    killer = Killer(folder, at)
    sys.addaudithook(killer.hook)
    killer.armed = True
    renew_vault_key(session, PASSPHRASE, on_progress=lambda share: killer.step(f"progress {share:.2f}"))


def look(folder: Path) -> None:
    """Open what is left and say what it is; closes the JSON object that the killed child began."""
    app = Home(folder.parent).app
    session = unlock(app, folder, PASSPHRASE)
    check_vault(session)
    found = {
        "records": sum(counts_by_type(session).values()),
        "generation": key_facts(session).generation,
        "files": sorted(path.name for path in folder.glob("store-*.db")),
    }
    session.lock()
    os.write(1, (json.dumps(found)[1:] + "\n").encode())


def in_child(work: Callable[[], None]) -> int:
    """Run in a forked child. Returns its exit status: 0 done, negative killed, 1 failed."""
    child = os.fork()
    if child == 0:
        status = 1
        try:
            work()
            status = 0
        finally:
            os._exit(status)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def prepare(folder: Path) -> Path:
    """Make the vault that is copied; in this process the price of a passphrase is nothing."""
    slots.derive_kek = free_kek
    session = Home(folder).open_new()
    collect(session, a_bundle(a_patient(), a_condition("c1"), a_condition("c2")), name="a.json")
    session.lock()
    return session.folder


def main(folder: Path) -> int:
    """Kill at the first operation, the second, and so on."""
    source = prepare(folder / "made")
    for at in range(1, 500):
        vault = Path(shutil.copytree(source, folder / f"kill-{at}" / source.name))
        status = in_child(lambda vault=vault, at=at: renew(vault, at))
        if status == 0:
            return 0
        if status != -signal.SIGKILL or in_child(lambda vault=vault: look(vault)):
            os.write(1, b'"failed": true}\n')
        shutil.rmtree(vault.parent)
    return 1


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
