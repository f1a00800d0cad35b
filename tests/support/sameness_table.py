"""Writes the table of sameness into docs/reading.md: ``python -m tests.support.sameness_table``."""

from __future__ import annotations

from pathlib import Path

from pgo.health.record.sameness import RULES

PAGE = Path(__file__).resolve().parents[2] / "docs" / "reading.md"
BEGIN, END = "<!-- rules: begin -->", "<!-- rules: end -->"


def table() -> str:
    """The rules of sameness as a table, in their order."""
    head = "| rule | kinds of records | two records are one when, and why | source |\n|---|---|---|---|"
    lines = [head]
    for rule in RULES:
        kinds = "all in lists" if len(rule.kinds) > 3 else ", ".join(sorted(rule.kinds))
        lines.append(f"| `{rule.id}` | {kinds} | {rule.reason} | {rule.source} |")
    return "\n".join(lines)


def page_with(table_text: str) -> str:
    """The page with this table in its place."""
    text = PAGE.read_text(encoding="utf-8")
    before, _, rest = text.partition(BEGIN)
    _, _, after = rest.partition(END)
    return f"{before}{BEGIN}\n{table_text}\n{END}{after}"


if __name__ == "__main__":
    PAGE.write_text(page_with(table()), encoding="utf-8")
