"""``pgo consent``: ask the engine questions from files; no vault is opened and nothing is kept.

Promises: ``decide`` prints one canonical decision object per question, in the order of the questions and
the same bytes everywhere; a question that cannot be read gives one object with ``error`` in its place, and
exit code 3 at the end; a log that cannot be trusted gives no answers at all. The formats are described in
docs/consent-format.md.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, TypeAlias

from consent.asking import Answers
from consent.decision import Decision
from consent.decision_json import decision_bytes
from consent.errors import ConsentError
from consent.fhir_import import import_consent, outcome_to_json
from consent.ledger import Ledger
from consent.log_json import MAX_LOG_BYTES, parse_log
from consent.question_json import MAX_QUESTION_BYTES, parse_question
from crypto.canonical import JsonValue, canonical_bytes
from pgo.cli.consent_words import explain_decision, explain_error, explain_outcome
from pgo.cli.terminal import DONE, REFUSED, say
from pgo.errors import InputRefused
from pgo.health.record.reader import MAX_FILE_BYTES, read_records
from pgo.health.record.resource import Refused

_STANDARD_INPUT = "-"
_Answer: TypeAlias = Decision | ConsentError


def run_decide(options: argparse.Namespace) -> int:
    """Print one decision object per question."""

    def line(number: int, answer: _Answer, ledger: Ledger) -> str:
        if isinstance(answer, ConsentError):
            refused: JsonValue = {"error": {"code": answer.code, "reason": answer.reason}, "line": number}
            return canonical_bytes(refused).decode("utf-8")
        return decision_bytes(answer, ledger_head=ledger.head_hash).decode("utf-8")

    return _answer_all(options, line)


def run_explain(options: argparse.Namespace) -> int:
    """Say the same in words."""

    def line(number: int, answer: _Answer, _: Ledger) -> str:
        if isinstance(answer, ConsentError):
            return explain_error(options.lang, number, answer)
        return explain_decision(options.lang, number, answer)

    return _answer_all(options, line)


def _answer_all(options: argparse.Namespace, line: Callable[[int, _Answer, Ledger], str]) -> int:
    """Answer every question of the file; an empty line is none."""
    try:
        with options.log.open("rb") as stream:
            ledger = parse_log(stream.read(MAX_LOG_BYTES + 1), signed=not options.unsigned)
    except ConsentError as exc:
        return refuse("The log", exc)
    answers, every_one_read = Answers(ledger), True
    with _opened(options.ask) as questions:
        for number, text in enumerate(_lines(questions), start=1):
            if not text.strip():
                continue
            answer: _Answer
            try:
                answer = answers.answer(parse_question(text))
            except ConsentError as exc:
                every_one_read = False
                answer = exc
            say(line(number, answer, ledger))
    return DONE if every_one_read else REFUSED


def run_import(options: argparse.Namespace) -> int:
    """Show what each FHIR Consent of a file would become; nothing is taken over."""
    with options.file.open("rb") as stream:
        data = stream.read(MAX_FILE_BYTES + 1)
    try:
        intake = read_records(data, name=options.file.name)
    except Refused as exc:
        raise InputRefused(exc.code, exc.detail) from exc
    found = [resource for resource in intake.resources if resource.type == "Consent"]
    for place, resource in enumerate(found, start=1):
        outcome = import_consent(resource.body)
        if options.json:
            say(canonical_bytes(outcome_to_json(outcome)).decode("utf-8"))
        else:
            say(explain_outcome(options.lang, place, outcome))
    if not found:
        raise InputRefused("no_consent")
    if intake.set_aside:
        sys.stderr.write(f"pgo: {len(intake.set_aside)} entries of the file could not be read.\n")
    return REFUSED if intake.set_aside else DONE


def refuse(what: str, error: ConsentError) -> int:
    """Say on standard error what cannot be used and why, by code."""
    place = "" if error.position is None else f", record {error.position}"
    sys.stderr.write(f"pgo: {what} cannot be used ({error.code}: {error.reason}{place}).\n")
    return REFUSED


@contextmanager
def _opened(path: Path) -> Iterator[BinaryIO]:
    """A file, or standard input for ``-``, which stays open."""
    if str(path) == _STANDARD_INPUT:
        yield sys.stdin.buffer
        return
    with path.open("rb") as stream:
        yield stream


def _lines(stream: BinaryIO) -> Iterator[bytes]:
    """Lines of bounded length; the rest of one that is too long is passed over, so it stays one line."""
    while line := stream.readline(MAX_QUESTION_BYTES + 2):
        yield line
        while len(line) > MAX_QUESTION_BYTES + 1 and not line.endswith(b"\n"):
            line = stream.readline(MAX_QUESTION_BYTES + 2)
