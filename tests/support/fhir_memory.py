"""A small FHIR R4 server in memory, over real HTTP, that can be told to misbehave in each known way.

It knows no code of ours: JSON in, JSON out, by FHIR R4 http.html. What a test does not switch off, works:
capability statement, transaction and batch, conditional create, update-create, delete, read, search by
identifier, `urn:uuid:` resolution, references checked when asked for.
"""

from __future__ import annotations

import json
import re
import threading
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

TYPES = [
    *("Patient", "Consent", "Provenance", "Observation", "Condition", "MedicationStatement", "Encounter"),
    *("AllergyIntolerance", "Organization", "Practitioner", "DiagnosticReport", "Immunization"),
    *("Procedure", "DocumentReference", "QuestionnaireResponse"),
]
Body = dict[str, Any]
Answer = tuple[int, Body | None, dict[str, str]]


@dataclass
class Habits:
    """How the server is; the defaults are those of a good one."""

    types: tuple[str, ...] = tuple(TYPES)
    bundles: tuple[str, ...] = ("transaction", "batch")
    own_ids: bool = False
    deletes: bool = True
    checks_references: bool = False
    fhir_version: str = "4.0.1"
    ignores_if_none_exist: bool = False
    leaves_uuids: bool = False
    drops: frozenset[str] = frozenset()
    drops_field: str = ""
    drops_labels: bool = False
    keeps_deleted: bool = False
    refuses: frozenset[str] = frozenset()
    largest_bundle: int = 10_000
    too_large_status: int = 413
    largest_page: int = 0
    says_base: str = ""
    caches_searches: bool = False
    keeps_referenced: bool = False
    batch_backwards: bool = False
    numbers_are_its_own: bool = False
    local_references_only: bool = False
    conflicts: int = 0
    keeps_versions: bool = False
    searches_for_one: bool = False
    longest_address: int = 0
    leaves_half: bool = False
    answers_in_full: bool = False
    busy: list[Answer] = field(default_factory=list)
    page: bytes = b""
    token: str = ""
    statement: bytes = b""


class MemoryFhir:
    """The server's store and rules."""

    def __init__(self, habits: Habits | None = None) -> None:
        self.habits = habits or Habits()
        self.stored: dict[str, Body] = {}
        self.writes = 0
        self.requests: list[tuple[str, str]] = []
        self.authorizations: list[str] = []
        self.versions: list[tuple[str, Body]] = []
        self.searched: dict[str, list[str]] = {}
        self.guard = threading.Lock()

    def of_type(self, name: str) -> list[Body]:
        return [body for place, body in self.stored.items() if place.startswith(f"{name}/")]

    def handle(self, method: str, url: str, headers: dict[str, str], body: Body | None) -> Answer:
        with self.guard:
            path = urlsplit(url).path.strip("/")
            self.requests.append((method, path))
            self.authorizations.append(headers.get("authorization", ""))
            if path == "metadata":
                return 200, self.capability(), {}
            if self.habits.token and headers.get("authorization") != f"Bearer {self.habits.token}":
                return 401, outcome("login"), {}
            if self.habits.busy:
                return self.habits.busy.pop(0)
            if 0 < self.habits.longest_address < len(url):
                return 414, outcome("the address is too long"), {}
            if method == "POST" and not path:
                return self._bundle(body or {})
            return self._one(
                method, url.lstrip("/"), body, {"fresh": "no-cache" in headers.get("cache-control", "")}
            )

    def capability(self) -> Body:
        habits = self.habits
        codes = ["read", "create", "update", "search-type", *(["delete"] if habits.deletes else [])]
        resource = {
            "interaction": [{"code": code} for code in codes],
            "updateCreate": not habits.own_ids,
            "conditionalCreate": True,
            "searchParam": [{"name": "identifier", "type": "token"}],
        }
        rest = {
            "mode": "server",
            "interaction": [{"code": code} for code in habits.bundles],
            "resource": [{"type": name, **resource} for name in habits.types],
        }
        return {
            "resourceType": "CapabilityStatement",
            "status": "active",
            "kind": "instance",
            "fhirVersion": habits.fhir_version,
            "format": ["json"],
            "software": {"name": "Test server", "version": "1"},
            "rest": [rest],
        }

    def _bundle(self, bundle: Body) -> Answer:
        entries, kind = bundle.get("entry", []), bundle["type"]
        if kind not in self.habits.bundles:
            return 400, outcome("unknown bundle"), {}
        if len(entries) > self.habits.largest_bundle:
            return self.habits.too_large_status, outcome("too many entries"), {}
        if kind == "transaction" and self.habits.conflicts:
            self.habits.conflicts -= 1
            return 409, outcome("another request was at it"), {}
        if kind == "batch" and self.habits.batch_backwards:
            entries = entries[::-1]
        before, uuids, answers = dict(self.stored), {}, []
        for entry in entries:
            if entry["request"]["method"] == "POST" and not self.habits.leaves_uuids:
                uuids[entry["fullUrl"]] = self._place_for(entry)
        for entry in entries:
            request, body = entry["request"], resolved(entry.get("resource"), uuids)
            status, found, headers = self._one(
                request["method"], request["url"], body, {**request, "place": uuids.get(entry.get("fullUrl"))}
            )
            if kind == "transaction" and status >= 400:
                self.stored = self.stored if self.habits.leaves_half else before
                return status, found, {}
            response = {"status": str(status), **({"location": headers["location"]} if headers else {})}
            answers.append({"response": response, **({"resource": found} if found else {})})
        if kind == "transaction" and self.habits.checks_references and (lost := self._dangling()):
            self.stored = before
            return 422, outcome(f"reference to nothing: {lost}"), {}
        if kind == "batch" and self.habits.batch_backwards:
            answers.reverse()
        return 200, {"resourceType": "Bundle", "type": f"{kind}-response", "entry": answers}, {}

    def _place_for(self, entry: Body) -> str:
        name = entry["request"]["url"]
        known = self._matching(name, entry["request"].get("ifNoneExist", ""))
        return known[0] if known else f"{name}/{uuid.uuid4()}"

    def _one(self, method: str, url: str, body: Body | None, request: Body) -> Answer:
        parts = urlsplit(url)
        path = parts.path.strip("/")
        name = path.partition("/")[0]
        if name not in self.habits.types or (body or {}).get("resourceType", name) in self.habits.refuses:
            return 400, outcome("not taken here"), {}
        match method:
            case "GET" if "/" in path:
                found = self.stored.get(path)
                gone = 410 if self.habits.keeps_versions and path in dict(self.versions) else 404
                return (200, found, {}) if found else (gone, outcome("not found"), {})
            case "GET":
                return 200, self._search(name, parts.query, fresh=bool(request.get("fresh"))), {}
            case "DELETE" if self.habits.deletes:
                if self.habits.keeps_referenced and (user := self._user_of(path)):
                    return 409, outcome(f"{user} refers to it"), {}
                if not self.habits.keeps_deleted:
                    self.stored.pop(path, None)
                return 204, None, {}
            case "PUT" if body and (path in self.stored or not self.habits.own_ids):
                if self.habits.numbers_are_its_own and path.partition("/")[2].isdigit():
                    return 400, outcome("an id needs something that is no digit"), {}
                return self._keep(path, body, 200 if path in self.stored else 201)
            case "POST" if body:
                condition = "" if self.habits.ignores_if_none_exist else request.get("ifNoneExist", "")
                known = self._matching(name, condition)
                if len(known) > 1:
                    return 412, outcome("several"), {}
                if known:
                    return 200, None, {"location": known[0]}
                place = request.get("place") or f"{name}/{uuid.uuid4()}"
                if place in self.stored:
                    place = f"{name}/{uuid.uuid4()}"
                return self._keep(place, {**body, "id": place.partition("/")[2]}, 201)
        return 405, outcome("not allowed"), {}

    def _keep(self, place: str, body: Body, status: int) -> Answer:
        habits = self.habits
        if habits.local_references_only and '"reference": "http' in json.dumps(body):
            return 400, outcome("a reference to elsewhere"), {}
        self.writes += 1
        meta = {**body.get("meta", {}), "versionId": str(self.writes)}
        if habits.drops_labels:
            meta.pop("security", None)
        kept = {**body, "meta": meta}
        if habits.drops_field:
            kept.pop(habits.drops_field, None)
        if body["resourceType"] not in habits.drops:
            self.stored[place] = kept
            self.versions.append((place, kept))
        return (
            status,
            kept if habits.answers_in_full else None,
            {"location": f"{place}/_history/{self.writes}"},
        )

    def _search(self, name: str, query: str, *, fresh: bool) -> Body:
        asked, habits = f"{name}?{query}", self.habits
        if not (habits.caches_searches and asked in self.searched and not fresh):
            self.searched[asked] = self._matching(name, query)
        places = [place for place in self.searched[asked] if place in self.stored]
        start = int(parse_qs(query).get("page", ["0"])[0])
        end = start + (habits.largest_page or len(places))
        found: Body = {"resourceType": "Bundle", "type": "searchset"}
        found["entry"] = [{"resource": self.stored[place]} for place in places[start:end]]
        if end < len(places):
            url = f"{habits.says_base}/{re.sub('&page=.*', '', asked)}&page={end}"
            found["link"] = [{"relation": "self", "url": asked}, {"relation": "next", "url": url}]
        return found

    def _user_of(self, place: str) -> str:
        wanted = f'"reference": "{place}"'
        return next((one for one, body in self.stored.items() if wanted in json.dumps(body)), "")

    def _matching(self, name: str, query: str) -> list[str]:
        asked = {key: value[0] for key, value in parse_qs(query).items() if key in ("identifier", "_tag")}
        found = []
        for place, body in self.stored.items():
            pairs = {"identifier": identifiers(body), "_tag": body.get("meta", {}).get("tag", [])}
            right = place.startswith(f"{name}/") and all(
                self._any_of(value)
                & {f"{one.get('system')}|{one.get('value', one.get('code'))}" for one in pairs[key]}
                for key, value in asked.items()
            )
            found += [place] if right and asked else []
        return found

    def _any_of(self, value: str) -> set[str]:
        return {value} if self.habits.searches_for_one else set(value.split(","))

    def _dangling(self) -> str:
        for body in self.stored.values():
            for target in re.findall(r'"reference": "([A-Z][A-Za-z]+/[^"]+)"', json.dumps(body)):
                if target not in self.stored:
                    return str(target)
        return ""


def identifiers(body: Body) -> list[Body]:
    found = body.get("identifier", [])
    return found if isinstance(found, list) else [found]


def resolved(body: Body | None, uuids: dict[str, str]) -> Body | None:
    if body is None or not uuids:
        return body
    text = json.dumps(body)
    for old, new in uuids.items():
        text = text.replace(f'"reference": "{old}"', f'"reference": "{new}"')
    loaded: Body = json.loads(text)
    return loaded


def outcome(text: str) -> Body:
    issue = {"severity": "error", "code": "processing", "diagnostics": text}
    return {"resourceType": "OperationOutcome", "issue": [issue]}


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Server

    def _do(self) -> None:
        raw = self.rfile.read(int(self.headers.get("content-length") or 0))
        habits = self.server.fhir.habits
        if habits.page or (habits.statement and self.path.endswith("metadata")):
            self._answer(200, habits.page or habits.statement, {"content-type": "text/html"})
            return
        headers = {name.lower(): value for name, value in self.headers.items()}
        body = json.loads(raw) if raw else None
        status, found, extra = self.server.fhir.handle(self.command, self.path, headers, body)
        content = json.dumps(found).encode() if found is not None else b""
        self._answer(status, content, {"content-type": "application/fhir+json", **extra})

    do_GET = do_POST = do_PUT = do_DELETE = _do

    def _answer(self, status: int, content: bytes, headers: dict[str, str]) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("content-length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, format: str, *args: object) -> None:
        """Be quiet."""


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, fhir: MemoryFhir) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.fhir = fhir

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that hangs up is part of the tests."""


@contextmanager
def serving_fhir(fhir: MemoryFhir) -> Iterator[str]:
    """Serve on a loopback port; yields the base URL."""
    server = _Server(fhir)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
