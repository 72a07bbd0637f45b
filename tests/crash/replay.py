"""Replays every topic from its first record and compares digests of all tables before and after."""

import asyncio
import signal
from collections.abc import Mapping
from datetime import UTC, datetime

import asyncpg
from aiokafka import OffsetAndMetadata

from fleet.reader import Reader
from hobbs.demo.figures import Figures
from hobbs.local.fleet_processes import Fleet
from schemas.services import SERVICES
from schemas.topics import TOPICS
from tests.crash.workers import Life

# Tables that workers write without any event: due times of jobs, rereads of accounts, the progress and the
# missing events of Stripe's listing, and the hash chain, which follows the journals by two minutes. So is all
# that follows new readings of Stripe's balance, which go on: the gate, the health, and what is compared.
ALWAYS_CHANGING = (
    "timer",
    "inquiry",
    "event_listing",
    "missed_event",
    "read_schedule",
    "stripe_usage",
    "stripe_mode",  # when a process last said with which key and address it runs
    "movement_listing",
    "movement",  # explained by a listing, whatever is replayed; so is the journal that explains it
    "cash_journal",
    "alembic_version",
    "invariant_outcome",
    "journal_link",
    "topic_position",
    "balance_reading",
    "reserve_gate",
    "balance",
    "judgement",
    "stripe_line",
    "stripe_line_version",
    "line_change",
    "line_match",
    "book_match",
    "open_line",
    "open_journal",
    "break",
    "spread",
    "day",
    "day_total",
)
REPLAY_WITHIN_S = 300.0

_TABLES = """
    SELECT schemaname, tablename FROM pg_tables WHERE schemaname = ANY ($1) AND tablename <> ALL ($2)
    ORDER BY schemaname, tablename
"""
_DIGEST = """
    SELECT count(*) || ':' || coalesce(md5(string_agg(line, '|' ORDER BY line)), '')
    FROM (SELECT (to_jsonb(t) - 'checked_at')::text AS line FROM {table} AS t) AS row
"""


_UNTIL = """
    SELECT count(*) || ':' || coalesce(md5(string_agg(line, '|' ORDER BY line)), '')
    FROM (SELECT to_jsonb(t)::text AS line FROM {table} AS t WHERE {at} < $1) AS row
"""
# Tables that grow while new readings of Stripe's balance are published: what is in them stays as it is.
_GROWING = {"inbox": "admitted_at", "outbox_sent": "sent_at"}


async def digest(fleet: Fleet, until: datetime) -> Mapping[str, str]:
    """A digest of every table of every service; of those that grow, of what was there by then."""
    connection = await asyncpg.connect(fleet.owner_url)
    try:
        rows = await connection.fetch(_TABLES, list(SERVICES), list(ALWAYS_CHANGING))
        names = [f"{row['schemaname']}.{row['tablename']}" for row in rows]
        return {
            name: await connection.fetchval(_UNTIL.format(table=name, at=at), until)
            if (at := _GROWING.get(name.rpartition(".")[2]))
            else await connection.fetchval(_DIGEST.format(table=name))
            for name in names
        }
    finally:
        await connection.close()


async def replay_everything(fleet: Fleet) -> list[str]:
    """Rewind all groups while no worker runs, have every topic read again; returns what is wrong then."""
    until = datetime.now(UTC)
    before = await digest(fleet, until)
    await rewind(fleet)
    lives = [Life(fleet, service) for service in SERVICES]
    try:
        await until_read(fleet)
    except TimeoutError:
        return [f"a replay of every topic was not handled within {REPLAY_WITHIN_S:.0f} s"]
    finally:
        await stop(lives)
    after = await digest(fleet, until)
    return [f"replaying every topic changed {table}" for table in before if before[table] != after[table]]


async def rewind(fleet: Fleet) -> None:
    """Commit offset zero for every group; the groups have no member."""
    for topic in TOPICS.values():
        for service in topic.consumers:
            group = f"{fleet.topic_prefix}{service}.{topic.name}"
            consumer = Reader(
                bootstrap_servers=fleet.kafka_bootstrap, group_id=group, enable_auto_commit=False
            )
            await consumer.start()
            places = await consumer.places_of(fleet.topic_prefix + topic.name)
            consumer.assign(places)
            await consumer.commit({place: OffsetAndMetadata(0, "") for place in places})
            await consumer.stop()


async def until_read(fleet: Fleet) -> None:
    async with Figures(fleet) as figures, asyncio.timeout(REPLAY_WITHIN_S):
        while await figures.lag() or await figures.busy():  # noqa: ASYNC110 - another process's state
            await asyncio.sleep(0.3)


async def stop(lives: list[Life]) -> None:
    """Drain workers, and wait until Kafka has removed them from their groups."""
    for life in lives:
        life.child.signal(signal.SIGTERM)
    for life in lives:
        if not await asyncio.to_thread(life.child.wait, 30):
            life.child.kill()
            await asyncio.sleep(5.0)  # until its session expires
