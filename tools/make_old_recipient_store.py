"""Make the store that tests of later versions open: `.venv/bin/python tools/make_old_recipient_store.py`.

Writes `tests/vectors/recipient_stores/v<number>/` for the present version of the tables, made by the program
of that day: store, key and `expected.json` (what has to be there after opening it later). One that exists is
never made again: it stands for the stores people have. Everything in it is invented.
"""

from __future__ import annotations

import json
import sys
import tempfile
from datetime import timedelta
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))  # the builders of synthetic data lie beside the tests

from recipient.migrations import VERSION  # noqa: E402
from recipient.store import Store, create_store  # noqa: E402
from tests.support import clinical  # noqa: E402
from tests.support.recipient_direct import AT, a_patient_of, found, look, push, withdraw  # noqa: E402

STORES = ROOT / "tests" / "vectors" / "recipient_stores"


def fill(store: Store) -> dict[str, object]:
    """One patient who shares and was looked at, one who withdrew."""
    account = found(store)
    staying, leaving = a_patient_of(store, 1), a_patient_of(store, 2)
    push(store, staying, clinical.small_record())
    push(store, leaving, [clinical.patient("Vertrokken")])
    shown = look(store, account, staying, at=AT + timedelta(minutes=1))
    look(store, account, leaving, at=AT + timedelta(minutes=2))
    withdraw(store, leaving, at=AT + timedelta(minutes=3))
    return {"staying": staying.sub, "leaving": leaving.sub, "shown": sorted(shown), "looks": 1}


def main() -> int:
    """Make the one that is missing, if it is."""
    target = STORES / f"v{VERSION}"
    if target.exists():
        sys.stdout.write(f"{target.name} is there\n")
        return 0
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name) / "recipient"
        store = create_store(folder)
        expected = fill(store)
        store.close()
        target.mkdir(parents=True)
        for path in folder.iterdir():
            (target / path.name).write_bytes(path.read_bytes())
    (target / "expected.json").write_text(json.dumps(expected, indent=1) + "\n", encoding="ascii")
    sys.stdout.write(f"made {target.name}\n")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
