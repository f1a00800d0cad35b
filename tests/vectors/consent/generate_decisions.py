"""Write or verify decisions.json: logs, questions, and what an engine must answer or refuse.

`python -m tests.vectors.consent.generate_decisions` writes, with `--verify` it compares. The expected
answers are written by hand here, from the guide and the rules of docs/consent-format.md; nothing in this
file asks the engine. Formats: docs/consent-format.md. In `expect`, only the members named count.

The worked example is the table of guide consent.md section 4.2.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from tests.vectors.consent.decision_cases import CASES, REFUSALS
from tests.vectors.consent.worked_example import EXAMPLE, SANNE

FILE = Path(__file__).with_name("decisions.json")


def vectors() -> dict[str, Any]:
    """Build all vectors."""
    decisions = [{"name": name, "log": log, "ask": ask, "expect": expect} for name, log, ask, expect in CASES]
    example = [{"name": name, "log": "sanne", "ask": ask, "expect": expect} for name, ask, expect in EXAMPLE]
    refusals = [
        {"name": name, "log": log, "signed": signed, "expect": {"code": code, "reason": reason}}
        for name, log, signed, code, reason in REFUSALS
    ]
    return {"logs": {"sanne": SANNE}, "decisions": [*decisions, *example], "refusals": refusals}


def text() -> str:
    """Render the file, one vector on a line."""
    found = vectors()
    lines = [f' "logs": {json.dumps(found["logs"], ensure_ascii=False)}']
    for name in ("decisions", "refusals"):
        rows = ",\n".join(f"  {json.dumps(row, ensure_ascii=False)}" for row in found[name])
        lines.append(f' "{name}": [\n{rows}\n ]')
    return "{\n" + ",\n".join(lines) + "\n}\n"


if __name__ == "__main__":
    if "--verify" in sys.argv:
        sys.exit(0 if FILE.read_text(encoding="utf-8") == text() else "decisions.json is not current")
    FILE.write_text(text(), encoding="utf-8")
