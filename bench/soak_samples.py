"""A soak's samples: each worker's memory and open files, tables, waiting rows, consumer lag."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import asyncpg
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient

from bench import processes, sizes
from bench.servers import Deployment
from schemas.services import SERVICES
from schemas.topics import TOPICS

# Rows of these are deleted again; all other tables grow with flights, payees or configuration.
PASSING = tuple(f"{service}.{table}" for service in SERVICES for table in ("outbox", "timer"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """One sample of a running fleet; sizes in MiB."""

    at_s: float
    flights: int
    memory: Mapping[str, float]
    files: Mapping[str, float]
    passing: Mapping[str, float]
    growing: float
    waiting: Mapping[str, int]
    lag: int


async def look(deployment: Deployment, owner: asyncpg.Connection, *, at_s: float, flights: int) -> Sample:
    tables = await sizes.tables(owner)
    workers = {child.name: child.pid for child in deployment.workers}
    return Sample(
        at_s=at_s,
        flights=flights,
        memory={name: processes.footprint(pid).resident for name, pid in workers.items()},
        files={name: processes.open_files(pid) for name, pid in workers.items()},
        passing={name: tables[name] / processes.MIB for name in PASSING},
        growing=sum(size for name, size in tables.items() if name not in PASSING) / processes.MIB,
        waiting=dict(await owner.fetchrow(_WAITING)),
        lag=await lag(deployment),
    )


async def lag(deployment: Deployment) -> int:
    """Records published that no consumer group has committed yet."""
    prefix, kafka = deployment.fleet.topic_prefix, deployment.fleet.kafka_bootstrap
    admin = AIOKafkaAdminClient(bootstrap_servers=kafka)
    await admin.start()
    try:
        async with AIOKafkaConsumer(bootstrap_servers=kafka) as consumer:
            behind = 0
            for topic in TOPICS.values():
                places = [TopicPartition(prefix + topic.name, n) for n in range(topic.partitions)]
                ends = await consumer.end_offsets(places) if topic.consumers else {}
                for service in topic.consumers:
                    done = await admin.list_consumer_group_offsets(f"{prefix}{service}.{topic.name}")
                    behind += sum(end - max(done[p].offset if p in done else 0, 0) for p, end in ends.items())
            return behind
    finally:
        await admin.close()


def _everywhere(table: str) -> str:
    """The rows of every service's table of this name, as an SQL expression; constant names only."""
    return " + ".join(f"(SELECT count(*) FROM {service}.{table})" for service in SERVICES)  # noqa: S608


_WAITING = f"""
    SELECT {_everywhere("outbox")} AS outbox,
           (SELECT count(*) FROM payouts.operation WHERE state IN ('due', 'in_flight')) AS operations,
           (SELECT count(*) FROM payouts.operation WHERE state IN ('held', 'parked')) AS stopped,
           {_everywhere("dead_letter")} AS dead
"""  # noqa: S608


def second_half(samples: Sequence[Sample]) -> Sequence[Sample]:
    """The samples of the second half, when caches and pools are full."""
    return samples[len(samples) // 2 :]
