# SPDX-License-Identifier: Apache-2.0
"""A Kibana at the wire, as far as set-up asks: it keeps what it is sent.

It answers as Kibana 8.17 and 9.x do: with members of its own, with 200 for imports it
refuses, and with its own words.
"""

import json
import re
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler
from typing import Any
from urllib.parse import parse_qs

import msgspec
from msgspec import Struct, field

from tests.fakes.serving import serving

Json = Any  # as json reads it

_SPACE = re.compile(r"/s/([^/]+)(/.*)")
_FORM = re.compile(
    rb'--(?P<mark>\w+)\r\nContent-Disposition: form-data; name="file"; '
    rb'filename="(?P<name>[^"]*)"\r\nContent-Type: [\w/-]+\r\n\r\n'
    rb"(?P<file>.*)\r\n--(?P=mark)--\r\n",
    re.DOTALL,
)


class Request(Struct, frozen=True, kw_only=True):
    """One request.

    Attributes:
        method: of HTTP.
        path: below the base path and the space.
        query: each parameter's values.
        headers: by name in small letters.
        body: JSON, or the lines of a file.
    """

    method: str
    path: str
    query: dict[str, list[str]] = field(default_factory=dict)
    headers: dict[str, str] = field(default_factory=dict)
    body: Json = None

    @property
    def line(self) -> str:
        """Method and path."""
        return f"{self.method} {self.path}"


class Said(Struct, frozen=True, kw_only=True):
    """One answer; a text is sent as a page, and none at all with status 0."""

    status: int = 200
    body: Json = None
    location: str = ""
    retry_after: str = ""


def refused(status: int, message: str) -> Said:
    """Return an error as Kibana words it."""
    names = {400: "Bad Request", 401: "Unauthorized", 403: "Forbidden", 409: "Conflict"}
    name = names.get(status, "Not Found")
    return Said(
        status=status, body={"statusCode": status, "error": name, "message": message}
    )


class FakeKibana:
    """Answers requests, and remembers them.

    Args:
        version: what it says it is.
        base: base path.
        spaces: beside the default one.
        said: request (``POST /api/saved_objects/_import``) -> its answer.
        detection: it has the detection engine.
    """

    def __init__(
        self,
        version: str = "9.2.0",
        *,
        base: str = "",
        spaces: tuple[str, ...] = (),
        said: dict[str, Said] | None = None,
        detection: bool = True,
    ) -> None:
        self.version = version
        self.base = base
        self.spaces = spaces
        self.said = said or {}
        self.detection = detection
        self.requests: list[Request] = []
        #: Space, type, id -> saved object; and rules and connectors by their place.
        self.saved: dict[tuple[str, str, str], Json] = {}
        self.single: dict[tuple[str, str], Json] = {}
        #: Spaces of rules and connectors.
        self.homes: dict[tuple[str, str], str] = {}

    @property
    def changes(self) -> list[str]:
        """The requests that change something."""
        return [
            each.line
            for each in self.requests
            if each.method != "GET" and not each.path.endswith("_bulk_get")
        ]

    @contextmanager
    def serving(self, *, tls: ssl.SSLContext | None = None) -> Iterator[str]:
        """Serve until the block ends; yields the address, with the base path."""
        with serving(self._serve, tls=tls) as url:
            yield url + self.base

    def _serve(self, handler: BaseHTTPRequestHandler) -> None:
        size = int(handler.headers.get("content-length", 0))
        said = self._answer(handler, handler.rfile.read(size))
        if not said.status:
            handler.close_connection = True
            return
        text = isinstance(said.body, str)
        payload = said.body if text else json.dumps(said.body)
        handler.send_response(said.status)
        handler.send_header("content-type", "text/html" if text else "application/json")
        handler.send_header("content-length", str(len(payload)))
        if said.location:
            handler.send_header("location", said.location)
        if said.retry_after:
            handler.send_header("retry-after", said.retry_after)
        handler.end_headers()
        handler.wfile.write(payload.encode())

    def _answer(self, handler: BaseHTTPRequestHandler, body: bytes) -> Said:
        path, _, query = handler.path.partition("?")
        if not path.startswith(f"{self.base}/"):
            return Said(status=404, body="<html>no such page</html>")
        path, space = path.removeprefix(self.base), "default"
        if inside := _SPACE.fullmatch(path):
            space, path = inside.groups()
        headers = {name.lower(): text for name, text in handler.headers.items()}
        form = headers.get("content-type", "").startswith("multipart/")
        request = Request(
            method=handler.command,
            path=path,
            query=parse_qs(query),
            headers=headers,
            body=body if form or not body else json.loads(body),
        )
        if form:
            found = _FORM.fullmatch(body)
            if found is None or not found["name"].endswith(b".ndjson"):
                return refused(400, "Invalid file extension .bin")
            lines = [json.loads(line) for line in found["file"].splitlines()]
            request = msgspec.structs.replace(request, body=lines)
        self.requests.append(request)
        if request.method != "GET" and "kbn-xsrf" not in headers:
            return refused(400, "Request must contain a kbn-xsrf header.")
        return self.said.get(request.line) or self._known(request, space)

    def _known(self, request: Request, space: str) -> Said:
        place, _, name = request.path.rpartition("/")
        said = refused(404, "Not Found")
        if request.path == "/api/status":
            said = Said(body=_status(self.version))
        elif place == "/api/spaces/space" and name in self.spaces:
            said = Said(body={"id": name, "name": name})
        elif place == "/api/saved_objects":
            said = self._saved_objects(request, space, name)
        elif place.startswith("/api/saved_objects/"):
            del self.saved[space, place.removeprefix("/api/saved_objects/"), name]
            said = Said(body={})
        elif place.startswith("/api/detection_engine") and self.detection:
            said = self._detection(request)
        elif place in {"/api/actions/connector", "/api/alerting/rule"}:
            said = self._one(request, space, place, name)
        elif request.path == "/api/actions/connectors":
            said = Said(body=self._connectors())
        elif request.path == "/api/alerting/rules/_find":
            said = Said(body=self._rules(request, space))
        return said

    def _saved_objects(self, request: Request, space: str, name: str) -> Said:
        here = [one for (where, _, _), one in self.saved.items() if where == space]
        if name == "_bulk_get":
            asked = [(one["type"], one["id"]) for one in request.body]
            known = {(one["type"], one["id"]): one for one in here}
            found = [known.get(each, _missing(*each)) for each in asked]
            return Said(body={"saved_objects": found})
        if name == "_import":
            return self._import(request, space)
        wanted = json.loads(request.query.get("has_reference", ["[]"])[0])
        found = [
            {
                **{key: one[key] for key in one if key != "attributes"},
                "attributes": {
                    key: one["attributes"][key]
                    for key in request.query["fields"]
                    if key in one["attributes"]
                },
            }
            for one in here
            if one["type"] in request.query["type"]
            and (
                not wanted
                or any(
                    {"type": each["type"], "id": each["id"]} in wanted
                    for each in one["references"]
                )
            )
        ]
        return Said(body={"page": 1, "total": len(found), "saved_objects": found})

    def _import(self, request: Request, space: str) -> Said:
        assert request.query == {"overwrite": ["true"], "compatibilityMode": ["true"]}
        results = []
        for line in request.body:
            kind, there = line["type"], line["id"]
            one = _migrated(line, self.version)
            result = {"type": kind, "id": there, "meta": {}, "managed": False}
            elsewhere = {w for w, k, i in self.saved if (k, i) == (kind, there)}
            if elsewhere - {space}:
                one |= {"id": f"{space}-{there}", "originId": there}
                one["references"] = [
                    each | {"id": f"{space}-{each['id']}"} for each in one["references"]
                ]
                result["destinationId"] = one["id"]
            if (space, kind, one["id"]) in self.saved:
                result["overwrite"] = True
            self.saved[space, kind, one["id"]] = one
            results.append(result)
        return imported(results)

    def _one(self, request: Request, space: str, place: str, name: str) -> Said:
        noun = "action" if "connector" in place else "alert"
        where = self.homes.get((place, name))
        if request.method == "POST":
            if where not in {None, space}:
                return refused(409, f"Saved object [{noun}/{name}] conflict")
            self.homes[place, name] = space
            return self._created(request, place, name)
        if (place, name) not in self.single or where not in {None, space}:
            return refused(404, f"Saved object [{noun}/{name}] not found")
        if request.method == "DELETE":
            del self.single[place, name]
            self.homes.pop((place, name), None)
            return Said(status=204)
        if request.method == "PUT":
            self.single[place, name] |= self._given_back(request.body, name)
        return Said(body=self.single[place, name])

    def _created(self, request: Request, place: str, name: str) -> Said:
        for action in request.body.get("actions", ()):
            if ("/api/actions/connector", action["id"]) not in self.single:
                return refused(400, f"Saved object [action/{action['id']}] not found")
        self.single[place, name] = self._given_back(request.body, name)
        return Said(body=self.single[place, name])

    def _given_back(self, body: Json, name: str) -> Json:
        given = {key: value for key, value in body.items() if key != "secrets"}
        added: Json = {"id": name}
        if "params" in body:
            actions = [
                {"uuid": "6a7e", "connector_type_id": ".index"} | action
                for action in body["actions"]
            ]
            added |= {"actions": actions, "muted_alert_ids": [], "revision": 0}
            added |= {"throttle": None, "notify_when": None, "created_by": "elastic"}
            if self.version.startswith("9"):
                added["artifacts"] = {"dashboards": [], "investigation_guide": None}
        else:
            added |= {"is_preconfigured": False, "is_deprecated": False}
        return given | added

    def _connectors(self) -> Json:
        # Each object that refers to it counts once, however often it does.
        uses = [
            {action["id"] for action in one.get("actions", ())}
            for one in self.single.values()
        ]
        return [
            one | {"referenced_by_count": sum(name in each for each in uses)}
            for (place, name), one in self.single.items()
            if place == "/api/actions/connector"
        ]

    def _rules(self, request: Request, space: str) -> Json:
        wanted = json.loads(request.query["has_reference"][0])
        found = [
            one | {"id": name}
            for (place, name), one in self.single.items()
            if place == "/api/alerting/rule"
            and self.homes.get((place, name), space) == space
            and wanted in _references(one)
        ]
        return {"page": 1, "per_page": 10, "total": len(found), "data": found}

    def _detection(self, request: Request) -> Said:
        place = "/api/detection_engine/rules"
        if request.path.endswith("_import"):
            for line in request.body:
                added = {"id": "c0ffee", "immutable": False, "revision": 0}
                self.single[place, line["rule_id"]] = line | added
            return detected(len(request.body), [])
        (name,) = request.query["rule_id"]
        if (place, name) not in self.single:
            message = f'rule_id: "{name}" not found'
            return Said(status=404, body={"message": message, "status_code": 404})
        if request.method == "DELETE":
            return Said(body=self.single.pop((place, name)))
        return Said(body=self.single[place, name])


def _references(rule: Json) -> list[Json]:
    """Return the saved objects that a rule's search names."""
    search = rule.get("params", {}).get("searchConfiguration", {})
    return [{"type": "index-pattern", "id": search["index"]}] if search else []


def _missing(kind: str, name: str) -> Json:
    message = f"Saved object [{kind}/{name}] not found"
    error = {"statusCode": 404, "error": "Not Found", "message": message}
    return {"id": name, "type": kind, "error": error}


def imported(
    results: list[Json], errors: list[Json] | None = None, *, success: bool = True
) -> Said:
    """Return the answer to an import of saved objects."""
    body: Json = {
        "success": success,
        "successCount": len(results),
        "successResults": results,
        "warnings": [],
    }
    return Said(body=body | ({"errors": errors} if errors else {}))


def detected(count: int, errors: list[Json], *, total: int | None = None) -> Said:
    """Return the answer to an import of detection rules."""
    return Said(
        body={
            "success": not errors,
            "success_count": count,
            "rules_count": count + len(errors) if total is None else total,
            "errors": errors,
            "exceptions_success": True,
            "exceptions_success_count": 0,
            "exceptions_errors": [],
            "action_connectors_success": True,
            "action_connectors_success_count": 0,
            "action_connectors_errors": [],
            "action_connectors_warnings": [],
        }
    )


def _status(version: str) -> Json:
    level = {"level": "available", "summary": "All services are available"}
    return {
        "name": "kibana",
        "uuid": "5b2de169-2785-441b-ae8c-186a1936b17d",
        "version": {
            "number": version,
            "build_hash": "0" * 40,
            "build_number": 80000,
            "build_snapshot": False,
            "build_flavor": "traditional",
            "build_date": "2026-10-01T00:00:00.000Z",
        },
        "status": {"overall": level, "core": {}, "plugins": {}},
    }


def _migrated(line: Json, version: str) -> Json:
    """Return a saved object as Kibana gives it back: stamped anew, with more in it."""
    one: Json = json.loads(json.dumps(line))
    one |= {"updated_at": "2026-11-24T03:00:00.000Z", "namespaces": ["default"]}
    if version >= "9.1" and one["type"] == "search":
        _into_tabs(one, version)
    if version.startswith("9") and one["type"] == "dashboard":
        one["typeMigrationVersion"] = "10.3.0"
        panels = json.loads(one["attributes"]["panelsJSON"])
        one["attributes"]["panelsJSON"] = json.dumps(
            [panel | {"sectionId": None} for panel in panels]
        )
    return one


def _into_tabs(search: Json, version: str) -> None:
    """Put what a search shows into a tab: at first a copy, in the newest all of it."""
    attributes = search["attributes"]
    above = ("title", "description")
    inside = {k: v for k, v in attributes.items() if k not in above}
    tab = {"id": "t1", "label": "Untitled", "attributes": inside}
    kept = attributes if version < "9.5" else {n: attributes[n] for n in above}
    search["typeMigrationVersion"] = "10.6.0" if version < "9.5" else "10.13.0"
    search["attributes"] = {**kept, "tabs": [tab]}
