# SPDX-License-Identifier: Apache-2.0
"""A full Elasticsearch at the wire, as far as set-up asks: it keeps what it is sent.

It gives bodies back the way Elasticsearch 8.17 and 9.x do: settings as text, booleans
of mappings as text, its own members added.
"""

import json
import re
from base64 import b64encode
from typing import Any

from tests.fakes.answering import Answer

#: Place of a kind -> how its objects are given back.
_PLACES = {
    "_ilm/policy": "by name",
    "_ingest/pipeline": "by name",
    "_security/role": "by name",
    "_component_template": "component_template",
    "_index_template": "index_template",
    "_transform": "transforms",
}
_STAMP = {"created_date_millis": 1763953200000, "modified_date_millis": 1763953200000}
_ADDED: dict[str, dict[str, Any]] = {
    "_component_template": _STAMP,
    "_index_template": _STAMP,
    "_ilm/policy": {"version": 1, "modified_date": "2026-11-24T03:00:00.000Z"},
    "_security/role": {
        "applications": [],
        "run_as": [],
        "transient_metadata": {"enabled": True},
    },
    "_transform": {"version": "10.0.0", "create_time": 1763953200000},
}


def problem(status: int, kind: str, reason: str) -> Answer:
    """Return an error as Elasticsearch words it."""
    return Answer(
        status=status,
        body={"error": {"type": kind, "reason": reason}, "status": status},
    )


#: Those of Elasticsearch 8.17 that pipelines for logs use.
_PROCESSORS = (
    *("append", "convert", "csv", "date", "dissect", "dot_expander", "drop", "fail"),
    *("fingerprint", "foreach", "grok", "gsub", "join", "json", "kv", "lowercase"),
    *("pipeline", "redact", "remove", "rename", "reroute", "script", "set", "sort"),
    *("split", "terminate", "trim", "uppercase", "urldecode"),
)


class FullServer:
    """Answers requests, and remembers those that change something.

    Args:
        version: what it says it is.
        lacking: places it has no handler for, such as ``_ilm/policy``.
        refused: request (``PUT /_transform/sms-agent-state``) -> its answer.
        flavor: of the build.
    """

    def __init__(
        self,
        version: str,
        *,
        lacking: tuple[str, ...] = (),
        refused: dict[str, Answer] | None = None,
        flavor: str = "default",
    ) -> None:
        self.version = version
        self.lacking = lacking
        self.refused = refused or {}
        self.flavor = flavor
        self.objects: dict[str, dict[str, Any]] = {place: {} for place in _PLACES}
        self.streams: dict[str, dict[str, Any]] = {}
        self.indices: list[str] = []
        self.processors = list(_PROCESSORS)
        self.stopped: dict[str, str] = {}
        self.settings: dict[str, dict[str, str]] = {}
        self.changes: list[str] = []
        self.keys: list[dict[str, Any]] = []

    def __call__(self, method: str, path: str, body: bytes) -> Answer:
        """Answer one request."""
        path = path.replace("%2A", "*")
        request = f"{method} {path}"
        if request in self.refused:
            return self.refused[request]
        place = next((p for p in self.lacking if path.startswith(f"/{p}")), None)
        if place is not None:
            reason = f"no handler found for uri [{path}] and method [{method}]"
            return Answer(status=400, body={"error": reason})
        if path == "/_ingest/pipeline/_simulate":
            return self._tried(json.loads(body)["pipeline"])
        if method == "GET" or "_simulate" in path:
            return self._ask(path)
        self.changes.append(request)
        return self._change(method, path, json.loads(body) if body else {})

    def _ask(self, path: str) -> Answer:
        body: dict[str, Any] | None = None
        if path == "/":
            number = {"number": self.version, "build_flavor": self.flavor}
            body = {"version": number}
        elif path == "/_index_template/_simulate":
            body = {"template": {}}
        elif path.startswith("/_index_template/_simulate_index/"):
            body = self._made(path.rpartition("/")[2])
        elif path.startswith("/_resolve/index/"):
            body = self._resolved(path.removeprefix("/_resolve/index/"))
        elif path == "/_transform/sms-*/_stats":
            states = dict.fromkeys(self.objects["_transform"], "started")
            each = (states | self.stopped).items()
            body = {"transforms": [{"id": n, "state": state} for n, state in each]}
        elif path.startswith("/*/_settings/"):
            body = {index: {"settings": s} for index, s in self.settings.items()}
        elif path.startswith("/_data_stream"):
            body = {"data_streams": [{"name": name} for name in self.streams]}
        elif path.endswith("/_mapping"):
            return self._mapped(path.split("/")[1])
        if body is not None:
            return Answer(body=body)
        place, _, names = path.strip("/").rpartition("/")
        place, names = (place, names) if place in _PLACES else (names, "*")
        return self._listed(place, names)

    def _mapped(self, index: str) -> Answer:
        """Tell how an index is mapped; of a transform's that is noted in it."""
        if not index.startswith("sms-"):
            stream = index.removeprefix(".ds-").removesuffix("-000001")
            return Answer(body={index: {"mappings": self.streams[stream]}})
        if index not in self.indices:
            reason = f"no such index [{index}]"
            return problem(404, "index_not_found_exception", reason)
        made = {"created_by": "transform"}
        name = {"transform": index.rpartition("-v")[0]}
        meta = {"_meta": made | {"_transform": name}}
        return Answer(body={index: {"mappings": meta}})

    def _made(self, stream: str) -> dict[str, Any]:
        """Compose what a data stream would be made of, as far as fields go."""
        for name, body in self.objects["_index_template"].items():
            if stream.startswith(f"{name}-"):
                parts = body.get("composed_of", ())
                ours = any(part.startswith("logs-sms") for part in parts)
                return {
                    "template": {
                        "mappings": {"properties": {"sms": {}} if ours else {}}
                    },
                    "overlapping": [],
                }
        raise KeyError(stream)

    def _tried(self, pipeline: dict[str, Any]) -> Answer:
        """Try a pipeline on a document: every processor has to be known."""
        waiting = [*pipeline["processors"], *pipeline.get("on_failure", ())]
        while waiting:
            for kind, options in waiting.pop().items():
                if kind not in self.processors:
                    reason = f"No processor type exists with name [{kind}]"
                    return problem(400, "parse_exception", reason)
                waiting += options.get("on_failure", ())
                if kind == "foreach":
                    waiting.append(options["processor"])
        return Answer(body={"docs": [{"doc": {"_source": {}}}]})

    def _resolved(self, pattern: str) -> dict[str, Any]:
        return {
            "indices": [{"name": n} for n in self.indices if _matches(n, pattern)],
            "data_streams": [
                {"name": name, "backing_indices": [f".ds-{name}-000001"]}
                for name in self.streams
                if _matches(name, pattern)
            ],
        }

    def _listed(self, place: str, names: str) -> Answer:
        found = {
            name: _given_back(body) | _ADDED.get(place, {})
            for name, body in self.objects[place].items()
            if any(_matches(name, pattern) for pattern in names.split(","))
        }
        match _PLACES[place]:
            case "by name":
                return Answer(status=200 if found else 404, body=found)
            case "transforms":
                each = [{"id": name, **body} for name, body in found.items()]
                return Answer(body={"count": len(each), "transforms": each})
            case item:
                each = [{"name": name, item: body} for name, body in found.items()]
                return Answer(body={f"{item}s": each})

    def _change(self, method: str, path: str, body: dict[str, Any]) -> Answer:
        if path == "/_security/api_key":
            self.keys.append(body)
            key = {"id": "VuaCfGcB", "name": body["name"], "api_key": "ui2lp2ax"}
            encoded = b64encode(f"{key['id']}:{key['api_key']}".encode()).decode()
            return Answer(body=key | {"encoded": encoded})
        place, _, name = path.strip("/").rpartition("/")
        name = name.replace("%40", "@")
        if name == "_start":
            self.stopped.pop(place.rpartition("/")[2], None)
        if method == "PUT" and place in _PLACES:
            self.objects[place][name] = body
        elif method == "DELETE" and place == "_data_stream":
            del self.streams[name]
        elif method == "DELETE" and not place:
            self.indices.remove(name)
        elif method == "DELETE":
            del self.objects[place][name]
        return Answer(body={"acknowledged": True})


def _matches(name: str, pattern: str) -> bool:
    expression = re.escape(pattern).replace(r"\*", ".*")
    return re.fullmatch(expression, name) is not None


def _given_back(body: dict[str, Any]) -> dict[str, Any]:
    """Return a body in the server's own form."""
    given: dict[str, Any] = json.loads(json.dumps(body))
    template = given.get("template", {})
    if "settings" in template:
        template["settings"] = _texts(template["settings"])
    mappings = template.get("mappings", {})
    if "dynamic" in mappings:
        mappings["dynamic"] = str(mappings["dynamic"]).lower()
    for each in given.get("indices", ()):
        each["allow_restricted_indices"] = False
    if "index_patterns" in given:
        given.setdefault("composed_of", [])
    if "data_stream" in given:
        given["data_stream"] = {"hidden": False, "allow_custom_routing": False}
    return given


def _texts(value: object) -> object:
    if isinstance(value, dict):
        return {key: _texts(inside) for key, inside in value.items()}
    return str(value).lower() if isinstance(value, (bool, int)) else value
