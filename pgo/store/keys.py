"""The keys of an open vault: what opens it, and how that is changed without encrypting any record again.

Rules:
1. A change is one atomic write of the header, and the header before it goes at once: with it, an old
   passphrase or a used code would open the vault for ever.
2. A new passphrase drops the key ring's slot: whoever changes it may do so because somebody else got in.
3. At every instant the old secret opens the vault or the new one does, never neither.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from crypto.canonical import canonical_bytes, sha256_id
from crypto.kdf import erase
from crypto.passphrase import Argon2Parameters
from crypto.recovery import new_recovery_code
from pgo.store.backup_format import portable_slots
from pgo.store.header import Header, slot_to_json
from pgo.store.slots import code_opens, keyring_slot, open_passphrase_slot, passphrase_slot, recovery_slot


class VaultKeys:
    """The slots of one open vault; part of ``Vault``.

    Args:
        vault_key: shared with the vault, which erases it when it closes.
        header: gives the header as it stands.
        change: writes the header as a function makes it and removes the one before; nobody else writes it
            meanwhile.
    """

    def __init__(
        self,
        vault_key: bytearray,
        *,
        header: Callable[[], Header],
        change: Callable[[Callable[[Header], Header]], None],
    ) -> None:
        self._vault_key, self._header, self._change = vault_key, header, change

    def __repr__(self) -> str:
        return "VaultKeys()"

    def generation(self) -> int:
        """Number of the vault key; 1 for the first, one more after each renewal."""
        return self._header().generation

    def fingerprint(self) -> str:
        """Hash of the slots a backup carries: with other ones, an older backup opens with older secrets."""
        slots = portable_slots(self._header().slots)
        return sha256_id(canonical_bytes([slot_to_json(slot) for slot in slots]))

    def price(self) -> Argon2Parameters | None:
        """What one guess at the passphrase costs."""
        slot = self._header().slot("passphrase")
        return slot.parameters if slot is not None else None

    def check_passphrase(self, passphrase: str) -> None:
        """Return when this passphrase opens the vault.

        Raises:
            WrongPassphrase: it does not.
        """
        erase(open_passphrase_slot(self._header(), passphrase))

    def replace_passphrase(self, passphrase: str, *, argon2: Argon2Parameters) -> None:
        """Make a new passphrase slot in the place of the old one; the key ring's slot goes."""
        slot = passphrase_slot(self._header(), passphrase, argon2=argon2, vault_key=self._vault_key)
        self._change(lambda header: header.without_slot("keyring").with_slot(slot))

    def recovery_opens(self, code_text: str) -> bool:
        """Whether this recovery code opens the vault."""
        return code_opens(self._header(), code_text)

    def recovery_confirmed(self) -> bool:
        """Whether the present recovery code was typed back."""
        return self._header().recovery_confirmed

    def confirm_recovery(self) -> None:
        """Remember that the recovery code was typed back."""
        self._change(lambda header: replace(header, recovery_confirmed=True))

    def replace_recovery(self) -> str:
        """Make a new recovery code; the old one opens nothing any more."""
        code = new_recovery_code()
        slot = recovery_slot(self._header(), code, vault_key=self._vault_key)
        self._change(lambda header: replace(header.with_slot(slot), recovery_confirmed=False))
        return code.text

    def in_keyring(self) -> bool:
        """Whether a secret in the operating system's key ring opens this vault."""
        return self._header().slot("keyring") is not None

    def add_keyring(self, secret: bytes) -> None:
        """Make the slot that this secret opens."""
        slot = keyring_slot(self._header(), secret, vault_key=self._vault_key)
        self._change(lambda header: header.with_slot(slot))

    def drop_keyring(self) -> None:
        """Remove the key ring's slot; what the key ring still holds opens nothing any more."""
        self._change(lambda header: header.without_slot("keyring"))
