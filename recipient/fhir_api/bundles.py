"""Answers as bytes: a searchset built by joining, so that every resource leaves as the bytes it came as.

Rules:

1. a resource is never decoded and written again: numbers keep their digits, signatures over it still hold;
2. ``fullUrl`` is unique in a bundle (R4 bdl-7); of two with one address the second gets one of our own;
3. the ``self`` link says which parameters were used, ``next`` carries an opaque cursor and nothing else.

Source: FHIR R4 http.html#paging, search.html#conformance, bundle.html.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import format_datetime
from urllib.parse import quote, urlencode

from recipient.fhir_api.addresses import full_url, own_urn, patient_id
from recipient.fhir_api.outcome import outcome
from recipient.fhir_api.results import Found, Page


@dataclass(frozen=True, slots=True)
class Links:
    """Where an answer lies: base of the API, path, parameters that counted, cursor of the next page."""

    base: str
    path: str
    used: Sequence[tuple[str, str]]
    cursor: str | None

    def pairs(self) -> list[tuple[str, str]]:
        """Return relation and address of each link."""
        address = f"{self.base}/{self.path}"
        query = urlencode(list(self.used), quote_via=quote)
        links = [("self", f"{address}?{query}" if query else address)]
        if self.cursor is not None:
            links.append(("next", f"{address}?_page={self.cursor}"))
        return links


def searchset(page: Page, links: Links, *, ignored: bool, at: datetime) -> bytes:
    """Write the Bundle of one page.

    Args:
        page: what is shown.
        links: where it lies.
        ignored: whether a parameter was left out, which a warning then says.
        at: now.
    """
    head = {
        "resourceType": "Bundle",
        "meta": {"lastUpdated": at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")},
        "type": "searchset",
        "total": page.total,
        "link": [{"relation": relation, "url": url} for relation, url in links.pairs()],
    }
    entries = list(_entries(page.found, base=links.base))
    if ignored:
        warning = outcome("unknown_parameter", severity="warning")
        entries.append(b'{"resource":' + warning + b',"search":{"mode":"outcome"}}')
    if not entries:  # FHIR JSON knows no empty list
        return _json(head)
    return _json(head)[:-1] + b',"entry":[' + b",".join(entries) + b"]}"


def body_of(found: Found) -> bytes:
    """Return the resource as it came; of a patient who shares no name, what is known: the id."""
    if found.item is not None:
        return found.item.resource.raw
    return _json({"resourceType": "Patient", "id": patient_id(found.handle)})


def version_tag(body: bytes) -> str:
    """Return the ETag of a resource: R4 wants a weak one; the same bytes have the same."""
    return f'W/"{hashlib.sha256(body).hexdigest()[:32]}"'


def http_date(at: datetime) -> str:
    """Write an instant as ``Last-Modified`` has it (RFC 9110 section 5.6.7)."""
    return format_datetime(at.astimezone(UTC).replace(microsecond=0), usegmt=True)


def _entries(found: Iterable[Found], *, base: str) -> Iterable[bytes]:
    taken: set[str] = set()
    for one in found:
        url = full_url(one.item, one.id) if one.item else own_urn(one.id)
        url = own_urn(one.id) if url in taken else url
        taken.add(url)
        head = {"link": [{"relation": "self", "url": f"{base}/{one.kind}/{one.id}"}], "fullUrl": url}
        yield _json(head)[:-1] + b',"resource":' + body_of(one) + b',"search":{"mode":"match"}}'


def _json(value: object) -> bytes:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()
