# SPDX-License-Identifier: Apache-2.0
"""What ``pipelines`` holds, and where it is found."""

import gzip
import json
import os
import re
import shutil
import subprocess
import sys
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import pytest
import yaml

from shipper.records import Stream
from shipper.stack.assets import OWNER, Asset, Kind, asset, assets, folder, label, owner
from tests.stack.fields import DESIGNED, leaves

_ROOT = Path(__file__).parents[2]
_ECS = _ROOT.parent / "shared" / "specs" / "ecs_flat-9.4.0.yml.gz"
_BUILT_IN = {"logs@mappings", "logs@settings", "ecs@mappings"}
_TEMPLATES = [asset for asset in assets() if asset.stream_patterns]
_TRANSFORMS = [asset for asset in assets() if asset.kind is Kind.TRANSFORM]
_ROLES = {asset.name: asset.body for asset in assets() if asset.kind is Kind.ROLE}
_POLICIES = {"sms.clisvc": "records", "sms.ccm": "records"}
_COMPONENTS = {
    asset.name: asset for asset in assets() if asset.kind is Kind.COMPONENT_TEMPLATE
}
each_template = pytest.mark.parametrize(
    "template", _TEMPLATES, ids=lambda template: template.name
)
each_transform = pytest.mark.parametrize(
    "transform", _TRANSFORMS, ids=lambda transform: transform.name
)


def _parts(template: Asset) -> list[dict[str, Any]]:
    names = [name for name in template.body["composed_of"] if name in _COMPONENTS]
    return [_COMPONENTS[name].body["template"] for name in names]


def _fields(template: Asset) -> dict[str, dict[str, Any]]:
    fields: dict[str, dict[str, Any]] = {}
    for part in _parts(template):
        fields |= leaves(part.get("mappings", {}).get("properties", {}))
    return fields


def test_names() -> None:
    """Each data set has a template, and set-up knows the objects kind by kind."""
    kinds = [asset.kind for asset in assets()]

    assert kinds == sorted(kinds, key=list(Kind).index)
    assert {template.name for template in _TEMPLATES} == {
        f"logs-{stream}" for stream in Stream
    }


@pytest.mark.parametrize("asset", assets(), ids=lambda it: f"{it.kind} {it.name}")
def test_label(asset: Asset) -> None:
    """Every object says whose it is and gives one version wherever it has a place."""
    versions = {asset.version, asset.body.get("version", asset.version)}

    assert owner(asset.kind, asset.body) == OWNER
    assert versions == {label(asset.kind, asset.body)["version"]}


@each_template
def test_fields(template: Asset) -> None:
    """Every field of the design is mapped, and nothing else is."""
    types = {name: field["type"] for name, field in _fields(template).items()}

    assert types == DESIGNED


@each_template
def test_constants(template: Asset) -> None:
    """What is the same in all documents of a data set is kept by the mapping."""
    fields = _fields(template)
    data_set = template.name.removeprefix("logs-")
    names = ("event.module", "event.dataset", "data_stream.type", "data_stream.dataset")

    assert [fields[name]["value"] for name in names] == [
        "sms",
        data_set,
        "logs",
        data_set,
    ]


@each_template
def test_no_field_can_explode_or_lose_a_document(template: Asset) -> None:
    """Unknown fields are not mapped; long words and malformed values are let pass."""
    merged: dict[str, Any] = {}
    for part in _parts(template):
        merged |= part.get("mappings", {})
    common = _COMPONENTS["logs-sms@settings"].body["template"]
    keywords = {
        name: field.get("ignore_above")
        for name, field in _fields(template).items()
        if field["type"] == "keyword" and name != "event.original"
    }

    assert merged["dynamic"] is False
    assert "logs-sms@settings" in template.body["composed_of"]
    assert common["settings"]["index"] == {
        "mapping": {"ignore_malformed": True, "total_fields": {"limit": 1000}}
    }
    assert set(keywords.values()) == {1024}
    assert _fields(template)["event.original"] == {
        "type": "keyword",
        "index": False,
        "doc_values": False,
    }


def test_sms_is_closed() -> None:
    """The object ``sms`` is closed even if a hook opens the root."""
    mappings = _COMPONENTS["logs-sms@mappings"].body["template"]["mappings"]

    assert mappings["properties"]["sms"]["dynamic"] is False


@each_template
def test_composition(template: Asset) -> None:
    """What a template is composed of is ours, or may be missing."""
    may_be_missing = set(template.body["ignore_missing_component_templates"])
    hooks = {"logs@custom", f"{template.name}@custom"}

    assert may_be_missing == _BUILT_IN | hooks | {"logs-sms@logsdb"}
    assert set(template.body["composed_of"]) - may_be_missing == {
        "logs-sms@mappings",
        "logs-sms@settings",
        f"{template.name}@mappings",
        f"{template.name}@settings",
    }


@each_template
def test_template(template: Asset) -> None:
    """A template makes data streams of its data set, ahead of the built-in one."""
    body = template.body

    assert body["index_patterns"] == [f"{template.name}-*"]
    assert body["data_stream"] == {}
    assert body["priority"] == 250


def test_failure_store_is_off() -> None:
    """A refused document is answered with an error, never put aside with a 201."""
    common = _COMPONENTS["logs-sms@settings"].body["template"]

    assert common["data_stream_options"] == {"failure_store": {"enabled": False}}


@each_template
def test_lifecycle(template: Asset) -> None:
    """Each data set names its policy, and index.mode is nobody's but the opt-in's."""
    settings = [
        part["settings"]["index"] for part in _parts(template) if "settings" in part
    ]
    modes = [index["mode"] for index in settings if "mode" in index]
    names = [index["lifecycle"]["name"] for index in settings if "lifecycle" in index]
    data_set = template.name.removeprefix("logs-")
    suffix = _POLICIES.get(data_set, data_set.removeprefix("sms."))

    assert names == [f"logs-sms.{suffix}"]
    assert modes == ["logsdb"]
    assert template.body["composed_of"].index("logs-sms@logsdb") > 0


@pytest.mark.parametrize(
    ("name", "days"),
    [("logs-sms.records", 90), ("logs-sms.state", 730), ("logs-sms.shipper", 30)],
)
def test_policies(name: str, days: int) -> None:
    """A new index after 30 days or 50 GB; records 90 days, states two years."""
    phases = asset(Kind.ILM_POLICY, name).body["policy"]["phases"]

    assert phases["hot"]["actions"] == {
        "rollover": {"max_age": "30d", "max_primary_shard_size": "50gb"}
    }
    assert phases["delete"]["min_age"] == f"{days}d"


@each_transform
def test_transforms(transform: Asset) -> None:
    """State is grouped by the log's own time, never by what arrived last."""
    body = transform.body

    assert "latest" not in body
    assert body["retention_policy"]["time"] == {
        "field": "@timestamp",
        "max_age": "400d",
    }
    assert body["settings"] == {"unattended": True}
    assert body["sync"]["time"]["field"] == "event.ingested"
    assert body["dest"] == {
        "index": f"{transform.name}-v1",
        "aliases": [{"alias": transform.name, "move_on_creation": True}],
    }


def test_grouping_keys() -> None:
    """Agent states are kept by host and agent, the newest first; hosts by host."""
    agents, hosts = (transform.body["pivot"] for transform in _TRANSFORMS)

    whose = ["data_stream.namespace", "host.name"]
    assert list(agents["group_by"]) == [*whose, "sms.agent.id"]
    assert list(hosts["group_by"]) == whose
    assert agents["aggregations"]["last"]["top_metrics"]["sort"] == {
        "sms.agent.order": "desc"
    }


@each_transform
def test_transforms_read_mapped_fields(transform: Asset) -> None:
    """Fields that are grouped or looked at are mapped, and so is what is written."""
    text = json.dumps(transform.body["pivot"])
    read = set(re.findall(r'"field": "([^"]+)"', text)) | set(
        re.findall(r'"([a-z_]+\.[a-z_.]+)": \["', text)
    )
    template = asset(Kind.INDEX_TEMPLATE, transform.name)
    fields = dict(leaves(template.body["template"]["mappings"]["properties"]))
    mapped = {name for name, how in fields.items() if how["type"] != "alias"}
    aliases = {how["path"] for how in fields.values() if how["type"] == "alias"}
    written = set(transform.body["pivot"]["group_by"])
    for name, how in transform.body["pivot"]["aggregations"].items():
        if "top_metrics" in how:
            written |= {f"{name}.{m['field']}" for m in how["top_metrics"]["metrics"]}
        elif "aggregations" in how:
            written |= {f"{name}.{inner}" for inner in how["aggregations"]}
        else:
            written.add(name)

    assert read - set(DESIGNED) == set()
    assert written == mapped
    assert aliases <= mapped
    assert fnmatchcase(
        transform.body["dest"]["index"], template.body["index_patterns"][0]
    )


@pytest.mark.parametrize(
    ("name", "privileges"),
    [
        ("clisvc_writer", {"auto_configure", "create_doc"}),
        (
            "clisvc_verifier",
            {"auto_configure", "create_doc", "read", "view_index_metadata"},
        ),
    ],
)
def test_roles_of_a_shipper(name: str, privileges: set[str]) -> None:
    """A shipper appends; only the verifier reads; neither changes or deletes."""
    (indices,) = _ROLES[name]["indices"]

    assert indices["names"] == ["logs-sms.*"]
    assert set(indices["privileges"]) == privileges
    assert _ROLES[name]["cluster"] == ["monitor"]


def test_types_are_those_of_ecs() -> None:
    """A field with a name of ECS has its type of ECS, or that type's constant form."""
    if not _ECS.is_file():
        pytest.skip(f"the published ECS fields are not at {_ECS}")
    with gzip.open(_ECS) as file:
        ecs = yaml.safe_load(file)
    own = {name for name in DESIGNED if name.startswith("sms.")}
    family = {"constant_keyword": "keyword"}
    designed = {
        name: family.get(kind, kind)
        for name, kind in DESIGNED.items()
        if name not in own
    }

    assert designed == {
        name: family.get(ecs[name]["type"], ecs[name]["type"]) for name in designed
    }


def test_folder_of_a_checkout() -> None:
    """In a checkout the assets are beside the package."""
    assert str(folder()) == str(_ROOT / "pipelines")


def test_folder_of_an_installation(tmp_path: Path) -> None:
    """In an installed wheel the assets are inside the package."""
    package = tmp_path / "site" / "shipper"
    shutil.copytree(
        _ROOT / "shipper", package, ignore=shutil.ignore_patterns("__pycache__")
    )
    shutil.copytree(_ROOT / "pipelines", package / "assets" / "pipelines")
    code = (
        "from shipper.stack.assets import assets, folder\n"
        "print(folder(), len(assets()))"
    )

    found = subprocess.run(
        [sys.executable, "-B", "-c", code],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(package.parent)},
        capture_output=True,
        text=True,
        check=True,
    )

    place = package / "assets" / "pipelines"
    assert found.stdout == f"{place} {len(assets())}\n"
