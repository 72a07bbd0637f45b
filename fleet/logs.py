"""Structured logs on stderr: one JSON object a line, with correlation fields and without personal data.

A line's `service` is that of the task which wrote it: `of_service` sets it for a task and all that it starts.
"""

import logging
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, datetime
from typing import Any

import orjson

EVERY_S = 30.0  # how often one sentence of a library is worth reading
REMEMBERED_MAX = 1_000

_FAILING_ROW = re.compile(r"Failing row contains \(.*?\)\.$", re.DOTALL | re.MULTILINE)
_STANDARD = frozenset(vars(logging.makeLogRecord({}))) | {
    "message",
    "asctime",
    "taskName",
    "color_message",
    "service",
}
_service: ContextVar[str | None] = ContextVar("service", default=None)


@contextmanager
def of_service(service: str) -> Iterator[None]:
    """Let what this block and the tasks it starts write be the service's."""
    token = _service.set(service)
    try:
        yield
    finally:
        _service.reset(token)


def configure(level: str, style: str, process: str) -> None:
    """Send every logger's records to stderr in one format; what no service's task wrote is the process's."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_Json(process) if style == "json" else _Console(process))
    handler.addFilter(Seldom())
    logging.basicConfig(level=level, handlers=[handler], force=True)
    for chatty in ("aiokafka", "uvicorn", "httpx", "alembic", "stripe", "httpcore"):
        logging.getLogger(chatty).setLevel("WARNING")
    for noisy in ("aiokafka.consumer.group_coordinator", "faststream"):
        logging.getLogger(noisy).setLevel("ERROR")
    faststream = logging.getLogger("faststream")  # it brings a handler of its own, which does not write JSON
    faststream.handlers.clear()
    faststream.propagate = True


class Seldom(logging.Filter):
    """Passes a line of the Kafka libraries once in a while, and says how often it was left out since.

    aiokafka has no setting for this: it knocks at every broker that is away ten times a second for each
    consumer, and says so each time.
    """

    def __init__(self) -> None:
        super().__init__()
        self._said: dict[tuple[str, str], tuple[float, int]] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        if record.name.partition(".")[0] not in ("aiokafka", "faststream"):
            return True
        line = (record.name, record.getMessage())
        said_at, left_out = self._said.get(line, (0.0, 0))
        if 0 <= record.created - said_at < EVERY_S:
            self._said[line] = (said_at, left_out + 1)
            return False
        if len(self._said) >= REMEMBERED_MAX:
            self._said.clear()
        self._said[line] = (record.created, 0)
        if left_out:
            record.left_out = left_out
        return True


class _Json(logging.Formatter):
    def __init__(self, process: str) -> None:
        super().__init__()
        self._process = process

    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, Any] = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "service": _service.get() or self._process,
            "logger": record.name,
            "message": record.getMessage(),
            **_fields(record),
        }
        if record.exc_info:
            line["exception"] = _FAILING_ROW.sub(
                "Failing row left out.", self.formatException(record.exc_info)
            )
        return orjson.dumps(line, default=str).decode()


class _Console(logging.Formatter):
    def __init__(self, process: str) -> None:
        super().__init__("%(asctime)s %(levelname)-7s %(service)s %(message)s", "%H:%M:%S")
        self._process = process

    def format(self, record: logging.LogRecord) -> str:
        record.service = _service.get() or self._process
        fields = " ".join(f"{key}={value}" for key, value in _fields(record).items())
        return f"{super().format(record)} {fields}".rstrip()


def _fields(record: logging.LogRecord) -> dict[str, Any]:
    return {key: value for key, value in vars(record).items() if key not in _STANDARD}
