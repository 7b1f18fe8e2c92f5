# SPDX-License-Identifier: Apache-2.0
"""The faults: what is replaced by what, and which tests have to notice."""

from __future__ import annotations

from msgspec import Struct


class Fault(Struct, frozen=True):
    """One fault.

    Attributes:
        name: what the shipper does wrong.
        path: file to change.
        old: text that is there exactly once.
        new: what takes its place.
        tests: of which at least one has to fail.
    """

    name: str
    path: str
    old: str
    new: str
    tests: tuple[str, ...]


_TAIL = "tests/tail/test_harvester.py::"
_FAULTS = "tests/tail/test_faults.py::"
_SPOOL = "tests/store/test_spool.py::"
_REPORTED = "tests/tail/test_reported_bugs.py::"
_ENCODINGS = "tests/parse/test_encodings.py::"
_STORE = "tests/store/test_reported_bugs.py::"
_DELIVER = "tests/deliver/test_reported_bugs.py::"

FAULTS = (
    # --- identity ---------------------------------------------------------------
    Fault(
        "skips the anchor check",
        "shipper/tail/life.py",
        "return self.position == 0 or digest(before) == self.progress.anchor",
        "return True",
        (f"{_TAIL}test_rewritten_behind_the_head_is_another_life",),
    ),
    Fault(
        "skips the head check",
        "shipper/tail/probe.py",
        "if not life.head.matches(beginning):",
        "if False:",
        (f"{_TAIL}test_rewritten_within_the_head_is_another_life",),
    ),
    Fault(
        "checks the head once only",
        "shipper/tail/probe.py",
        "if again[: len(beginning)] != beginning:",
        "if False:",
        (f"{_FAULTS}test_a_log_rewritten_during_a_look_is_not_taken",),
    ),
    Fault(
        "looks at the last path only",
        "shipper/tail/survey.py",
        "yield from (path for path in others if path != life.path)",
        "yield from ()",
        (f"{_FAULTS}test_trouble_with_one_old_file_does_not_stop_another",),
    ),
    Fault(
        "believes one look at a share",
        "shipper/tail/survey.py",
        "if confirm_s and not self._sure(path, rewritten, now, confirm_s, looks):",
        "if False:",
        (f"{_FAULTS}test_a_stale_size_on_a_share_is_not_truncation",),
    ),
    Fault(
        "adds up doubts about a share",
        "shipper/tail/harvester.py",
        "self._survey.proven(found.path)",
        "pass",
        (f"{_REPORTED}test_sizes_that_flicker_cause_no_reading_anew",),
    ),
    Fault(
        "takes out of reach for deleted",
        "shipper/tail/survey.py",
        "return error.trouble is not Trouble.MISSING",
        "return False",
        (f"{_FAULTS}test_a_rotated_file_in_trouble_is_waited_for",),
    ),
    Fault(
        "names logs without their host",
        "shipper/tail/identity.py",
        r'f"{host}\0{log}\0".encode()',
        r'f"{log}\0".encode()',
        (f"{_FAULTS}test_identical_logs_of_two_hosts_are_two",),
    ),
    Fault(
        "reads generations by name",
        "shipper/tail/survey.py",
        "return active, inf if time is None else time, candidate.path",
        "return active, inf, candidate.path",
        (f"{_TAIL}test_several_unknown_generations_are_read_in_order_of_time",),
    ),
    Fault(
        "ends a rotated file at first sight",
        "shipper/tail/harvester.py",
        "return self._still.passed(still, now, self._survey.confirm_s)",
        "return True",
        (f"{_FAULTS}test_a_rotated_file_on_a_share_rests_longer",),
    ),
    # --- bytes and lines --------------------------------------------------------
    Fault(
        "takes half a line",
        "shipper/tail/framing.py",
        "if final and position < len(data):",
        "if position < len(data):",
        (f"{_TAIL}test_half_a_line_waits",),
    ),
    Fault(
        "takes NUL bytes for text",
        "shipper/tail/harvester.py",
        "            if not life.nul:\n",
        "            if False:\n",
        (f"{_FAULTS}test_nul_bytes_are_waited_out",),
    ),
    Fault(
        "splits UTF-16 at any line feed byte",
        "shipper/tail/identity.py",
        "    found = data.rfind(unit, start, stop)\n    while found >= 0 and",
        "    found = data.rfind(unit, start, stop)\n    while False and",
        (f"{_REPORTED}test_utf_16_is_read_in_whole_characters",),
    ),
    Fault(
        "ends UTF-16 lines at any line feed byte",
        "shipper/tail/identity.py",
        "    found = data.find(unit, start, stop)\n    while found >= 0 and",
        "    found = data.find(unit, start, stop)\n    while False and",
        (f"{_ENCODINGS}test_the_rest_of_a_long_line_is_skipped_in_whole_characters",),
    ),
    Fault(
        "opens without delete sharing",
        "shipper/tail/winopen.py",
        "SHARE_READ_WRITE_DELETE = 0x1 | 0x2 | 0x4",
        "SHARE_READ_WRITE_DELETE = 0x1 | 0x2",
        ("tests/tail/test_winopen.py",),
    ),
    Fault(
        "forgets that it skips a line",
        "shipper/tail/life.py",
        "skipping=chunk.skipping and end == chunk.end,",
        "skipping=False,",
        (f"{_TAIL}test_a_stop_inside_an_overlong_line_is_remembered",),
    ),
    Fault(
        "leaves five bytes of cp1252 out",
        "shipper/parse/text.py",
        'if self._code_page == "cp1252":',
        "if False:",
        ("tests/parse/test_encodings.py",),
    ),
    Fault(
        "keeps no account of lost bytes",
        "shipper/tail/life.py",
        "self.lost = max(0, self.seen - size)",
        "self.lost = 0",
        (f"{_TAIL}test_two_rotations_in_a_row_are_counted",),
    ),
    Fault(
        "lets go of what it lost at once",
        "shipper/tail/lineage.py",
        "day=today,",
        "day=0,",
        (f"{_REPORTED}test_what_a_rotated_log_took_along_is_counted",),
    ),
    # --- the outage spool ---------------------------------------------------------
    Fault(
        "keeps nothing in an outage",
        "shipper/tail/rescue.py",
        "        if end <= start or",
        "        if end or",
        (f"{_SPOOL}test_two_rotations_in_an_outage",),
    ),
    Fault(
        "keeps only what was not read, not what was not acknowledged",
        "shipper/tail/harvester.py",
        "start = unsaved.get(life.generation, life.position)",
        "start = life.position",
        (f"{_SPOOL}test_restart_in_an_outage",),
    ),
    Fault(
        "gives a rest back before all of it is acknowledged",
        "shipper/store/spool.py",
        "offset >= rest.end",
        "offset >= 0",
        (f"{_SPOOL}test_given_back",),
    ),
    Fault(
        "lets one log fill the whole spool",
        "shipper/store/spool.py",
        "if total <= self._max_bytes // 2 or (fair and",
        "if total <= self._max_bytes // 2 or (True and",
        (f"{_SPOOL}test_shares",),
    ),
    Fault(
        "inherits the state too early",
        "shipper/tail/lineage.py",
        "if place and not life.position and life.carry is None:",
        "if False:",
        (f"{_SPOOL}test_state_is_handed_on_in_reading_order",),
    ),
    Fault(
        "does not wait for requests that were given up",
        "shipper/deliver/backing.py",
        "                self._require_settled()",
        "                pass",
        ("tests/deliver/test_backing.py::test_settled",),
    ),
    # --- progress ---------------------------------------------------------------
    Fault(
        "commits before the acknowledgement",
        "shipper/store/ledger.py",
        "            if not entry.outstanding:\n"
        "                self._advance(ticket.source.key)\n\n    def settle(",
        "            entry.outstanding = 0\n"
        "            self._advance(ticket.source.key)\n\n    def settle(",
        (f"{_STORE}test_reading_is_not_progress",),
    ),
    Fault(
        "commits over a hole",
        "shipper/store/ledger.py",
        "while queue and not queue[0].outstanding:",
        "while queue:",
        (f"{_STORE}test_only_what_is_acknowledged_without_a_hole_is_progress",),
    ),
    Fault(
        "saves the state of the wrong chunk",
        "shipper/app/assembly.py",
        "life.advance(chunk, parsed.end, trail.encode())",
        "life.advance(chunk, parsed.end, life.progress.snapshot)",
        ("tests/app/test_assembly.py::test_agents_outlive_a_rotation",),
    ),
    Fault(
        "saves a position without its state",
        "shipper/store/rows.py",
        "        ticket.progress.snapshot,\n",
        '        b"",\n',
        ("tests/store/test_database.py::test_round_trip",),
    ),
    Fault(
        "gives up over a damaged store",
        "shipper/store/database.py",
        "if not _damage(error):",
        "if True:",
        (f"{_STORE}test_a_store_of_nul_bytes_does_not_stop_the_service",),
    ),
    Fault(
        "believes any value in the store",
        "shipper/store/database.py",
        "            self._check_rows(connection)\n",
        "",
        (f"{_STORE}test_a_damaged_value_is_a_damaged_store",),
    ),
    Fault(
        "inherits no state",
        "shipper/tail/lineage.py",
        "if place and not life.position and life.carry is None:",
        "if False:",
        (f"{_TAIL}test_a_generation_inherits_the_state_of_the_one_before",),
    ),
    # --- delivery ---------------------------------------------------------------
    Fault(
        "names records without their place",
        "shipper/enrich/enricher.py",
        'ident = f"{gen_id}-{start:09x}-',
        'ident = f"{gen_id}-{0:09x}-',
        ("tests/app/test_reported_bugs.py::test_equal_lines_are_different_records",),
    ),
    Fault(
        "counts a 429 as done",
        "shipper/deliver/elastic.py",
        "outcome=Outcome.REJECTED if fault else Outcome.RETRY,",
        "outcome=Outcome.REJECTED if fault else Outcome.DELIVERED,",
        (f"{_DELIVER}test_no_answer_of_one_document_is_taken_for_all",),
    ),
    Fault(
        "dead-letters a 403",
        "shipper/deliver/elastic.py",
        "fault = status == _BAD_REQUEST and",
        "fault = status in (_BAD_REQUEST, 403) and",
        (f"{_DELIVER}test_no_answer_of_one_document_is_taken_for_all",),
    ),
    Fault(
        "takes a conflict for an error",
        "shipper/deliver/elastic.py",
        "if status == _CONFLICT:",
        "if False:",
        (f"{_DELIVER}test_a_conflict_is_no_error",),
    ),
    Fault(
        "takes a stored failure for a delivery",
        "shipper/deliver/elastic.py",
        'if item.get("failure_store") == "used":',
        "if False:",
        ("tests/deliver/test_elastic.py::test_failure_store",),
    ),
    Fault(
        "accepts a short reply",
        "shipper/deliver/elastic.py",
        "if not isinstance(items, list) or len(items) != sent:",
        "if not isinstance(items, list):",
        ("tests/deliver/test_elastic.py::test_short_reply",),
    ),
    Fault(
        "takes a lost reply for a delivery",
        "shipper/deliver/delivery.py",
        "                self._gate.failed(\n                    outage.problem,",
        "                self._settle_all(pending)\n"
        "                return True\n"
        "                self._gate.failed(\n                    outage.problem,",
        (f"{_DELIVER}test_nothing_counts_while_the_server_refuses",),
    ),
    Fault(
        "does not halve what is too large",
        "shipper/deliver/delivery.py",
        "if not verdicts and len(pending) > 1:",
        "if False:",
        (f"{_DELIVER}test_too_large_a_request_is_halved",),
    ),
    Fault(
        "keeps no dead letters",
        "shipper/deliver/delivery.py",
        "        if letters:\n            self._keep(letters)\n",
        "",
        (f"{_DELIVER}test_refused_documents_are_kept_and_not_sent_again",),
    ),
    Fault(
        "forgets the look-up after a rollover",
        "shipper/deliver/elastic.py",
        "if since is None:\n            return self._bulk(events)",
        "if True:\n            return self._bulk(events)",
        ("tests/deliver/test_elastic.py", "tests/audit/test_resending.py"),
    ),
    Fault(
        "forgets that a lost reply may be a delivery",
        "shipper/deliver/delivery.py",
        "if outage.unknown:",
        "if False:",
        ("tests/deliver/test_delivery.py",),
    ),
    Fault(
        "does not wait for the disk",
        "shipper/store/deadletters.py",
        "    os.fsync(file.fileno())\n",
        "",
        ("tests/store/test_deadletters.py::test_on_the_disk",),
    ),
)
