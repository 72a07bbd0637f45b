"""Rows and traces as the JSON documents that Postgres takes sets from."""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

import orjson

from services.payouts.domain.trace import Trace


def rows_json(rows: Sequence[Mapping[str, Any]]) -> str:
    """Write rows for jsonb_to_recordset. The driver's own UUIDs are a subclass that orjson leaves to us."""
    return orjson.dumps(rows, default=str).decode()


def trace_json(trace: Trace) -> dict[str, str]:
    return {
        "correlation_id": trace.correlation_id,
        "traceparent": trace.traceparent,
        "event_id": str(trace.event_id),
    }


def trace_of(document: str) -> Trace:
    read = orjson.loads(document)
    return Trace(
        correlation_id=read["correlation_id"],
        traceparent=read["traceparent"],
        event_id=UUID(read["event_id"]),
    )
