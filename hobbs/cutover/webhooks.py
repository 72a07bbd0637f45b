"""Which kinds of Stripe's events have come: read from their topic, in no group."""

from datetime import UTC, datetime, timedelta
from typing import Final

import orjson

from fleet.settings import Settings
from hobbs.local.webhook_events import EVENTS, THIN_EVENTS
from hobbs.replay import reading, span

TOPIC: Final = "stripe.webhook"
WANTED: Final = frozenset({*THIN_EVENTS, *(kind for kinds in EVENTS.values() for kind in kinds)})


async def missing_kinds(settings: Settings, *, days: int) -> list[str]:
    """The kinds that Stripe is asked to send and that did not come in so many days."""
    now, seen = datetime.now(UTC), set[str]()
    name = settings.topic_prefix + TOPIC
    async with reading.open_reader(settings) as reader:
        begin = now - timedelta(days=days)
        parts = await span.parts(reader, name, begin, span.NOW, partition=None, now=now)
        async for batch in reading.of_topic(reader, TOPIC, parts, reading.Choice()):
            seen |= {_kind(record.value) for record in batch}
    return sorted(WANTED - seen)


def _kind(value: bytes | None) -> str:
    """The type that the event's own JSON says; empty when it is none."""
    try:
        return str(orjson.loads(value or b"")["type"])
    except (orjson.JSONDecodeError, KeyError, TypeError):
        return ""
