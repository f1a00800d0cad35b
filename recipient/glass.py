"""The pane before a patient whom somebody does not treat: what opens it, and what opening leaves behind.

Promises:
1. a reason is offered only when the statement in force permits looking for the purpose it stands for; where
   nothing is permitted for any of them, the patient is not here at all;
2. a reason given, and a treating relation begun or ended, are events of the patient's own log, written in the
   transaction that makes them true.

What the reasons mean is in ``recipient.treating``; what they let somebody see is decided in
``recipient.reading`` as for every look.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from consent.codes import PERMIT_ACTIONS, PERMIT_CLOSURE, Action
from consent.rules import Rule
from recipient import audit, treating
from recipient.accounts import Account
from recipient.errors import NotShared, ReasonNeeded, Refused
from recipient.holdings import Holding, holding_in_force, sub_behind
from recipient.store import Store
from recipient.treating import Grounds, Reason


class Glass:
    """Asks for reasons, for one place with one usual purpose."""

    def __init__(self, store: Store, *, usual: str) -> None:
        self._store = store
        self._usual = usual

    def offered(self, handle: str, *, at: datetime) -> tuple[Reason, ...]:
        """Return the reasons that would open something of this patient.

        Raises:
            NotShared, Purged: there is nothing that any reason would open.
        """
        return self._offered(holding_in_force(self._store, handle, at=at))

    def give(self, account: Account, handle: str, reason: Reason, note: str, *, at: datetime) -> None:
        """Take a reason, and write it into the patient's log.

        Raises:
            Refused: ``bad_reason``, one that is not offered. NotShared, Purged: as ``offered``.
        """
        with self._store.transaction(about=sub_behind(self._store, handle)):
            holding = holding_in_force(self._store, handle, at=at)
            if reason not in self._offered(holding):
                raise Refused("bad_reason")
            given = treating.keep_reason(
                self._store, account, holding.sub, reason=reason, note=note, usual=self._usual, at=at
            )
            seen = audit.Seen(
                audit.REASONED, frozenset(), given.purpose, reason=given.reason, note=given.note
            )
            audit.append(self._store, holding.sub, account=account, seen=seen, at=at)

    def treats(self, account: Account, handle: str, *, at: datetime) -> bool:
        """Tell whether somebody said to treat this patient, and could take that back."""
        holding = holding_in_force(self._store, handle, at=at)
        return treating.treats(self._store, account.id, holding.sub, at=at)

    def end(self, account: Account, handle: str, *, at: datetime) -> None:
        """Take "I treat this patient" back, and write that into the patient's log."""
        with self._store.transaction(about=sub_behind(self._store, handle)):
            holding = holding_in_force(self._store, handle, at=at)
            party = treating.account_party(account.id)
            if treating.end(self._store, holding.sub, party=party, at=at):
                seen = audit.Seen(audit.ENDED, frozenset(), self._usual)
                audit.append(self._store, holding.sub, account=account, seen=seen, at=at)

    def grounds(self, account: Account, holding: Holding, *, at: datetime) -> Grounds:
        """Say on which grounds somebody looks now.

        Raises:
            ReasonNeeded: none yet, and there are reasons that would open something.
            NotShared: nothing here is shared with people who look.
        """
        self._offered(holding)
        for found in treating.grounds(self._store, account, holding.sub, usual=self._usual, at=at):
            if is_shared_for(holding, found.purpose):
                return found
        raise ReasonNeeded(holding.handle)

    def _offered(self, holding: Holding) -> tuple[Reason, ...]:
        found = tuple(
            reason
            for reason in Reason
            if is_shared_for(holding, treating.purpose_of(reason, usual=self._usual))
        )
        if not found:
            raise NotShared
        return found


def is_shared_for(holding: Holding, purpose: str) -> bool:
    """Whether anything was shared for looking at it for a purpose; who shares for research is no patient."""
    return bool(rules_for(holding, purpose))


def is_shared_only_for(holding: Holding, purpose: str) -> bool:
    """Whether nothing was shared for anything but looking at it for a purpose."""
    return len(rules_for(holding, purpose)) == len(holding.statement.scope)


def rules_for(holding: Holding, purpose: str) -> tuple[Rule, ...]:
    """Return the rules of a statement under which one looks for a purpose."""
    return tuple(
        rule
        for rule in holding.statement.scope
        if Action.VIEW in _covered(rule.action) and purpose in _served(rule.purpose)
    )


def _covered(actions: Iterable[Action] | None) -> frozenset[Action]:
    """What a rule with these actions lets one do."""
    return frozenset[Action]().union(*(PERMIT_ACTIONS[action] for action in actions or ()))


def _served(purposes: Iterable[str] | None) -> frozenset[str]:
    """The purposes a rule with these purposes serves."""
    return frozenset[str]().union(*(PERMIT_CLOSURE.get(purpose, {purpose}) for purpose in purposes or ()))
