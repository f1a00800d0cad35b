"""Everything at a server that carries our tag, page by page.

1. Every page is read: servers hold a page to 100, 200 or 1,000 whatever is asked for.
2. The next page is asked of the address that the patient accepted. Only path and query of the link count: a
   server behind a proxy often has another idea of its own name, and nobody else is asked anything.
3. A page that cannot be had, is out of date or was read before is not the end: `no_proof`, later. A list
   that is short by a page would leave data there that nobody knows of.

Sources: FHIR R4 http.html#paging, search.html#tag, search.html#count; page limits: HAPI starter project
(`max_page_size: 200`), Azure FHIR service (`_count` at most 1,000).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final
from urllib.parse import quote, urljoin, urlsplit

from sync.errors import Unreachable
from sync.fhir_server.names import TAG_SYSTEM, id_of, own_id
from sync.fhir_server.parcel import Body
from sync.fhir_server.reading import FRESH, NO_RESOURCE, Line, is_of, next_link, resources_in

PAGE: Final = 1_000
MAX_PAGES: Final = 5_000
"""More records than anybody has, at twenty a page; a server that makes up pages without end is left there."""

_MAX_LINK: Final = 8_000


def all_tagged(line: Line, anchor: str) -> frozenset[str]:
    """Names of everything there with our tag, of the types that can be searched.

    A server that does not know the search by tag says nothing here, and its answer is then taken as nothing:
    only what carries the tag indeed counts.

    Raises:
        Unreachable, RemoteRuleError, LocalRuleError: as `FhirClient.ask`; `no_proof` by rule 3.
    """
    code = id_of(anchor)
    query = f"_tag={quote(TAG_SYSTEM, safe=':')}%7C{code}&_count={PAGE}"
    found: set[str] = set()
    for resource_type in sorted(line.capability.types):
        if line.capability.way(resource_type) is None or not line.capability.searches(resource_type):
            continue
        for page in _pages(line, f"/{resource_type}?{query}"):
            found |= {
                f"{resource_type}/{own_id(body)}"
                for body in resources_in(page)
                if is_of(body, resource_type) and _is_tagged(body, code)
            }
    return frozenset(found)


def _pages(line: Line, path: str) -> Iterator[Body]:
    first = line.ask("GET", path, expect=NO_RESOURCE, headers=FRESH)
    yield first.body
    page, asked = first.body, {path}
    while (link := next_link(page)) is not None:
        following = _below(line.base, link)
        if following is None or following in asked or len(asked) == MAX_PAGES:
            raise Unreachable("no_proof")
        asked.add(following)
        reply = line.ask("GET", following, expect=NO_RESOURCE, headers=FRESH)
        if reply.status != 200:
            raise Unreachable("no_proof")
        page = reply.body
        yield page


def _below(base: str, link: str) -> str | None:
    """Path and query of a link, below our base; None when it does not lie there (rule 2)."""
    try:
        parts = urlsplit(urljoin(f"{base}/", link))
    except ValueError:
        return None
    root = urlsplit(base).path
    tail = parts.path.removeprefix(root)
    inside = parts.path == root or parts.path.startswith(f"{root}/")
    if not inside or len(link) > _MAX_LINK or not (link.isascii() and link.isprintable()):
        return None
    return f"{tail}?{parts.query}" if parts.query else tail


def _is_tagged(body: Body, code: str) -> bool:
    meta = body.get("meta")
    tags = meta.get("tag") if isinstance(meta, Mapping) else None
    wanted = {"system": TAG_SYSTEM, "code": code}
    return isinstance(tags, list) and any(
        isinstance(tag, Mapping) and wanted.items() <= tag.items() for tag in tags
    )
