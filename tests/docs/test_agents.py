# SPDX-License-Identifier: Apache-2.0
"""The configurations for Elastic's agents, as far as they can be checked without."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parents[2]
EXAMPLES = ROOT / "docs" / "examples"
GOLDEN = ROOT / "tests" / "data" / "golden"


def load(name: str) -> dict[str, Any]:
    """Return an example."""
    found: dict[str, Any] = yaml.safe_load((EXAMPLES / name).read_text("utf-8"))
    return found


def patterns() -> set[str]:
    """Return the names of data streams our templates are for."""
    templates = (ROOT / "pipelines" / "index-templates").glob("logs-*.json")
    return {
        pattern
        for path in templates
        for pattern in json.loads(path.read_text("utf-8"))["index_patterns"]
    }


def agent_streams() -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield the data stream of each of the agent's inputs, and the input."""
    for each in load("elastic-agent.yml")["inputs"]:
        namespace = each["data_stream.namespace"]
        for stream in each["streams"]:
            yield f"logs-{stream['data_stream']['dataset']}-{namespace}", stream


def filebeat_streams() -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield the same of Filebeat."""
    settings = load("filebeat.yml")
    name = settings["output.elasticsearch"]["index"]
    for each in settings["filebeat.inputs"]:
        fields = {
            f"{added['target']}.{key}": value
            for step in each["processors"]
            for added in [step["add_fields"]]
            for key, value in added["fields"].items()
        }
        kind, dataset, namespace = (
            fields[f"data_stream.{part}"] for part in ("type", "dataset", "namespace")
        )
        assert name == f"{kind}-%{{[data_stream.dataset]}}-%{{[data_stream.namespace]}}"
        yield f"{kind}-{dataset}-{namespace}", each


STREAMS = {
    **{f"agent-{s['id']}": (name, s) for name, s in agent_streams()},
    **{f"filebeat-{s['id']}": (name, s) for name, s in filebeat_streams()},
}


@pytest.mark.parametrize(("stream", "settings"), STREAMS.values(), ids=STREAMS)
def test_stream_has_our_template(stream: str, settings: dict[str, Any]) -> None:
    """What is shipped goes to a data stream that has the pipeline."""
    assert any(fnmatch(stream, pattern) for pattern in patterns())
    assert settings["paths"]


def test_filebeat_leaves_templates_alone() -> None:
    """Filebeat installs neither templates nor policies of its own."""
    settings = load("filebeat.yml")

    assert settings["setup.template.enabled"] is False
    assert settings["setup.ilm.enabled"] is False


@pytest.mark.parametrize("agent", ["agent", "filebeat"])
def test_envelopes_stay_whole(agent: str) -> None:
    """The multi-line pattern joins ninety lines of one envelope to one event."""
    _, settings = STREAMS[f"{agent}-sms-ccm"]
    (parser,) = settings["parsers"]
    rule = parser["multiline"]
    assert (rule["negate"], rule["match"]) == (True, "after")
    lines = (GOLDEN / "ccm-ninety-lines.log").read_text("utf-8").splitlines()
    begins = [line for line in lines if re.search(rule["pattern"], line)]
    whole = "\n".join(lines)

    assert len(begins) == whole.count("<![LOG[")
    assert rule["max_lines"] >= len(lines) / len(begins)


def test_no_secret_stands_in_an_example() -> None:
    """Keys come from the environment."""
    for path in EXAMPLES.glob("*.yml"):
        (key,) = re.findall(r"api_key: (\S+)", path.read_text("utf-8"))
        assert key.startswith("${")
