"""Why a message could not be brought to a recipient, in one sentence."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from pgo.ui.text import t
from pgo.usecases.share import DeliveryView

_ERROR_KEYS: Final[Mapping[str, str]] = {
    "unreachable": "unreachable",
    "timeout": "unreachable",
    "busy": "busy",
    "no_proof": "untrusted",
    "bad_receipt": "untrusted",
    "receipt_mismatch": "untrusted",
    "answer_too_large": "untrusted",
    "bad_signature": "untrusted",
    "clock": "clock",
    "unsupported_version": "version",
    "fhir_not_allowed": "not_allowed",
    "fhir_login_refused": "not_allowed",
    "fhir_cannot": "cannot",
    "fhir_no_consent": "cannot",
    "fhir_several": "doubles",
    "fhir_failing": "busy",
}
"""Codes of `sync` (errors, wire.REFUSALS) to the last part of ``share.detail.error.<part>``."""


def why(lang: str, delivery: DeliveryView, *, name: str) -> list[str]:
    """Say why the last try failed, when it did."""
    if not delivery.last_error:
        return []
    kind = _ERROR_KEYS.get(delivery.last_error, "other")
    return [t(lang, f"share.detail.error.{kind}", name=name, code=delivery.last_error)]
