# SPDX-License-Identifier: Apache-2.0
"""What ``pipelines`` holds, and where it is found."""

import gzip
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from shipper.stack.assets import OWNER, Asset, Kind, assets, folder
from tests.stack.fields import DESIGNED, leaves

_ROOT = Path(__file__).parents[2]
_ECS = _ROOT.parent / "shared" / "specs" / "ecs_flat-9.4.0.yml.gz"
_BUILT_IN = {"logs@mappings", "logs@settings", "ecs@mappings"}
_TEMPLATES = [asset for asset in assets() if asset.kind is Kind.INDEX_TEMPLATE]
_COMPONENTS = {
    asset.name: asset for asset in assets() if asset.kind is Kind.COMPONENT_TEMPLATE
}
each_template = pytest.mark.parametrize(
    "template", _TEMPLATES, ids=lambda template: template.name
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
    """Set-up knows these objects, components first."""
    assert [asset.name for asset in assets()] == [
        "logs-sms.clisvc@mappings",
        "logs-sms.clisvc@settings",
        "logs-sms.state@mappings",
        "logs-sms.state@settings",
        "logs-sms@mappings",
        "logs-sms.clisvc",
        "logs-sms.state",
    ]


@pytest.mark.parametrize("asset", assets(), ids=lambda asset: asset.name)
def test_label(asset: Asset) -> None:
    """Every object says whose it is and gives one version in both places."""
    meta = asset.body["_meta"]

    assert (meta["managed_by"], meta["version"]) == (OWNER, asset.body["version"])


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
    options = [part["settings"]["index"] for part in _parts(template)[-1:]]
    keywords = {
        name: field.get("ignore_above")
        for name, field in _fields(template).items()
        if field["type"] == "keyword" and name != "event.original"
    }

    assert merged["dynamic"] is False
    assert options == [
        {"mapping": {"ignore_malformed": True, "total_fields": {"limit": 1000}}}
    ]
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

    assert may_be_missing == _BUILT_IN | hooks
    assert set(template.body["composed_of"]) - may_be_missing == {
        "logs-sms@mappings",
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


@each_template
def test_failure_store_is_off(template: Asset) -> None:
    """A refused document is answered with an error, never put aside with a 201."""
    options = [part["data_stream_options"] for part in _parts(template)[-1:]]

    assert options == [{"failure_store": {"enabled": False}}]


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

    assert found.stdout == f"{package / 'assets' / 'pipelines'} 7\n"
