"""The client's records as ours: headers as safe text, and a time that can be kept."""

from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

from fleet.envelope import Record, safe_text
from fleet.record_format import MARK, cut_of

_safe_name = lru_cache(maxsize=1024)(safe_text)


def record_of(raw: Any, topic: str) -> Record:
    """A record of aiokafka's; `topic` is without the deployment's prefix."""
    cut = None
    headers = {_safe_name(name): safe_text(value) for name, value in raw.headers if name != MARK}
    if len(headers) < len(raw.headers):  # a name is there twice, or the mark
        cut = next((cut_of(value) for name, value in raw.headers if name == MARK), None)
    return Record(
        topic=topic,
        partition=raw.partition,
        offset=raw.offset,
        key=raw.key,
        value=raw.value,
        headers=headers,
        timestamp=_instant(raw.timestamp),
        cut=cut,
    )


def _instant(milliseconds: int) -> datetime:
    try:
        return datetime.fromtimestamp(max(milliseconds, 0) / 1000, UTC)
    except (OverflowError, ValueError, OSError):  # a publisher may stamp any 64-bit number
        return datetime.now(UTC)
