"""What a FHIR server says it can, read strictly: what it does not say, it cannot.

`parse_capability` keeps what we ask of a server and nothing else. `check` turns it into words for the
person: which kinds of data the server takes and in which way, and everything it cannot.

1. FHIR R4 (4.0.x) and JSON, or nothing goes.
2. A Bundle goes as a transaction (all or nothing); a server that only knows batches gets one, and the person
   is told that an interruption can leave half of it.
3. A type goes by `PUT` under our own id where the server says read, update and updateCreate; else by `POST`
   with If-None-Exist where it says create, conditionalCreate and a search by `identifier`, and takes
   transactions (in a batch nothing can refer to what gets its id in the same batch); else not at all.
4. Without `Consent` and `Patient` nothing goes: the records would lie there without the patient's terms.
5. Without `delete` records go, and the person is told first that we cannot take them back there.

Sources: FHIR R4 capabilitystatement.html, http.html#transaction, http.html#update, http.html#ccreate;
codes of interaction: valueset-type-restful-interaction.html, valueset-system-restful-interaction.html.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

from crypto.canonical import JsonValue, parse_strict
from crypto.errors import Malformed
from sync.errors import RemoteRuleError

MAX_BYTES: Final = 8 * 1024 * 1024
"""A complete statement of a large server (every type, every search parameter) is about 3 MB."""

MAX_TYPES: Final = 400
_VERSIONS: Final = frozenset({"4.0.0", "4.0.1"})
_JSON: Final = frozenset({"json", "application/fhir+json"})
_SMART: Final = "SMART-on-FHIR"
_NO_IDENTIFIER: Final = frozenset(
    {"Binary", "Provenance", "OperationOutcome", "Parameters", "Linkage", "AuditEvent", "MedicinalProduct"}
    | {"Bundle"}
)
"""R4 types in which our identifier has no place: none at all, or a single one that says which document it is
(https://hl7.org/fhir/R4/searchparameter-registry.html, `identifier`)."""


class Way(StrEnum):
    """How a resource gets to a server."""

    PUT = "put"
    POST = "post"


class Lack(StrEnum):
    """What a server cannot; of `STOPPING` each one means that nothing goes."""

    BUNDLE = "bundle"
    PATIENT = "patient"
    CONSENT = "consent"
    TYPES = "types"
    TRANSACTION = "transaction"
    PROVENANCE = "provenance"
    DELETE = "delete"
    OWN_IDS = "own_ids"


STOPPING: Final = frozenset({Lack.BUNDLE, Lack.PATIENT, Lack.CONSENT})


@dataclass(frozen=True, slots=True)
class Ability:
    """What a server says it can with one type."""

    interactions: frozenset[str] = frozenset()
    update_create: bool = False
    conditional_create: bool = False
    by_identifier: bool = False


_NOTHING: Final = Ability()


@dataclass(frozen=True, slots=True)
class Capability:
    """What a server says it can.

    Attributes:
        software: its name and version as it says them, for showing; '' when it says none.
        system: interactions on the whole server (`transaction`, `batch`).
        smart: whether it says that it uses SMART on FHIR.
        types: by resource type.
    """

    software: str
    system: frozenset[str]
    smart: bool
    types: Mapping[str, Ability] = field(repr=False)

    def way(self, resource_type: str) -> Way | None:
        """How a resource of this type goes (rule 3); None when it does not."""
        can = self.types.get(resource_type, _NOTHING)
        if {"read", "update"} <= can.interactions and can.update_create:
            return Way.PUT
        wanted = {"create", "search-type", "update"}
        if "transaction" not in self.system or resource_type in _NO_IDENTIFIER:
            return None
        able = wanted <= can.interactions and can.conditional_create and can.by_identifier
        return Way.POST if able else None

    def deletes(self, resource_type: str) -> bool:
        """Whether a resource of this type can be deleted."""
        return "delete" in self.types.get(resource_type, _NOTHING).interactions

    def searches(self, resource_type: str) -> bool:
        """Whether resources of this type can be searched."""
        return "search-type" in self.types.get(resource_type, _NOTHING).interactions

    @property
    def bundle_type(self) -> str | None:
        """Type of the Bundle to send (rule 2)."""
        return next((name for name in ("transaction", "batch") if name in self.system), None)


@dataclass(frozen=True, slots=True)
class Check:
    """What goes to a server and what it cannot.

    Attributes:
        usable: whether anything can go.
        lacks: what it cannot, each with the resource types it is about (may be none), stopping ones first.
        takes: the wanted types that go.
    """

    usable: bool
    lacks: tuple[tuple[Lack, tuple[str, ...]], ...]
    takes: tuple[str, ...]


def check(capability: Capability, wanted: Iterable[str]) -> Check:
    """Hold what a server can against the resource types that should go there."""
    types = sorted(set(wanted) - {"Patient", "Consent", "Provenance"})
    ways = {name: capability.way(name) for name in (*types, "Patient", "Consent", "Provenance")}
    going = [name for name in types if ways[name] is not None]
    found: list[tuple[Lack, tuple[str, ...]]] = []
    if capability.bundle_type is None:
        found.append((Lack.BUNDLE, ()))
    found += [(lack, ()) for lack in (Lack.PATIENT, Lack.CONSENT) if ways[lack.value.title()] is None]
    if missing := tuple(name for name in types if ways[name] is None):
        found.append((Lack.TYPES, missing))
    if capability.bundle_type == "batch":
        found.append((Lack.TRANSACTION, ()))
    if ways["Provenance"] is None:
        found.append((Lack.PROVENANCE, ()))
    if keeps := tuple(name for name in (*going, "Patient") if ways[name] and not capability.deletes(name)):
        found.append((Lack.DELETE, keeps))
    if own := tuple(name for name in (*going, "Patient", "Consent") if ways[name] is Way.POST):
        found.append((Lack.OWN_IDS, own))
    usable = STOPPING.isdisjoint(lack for lack, _ in found) and (bool(going) or not types)
    return Check(usable, tuple(found), tuple(going))


def parse_capability(untrusted: bytes) -> Capability:
    """Read a capability statement.

    Raises:
        RemoteRuleError: `fhir_no_statement`, it is no CapabilityStatement of a server; `fhir_version`, not
            R4; `fhir_no_json`.
    """
    try:
        body = parse_strict(untrusted, max_bytes=MAX_BYTES)
    except Malformed as exc:
        raise RemoteRuleError("fhir_no_statement") from exc
    if not isinstance(body, Mapping) or body.get("resourceType") != "CapabilityStatement":
        raise RemoteRuleError("fhir_no_statement")
    if body.get("fhirVersion") not in _VERSIONS:
        raise RemoteRuleError("fhir_version")
    if _JSON.isdisjoint(_texts(body.get("format"))):
        raise RemoteRuleError("fhir_no_json")
    sides = [side for side in _objects(body.get("rest")) if side.get("mode") == "server"]
    if len(sides) != 1:
        raise RemoteRuleError("fhir_no_statement")
    return _capability(body, sides[0])


def _capability(body: Mapping[str, JsonValue], rest: Mapping[str, JsonValue]) -> Capability:
    software = body.get("software")
    named = software if isinstance(software, Mapping) else {}
    words = [word for key in ("name", "version") if isinstance(word := named.get(key), str)]
    security = rest.get("security")
    services = _objects(security.get("service")) if isinstance(security, Mapping) else []
    codes = {coding.get("code") for service in services for coding in _objects(service.get("coding"))}
    types = _objects(rest.get("resource"))[:MAX_TYPES]
    return Capability(
        software=" ".join(words)[:100],
        system=_codes(rest.get("interaction")),
        smart=_SMART in codes,
        types={name: _ability(one) for one in types if isinstance(name := one.get("type"), str)},
    )


def _ability(one: Mapping[str, JsonValue]) -> Ability:
    searches = {parameter.get("name") for parameter in _objects(one.get("searchParam"))}
    return Ability(
        interactions=_codes(one.get("interaction")),
        update_create=one.get("updateCreate") is True,
        conditional_create=one.get("conditionalCreate") is True,
        by_identifier="identifier" in searches,
    )


def _codes(value: JsonValue) -> frozenset[str]:
    return frozenset(code for one in _objects(value) if isinstance(code := one.get("code"), str))


def _texts(value: JsonValue) -> list[str]:
    return [one for one in value if isinstance(one, str)] if isinstance(value, list) else []


def _objects(value: JsonValue) -> list[Mapping[str, JsonValue]]:
    return [one for one in value if isinstance(one, Mapping)] if isinstance(value, list) else []
