"""What the rest of the program asks of a store (``recipient.store`` says what it promises)."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any, Protocol, TypeAlias

from recipient.kek import Wrapping
from recipient.key_files import StoreKey

Value: TypeAlias = "str | int | float | bytes | None"


@dataclass(frozen=True, slots=True, repr=False)
class Keys:
    """What a store needs from outside its database."""

    secrets: StoreKey
    wrapping: Wrapping


class Store(Protocol):
    """One open store, shared by the threads of a process."""

    @property
    def secrets(self) -> StoreKey:
        """What seals the secrets of the installation."""

    @property
    def wrapping(self) -> Wrapping:
        """What wraps the keys of what patients sent."""

    def derived_key(self, label: str) -> bytes:
        """Return 32 secret bytes for one use, the same ones after every start and in every process."""

    def rows(self, sql: str, parameters: Sequence[Value] = ()) -> list[tuple[Any, ...]]:
        """Run one statement and return all its rows, in the order the statement asks for."""

    def row(self, sql: str, parameters: Sequence[Value] = ()) -> tuple[Any, ...] | None:
        """Return the first row of a statement, or None."""

    def run(self, sql: str, parameters: Sequence[Value] = ()) -> int:
        """Run one changing statement; return how many rows it touched."""

    def run_many(self, sql: str, parameters: Iterable[Sequence[Value]]) -> int:
        """Run one changing statement for each set of values; return how many rows they touched together."""

    def transaction(self, about: str | Collection[str] | None = None) -> AbstractContextManager[None]:
        """Let everything in the block happen together, or nothing of it.

        Args:
            about: the sender (``sub``) the block is about, or the few it is about; transactions about others
                may go on meanwhile. None: about everything.

        Raises:
            Busy: others hold the store too long, or the database does not answer; nothing happened.
        """

    def faults(self) -> int:
        """Count what the database itself finds wrong with what it keeps."""

    def fold(self) -> None:
        """Leave nothing behind of what was erased, as far as this database can be told to."""

    def close(self) -> None:
        """Give everything back."""


class WithKeys:
    """What every store says of its keys, whatever database it is in."""

    def __init__(self, keys: Keys) -> None:
        self._keys = keys

    @property
    def secrets(self) -> StoreKey:
        """What seals the secrets of the installation."""
        return self._keys.secrets

    @property
    def wrapping(self) -> Wrapping:
        """What wraps the keys of what patients sent."""
        return self._keys.wrapping

    def derived_key(self, label: str) -> bytes:
        """Return 32 secret bytes for one use."""
        return self._keys.secrets.derived(label)
