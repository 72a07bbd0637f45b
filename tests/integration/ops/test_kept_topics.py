"""`hobbs kafka keep` and `fill`: topics that are kept for ever survive the loss of Kafka, in files."""

import os
import secrets
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import pytest
from aiokafka import TopicPartition
from aiokafka.admin import AIOKafkaAdminClient

from fleet.database import Database
from fleet.envelope import Message, Record, first_cause
from fleet.kafka_client import TopicPlan, create_topics, publish_once
from fleet.settings import Settings
from hobbs.replay import reading, span
from schemas.flights import FlightCompleted
from tests.integration.billing.given import FLIGHT
from tests.integration.ops.conftest import Hobbs

TOPIC = "flight.completed"
GROUP = "billing.flight.completed"
FILES = ["flight.completed.000000.jsonl", "flight.completed.000001.jsonl"]


async def anew(kafka: str, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """A Kafka without records: another prefix."""
    prefix = f"{secrets.token_hex(4)}."
    monkeypatch.setenv("HOBBS_KAFKA_BOOTSTRAP", kafka)
    monkeypatch.setenv("HOBBS_TOPIC_PREFIX", prefix)
    settings = Settings.model_validate(
        {"database_url": "postgresql://x@127.0.0.1/x", "kafka_bootstrap": kafka, "topic_prefix": prefix}
    )
    await create_topics(settings, [TopicPlan(name=TOPIC, partitions=2, retention_ms=-1)])
    return settings


async def publish(settings: Settings, *names: str) -> None:
    flights = [FlightCompleted.model_validate(FLIGHT | {"flight_id": name}) for name in names]
    messages = [Message(topic=TOPIC, key=f.flight_id, event=f, cause=first_cause()) for f in flights]
    await publish_once(settings, messages, service="gateway")


async def records_of(settings: Settings) -> list[Record]:
    """All records, partition after partition."""
    async with reading.open_reader(settings) as reader:
        name = settings.topic_prefix + TOPIC
        parts = await span.parts(reader, name, "beginning", "now", partition=None, now=datetime.now(UTC))
        batches = reading.of_topic(reader, TOPIC, parts, reading.Choice())
        return [record async for batch in batches for record in batch]


async def begins(settings: Settings) -> dict[int, int]:
    """Where billing begins to read."""
    admin = AIOKafkaAdminClient(bootstrap_servers=settings.kafka_bootstrap)
    await admin.start()
    try:
        found = await admin.list_consumer_group_offsets(settings.topic_prefix + GROUP)
        return {
            place.partition: at.offset for place, at in found.items() if isinstance(place, TopicPartition)
        }
    finally:
        await admin.close()


def without_offsets(records: Sequence[Record]) -> list[Record]:
    return [record._replace(offset=0) for record in records]


async def test_what_is_kept_for_ever_comes_back_and_nobody_handles_it_twice(
    kafka: str,
    database_url: str,
    owner: Database,
    hobbs: Hobbs,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    lost = await anew(kafka, monkeypatch)
    await publish(lost, "F1", "F2", "F3")
    kept = await hobbs("kafka", "keep", str(tmp_path), "-o", "json")
    assert kept.exit_code == 0, kept.stderr
    await publish(lost, "F4", "F5", "F6")
    assert (await hobbs("kafka", "keep", str(tmp_path))).exit_code == 0
    assert (await hobbs("kafka", "keep", str(tmp_path))).exit_code == 0  # nothing came
    assert sorted(one for one in os.listdir(tmp_path) if one.endswith(".jsonl")) == FILES
    there = await records_of(lost)
    handled = {n: sum(r.partition == n for r in there) for n in (0, 1)}
    late = max(n for n in handled if handled[n])  # of this partition the last record was not handled
    async with owner.transaction() as tx:
        for number, count in handled.items():
            await tx.execute(
                "INSERT INTO billing.topic_position VALUES (:topic, :number, :offset)",
                topic=TOPIC,
                number=number,
                offset=count - (number == late),
            )

    monkeypatch.setenv("HOBBS_OWNER_DATABASE_URL", database_url)
    refused = await hobbs("kafka", "fill", str(tmp_path))
    assert (refused.exit_code, "has records" in refused.stderr) == (1, True)
    new = await anew(kafka, monkeypatch)
    smaller = await hobbs("kafka", "keep", str(tmp_path))
    assert (smaller.exit_code, "it was lost" in smaller.stderr) == (1, True)
    whole = (tmp_path / FILES[0]).read_bytes()
    (tmp_path / FILES[0]).write_bytes(whole + whole.splitlines(keepends=True)[-1])
    changed = await hobbs("kafka", "fill", str(tmp_path))
    assert (changed.exit_code, "is not what `hobbs kafka keep` wrote" in changed.stderr) == (1, True)
    (tmp_path / FILES[0]).write_bytes(whole)
    filled = await hobbs("kafka", "fill", str(tmp_path), "-o", "json")
    assert filled.exit_code == 0, filled.stderr
    back = await records_of(new)
    assert without_offsets(back) == without_offsets(there)
    assert await begins(new) == {n: count - (n == late) for n, count in handled.items() if count}


async def test_a_folder_of_nothing_fills_nothing(
    kafka: str, database_url: str, hobbs: Hobbs, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    await anew(kafka, monkeypatch)
    monkeypatch.setenv("HOBBS_OWNER_DATABASE_URL", database_url)
    refused = await hobbs("kafka", "fill", str(tmp_path))
    assert (refused.exit_code, "hobbs kafka keep" in refused.stderr) == (1, True)
