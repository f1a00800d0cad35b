"""One run over a bad line: patients share measurement after measurement, both ends are killed on the way.

What happens to which request, and at which request which side is killed, follows from the seed. A kill comes
at a moment of that request (arrived, forwarded, answered, done) or some milliseconds after it.
"""

from __future__ import annotations

import threading
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any

from tests.support.fault_driver import Gone
from tests.support.fault_proxy import Fault, Proxy, Request, Weather, fair, storm
from tests.support.sync_books import Books, compare
from tests.support.sync_process import CARD, Patient, Recipient, free_port

MOMENTS = ("arrived", "forwarded", "answered", "done")
MOST_TRIES = 60
"""Passes for one measurement; at 35% faults the chance that an honest line needs so many is nil (1e-27)."""


@dataclass(frozen=True)
class Size:
    """How much one run does."""

    patients: int
    each: int
    share: float
    kills: int
    seed: int = 1


@dataclass
class Run:
    """One run, from nothing to the two books."""

    folder: Path
    size: Size
    planted_here: str = ""
    planted_there: str = ""
    database: str = ""
    killed: Counter[str] = field(default_factory=Counter)
    requests: list[Request] = field(default_factory=list)
    faults: Counter[Fault] = field(default_factory=Counter)
    said: dict[str, tuple[dict[str, Any], dict[int, str]]] = field(default_factory=dict)
    books: Books = field(default_factory=Books)

    def __post_init__(self) -> None:
        self.recipient = Recipient(self.folder / "recipient", free_port(), self.planted_there, self.database)
        self.proxy = Proxy(self.recipient.port, weather=self._weather, moment=self._moment)
        self._current: Patient | None = None
        self._plan = self._kills()
        self._timers: list[threading.Timer] = []

    @property
    def _storm(self) -> Weather:
        return storm(self.size.seed, self.size.share)

    def _weather(self, number: int) -> Fault:
        return self._storm(number) if self.size.share else fair(number)

    def _kills(self) -> dict[int, tuple[str, str, float]]:
        """Number of a request to (side, moment, seconds after it)."""
        dice = Random(self.size.seed)
        expected = int(self.size.patients * self.size.each * 1.2)
        chosen = dice.sample(range(3, max(expected, self.size.kills + 3)), self.size.kills)
        late = (0.0, 0.002, 0.01, 0.03)
        return {
            number: (("patient", "recipient")[i % 2], dice.choice(MOMENTS), dice.choice(late))
            for i, number in enumerate(sorted(chosen))
        }

    def _moment(self, name: str, request: Request) -> None:
        planned = self._plan.get(request.number)
        if planned is None or planned[1] != name:
            return
        del self._plan[request.number]
        side, _, seconds = planned
        if seconds:
            timer = threading.Timer(seconds, self._kill, (side,))
            self._timers.append(timer)
            timer.start()
        else:
            self._kill(side)

    def _kill(self, side: str) -> None:
        one = self._current if side == "patient" else self.recipient
        if one is not None and one.kill():
            self.killed[side] += 1

    def go(self) -> Books:
        """Do it and compare."""
        self.recipient.make(self.proxy.url)
        try:
            with self.proxy.running():
                self.recipient.start()
                for number in range(self.size.patients):
                    sub, books, kept = self._one_patient(number)
                    self.said[sub] = (books, kept)
        finally:
            for timer in self._timers:
                timer.join()
            self.recipient.stop()
        self.requests, self.faults = self.proxy.seen, self.proxy.counted
        self.books = compare(self.recipient.data, self.said)
        return self.books

    def _one_patient(self, number: int) -> tuple[str, dict[str, Any], dict[int, str]]:
        place = self.folder / f"patient{number}"
        place.mkdir()
        (place / CARD).write_bytes(self.recipient.card)
        patient, dice = Patient(place, self.planted_here), Random(f"{self.size.seed}:{number}")
        kept: dict[int, str] = {}
        patient.start()
        self._current = patient
        try:
            for step in range(self.size.each):
                again = bool(kept) and dice.random() < 0.1
                which = dice.choice(sorted(kept)) if again else step
                value = f"{40 + number}.{step:04d}"
                self._sure(patient, "record", which, value)
                kept[which] = value
                if not self._until_sent(patient):
                    break  # what still waits the books will show
            self._current = None
            return self._sure(patient, "sub"), self._sure(patient, "books"), kept
        finally:
            self._current = None
            patient.end()

    def _until_sent(self, patient: Patient) -> bool:
        return any(not self._sure(patient, "send") for _ in range(MOST_TRIES))

    def _sure(self, patient: Patient, verb: str, *words: object) -> Any:
        """Ask; whoever was killed meanwhile is started again, and asked again."""
        while True:
            if not self.recipient.runs:
                self.recipient.stop()
                self.recipient.start()
            try:
                return patient.ask(verb, *words)
            except Gone:
                patient.restart()
