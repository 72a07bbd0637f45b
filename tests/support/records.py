"""Kafka records as a worker reads them, for handlers called directly."""

from collections.abc import Mapping
from datetime import UTC, datetime
from itertools import count
from uuid import UUID

from pydantic import BaseModel

from fleet.envelope import Record, uuid7

RECEIVED_AT = datetime(2026, 5, 22, 12, tzinfo=UTC)

_offsets = count()


def record(
    topic: str,
    body: BaseModel | bytes | None,
    *,
    ce_id: str | UUID | None = None,
    ce_source: str = "hobbs/test",
    key: str | None = None,
    partition: int = 0,
    offset: int | None = None,
    headers: Mapping[str, str] | None = None,
) -> Record:
    """Build a record of `topic`: a model becomes its JSON, bytes and None stay as they are.

    Each call is a new event at a new offset unless the arguments say otherwise; `headers` adds to or replaces
    the CloudEvents headers, and `ce_id=""` leaves the id out, as a foreign publisher may.
    """
    attributes = {
        "ce_specversion": "1.0",
        "ce_id": str(uuid7() if ce_id is None else ce_id),
        "ce_source": ce_source,
        "ce_type": topic,
        "ce_time": "2026-05-22T12:00:00Z",
        **(headers or {}),
    }
    return Record(
        topic=topic,
        partition=partition,
        offset=next(_offsets) if offset is None else offset,
        key=None if key is None else key.encode(),
        value=body.model_dump_json().encode() if isinstance(body, BaseModel) else body,
        headers={name: value for name, value in attributes.items() if value},
        timestamp=RECEIVED_AT,
    )
