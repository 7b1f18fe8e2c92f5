# SPDX-License-Identifier: Apache-2.0
"""What a server is not sent, because it has nothing for it."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shipper.config import SetupSettings
from shipper.stack import Kind, Server
from shipper.stack.comparison import differences
from shipper.stack.tailoring import Fitting, _component, _supported

_FITTING = Fitting(
    server=Server(version="9.2.0", flavor="minimal"),
    settings=SetupSettings(),
    lifecycle="",
    lacking=[Kind.INGEST_PIPELINE],
)


def test_pipelines_that_cannot_run_are_not_named() -> None:
    """Documents would be refused for a pipeline that is not there."""
    index = {"default_pipeline": "logs-sms.clisvc-1", "codec": "default"}

    template = {"template": {"settings": {"index": index}}}
    fitted = _component(_supported(template, _FITTING), _FITTING)

    assert fitted == {"template": {"settings": {"index": {"codec": "default"}}}}


def test_same_in_another_form() -> None:
    """Settings as text, and defaults nobody sent, are no difference."""
    ours = {
        "template": {
            "settings": {"index": {"mapping": {"total_fields": {"limit": 1000}}}},
            "mappings": {"dynamic": False},
        },
        "data_stream": {},
    }
    theirs = {
        "template": {
            "settings": {"index.mapping.total_fields.limit": "1000"},
            "mappings": {"dynamic": "false"},
        },
        "data_stream": {"hidden": False, "allow_custom_routing": False},
    }

    assert differences(ours, theirs) == ()


def test_defaults_in_lists() -> None:
    """What the server adds to the objects of a list is no difference, either."""
    ours: dict[str, Any] = {"indices": [{"names": ["logs-*"], "privileges": ["read"]}]}
    theirs = {"indices": [{**ours["indices"][0], "allow_restricted_indices": False}]}
    changed = {"indices": [{**ours["indices"][0], "allow_restricted_indices": True}]}

    assert differences(ours, theirs) == ()
    assert len(differences(ours, changed)) == 1


@pytest.mark.parametrize("value", [False, None, "", [], {}])
def test_nothing_is_a_default_everywhere(value: object) -> None:
    """What somebody switched off by hand is a difference, whatever it is set to."""
    ours = {"mappings": {"properties": {"message": {"type": "text"}}}}
    theirs = {"mappings": {"properties": {"message": {"type": "text", "index": value}}}}

    (change,) = differences(ours, theirs)

    assert change.startswith("mappings.properties.message.index: ")


def test_no_false_is_left_out() -> None:
    """What we switch off and somebody took away is a difference."""
    ours = {"mappings": {"dynamic": False}, "data_stream": {}}

    assert differences(ours, {}) == (
        "data_stream: nothing, not {}",
        "mappings.dynamic: nothing, not false",
    )


@given(
    st.recursive(
        st.one_of(st.booleans(), st.integers(), st.text(max_size=5)),
        lambda inner: st.dictionaries(st.text("abc", min_size=1), inner, max_size=4),
        max_leaves=12,
    )
)
def test_a_body_is_its_own_equal(body: object) -> None:
    """Whatever it holds, a body does not differ from itself."""
    assert differences({"body": body}, {"body": body}) == ()
