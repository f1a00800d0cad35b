"""The journal is complete: a use case that writes to the vault adds a line, or is listed with its reason."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

USECASES = Path(__file__).resolve().parents[2] / "pgo" / "usecases"

NOT_IN_THE_JOURNAL = {
    "answer.start_or_resume": "a draft; its end is in the journal",
    "answer.save_answer": "a draft; its end is in the journal",
    "answer.discard": "a draft that never became a record",
    "medicate.keep_form": "a half-typed form; saving it is in the journal",
    "medicate.drop_form": "a half-typed form that never became a record",
    "deliver.send_now": "only waits less; what goes out is in the journal as it goes",
    "deliver._refresh_statements": "only queues; what goes out is in the journal as it goes",
    "delivering.VaultPort.supersede": "a statement that never went out",
    "delivering.VaultPort._decide": "what it starts is written by _start, in this transaction",
    "delivering.VaultPort.postpone": "nothing went out",
    "delivering.VaultPort.record_read_back": "PlainPort.record writes the line, in this transaction",
    "fhir_head.plain_head": "only names what lies there; the answer is in the journal (reconcile._ask)",
    "corrections.hide": "each objection writes its own line, in this transaction",
    "corrections.show_again": "each objection that is lifted writes its own line, in this transaction",
    "reindex.refresh_index": "derived data made again, no content changes",
    "reindex._refresh": "derived data made again, no content changes",
    "facts._complete_keys": "derived data made again, no content changes",
    "facts._read": "derived data made again, no content changes",
    "unlock.remember_price": "a measured figure, beside a line of its own",
    "reconcile._could_not_ask": "nothing was learnt; the answer is in the journal when it comes",
    "recipients.add_recipient": "keep_card writes the line, in this transaction",
    "renewals.accept_other_key": "keep_card writes the line, in this transaction",
    "renewals._renew": "that a card was asked for is no event; what came of it is written by keep_card",
    "reminders.put_aside": "only when a reminder is shown again",
}


def writers() -> Iterator[tuple[str, bool]]:
    """(module.function, whether it adds a journal line) of every function that opens a transaction."""
    for path in sorted(USECASES.glob("*.py")):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        for name, function in _functions(tree, path.stem):
            calls = [ast.unparse(node.func) for node in ast.walk(function) if isinstance(node, ast.Call)]
            if any(call.endswith(("store.write", "_store.write")) for call in calls):
                yield name, any(call.endswith("journal.add") for call in calls)


def _functions(node: ast.AST, inside: str) -> Iterator[tuple[str, ast.AST]]:
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.ClassDef):
            yield from _functions(child, f"{inside}.{child.name}")
        elif isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef):
            yield f"{inside}.{child.name}", child


def test_every_use_case_that_writes_adds_a_line_or_says_why_not() -> None:
    silent = {name for name, journals in writers() if not journals}
    assert silent - NOT_IN_THE_JOURNAL.keys() == set(), "add a journal line, or a reason here"
    assert NOT_IN_THE_JOURNAL.keys() - silent == set(), "these are not there any more, or do add a line"
