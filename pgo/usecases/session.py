"""The running application and one unlocked vault.

``Application`` is what exists before anybody unlocked anything: the clock, the folder of vaults, the cost
of the key derivation and a way to reach the network that nobody has used yet. ``Session`` is one unlocked
vault. Both are put together in ``pgo.bootstrap`` and handed to the use cases; nothing below reads a clock
or opens a socket by itself.

Rules:
1. After ``lock()`` every use case raises ``Locked``; the keys are gone and the database is closed.
2. A use case that changed something calls ``session.changed()``; listeners (screens, the deliverer) wake on
   it.
3. The time is never taken as earlier than the last trusted time the vault has seen, so that a clock set
   back cannot revive a grant (guide security 3.4).
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, tzinfo
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar, cast

from pgo.errors import InputRefused, KeyringRefused, Locked
from pgo.usecases.intake import ReaderHere

if TYPE_CHECKING:
    from crypto.passphrase import Argon2Parameters, Price
    from pgo.store.oskeyring import KeyKeeper
    from pgo.store.protocols import VaultStore
    from pgo.usecases.intake import FileReader
    from sync.fhir_server.transport import FhirTransport
    from sync.transport import Transport

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class DemoInfo:
    """What the demonstration shows on its start screen; every value is synthetic and public.

    Attributes:
        vault: folder of the ready-made synthetic patient.
        passphrase: opens that vault.
        portal_url: login page of the demo clinic, empty when no clinic runs.
        portal_user: login name of the demo clinician.
        portal_password: password of the demo clinician.
        card_text: signed card of the demo clinic, ready to paste.
    """

    vault: Path
    passphrase: str
    portal_url: str
    portal_user: str
    portal_password: str
    card_text: str


def no_keyring() -> KeyKeeper:
    """Say that no key ring is used.

    Raises:
        KeyringRefused: ``keyring_absent``, always.
    """
    raise KeyringRefused("keyring_absent")


def no_plain_servers(_clock: Callable[[], datetime]) -> FhirTransport:
    """Say that this application talks to no plain FHIR server.

    Raises:
        InputRefused: ``fhir_not_here``, always.
    """
    raise InputRefused("fhir_not_here")


@dataclass(frozen=True, slots=True)
class Application:
    """Everything the use cases need before a vault is open.

    Attributes:
        vaults: folder that holds one folder per vault.
        clock: aware UTC instant of now.
        argon2: cost of the passphrase for new slots; an existing slot keeps the cost it was made with.
        metered: says whether the connection costs money per byte; not knowing is no.
        calibrate: measures what this machine can pay for a new slot; None takes ``argon2`` as it is.
        keyring: finds the key ring of the operating system, or says why there is none.
        open_transport: makes the network client; called at the first delivery, never before.
        open_plain: makes the client for plain FHIR servers; called when the first is asked something.
        zone: where the patient's days begin; ``None`` is the time zone of the machine.
        demo: set by ``pgo demo`` only.
        open_reader: makes what reads files from outside; called at the first file.
        on_open: called with every session that opens; starts what runs beside it.
    """

    vaults: Path
    clock: Callable[[], datetime]
    argon2: Argon2Parameters
    open_transport: Callable[[], Transport]
    zone: tzinfo | None = None
    demo: DemoInfo | None = None
    on_open: Callable[[Session], None] | None = None
    open_reader: Callable[[], FileReader] = ReaderHere
    calibrate: Callable[[], Price] | None = None
    keyring: Callable[[], KeyKeeper] = no_keyring
    metered: Callable[[], bool] = bool
    open_plain: Callable[[Callable[[], datetime]], FhirTransport] = no_plain_servers


class Session:
    """One unlocked vault; every use case takes it as its first argument.

    Attributes:
        folder: folder of the vault.
    """

    def __init__(self, app: Application, store: VaultStore, *, folder: Path) -> None:
        self.folder = folder
        self._app = app
        self._store: VaultStore | None = store
        self._transport: Transport | None = None
        self._plain: FhirTransport | None = None
        self._reader: FileReader | None = None
        self._listeners: list[Callable[[], None]] = []
        self._at_lock: list[Callable[[], None]] = []
        self._remembered: dict[str, tuple[object, object]] = {}
        self._guard = threading.RLock()
        self._delivering = threading.Lock()

    def __repr__(self) -> str:
        return f"Session({'locked' if self.closed else 'open'})"

    @property
    def app(self) -> Application:
        """The application this session belongs to."""
        return self._app

    @property
    def closed(self) -> bool:
        """Whether the vault was locked."""
        return self._store is None

    @property
    def store(self) -> VaultStore:
        """The open store.

        Raises:
            Locked: the session is closed.
        """
        store = self._store
        if store is None:
            raise Locked
        return store

    @property
    def transport(self) -> Transport:
        """The network client, made at first use."""
        with self._guard:
            if self.closed:
                raise Locked
            if self._transport is None:
                self._transport = self._app.open_transport()
            return self._transport

    @property
    def plain_transport(self) -> FhirTransport:
        """The client for plain FHIR servers, made at first use."""
        with self._guard:
            if self.closed:
                raise Locked
            if self._plain is None:
                self._plain = self._app.open_plain(self.now)
            return self._plain

    @property
    def reader(self) -> FileReader:
        """What reads files from outside, made at first use."""
        with self._guard:
            if self.closed:
                raise Locked
            if self._reader is None:
                self._reader = self._app.open_reader()
            return self._reader

    def remembered(self, name: str, version: object, make: Callable[[], T]) -> T:
        """What ``make`` gives, made once per version; forgotten at lock."""
        with self._guard:
            kept = self._remembered.get(name)
        if kept is not None and kept[0] == version:
            return cast(T, kept[1])
        made = make()
        with self._guard:
            if not self.closed:
                self._remembered[name] = (version, made)
        return made

    def now(self) -> datetime:
        """Aware UTC instant, never before the newest instant this vault has recorded."""
        return max(self._app.clock(), self.store.newest_at())

    def today(self) -> date:
        """The patient's day."""
        return self.day_of(self.now())

    def day_of(self, at: datetime) -> date:
        """The patient's day in which an instant lies."""
        return at.astimezone(self._app.zone).date()

    def day_start(self, day: date) -> datetime:
        """The instant at which a day begins for the patient."""
        zone = self._app.zone
        midnight = datetime.combine(
            day, time.min, zone
        )  # without a zone: the machine's own, summer time included
        return midnight.astimezone(UTC)

    @contextlib.contextmanager
    def one_delivery(self) -> Iterator[bool]:
        """Yield True to the one caller that may deliver now, False to all others."""
        taken = self._delivering.acquire(blocking=False)
        try:
            yield taken
        finally:
            if taken:
                self._delivering.release()

    def on_change(self, listener: Callable[[], None]) -> Callable[[], None]:
        """Call ``listener`` after every change, from whatever thread; returns a function that stops it."""
        with self._guard:
            self._listeners.append(listener)

        def stop() -> None:
            with self._guard, contextlib.suppress(ValueError):
                self._listeners.remove(listener)

        return stop

    def on_lock(self, listener: Callable[[], None]) -> None:
        """Call ``listener`` once, right after the vault was locked, from whatever thread locked it."""
        with self._guard:
            self._at_lock.append(listener)

    def changed(self) -> None:
        """Tell all listeners that the vault holds something new."""
        with self._guard:
            listeners = tuple(self._listeners)
        for listener in listeners:
            listener()

    def lock(self) -> None:
        """Close the vault and forget its keys; safe to call twice."""
        with self._guard:
            store, self._store = self._store, None
            self._transport = self._plain = None
            reader, self._reader = self._reader, None
            at_lock, self._at_lock = self._at_lock, []
            self._listeners.clear()
            self._remembered.clear()
        try:
            if store is not None:
                store.close()
        finally:
            if reader is not None:
                reader.close()
            for listener in at_lock:
                listener()
