"""A patient's outbox and a recipient over a line that loses, repeats and replaces: the laws of delivery.

1. Nothing leaves without a permit of that moment.
2. After a withdrawal no new byte leaves.
3. However often a message is sent, it has at most one effect.
4. Delivered means: the recipient has exactly what was permitted when it was sent, and we hold its receipt.
5. When the line works again, everything that is permitted arrives.
"""

from __future__ import annotations

import contextlib
from datetime import timedelta
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from crypto.canonical import sha256_id
from sync import outbox
from sync.errors import RemoteRuleError
from sync.outbox import OutboxEntry, State
from sync.runner import run_once
from sync.wire import Kind, new_message_id
from tests.support.sync_world import (
    AT,
    CLINIC_ID,
    MemoryPort,
    RecipientSimulator,
    an_entry,
    answer_lost,
    lost_on_the_way,
)

FAULTS = st.lists(
    st.sampled_from(
        [lost_on_the_way, answer_lost, lambda _: b"<html>proxy</html>", lambda body: body[:-1], None]
    ),
    max_size=4,
)


class DeliveryMachine(RuleBasedStateMachine):
    @initialize()
    def start(self) -> None:
        self.now = AT
        self.clinic = RecipientSimulator(clock=lambda: self.now)
        self.port = MemoryPort(permitted={CLINIC_ID: b"grant 1"})
        self.port.before_send = self._sent
        self.permits_used: list[tuple[bytes | None, bytes | None]] = []
        self.version = 1

    def _sent(self, entry: OutboxEntry) -> None:
        self.permits_used.append((entry.payload, self.port.permitted[CLINIC_ID]))

    @rule(kind=st.sampled_from([Kind.PUSH, Kind.STATEMENT]))
    def wish_to_send(self, kind: Kind) -> None:
        self.port.add(an_entry(kind=kind, message_id=new_message_id(), created_at=self.now, next_at=self.now))

    @rule()
    def change_the_grant(self) -> None:
        self.version += 1
        self.port.permitted[CLINIC_ID] = b"grant %d" % self.version

    @rule()
    def withdraw(self) -> None:
        self.port.permitted[CLINIC_ID] = None
        for entry in self.port.open_entries():
            self.port.entries[entry.id] = outbox.cancel(entry)

    @rule(faults=FAULTS, seconds=st.integers(0, 7_200))
    def run_over_a_bad_line(self, faults: list[Any], seconds: int) -> None:
        self.now += timedelta(seconds=seconds)
        self.clinic.faults = list(faults)
        before = len(self.clinic.bodies)
        run_once(self.port, self.clinic, at=self.now, jitter=lambda: 0.5)
        if self.port.permitted[CLINIC_ID] is None:
            assert len(self.clinic.bodies) == before  # law 2

    @rule()
    def killed_while_sending(self) -> None:
        content = self.port.permitted[CLINIC_ID]
        for entry in self.port.open_entries()[:1]:
            if content is not None and not outbox.needs_new_entry(entry, content):
                self.port.entries[entry.id] = outbox.start(entry, payload=content)

    @rule()
    def replay_everything(self) -> None:
        stored = dict(self.clinic.stored)
        self.clinic.faults = []
        for body in list(self.clinic.bodies):
            with contextlib.suppress(RemoteRuleError):  # too late, or in conflict with what is stored
                self.clinic._answer("/v1/inbox", body)
        new = set(self.clinic.stored) - set(stored)
        sent = {entry.message_id for entry in self.port.entries.values()}
        assert new <= sent
        assert {key: self.clinic.stored[key] for key in stored} == stored

    @rule()
    def the_line_works_again(self) -> None:
        self.clinic.faults = []
        for _ in range(4):
            self.now += timedelta(days=1)
            run_once(self.port, self.clinic, at=self.now, jitter=lambda: 0.5)
        assert self.port.open_entries() == ()  # law 5
        assert State.REFUSED not in {entry.state for entry in self.port.entries.values()}

    @invariant()
    def nothing_left_without_a_permit(self) -> None:
        assert all(sent == permitted for sent, permitted in self.permits_used)

    @invariant()
    def delivered_means_the_recipient_has_it(self) -> None:
        for entry in self.port.entries.values():
            if entry.state is State.DELIVERED:
                receipt = self.port.receipts[entry.id]
                message = self.clinic.stored[entry.message_id]
                assert receipt.payload_hash == sha256_id(message.content) == message.payload_hash

    @invariant()
    def one_effect_per_message(self) -> None:
        assert set(self.clinic.stored) == set(self.clinic.receipts)
        assert set(self.clinic.stored) <= {entry.message_id for entry in self.port.entries.values()}


DeliveryMachine.TestCase.settings = settings(max_examples=40, stateful_step_count=25, deadline=None)
TestDelivery = DeliveryMachine.TestCase
