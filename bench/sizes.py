"""The disk space of flights: tables with their indexes, and the topics' segments."""

from collections.abc import Mapping
from pathlib import Path

import asyncpg

from bench.figures import Figure
from schemas.services import SERVICES

GB = 10**9
MILLION = 1_000_000
SHOWN = 7

_TABLES = """
    SELECT relnamespace::regnamespace || '.' || relname AS name, pg_total_relation_size(oid) AS bytes
    FROM pg_class WHERE relkind = 'r' AND relnamespace::regnamespace::text = ANY (CAST($1 AS text[]))
"""


async def tables(owner: asyncpg.Connection) -> dict[str, int]:
    """Bytes of each table of the services, with indexes and TOAST."""
    return {row["name"]: row["bytes"] for row in await owner.fetch(_TABLES, list(SERVICES))}


def topics(folder: Path, prefix: str) -> dict[str, int]:
    """Bytes of each topic's records, from the segments of a stack's broker."""
    found: dict[str, int] = {}
    for segment in (folder / "kafka" / "data").glob(f"{prefix}*/*.log"):
        topic = segment.parent.name.removeprefix(prefix).rpartition("-")[0]
        found[topic] = found.get(topic, 0) + segment.stat().st_size
    return found


def growth(before: Mapping[str, int], after: Mapping[str, int]) -> dict[str, int]:
    return {name: size - before.get(name, 0) for name, size in after.items()}


def figures(flights: int, tables: Mapping[str, int], topics: Mapping[str, int]) -> list[Figure]:
    """The sizes of a million flights, with the largest tables or topics named.

    Outboxes are not counted, nor what was sent from them, which is kept for days (HOBBS_OUTBOX_KEPT_DAYS) and
    not for ever: the note says it.
    """
    sent = sum(size for name, size in tables.items() if name.endswith(".outbox_sent"))
    kept = {name: size for name, size in tables.items() if not name.endswith((".outbox", ".outbox_sent"))}
    return [
        Figure(
            name="size of a million flights, Postgres",
            value=_for_a_million(sum(kept.values()), flights),
            unit="GB",
            note=f"{_breakdown(kept, flights)}; beside it, until it is pruned, outbox_sent "
            f"{_for_a_million(sent, flights):.2f}",
        ),
        Figure(
            name="size of a million flights, Kafka",
            value=_for_a_million(sum(topics.values()), flights),
            unit="GB",
            note=_breakdown(topics, flights),
        ),
    ]


def _for_a_million(size: int, flights: int) -> float:
    return size / flights * MILLION / GB


def _breakdown(sizes: Mapping[str, int], flights: int) -> str:
    largest = sorted(sizes.items(), key=lambda entry: -entry[1])[:SHOWN]
    named = ", ".join(f"{name} {_for_a_million(size, flights):.2f}" for name, size in largest)
    return f"from {flights:,} flights with their transfers and webhooks, one copy: {named}, …"
