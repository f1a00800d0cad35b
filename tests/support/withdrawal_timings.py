"""What a test of a withdrawal amid a delivery needs: a line that counts, and a patient who stops.

The two kinds of recipient differ in what is sent and in what must hold afterwards; their tests add that.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field

from pgo.usecases import deliver, share
from pgo.usecases.session import Session
from sync.transport import InboxTransport
from tests.support.fault_proxy import Proxy


@dataclass
class CountedLine:
    """The real way out; counts the pieces with records let go before and after the commit of a withdrawal."""

    inner: InboxTransport = field(default_factory=InboxTransport)
    committed: threading.Event = field(default_factory=threading.Event)
    before: int = 0
    after: int = 0
    deaf: bool = False

    def counted(self, going: Callable[[], bool], *, push: bool) -> Callable[[], bool]:
        """The same question, counting what it lets through; a deaf line does not listen to the answer."""

        def ask() -> bool:
            late = self.committed.is_set()
            answer = going() or self.deaf
            self.after += answer and late and push
            self.before += answer and not late and push
            return answer

        return ask


@dataclass(kw_only=True)
class Timings:
    """One patient and one line; each timing gives, lets something happen, takes back."""

    session: Session
    line: CountedLine
    proxy: Proxy
    timings: int = 0
    late_bytes: list[int] = field(default_factory=list)

    def withdraw(self, grant: str) -> None:
        share.withdraw(self.session, grant)
        self.line.committed.set()

    def sending(self) -> threading.Thread:
        thread = threading.Thread(target=deliver.send_now, args=(self.session,))
        thread.start()
        return thread

    def until_told(self) -> None:
        """Send until nothing waits: the other side has the withdrawal and has answered for it."""
        for _ in range(20):
            deliver.send_now(self.session)
            if not self.session.store.outbox.count_open():
                break

    def nothing_left(self, note: str) -> None:
        """What holds after every withdrawal, whoever receives."""
        self.timings += 1
        assert self.line.after == 0, f"{note}: {self.line.after} pieces left after the commit"
