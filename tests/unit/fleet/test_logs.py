"""One format for every logger, and no flood from the libraries while a broker is away."""

import json
import logging
import subprocess
import sys

from fleet.logs import EVERY_S, REMEMBERED_MAX, Seldom


def line(message: str, *, at: float, name: str = "aiokafka.client") -> logging.LogRecord:
    record = logging.makeLogRecord({"name": name, "msg": message, "levelno": logging.ERROR})
    record.created = at
    return record


def test_a_repeated_line_of_a_library_is_said_once_in_a_while_and_how_often_it_was_left_out() -> None:
    seldom = Seldom()
    repeated = [line("node 0 is away", at=1_000.0 + second) for second in range(61)]
    said = [record for record in repeated if seldom.filter(record)]
    assert [record.created for record in said] == [1_000.0, 1_000.0 + EVERY_S, 1_000.0 + 2 * EVERY_S]
    assert [getattr(record, "left_out", 0) for record in said] == [0, 29, 29]


def test_every_different_line_of_a_library_is_said_at_once() -> None:
    seldom = Seldom()
    lines = [line(f"node {number} is away", at=1_000.0) for number in range(REMEMBERED_MAX + 1)]
    assert all(seldom.filter(record) for record in lines)


def test_a_clock_that_was_set_back_silences_nobody() -> None:
    seldom = Seldom()
    assert seldom.filter(line("node 0 is away", at=9_000.0))
    assert seldom.filter(line("node 0 is away", at=1_000.0))


def test_our_own_lines_are_never_left_out() -> None:
    seldom = Seldom()
    ours = [line("batch failed and is read again", at=1_000.0, name="fleet.consumers") for _ in range(9)]
    assert all(seldom.filter(record) for record in ours)


_EVERY_LOGGER_SPEAKS = """
import logging
import fleet.worker, services.gateway.app
from fleet import logs
logs.configure("INFO", "json", "sample")
spoke = [logging.getLogger(name) for name in sorted(logging.Logger.manager.loggerDict)]
for logger in spoke:
    logger.error("from %s", logger.name)
print(len(spoke))
"""


def test_whatever_logger_speaks_each_line_is_json_and_comes_once() -> None:
    done = subprocess.run(
        [sys.executable, "-c", _EVERY_LOGGER_SPEAKS], capture_output=True, text=True, check=True
    )
    said = [json.loads(spoken)["message"] for spoken in done.stderr.splitlines()]
    assert len(said) == len(set(said)) == int(done.stdout)
    assert "from faststream" in said
