"""What the makers of FHIR servers say of their servers, as habits of the small server in memory.

Not the servers themselves: each line is a statement from the public documentation or the public source of the
maker. A server of the kind may be set up otherwise.

HAPI FHIR JPA server and its starter project (Apache-2.0):
  docs/server_jpa/configuration.md: the same search within a minute gives the same result again unless the
  request says `Cache-Control: no-cache`; references to other servers are refused by default; referential
  integrity on writing and on deleting; two requests at one resource can end in a 409.
  jpaserver-starter application.yaml: pages of at most 200; an own idea of the server's address.
  Issues 333 and jpaserver-starter 151 (answers of a maintainer): ids of digits only the server gives out.
  HAPI-1094 is its refusal of a reference to nothing, a 400.
  ServerCapabilityStatementProvider and JpaCapabilityStatementProvider (source): the statement says
  conditionalCreate and never updateCreate; of Bundles it names the transaction. An operator may add to it.

Firely Server (documentation, features/restful_api): an update creates; transactions and batches, each with a
  limit that can be set; every version is kept. On MongoDB or in memory a transaction is only simulated.

Azure Health Data Services FHIR service (Microsoft Learn, "Supported FHIR features" and "FHIR REST API
  capabilities"; microsoft/fhir-server, MIT): at most 500 entries in a Bundle, beyond that 400; `_count` at
  most 1,000; after a delete a read gives 410 and older versions stay.

The retired Azure API for FHIR (same pages): batch, no transaction.
"""

from __future__ import annotations

from typing import Any, Final

_HAPI: Final[dict[str, Any]] = {
    "own_ids": True,
    "bundles": ("transaction",),
    "largest_page": 200,
    "says_base": "http://fhir.intern.example:8080",
    "caches_searches": True,
    "keeps_referenced": True,
    "checks_references": True,
    "local_references_only": True,
    "numbers_are_its_own": True,
    "keeps_versions": True,
}
_FIRELY: Final[dict[str, Any]] = {"largest_bundle": 60, "too_large_status": 400, "keeps_versions": True}
_AZURE: Final[dict[str, Any]] = {
    "largest_bundle": 500,
    "too_large_status": 400,
    "largest_page": 1_000,
    "keeps_versions": True,
    "answers_in_full": True,
}

PRODUCTS: Final[dict[str, dict[str, Any]]] = {
    "HAPI": _HAPI,
    "HAPI that says updateCreate": _HAPI | {"own_ids": False},
    "HAPI, two at once": _HAPI | {"conflicts": 2},
    "Firely": _FIRELY,
    "Firely on MongoDB": _FIRELY | {"leaves_half": True},
    "Azure": _AZURE,
    "Azure API for FHIR": _AZURE | {"bundles": ("batch",)},
}
"""Name to habits of `tests.support.fhir_memory.Habits`."""
