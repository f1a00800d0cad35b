"""Is what the server gives back what we sent? A status of 200 proves nothing; the content does.

`differs` allows what a server may rightly add and finds what it dropped or changed:

1. every member we sent is there, with an equal value; lists have the same length and order; numbers are
   equal as numbers;
2. members the server added are its own business;
3. `id`, `meta` and the narrative `text` belong to the server, except that every security label we sent must
   still be there: a label that is lost is data without its warning;
4. a reference that still says `urn:uuid:` was never resolved.

Sources: FHIR R4 http.html#create ("the server may..."), resource.html#Meta, narrative.html;
security-labels.html#core.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Final

from crypto.canonical import JsonValue
from sync.fhir_server.names import references_of
from sync.fhir_server.parcel import Body

MISSING: Final = "missing_there"
ALTERED: Final = "altered_there"
UNRESOLVED: Final = "unresolved_there"
LABELS: Final = "labels_lost_there"
_SERVERS_OWN: Final = frozenset({"id", "meta", "text"})


def differs(sent: Body, got: Body | None) -> str | None:
    """Say what is wrong with what came back; None when nothing is."""
    if got is None:
        return MISSING
    if any(reference.startswith("urn:uuid:") for reference in references_of(got)):
        return UNRESOLVED
    if not all(_contains(got.get(key), value) for key, value in sent.items() if key not in _SERVERS_OWN):
        return ALTERED
    return None if _labels(sent) <= _labels(got) else LABELS


def _contains(got: JsonValue, sent: JsonValue) -> bool:
    if isinstance(sent, Mapping):
        return isinstance(got, Mapping) and all(_contains(got.get(key), value) for key, value in sent.items())
    if isinstance(sent, list):
        if not isinstance(got, list) or len(got) != len(sent):
            return False
        return all(_contains(one, other) for one, other in zip(got, sent, strict=True))
    if isinstance(sent, bool) or isinstance(got, bool):
        return sent is got
    if isinstance(sent, int | Decimal) and isinstance(got, int | Decimal):
        return Decimal(sent) == Decimal(got)
    return sent == got


def _labels(body: Body) -> set[tuple[JsonValue, JsonValue]]:
    meta = body.get("meta")
    labels = meta.get("security") if isinstance(meta, Mapping) else None
    found = labels if isinstance(labels, list) else []
    return {
        (str(label.get("system")), str(label.get("code"))) for label in found if isinstance(label, Mapping)
    }
