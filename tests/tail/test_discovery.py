# SPDX-License-Identifier: Apache-2.0
"""Which logs there are: paths, patterns, templates, host lists, shards."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from shipper.errors import InputProblem, UsageProblem
from shipper.records import Source
from shipper.tail import Calls, Discovery, HostList, Pattern, wildcard
from shipper.tail import discovery as discovery_module
from shipper.tail.discovery import owner

NOBODY = HostList()


def write(*paths: Path) -> None:
    """Create empty logs and their folders."""
    for path in paths:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()


def scan(
    *patterns: Pattern, host: str = "Here.example.org", explicit: bool = False
) -> list[Source]:
    """Return the sources the patterns match now."""
    found = Discovery(patterns, host, explicit=explicit).scan()
    return [source for source, _ in found.values()]


def test_a_path_is_one_log_whether_it_is_there_or_not(tmp_path: Path) -> None:
    """It is this machine's, by the first label of its name in lower case."""
    path = str(tmp_path / "Clisvc.log")

    assert scan(Pattern(path, NOBODY)) == [
        Source(
            host="here",
            domain="example.org",
            log="clisvc",
            directory=str(tmp_path),
            path=path,
        )
    ]


def test_a_pattern_is_all_it_matches(tmp_path: Path) -> None:
    """Each folder's log is one source, however many files it has."""
    write(
        tmp_path / "a" / "Clisvc.log",
        tmp_path / "a" / "Clisvc.lo_",
        tmp_path / "b" / "Clisvc.log",
        tmp_path / "b" / "other.txt",
    )
    found = scan(Pattern(str(tmp_path / "*" / "Clisvc.l*"), NOBODY), explicit=True)

    assert [source.path for source in found] == [
        str(tmp_path / "a" / "Clisvc.log"),
        str(tmp_path / "b" / "Clisvc.log"),
    ]
    assert all(source.explicit_host for source in found)


def test_a_rotated_file_alone_is_its_log(tmp_path: Path) -> None:
    """The path of a source is the active one, though it may be gone."""
    write(tmp_path / "Clisvc.lo_")
    (source,) = scan(Pattern(str(tmp_path / "*"), NOBODY))

    assert source.path == str(tmp_path / "Clisvc.log")


def test_files_named_one_by_one_are_all_selected(tmp_path: Path) -> None:
    """A shell expands patterns to names; each of them counts, and no other file."""
    write(tmp_path / "Clisvc.log", tmp_path / "Clisvc.lo_", tmp_path / "Clisvc.1")
    names = ["Clisvc.lo_", "Clisvc.log"]
    patterns = [Pattern(str(tmp_path / name), NOBODY, siblings=False) for name in names]
    ((_, siblings),) = (
        Discovery(tuple(patterns), "here", explicit=False).scan().values()
    )

    assert siblings.select(["Clisvc.log", "Clisvc.lo_", "Clisvc.1"]) == [
        str(tmp_path / "Clisvc.log"),
        str(tmp_path / "Clisvc.lo_"),
    ]


def test_names_of_different_case_are_one_log(tmp_path: Path) -> None:
    """Rotation need not keep the case; the active name that is there is the path."""
    write(tmp_path / "CLISVC.LO_", tmp_path / "Clisvc.log")
    pattern = Pattern(str(tmp_path / "*"), NOBODY, siblings=False)
    ((source, siblings),) = Discovery((pattern,), "pc", explicit=False).scan().values()

    assert source.path == str(tmp_path / "Clisvc.log")
    assert siblings.select(["CLISVC.LO_", "Clisvc.log"]) == [
        str(tmp_path / "Clisvc.log"),
        str(tmp_path / "CLISVC.LO_"),
    ]


def test_a_template_lists_its_hosts(tmp_path: Path) -> None:
    """What stands for it in the path is the host, in each place the same."""
    write(
        tmp_path / "PC0417" / "PC0417-Clisvc.log",
        tmp_path / "pc0418.corp.example.com" / "pc0418.corp.example.com-Clisvc.log",
        tmp_path / "pc0419" / "pc0420-Clisvc.log",
    )
    found = scan(Pattern(str(tmp_path / "{host}" / "{host}-Clisvc.log"), NOBODY))

    assert [(source.host, source.domain) for source in found] == [
        ("pc0417", ""),
        ("pc0418", "corp.example.com"),
    ]
    assert all(source.explicit_host for source in found)


def test_special_characters_in_a_template_are_themselves(tmp_path: Path) -> None:
    """Brackets in a folder's name match that folder."""
    write(tmp_path / "fleet [1]" / "pc0417" / "Clisvc.log")
    (source,) = scan(
        Pattern(str(tmp_path / "fleet [1]" / "{host}" / "Clisvc.log"), NOBODY)
    )

    assert source.host == "pc0417"


def test_named_hosts_are_sources_whether_their_shares_answer_or_not() -> None:
    """Names, a file and a command add up; doubles count once."""
    hosts = HostList(names=("PC0417", "pc0418.corp.example.com", "PC0417"))
    found = scan(Pattern(r"\\{host}\SMSLogs$\Clisvc.log", hosts))

    assert [(source.host, source.path) for source in found] == [
        ("pc0417", r"\\PC0417\SMSLogs$\Clisvc.log"),
        ("pc0418", r"\\pc0418.corp.example.com\SMSLogs$\Clisvc.log"),
    ]
    assert found[0].directory == "\\\\PC0417\\SMSLogs$\\"


def test_addresses_are_not_split_like_names() -> None:
    """Two machines of one network must not become one host called 10."""
    hosts = HostList(names=("10.0.0.5", "10.0.0.6"))
    found = scan(Pattern("/mnt/{host}/Clisvc.log", hosts))

    assert [(source.host, source.domain) for source in found] == [
        ("10.0.0.5", ""),
        ("10.0.0.6", ""),
    ]


def test_a_host_file_is_read_anew_at_each_scan(tmp_path: Path) -> None:
    """Comments, blanks and a byte order mark are no hosts."""
    file = tmp_path / "hosts.txt"
    file.write_text("\ufeff# the lab\npc1\n\n pc2 # Ann's\npc1\n", encoding="utf-8")
    hosts = HostList(file=str(file))
    first = hosts.read()
    file.write_text("pc3\n", encoding="utf-8")

    assert (first, hosts.read()) == (["pc1", "pc2"], ["pc3"])


def test_a_command_prints_hosts() -> None:
    """It is run without a shell, and what it prints is read like a file."""
    code = "print('pc1 # first'); print('pc2')"
    command = f"{shlex.quote(sys.executable)} -c {shlex.quote(code)}"

    assert HostList(names=("pc0",), command=command).read() == ["pc0", "pc1", "pc2"]


@pytest.mark.parametrize(
    "hosts",
    [
        HostList(file="/nowhere/hosts.txt"),
        HostList(command="/nowhere/list-hosts"),
        HostList(command=f"{shlex.quote(sys.executable)} -c 'raise SystemExit(3)'"),
        HostList(command='unclosed "quote'),
    ],
)
def test_a_list_that_cannot_be_read_is_a_problem(hosts: HostList) -> None:
    """The message names the setting and what was given."""
    with pytest.raises(InputProblem) as found:
        hosts.read()

    assert str(found.value).startswith("input.hosts_")
    assert (hosts.file or hosts.command.replace("'", "\\'")) in (
        str(found.value).replace("'", "\\'")
    )


def test_a_list_is_there_if_anything_is_given() -> None:
    """An empty one is not."""
    assert HostList(names=("a",))
    assert HostList(file="a")
    assert HostList(command="a")
    assert not NOBODY


@pytest.mark.parametrize(
    "text",
    [r"\\{host}\SMSLogs$\Clisvc.log", r"\\server\{host}\Clisvc.log"],
)
def test_hosts_that_cannot_be_listed_must_be_named(text: str) -> None:
    """Servers and shares of a network have no listing."""
    with pytest.raises(UsageProblem, match="cannot be listed"):
        Pattern(text, NOBODY)
    assert Pattern(text, HostList(names=("pc1",))).templated


def test_folders_below_a_share_can_be_listed() -> None:
    """There the host need not be named."""
    assert Pattern(r"\\server\logs\{host}\Clisvc.log", NOBODY).templated


def test_a_template_takes_no_star() -> None:
    """It would never match anything, in silence."""
    with pytest.raises(UsageProblem, match="do not go together"):
        Pattern("/mnt/{host}/*.log", NOBODY)


def test_a_folder_is_refused(tmp_path: Path) -> None:
    """The remedy shows what to write."""
    with pytest.raises(InputProblem) as found:
        scan(Pattern(str(tmp_path), NOBODY))

    assert str(tmp_path / "Clisvc.log") in found.value.remedy


def test_a_log_that_becomes_a_folder_does_not_end_the_search(tmp_path: Path) -> None:
    """Only a mistake made at the start is one of the user's."""
    path = tmp_path / "Clisvc.log"
    discovery = Discovery((Pattern(str(path), NOBODY),), "here", explicit=False)
    first = discovery.scan()
    path.mkdir()

    assert discovery.scan() == first


def test_what_hangs_is_left_out(tmp_path: Path) -> None:
    """Each folder below the first level is a call of its own, to be made or not."""
    write(tmp_path / "pc1" / "Clisvc.log", tmp_path / "pc2" / "Clisvc.log")

    def ask(calls: Calls) -> Iterator[list[str]]:
        return (call() for name, call in calls if not name.endswith("pc1"))

    pattern = Pattern(str(tmp_path / "{host}" / "Clisvc.log"), NOBODY)
    found = Discovery((pattern,), "here", explicit=False).scan(ask)

    assert [source.host for source, _ in found.values()] == ["pc2"]


def test_too_many_matches_are_a_problem(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A million sources by mistake would take all memory."""
    monkeypatch.setattr(wildcard, "MOST_LOGS", 3)
    monkeypatch.setattr(discovery_module, "MOST_LOGS", 3)
    write(*(tmp_path / f"{number}.log" for number in range(4)))
    pattern = Pattern(str(tmp_path / "*.log"), NOBODY)

    assert len(scan(Pattern(str(tmp_path / "[0-2].log"), NOBODY))) == 3
    with pytest.raises(InputProblem, match="matches more than 3 files"):
        scan(pattern)


def test_the_root_is_the_fixed_part_of_the_path(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All matches lie below it, so it is what can be watched."""
    monkeypatch.chdir(tmp_path)
    texts = [
        "/a/b/Clisvc.log",
        "/a/b*/c/x.log",
        "/a/{host}/x.log",
        "c/Clisvc.log",
        "/fleet [1]/{host}/x.log",
    ]
    roots = [Pattern(text, NOBODY).root for text in texts]

    assert roots == ["/a/b", "/a", "/a", str(tmp_path / "c"), "/fleet [1]"]


def test_the_home_folder_may_be_short(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A tilde is what it is in a shell."""
    monkeypatch.setenv("HOME", str(tmp_path))
    (source,) = scan(Pattern("~/Clisvc.log", NOBODY))

    assert source.path == str(tmp_path / "Clisvc.log")


def test_names_that_are_no_text_are_found(tmp_path: Path) -> None:
    """A source can be named in messages and documents all the same."""
    folder = tmp_path / "pc\udcff1"
    write(folder / "Clisvc.log")
    (source,) = scan(Pattern(str(tmp_path / "{host}" / "Clisvc.log"), NOBODY))

    assert source.host == "pc\ufffd1"
    assert source.path == str(folder / "Clisvc.log")


def test_each_host_has_one_owner() -> None:
    """Collectors share the hosts out, all of them, and about evenly."""
    hosts = tuple(f"pc{number:04}" for number in range(800))
    pattern = Pattern("/mnt/{host}/Clisvc.log", HostList(names=hosts))
    shares = []
    for index in range(1, 9):
        discovery = Discovery((pattern,), "here", explicit=False, shard=(index, 8))
        shares.append({source.host for source, _ in discovery.scan().values()})

    assert sum(len(share) for share in shares) == 800
    assert set.union(*shares) == set(hosts)
    assert all(60 < len(share) < 140 for share in shares)


def test_another_collector_takes_over_few_hosts() -> None:
    """Only those that move to it, about one in nine, change their owner."""
    hosts = [f"pc{number:04}" for number in range(900)]
    moved = [host for host in hosts if owner(host, 8) != owner(host, 9)]

    assert 50 < len(moved) < 150
    assert {owner(host, 9) for host in moved} == {9}
    assert {owner(host, 1) for host in hosts} == {1}


@pytest.mark.parametrize("pattern", ["{host}/Clisvc.log", "*/Clisvc.log", "*/*.log"])
@pytest.mark.parametrize("name", ["Clisvc.lo_", "Clisvc-20030212-101500.log"])
def test_rotated_just_now(tmp_path: Path, pattern: str, name: str) -> None:
    """A log of which there are only rotated files at the moment is followed too."""
    write(tmp_path / "pc0417" / name, tmp_path / "pc0418" / "other.txt")

    (found,) = scan(Pattern(str(tmp_path / pattern), NOBODY))

    assert found.path == str(tmp_path / "pc0417" / "Clisvc.log")
