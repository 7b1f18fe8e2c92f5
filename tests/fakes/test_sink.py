# SPDX-License-Identifier: Apache-2.0
"""The fakes keep what a sink promises."""

import pytest

from shipper.deliver import Outage, TooLarge
from shipper.errors import SinkUnavailable
from shipper.records import Outcome
from tests.fakes.sink import DUPLICATE, MemorySink, ScriptedSink, check_sink
from tests.store.made import event

_EVENTS = [event(name) for name in "abc"]


@pytest.mark.parametrize("sink", [MemorySink(), ScriptedSink([])])
def test_conformance(sink: MemorySink) -> None:
    """Both fakes answer like a data stream, and keep the documents."""
    check_sink(sink, _EVENTS)

    found = [(stream, name) for stream, name in sink.documents]
    assert found == [("sms.clisvc", name) for name in "abc"]
    assert set(sink.documents.values()) == {_EVENTS[0].document}


def test_close() -> None:
    """Closing is noted."""
    sink = MemorySink()
    sink.close()

    assert sink.closed


def test_script() -> None:
    """A script is followed step by step, then documents are kept."""
    sink = ScriptedSink(
        [
            Outage(SinkUnavailable("away")),
            TooLarge(),
            lambda events: [DUPLICATE for _ in events],
        ]
    )

    with pytest.raises(Outage):
        sink.send(_EVENTS)
    with pytest.raises(TooLarge):
        sink.send(_EVENTS[:2])
    assert sink.send(_EVENTS[:1]) == [DUPLICATE]
    assert sink.documents == {}
    assert [v.outcome for v in sink.send(_EVENTS[2:])] == [Outcome.DELIVERED]
    assert sink.requests == [["a", "b", "c"], ["a", "b"], ["a"], ["c"]]
