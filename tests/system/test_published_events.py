"""Every event of a whole run is valid by its JSON Schema in schemas/generated/."""

import json
import re
from collections.abc import Sequence
from typing import Any
from uuid import UUID

import pytest
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from jsonschema import Draft202012Validator

from fleet.envelope import CONTENT_HEADER
from schemas.generate import GENERATED, schema_file
from schemas.services import SERVICES
from schemas.topics import TOPICS
from tests.system.conftest import Run

OURS = {f"hobbs/{service}" for service in SERVICES}
HEADERS = {"ce_specversion", "ce_id", "ce_source", "ce_type", "ce_time", "ce_correlationid", "traceparent"}
EXPECTED = {
    "flight.billed",
    "journal.requested",
    "journal.posted",
    "transfer.sent",
    "payout.settled",
    "payment.received",
    "charge.settled",
    "stripe.webhook",
    "notification.requested",
    "billing.dead",
}


async def read_everything(bootstrap: str) -> list[Any]:
    """Every record on the broker that one of our services published, by its ce_source."""
    places = await places_of_our_topics(bootstrap)
    records: list[Any] = []
    async with AIOKafkaConsumer(bootstrap_servers=bootstrap, auto_offset_reset="earliest") as consumer:
        consumer.assign(places)
        ends = await consumer.end_offsets(places)
        while any([await consumer.position(place) < end for place, end in ends.items()]):
            for batch in (await consumer.getmany(timeout_ms=500)).values():
                records += [record for record in batch if headers_of(record).get("ce_source") in OURS]
    return records


async def places_of_our_topics(bootstrap: str) -> list[TopicPartition]:
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    await admin.start()
    try:
        described = await admin.describe_topics()
    finally:
        await admin.close()
    ours = [topic for topic in described if topic_of(topic["topic"])]
    return [TopicPartition(t["topic"], p["partition"]) for t in ours for p in t["partitions"]]


def topic_of(name: str) -> str | None:
    """The topic without the prefix of a test's deployment."""
    return next((topic for topic in TOPICS if name == topic or name.endswith(f".{topic}")), None)


def headers_of(record: Any) -> dict[str, str]:
    return {name: value.decode("utf-8", "replace") for name, value in record.headers}


def violations_of(record: Any, schemas: dict[str, Draft202012Validator]) -> list[str]:
    """The differences between a record and its topic's schema, headers and key."""
    topic = TOPICS[topic_of(record.topic) or ""]
    headers, event = headers_of(record), json.loads(record.value)
    wrong = [f"{error.json_path}: {error.message[:200]}" for error in schemas[topic.name].iter_errors(event)]
    if missing := HEADERS - headers.keys():
        wrong.append(f"no headers {sorted(missing)}")
    if headers.get("ce_type") != topic.name or headers.get("ce_specversion") != "1.0":
        wrong.append(f"ce_type {headers.get('ce_type')}, ce_specversion {headers.get('ce_specversion')}")
    if UUID(headers["ce_id"]).version not in (7, 5):
        wrong.append(f"ce_id {headers['ce_id']}")
    if not re.fullmatch(r"00-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}", headers.get("traceparent", "")):
        wrong.append(f"traceparent {headers.get('traceparent')}")
    if topic.key in event and record.key.decode() != str(event[topic.key]):
        wrong.append(f"key {record.key!r} is not its {topic.key}")
    return [f"{topic.name}: {sentence}" for sentence in wrong]


@pytest.fixture(scope="session")
async def published(undisturbed: Run, kafka: str) -> Sequence[Any]:
    return await read_everything(kafka)


def test_every_published_event_fits_its_json_schema_headers_and_key(published: Sequence[Any]) -> None:
    schemas = {
        name: Draft202012Validator(json.loads((GENERATED / schema_file(name)).read_text(encoding="utf-8")))
        for name in TOPICS
    }
    wrong = [sentence for record in published for sentence in violations_of(record, schemas)]
    assert sorted(set(wrong))[:20] == []


def test_a_whole_run_publishes_on_every_topic_of_the_money_path(published: Sequence[Any]) -> None:
    seen = {topic_of(record.topic) for record in published}
    assert seen >= EXPECTED


def test_an_event_id_never_names_two_contents(published: Sequence[Any]) -> None:
    contents: dict[tuple[str, str], set[str]] = {}
    for record in published:
        contents.setdefault((record.topic, headers_of(record)["ce_id"]), set()).add(content_of(record))
    assert {key: values for key, values in contents.items() if len(values) > 1} == {}


def content_of(record: Any) -> str:
    """The content that a repeat must equal: the header's hash, for webhooks, else the body."""
    return headers_of(record).get(CONTENT_HEADER) or json.dumps(json.loads(record.value), sort_keys=True)


def test_what_follows_a_flight_carries_its_correlation(published: Sequence[Any], undisturbed: Run) -> None:
    """Of the demo's run: other fleets on the broker pay what no flight was billed for, such as openings."""
    of = {
        name: {headers_of(r)["ce_correlationid"] for r in published if r.topic == name}
        for name in (undisturbed.fleet.topic_prefix + topic for topic in ("flight.billed", "transfer.sent"))
    }
    billed, sent = of.values()
    assert sent
    assert sent <= billed
