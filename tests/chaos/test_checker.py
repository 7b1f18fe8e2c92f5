# SPDX-License-Identifier: Apache-2.0
"""The checker finds what is lost, doubled or torn; a run without it proves nothing."""

from pathlib import Path
from random import Random

import pytest

from shipper.demo.fleet.dice import dice
from tests.chaos.checker import Events, compare
from tests.chaos.journal import Generation, Journal, Truth, Written, read
from tests.chaos.lines import Key, key_of, line
from tests.chaos.log import Log, Way
from tests.chaos.report import Report
from tests.chaos.running import Running, Stretches

_AT_MS = 1_045_029_600_123
_SIZE = len(line(Key(host="pc0001", generation=0, number=0), _AT_MS, b"\n"))


def _text(generation: int, number: int) -> str:
    key = Key(host="pc0001", generation=generation, number=number)
    return line(key, _AT_MS, b"").decode("ascii")


def _truth() -> Truth:
    """Return five records: three in the first generation, two in the second."""
    first = Written(first=0, last=2, size=3 * _SIZE, at=1.0)
    second = Written(first=3, last=4, size=2 * _SIZE, at=5.0)
    return {
        "pc0001": [
            Generation(written=[first], ended="rename", ended_at=4.0, gone_at=9.0),
            Generation(written=[second]),
        ]
    }


def _texts() -> list[str]:
    return [_text(0, 0), _text(0, 1), _text(0, 2), _text(1, 3), _text(1, 4)]


def test_complete() -> None:
    """Every record once, in any order: nothing is found."""
    found = compare(_truth(), reversed(_texts()), Events())

    assert (found.records, found.lost, found.doubled, found.foreign) == (5, 0, 0, 0)


def test_lost() -> None:
    """A record that is missing is counted with its bytes, its rotation and its time."""
    texts = _texts()
    del texts[2]
    found = compare(_truth(), texts, Events(shipper_kills=[3.0, 20.0]))

    assert (found.lost, found.doubled) == (1, 0)
    assert found.lost_by == {"rename": 1}
    assert found.lost_bytes == {"pc0001": _SIZE}
    assert found.examples == [
        (
            "lost: pc0001 generation 0 (rename), records 2-2; written 1.0, ended 4.0,"
            " gone 9.0; meanwhile shipper killed 1x"
        )
    ]


def test_doubled() -> None:
    """Every document beside the first of a record counts."""
    found = compare(_truth(), _texts() + [_text(1, 4)] * 2, Events())

    assert (found.lost, found.doubled) == (0, 2)


@pytest.mark.parametrize(
    "text",
    [
        _text(0, 0)[:-1],
        _text(0, 0) + _text(0, 1),
        _text(1, 0),
        _text(0, 5),
        "something else",
    ],
    ids=["torn", "glued", "other generation", "never written", "foreign"],
)
def test_foreign(text: str) -> None:
    """A document that is no record as it was written is not taken for one."""
    found = compare(_truth(), [*_texts(), text], Events())

    assert (found.lost, found.doubled, found.foreign) == (0, 0, 1)


@pytest.mark.parametrize("number", [7, 50], ids=["routine", "refused launch"])
def test_key(number: int) -> None:
    """A record's text says which one it is."""
    key = Key(host="pc0042", generation=3, number=number)

    assert key_of(line(key, _AT_MS, b"").decode("ascii")) == key


@pytest.mark.parametrize("way", [way for way in Way if way is not Way.DELETE])
def test_log_and_journal(tmp_path: Path, way: Way) -> None:
    """What the journal says is what stands in the files, half lines and all."""
    chance = dice("log and journal", way)
    path = tmp_path / "Clisvc.log"
    path.touch()
    with Journal(tmp_path / "journal") as journal:
        log = Log("pc0001", path, journal, lambda _since: True)
        _bursts(log, chance)
        assert log.rotate(way)
        _bursts(log, chance)
        log.complete()
    (lives,) = read([tmp_path / "journal"]).values()
    files = [file for file in tmp_path.iterdir() if file.name.startswith("Clisvc")]
    texts = [
        text
        for file in files
        for text in file.read_text("ascii").replace("\r", "").splitlines()
    ]

    assert len(files) == 2
    assert sorted(life.size for life in lives) == sorted(
        file.stat().st_size for file in files
    )
    found = compare({"pc0001": lives}, texts, Events())
    assert (found.records, found.lost, found.doubled, found.foreign) == (
        len(texts),
        0,
        0,
        0,
    )


def _bursts(log: Log, chance: Random) -> None:
    for _ in range(40):
        log.burst(chance.randrange(1, 4), chance, half=chance.random() < 0.5)


def test_overwriting_waits(tmp_path: Path) -> None:
    """An older half is overwritten only when the shipper had time to read it."""
    path = tmp_path / "Clisvc.log"
    answers = iter((False, True))
    with Journal(tmp_path / "journal") as journal:
        log = Log("pc0001", path, journal, lambda _since: next(answers))
        done = []
        for _ in range(3):
            log.burst(1, Random(0), half=False)  # noqa: S311  no secret
            done.append(log.rotate(Way.RENAME))

    assert done == [True, False, True]


def test_running_time(tmp_path: Path) -> None:
    """Enough is a sum over all stretches, with one long enough, start-up excluded."""
    path = tmp_path / "running"
    path.write_text("100.0\n104.0\n110.0\n117.0\n", "ascii")
    stretches = Stretches(path, 10.0, 5.0)
    stretches.look()

    assert stretches.enough(100.0)  # 4 + 7
    assert not stretches.enough(102.0)  # 2 + 7
    short = Stretches(path, 10.0, 8.0)
    short.look()
    assert not short.enough(100.0)  # 11, but no 8 in a row


def test_running_notes_only_changes(tmp_path: Path) -> None:
    """A stretch begins when all that is needed runs, and ends when one of it goes."""
    path = tmp_path / "running"
    running = Running(path, ("shipper", "server"))
    running.note("shipper", up=False)
    running.note("shipper", up=True)
    running.note("proxy", up=True)
    assert not path.exists()
    running.note("server", up=True)
    running.note("shipper", up=False)
    running.note("server", up=False)

    assert len(path.read_text("ascii").splitlines()) == 2


def test_verdict() -> None:
    """One lost record, or one thing that does not add up, fails a run."""
    fine = compare(_truth(), _texts(), Events())
    lossy = compare(_truth(), _texts()[1:], Events())
    made = [
        Report(
            seed=1,
            caught_up_s=1.0,
            files=1,
            generations=2,
            bytes=5 * _SIZE,
            rotations={},
            overwritten=0,
            shipper_kills=0,
            server_kills=0,
            server_stops=0,
            status={},
            findings=findings,
            wrong=wrong,
            on_purpose=on_purpose,
        ).passed
        for findings, wrong, on_purpose in [
            (fine, [], False),
            (lossy, [], False),
            (lossy, [], True),
            (fine, ["the shipper: exit code 1"], False),
        ]
    ]

    assert made == [True, False, True, False]
