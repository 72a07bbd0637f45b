"""Records in a file, a JSON document to a line, and back: byte for byte, with where and when they were.

A payload may hold personal data: the file is made for its owner's eyes only.
"""

import base64
import os
from collections.abc import AsyncIterator, Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, BinaryIO, Final

import orjson

from fleet.envelope import Record

FORMAT: Final = "hobbs records 1"
LINE_BYTES_MAX: Final = 32 * 2**20


class NotAFile(ValueError):
    """It is not a file that `--to-file` wrote; the sentence says where it is not."""


def create(path: Path, topic: str) -> BinaryIO:
    """A new file for records of a topic; only its owner can read it. Raises FileExistsError."""
    file = os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb")
    file.write(orjson.dumps({"format": FORMAT, "topic": topic}) + b"\n")
    return file


def line(record: Record) -> bytes:
    """A record as a line of the file."""
    document = {
        "partition": record.partition,
        "offset": record.offset,
        "timestamp": record.timestamp.isoformat(),
        "key": _text(record.key),
        "value": _text(record.value),
        "headers": dict(record.headers),
    }
    return orjson.dumps(document) + b"\n"


def topic_of(path: Path) -> str:
    """The topic whose records a file holds."""
    with path.open("rb") as file:
        return _header(file, path)


async def of_file(path: Path, batch: int) -> AsyncIterator[Sequence[Record]]:
    """The file's records in its order, some at a time."""
    with path.open("rb") as file:
        topic, some = _header(file, path), []
        for record in _records(file, path, topic):
            some.append(record)
            if len(some) == batch:
                yield some
                some = []
        if some:
            yield some


def _header(file: BinaryIO, path: Path) -> str:
    try:
        header = orjson.loads(file.readline(LINE_BYTES_MAX))
        if header["format"] == FORMAT:
            return str(header["topic"])
    except (orjson.JSONDecodeError, KeyError, TypeError):
        pass
    raise NotAFile(f"{path}: its first line does not say {FORMAT!r}: write it with --to-file")


def _records(file: BinaryIO, path: Path, topic: str) -> Iterator[Record]:
    for number, text in enumerate(iter(lambda: file.readline(LINE_BYTES_MAX), b""), start=2):
        try:
            yield _record(orjson.loads(text), topic)
        except (orjson.JSONDecodeError, KeyError, TypeError, ValueError, AttributeError) as error:
            raise NotAFile(f"{path}: line {number} is no record ({type(error).__name__})") from None


def _record(written: dict[str, Any], topic: str) -> Record:
    return Record(
        topic=topic,
        partition=int(written["partition"]),
        offset=int(written["offset"]),
        key=_bytes(written["key"]),
        value=_bytes(written["value"]),
        headers={str(name): str(value) for name, value in written["headers"].items()},
        timestamp=datetime.fromisoformat(written["timestamp"]).astimezone(UTC),
    )


def _text(value: bytes | None) -> str | None:
    return None if value is None else base64.b64encode(value).decode()


def _bytes(text: str | None) -> bytes | None:
    return None if text is None else base64.b64decode(text, validate=True)
