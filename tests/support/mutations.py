"""Seeded defects: each is planted in a copy of `consent/`, and a named test has to catch it.

`python -m tests.support.mutations FOLDER` copies the package there once per defect, replaces one piece
of source, and runs the test that should object, in a forked child. One line of JSON per defect says
whether it did. `tests/generative/test_mutations.py` runs this and asks for every single one.
"""

from __future__ import annotations

import importlib
import inspect
import json
import os
import shutil
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from random import Random

PROJECT = Path(__file__).resolve().parents[2]
TRIES = 6_000
LAWS = "tests.generative.test_consent_laws:test_"
FACTS = "tests.generative.test_consent_laws_of_facts:test_"
AGREE = "tests.generative.test_consent_agreement:test_the_engine_and_the_naive_reading_agree"


@dataclass(frozen=True)
class Mutation:
    """One defect: in this file this text becomes that one, and this test must notice."""

    name: str
    file: str
    old: str
    new: str
    killer: str


_PURPOSE = """    closure = PERMIT_CLOSURE if covers else DENY_CLOSURE
    reach = frozenset[str]().union(*(closure[code] for code in named))
    if covers:
        return YES if asked <= reach else NO"""
_ACTION = """    closure = PERMIT_ACTIONS if covers else DENY_ACTIONS
    reach = frozenset[Action]().union(*(closure[code] for code in named))
    if covers:
        return YES if asked <= reach else NO"""
_DATES = """        if any(apart):
            return NO
        return YES if all(inside) else MAYBE"""
M = Mutation
MUTATIONS: tuple[Mutation, ...] = (
    M(
        "permit on maybe",
        "matching",
        "(answer := check(facts)) != YES]",
        "(answer := check(facts)) == NO]",
        f"{FACTS}l13_what_is_permitted_unknown_is_permitted_known",
    ),
    M(
        "deny only on yes",
        "evaluator",
        "if match(bound, facts) != NO}",
        "if match(bound, facts) == YES}",
        AGREE,
    ),
    M(
        "any purpose suffices",
        "matching",
        _PURPOSE,
        _PURPOSE.replace("asked <= reach", "asked & reach"),
        f"{LAWS}l11_more_purposes_or_actions_asked_never_helps",
    ),
    M(
        "any action suffices",
        "matching",
        _ACTION,
        _ACTION.replace("asked <= reach", "asked & reach"),
        f"{LAWS}l11_more_purposes_or_actions_asked_never_helps",
    ),
    M("deny with the small closure", "matching", _PURPOSE, _PURPOSE.replace("DENY", "PERMIT"), AGREE),
    M(
        "fork as union",
        "evaluator",
        "if agreeing == len(line.heads):",
        "if agreeing:",
        f"{LAWS}l9_a_fork_permits_only_what_each_head_permits",
    ),
    M(
        "order by clock",
        "effective",
        "return [v for v in versions if v.hash not in seen]",
        "return [max(versions, key=lambda v: v.record.at)]",
        f"{LAWS}l9_a_fork_permits_only_what_each_head_permits",
    ),
    M(
        "withdrawal by clock",
        "effective",
        "if h not in self.ledger.past[signed.hash]]",
        "if w.at > grant.at]",
        f"{LAWS}l6_a_withdrawal_beats_every_permit_that_has_not_seen_it",
    ),
    M(
        "superseded content alive",
        "effective",
        "return frozenset[RecordHash]().union(*(self.ledger.past[v.hash] for v in versions))",
        "return frozenset[RecordHash]()",
        f"{LAWS}l8_the_content_of_superseded_versions_is_inert",
    ),
    M(
        "first hit gives the obligations",
        "evaluator",
        "union(*(rule.obligation for _, rule in granted))",
        "union(*(rule.obligation for _, rule in granted[:1]))",
        AGREE,
    ),
    M(
        "weakest de-identification",
        "evaluator",
        "deidentification=max(levels,",
        "deidentification=min(levels,",
        f"{FACTS}l21_adding_a_grant_never_weakens_obligations",
    ),
    M(
        "no floor for research",
        "floors",
        '"research", RESEARCH_PURPOSES, RESEARCH_FLOOR,',
        '"research", RESEARCH_PURPOSES, Deidentification.NONE,',
        f"{FACTS}l14_research_carries_floor_and_duty",
    ),
    M(
        "research may be traced back",
        "floors",
        "frozenset({RESEARCH_DUTY})",
        "frozenset()",
        f"{FACTS}l14_research_carries_floor_and_duty",
    ),
    M(
        "empty topic list inside",
        "research",
        "    if not study.topics:\n        return NO",
        "    if not study.topics:\n        return YES",
        AGREE,
    ),
    M(
        "one topic inside suffices",
        "research",
        "return min(max(inside(asked, granted) for granted in use.topics)",
        "return max(max(inside(asked, granted) for granted in use.topics)",
        AGREE,
    ),
    M(
        "silence opts in",
        "research",
        "[YES if getattr(limits, name) else turned(tri(getattr(study, name))) for name in OPT_INS]",
        "[YES for _ in OPT_INS]",
        AGREE,
    ),
    M(
        "missing ancestor silences a deny",
        "authority",
        "return sound and signed.hash not in self.ledger.incomplete",
        "return sound",
        f"{FACTS}l20_a_missing_ancestor_never_silences_a_deny",
    ),
    M(
        "stolen key silences a deny",
        "authority",
        "sound = self.key_holds(signed) and signed.kid not in self.frozen",
        "sound = signed.kid not in self.frozen",
        f"{FACTS}l20_a_distrusted_key_never_silences_a_deny",
    ),
    M(
        "a frozen key still counts",
        "authority",
        "sound = self.key_holds(signed) and signed.kid not in self.frozen",
        "sound = self.key_holds(signed)",
        f"{FACTS}l20_a_second_record_at_one_place_never_permits_more",
    ),
    M(
        "a key certified at a split is a key",
        "authority",
        "return whole and self.key_holds(signed)",
        "return self.key_holds(signed)",
        "tests.unit.consent.test_equivocation:"
        "test_a_key_certified_at_the_split_is_no_key_and_one_certified_before_it_is",
    ),
    M(
        "frozen keys settle each other",
        "authority",
        "whole = signed.kid not in self.ledger.splits and",
        "whole =",
        "tests.unit.consent.test_equivocation:test_two_frozen_keys_do_not_settle_each_other",
    ),
    M(
        "distrust from a later place settles a split",
        "authority",
        "told[1] <= self.ledger.splits.get(told[0], -1)",
        "told[0] in self.ledger.splits",
        AGREE,
    ),
    M(
        "basis without what settled a split",
        "effective",
        " | self.settled_by.get(older, frozenset())",
        "",
        "tests.unit.consent.test_equivocation:"
        "test_distrusting_the_key_from_the_split_settles_it_and_what_lies_before_counts_again",
    ),
    M(
        "last instant included",
        "effective",
        "return HeadState.IN_FORCE if now < grant.period.until_at",
        "return HeadState.IN_FORCE if now <= grant.period.until_at",
        f"{LAWS}l7_nothing_is_permitted_outside_the_period",
    ),
    M(
        "works before its start",
        "effective",
        "if now < grant.period.from_at:",
        "if now == grant.period.from_at and False:",
        f"{LAWS}l7_nothing_is_permitted_outside_the_period",
    ),
    M(
        "clock set back",
        "effective",
        "if newest is not None and newest > now:",
        "if newest is None:",
        f"{LAWS}l7_setting_the_clock_back_changes_nothing",
    ),
    M(
        "one cluster opted in suffices",
        "matching",
        "        if not needed_clusters(facts) <= named:",
        "        if needed_clusters(facts) and needed_clusters(facts).isdisjoint(named):",
        f"{FACTS}l15_every_cluster_on_a_permitted_resource_was_opted_in_by_name",
    ),
    M(
        "genetics without opting in",
        "matching",
        "    if Category.GENETICS in facts.categories:",
        "    if Category.ADMIN in facts.categories:",
        AGREE,
    ),
    M(
        "one category covered suffices",
        "matching",
        "if not facts.categories <= named:",
        "if facts.categories and facts.categories.isdisjoint(named):",
        AGREE,
    ),
    M(
        "one date inside suffices",
        "matching",
        _DATES,
        _DATES.replace("any(", "all(").replace("if all(inside)", "if any(inside)"),
        AGREE,
    ),
    M("carve-out ignored", "matching", "(worst := min(cuts)) != YES", "(worst := min(cuts)) > YES", AGREE),
    M(
        "maybe lifts a deny",
        "matching",
        "answer = min(answer, turned(match(child, facts)))",
        "answer = min(answer, NO if match(child, facts) != NO else YES)",
        AGREE,
    ),
    M(
        "lift without acknowledgement",
        "effective",
        "            and deny.hash in self.ledger.past[w.hash]\n            and self._replaces(w)",
        "            and self._replaces(w)",
        AGREE,
    ),
    M(
        "representative lifts the person's own deny",
        "effective",
        '            and (w.record.by.role == "self" or deny.record.by.role == "representative")\n',
        "",
        f"{FACTS}l22_a_representative_never_ends_the_persons_own_deny",
    ),
    M(
        "representative replaces the person's own deny",
        "effective",
        '            and (v.record.by.role == "self" or not own)\n',
        "",
        f"{FACTS}l22_a_representative_never_ends_the_persons_own_deny",
    ),
    M(
        "one of two signatures suffices",
        "authority",
        "return frozenset[str]().union(*needed) <= parties and",
        "return not parties.isdisjoint(*needed) and",
        AGREE,
    ),
    M(
        "a parent's permit outlives the sixteenth birthday",
        "authority",
        "            and not (birthdays[0] is not None and now >= birthdays[0])\n",
        "",
        AGREE,
    ),
    M(
        "limits of an authority ignored",
        "evaluator",
        "return scope is None or any(",
        "return scope is None or bool(scope) or any(",
        AGREE,
    ),
    M(
        "one branch carries the others",
        "attenuation",
        "return all(any(attenuates(child, parent)",
        "return any(any(attenuates(child, parent)",
        f"{LAWS}l10_an_attenuated_grant_permits_nothing_its_parent_does_not",
    ),
    M(
        "basis without what ended a deny",
        "effective",
        "support=self._support(signed),",
        "support=frozenset(),",
        f"{FACTS}l17_the_basis_with_its_causal_past_reproduces_the_permit",
    ),
    M(
        "replay with what came later",
        "decision",
        "ledger if known_as_of is None else ledger.as_known(known_as_of)",
        "ledger",
        f"{FACTS}what_could_be_known_then_is_what_a_replay_knows",
    ),
    M(
        "equal objection loses",
        "precedence",
        "all(own > other for own, other in limited)",
        "all(own >= other for own, other in limited)",
        "tests.unit.consent.test_precedence:test_an_objection_as_specific_as_the_permit_wins",
    ),
)


def plant(mutation: Mutation, folder: Path) -> None:
    """Copy what the tests need and plant the defect; the text to replace must be there once."""
    shutil.copytree(PROJECT / "consent", folder / "consent", ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("crypto", "assets", "tests", "pgo"):
        (folder / name).symlink_to(PROJECT / name, target_is_directory=True)
    path = folder / "consent" / f"{mutation.file}.py"
    source = path.read_text(encoding="utf-8")
    if source.count(mutation.old) != 1:
        raise LookupError(f"{mutation.name}: the text to replace is not there exactly once")
    path.write_text(source.replace(mutation.old, mutation.new), encoding="utf-8")


def caught(killer: str) -> bool:
    """Run the named test against whatever `consent` is importable now; say whether it objects."""
    module, _, name = killer.partition(":")
    test = getattr(importlib.import_module(module), name)
    check: Callable[[Random], None] | None = getattr(test, "check", None)
    try:
        if check is None:
            test(0) if inspect.signature(test).parameters else test()
        else:
            for seed in range(TRIES):
                check(Random(seed))
    except Exception:  # whatever a test raises, it objects; importing it has worked by now
        return True
    return False


def run_all(folder: Path) -> None:
    """Try every defect in a child of its own; nothing of `consent` is imported here before."""
    for number, mutation in enumerate(MUTATIONS):
        place = folder / str(number)
        place.mkdir()
        plant(mutation, place)
        child = os.fork()
        if child == 0:
            sys.path.insert(0, str(place))
            status = 2
            try:
                status = 0 if caught(mutation.killer) else 1
            finally:
                os._exit(status)
        _, code = os.waitpid(child, 0)
        print(json.dumps({"name": mutation.name, "status": os.waitstatus_to_exitcode(code)}), flush=True)


if __name__ == "__main__":
    run_all(Path(sys.argv[1]))
