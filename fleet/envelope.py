"""Records in, messages out: CloudEvents attributes in headers, identity, correlation.

Identity of an event: our own publishers put a UUIDv7 in `ce_id` and it is taken as it is. For foreign
publishers it is derived from topic, source and id, so two sources may use the same id; without an id it
is derived from the natural key in the body.
"""

import os
import re
import secrets
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from hashlib import sha256
from typing import NamedTuple
from uuid import NAMESPACE_URL, UUID, uuid5

from asyncpg.pgproto.pgproto import UUID as FastUUID  # a uuid.UUID that is made, read and written in C
from pydantic import BaseModel

from fleet.cause import Cause

OWN_SOURCES = "hobbs/"
CONTENT_HEADER = "ce_hobbscontent"
SAFE_CHARS_MAX = 2_000
_NAMESPACE = uuid5(NAMESPACE_URL, "hobbs:event")
_EPOCH, _MILLISECOND = datetime(1970, 1, 1, tzinfo=UTC), timedelta(milliseconds=1)
_TRACEPARENT = re.compile(r"00-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}")
_CORRELATION = re.compile(r"[\x21-\x7e]{1,100}")


def uuid7() -> UUID:
    """Make a time-ordered UUID (RFC 9562, version 7), millisecond precision."""
    milliseconds = time.time_ns() // 1_000_000
    made: UUID = FastUUID(milliseconds.to_bytes(6) + _version_and_random_bits())
    return made


def named_uuid(name: str, at: datetime) -> UUID:
    """Make the UUID of a name and an instant: laid out as version 7, a hash of the name for its random bits.

    What is decided again, after a restore, has the same id. Instants before 1970 count as 1970.
    """
    made: UUID = FastUUID(_milliseconds(at) + _versioned(sha256(name.encode()).digest()[:10]))
    return made


def _milliseconds(at: datetime) -> bytes:
    """Since 1970, exactly: the database computes the same."""
    return max((at - _EPOCH) // _MILLISECOND, 0).to_bytes(6)


def restamped(named: UUID, at: datetime) -> UUID:
    """The same id with another instant: of an event about a thing, which may be written anew."""
    made: UUID = FastUUID(_milliseconds(at) + named.bytes[6:])
    return made


_drawn: list[bytes] = []
os.register_at_fork(after_in_child=_drawn.clear)


def _version_and_random_bits() -> bytes:
    """Random bits of the system's, drawn for many at once: a call for them costs more than all the rest."""
    while True:
        try:
            return _drawn.pop()
        except IndexError:
            pool = os.urandom(10 * 256)
            _drawn.extend(_versioned(pool[i : i + 10]) for i in range(0, len(pool), 10))


def _versioned(ten: bytes) -> bytes:
    value = int.from_bytes(ten)
    return (value & ~(0xF << 76) & ~(0x3 << 62) | 7 << 76 | 2 << 62).to_bytes(10)


class Cut(NamedTuple):
    """Why a record is not what was published: the size and hash of the whole, as far as they are known."""

    reason: str
    sentence: str
    size: int | None
    digest: bytes


class Record(NamedTuple):
    """One Kafka record as read; `topic` is without the deployment's prefix, headers are safe text.

    Of a record that is `cut` only the beginning is here, or nothing: it is never processed.
    """

    topic: str
    partition: int
    offset: int
    key: bytes | None
    value: bytes | None
    headers: Mapping[str, str]
    timestamp: datetime
    cut: Cut | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """An event to publish through the outbox. `key` decides the partition."""

    topic: str
    key: str
    event: BaseModel | bytes  # bytes: its JSON, where a test holds them to what the topic's model would write
    cause: Cause
    event_id: UUID = field(default_factory=uuid7)
    source: str | None = None  # set only by tools that speak for a foreign publisher
    # What a repeat must equal when its body may differ (a webhook delivered again); else it is the body.
    # Only for messages published now or by `outbox.stage_named`: the outbox repeats the same bytes anyway.
    content: str | None = None

    @property
    def body(self) -> bytes:
        return self.event if isinstance(self.event, bytes) else self.event.model_dump_json().encode()


def first_cause() -> Cause:
    """Start a chain where no event led here: a timer, a request, a command."""
    event_id = uuid7()
    return Cause(correlation_id=str(event_id), traceparent=_new_traceparent(), event_id=event_id)


def cause_of(record: Record, event_key: UUID) -> Cause:
    """Continue the record's chain, or start one when its headers carry none (or nonsense)."""
    correlation = record.headers.get("ce_correlationid", "")
    trace = record.headers.get("traceparent", "")
    return Cause(
        correlation_id=correlation if _CORRELATION.fullmatch(correlation) else str(event_key),
        traceparent=trace if _TRACEPARENT.fullmatch(trace) else _new_traceparent(),
        event_id=event_key,
    )


def event_key_of(record: Record, natural_key: str | None) -> UUID | None:
    """Name the event for the inbox; None when neither headers nor body identify it."""
    source, event_id = record.headers.get("ce_source", ""), record.headers.get("ce_id", "")
    if event_id and source.startswith(OWN_SOURCES) and (own := _uuid(event_id)):
        return own
    if event_id:
        return derived_key(record.topic, source, event_id)
    return derived_key(record.topic, "", natural_key) if natural_key is not None else None


def derived_key(topic: str, source: str, event_id: str) -> UUID:
    return uuid5(_NAMESPACE, "\x1f".join((topic, source, event_id)))


def cloud_event_headers(
    *, event_id: UUID, source: str, topic: str, at: datetime, correlation_id: str, traceparent: str
) -> list[tuple[str, bytes]]:
    """CloudEvents 1.0 attributes in Kafka's binary mode, with `ce_` names and trace context."""
    return [
        ("ce_specversion", b"1.0"),
        ("ce_id", str(event_id).encode()),
        ("ce_source", source.encode()),
        ("ce_type", topic.encode()),
        ("ce_time", _stamp(at)),
        ("ce_correlationid", correlation_id.encode()),
        ("traceparent", traceparent.encode()),
        ("content-type", b"application/json"),
    ]


@lru_cache(maxsize=64)  # rows staged in one statement have the same instant
def _stamp(at: datetime) -> bytes:
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z").encode()


def headers_of(message: Message, service: str) -> list[tuple[str, bytes]]:
    """Headers of a message that is published now, or that names its content."""
    headers = cloud_event_headers(
        event_id=message.event_id,
        source=message.source or OWN_SOURCES + service,
        topic=message.topic,
        at=datetime.now(UTC),
        correlation_id=message.cause.correlation_id,
        traceparent=message.cause.traceparent,
    )
    return [*headers, (CONTENT_HEADER, message.content.encode())] if message.content else headers


def safe_text(value: bytes | str | None) -> str:
    """Text that PostgreSQL and JSON can hold, whatever bytes came: escapes instead of losing."""
    decoded = value.decode("utf-8", "backslashreplace") if isinstance(value, bytes) else value or ""
    if len(decoded) <= SAFE_CHARS_MAX and "\x00" not in decoded:
        return decoded
    return decoded.replace("\x00", "\\x00")[:SAFE_CHARS_MAX]


def _uuid(value: str) -> UUID | None:
    try:
        read: UUID = FastUUID(value)
        return read
    except ValueError:
        return None


def _new_traceparent() -> str:
    return f"00-{secrets.token_hex(16)}-{secrets.token_hex(8)}-01"
