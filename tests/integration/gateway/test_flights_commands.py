"""`hobbs flights`: a file becomes one event for each flight, by Kafka or over HTTP, and what follows."""

import asyncio
import json
import os
import time
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Any

import httpx
import pytest
from aiokafka import AIOKafkaConsumer, TopicPartition
from pydantic import SecretStr

from fleet.decisions import REQUESTED, TAKEN
from fleet.kafka_client import TopicPlan, create_topics
from hobbs.local.ports import free_port
from services.gateway.app import build
from services.gateway.settings import GatewaySettings
from tests.conftest import OpenDatabase
from tests.integration.billing.given import completed, given_billed, given_school
from tests.integration.gateway.conftest import NOWHERE, gateway_settings
from tests.integration.ops.conftest import Hobbs
from tests.support.databases import service_url

REAL_FLIGHTS = Path(__file__).parents[3] / "school" / "flights.csv"
TOPIC = "flight.completed"


@pytest.fixture
async def running(
    kafka: str, database_url: str, hobbs: Hobbs, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[str]:
    """A whole gateway serving HTTP; yields its URL. The command line is told the same world."""
    settings = gateway_settings(
        kafka, database_url=SecretStr(service_url(database_url, "gateway")), gateway_port=free_port()
    )
    monkeypatch.setenv("HOBBS_KAFKA_BOOTSTRAP", kafka)
    monkeypatch.setenv("HOBBS_TOPIC_PREFIX", settings.topic_prefix)
    flights = {TOPIC: 3, "flight.corrected": 3, "flight.cancelled": 3}
    plans = flights | {"stripe.webhook": 3, "gateway.dead": 3, REQUESTED: 1, TAKEN: 1}
    await create_topics(
        settings, [TopicPlan(name=n, partitions=p, retention_ms=-1) for n, p in plans.items()]
    )
    worker = build(settings)
    task = asyncio.create_task(worker.run())
    url = f"http://127.0.0.1:{settings.gateway_port}"
    await answers(url)
    yield url
    worker._stopping.set()
    await asyncio.wait_for(task, 25)


async def answers(url: str) -> None:
    deadline = time.monotonic() + 20
    async with httpx.AsyncClient() as client:
        while True:
            try:
                await client.get(f"{url}/docs")
            except httpx.TransportError:
                assert time.monotonic() < deadline
                await asyncio.sleep(0.05)
            else:
                return


async def published(settings: GatewaySettings, at_least: int, topic: str = TOPIC) -> list[Any]:
    """Records of a topic from its beginning, once there are so many."""
    deadline = time.monotonic() + 20
    async with AIOKafkaConsumer(bootstrap_servers=settings.kafka_bootstrap) as consumer:
        places = [TopicPartition(settings.topic_prefix + topic, number) for number in range(3)]
        consumer.assign(places)
        await consumer.seek_to_beginning(*places)
        records: list[Any] = []
        while len(records) < at_least or await behind(consumer, places):
            assert time.monotonic() < deadline, f"{len(records)} of {at_least}"
            for found in (await consumer.getmany(*places, timeout_ms=200)).values():
                records += found
        return records


async def behind(consumer: Any, places: Sequence[TopicPartition]) -> bool:
    ends = await consumer.end_offsets(places)
    return any([await consumer.position(place) < ends[place] for place in places])


async def test_a_file_published_both_ways_and_twice_is_one_event_for_each_flight(
    running: str, kafka: str, hobbs: Hobbs, tmp_path: Path
) -> None:
    settings = gateway_settings(kafka, topic_prefix=os.environ["HOBBS_TOPIC_PREFIX"])
    key = json.loads((await hobbs("flights", "keys", "create", "tests", "-o", "json")).stdout)["key"]
    (tmp_path / "key").write_text(f"{key}\n")
    by_http = (
        "flights",
        "publish",
        str(REAL_FLIGHTS),
        "--url",
        running,
        "--api-key-file",
        str(tmp_path / "key"),
    )
    for expected in (0, 98):
        result = await hobbs(*by_http, "-o", "json")
        report = json.loads(result.stdout)
        assert (result.exit_code, report["published"], report["repeated"]) == (0, 98, expected)
    for _ in range(2):
        result = await hobbs("flights", "publish", str(REAL_FLIGHTS), "-o", "json")
        assert (result.exit_code, json.loads(result.stdout)["published"]) == (0, 98)
    records = await published(settings, 98 * 3)
    assert len(records) == 98 * 3  # once through the gateway, which knew the repeat, and twice straight
    said = {(dict(r.headers)["ce_id"], r.key, r.value) for r in records}
    assert len(said) == 98


async def test_rows_the_gateway_refuses_are_reported_by_line_and_the_others_published(
    running: str, hobbs: Hobbs, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    key = json.loads((await hobbs("flights", "keys", "create", "tests", "-o", "json")).stdout)["key"]
    monkeypatch.setenv("HOBBS_API_KEY", key)
    file = tmp_path / "flights.csv"
    header, road = (
        "flight_id,date,student\n",
        ("flights", "publish", str(file), "--url", running, "-o", "json"),
    )
    file.write_text(header + "F1,2026-05-22,anna\n")
    assert (await hobbs(*road)).exit_code == 0
    file.write_text(header + "F0,2026-05-22,anna\nbroken\nF1,2026-05-23,anna\nF2,2026-05-22,anna\n")
    result = await hobbs(*road)
    report = json.loads(result.stdout)
    assert (result.exit_code, report["published"]) == (1, 2)
    assert [(row["line"], row["reason"]) for row in report["rejected"]] == [
        (3, "malformed"),
        (4, "contradicts"),
    ]


async def test_a_key_the_gateway_does_not_know_is_a_usage_error(running: str, hobbs: Hobbs) -> None:
    result = await hobbs("flights", "publish", str(REAL_FLIGHTS), "--url", running, "--api-key", "hfk_wrong")
    assert result.exit_code == 2
    assert "unknown, was revoked, or has expired" in result.stderr


async def test_a_dry_run_asks_the_book_and_publishes_nothing(
    hobbs: Hobbs, open_db: OpenDatabase, tmp_path: Path
) -> None:
    await given_school(open_db("billing"))
    file = tmp_path / "flights.csv"
    file.write_text(
        "flight_id,date,student,instructor,aircraft,hobbs_out,hobbs_in,ground_hours\n"
        "F1,2026-05-22,student-01,,N364MA,1.0,2.0,\n"
        "F1,2026-05-22,student-01,,N364MA,1.0,2.0,\n"
        "F2,soon,student-01,,N364MA,1.0,2.0,\n"
        "F3,2026-05-22,student-01,,N0,1.0,2.0,\n"
        "F4,2026-05-22,anna,,N364MA,1.0,2.0,\n"
    )
    result = await hobbs("flights", "publish", str(file), "--dry-run", "-o", "csv")
    assert result.exit_code == 1
    assert [line.split(",")[:3] for line in result.stdout.splitlines()[1:]] == [
        ["3", "F1", "repeated"],
        ["4", "F2", "invalid"],
        ["5", "F3", "unknown_aircraft"],
        ["6", "F4", "unknown_student"],
    ]
    assert "1 flights could be published, 4 rows rejected" in result.stderr


async def test_a_dry_run_without_a_database_says_so(
    hobbs: Hobbs, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOBBS_DATABASE_URL", NOWHERE)
    file = tmp_path / "flights.csv"
    file.write_text("flight_id,date,student\nF1,2026-05-22,anna\n")
    result = await hobbs("flights", "publish", str(file), "--dry-run")
    assert (result.exit_code, "not checked against the school's book" in result.stderr) == (0, True)


@pytest.mark.parametrize(
    "arguments", [("nothing.csv",), ("x.csv", "--map", "a=b"), ("x.csv", "--url", "http://x")]
)
async def test_what_cannot_be_begun_is_a_usage_error(
    hobbs: Hobbs, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: Sequence[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "x.csv").write_text("flight_id,date,student\nF1,2026-05-22,anna\n")
    assert (await hobbs("flights", "publish", *arguments)).exit_code == 2


async def test_kafka_away_is_one_sentence_and_a_finding(hobbs: Hobbs, tmp_path: Path) -> None:
    file = tmp_path / "flights.csv"
    file.write_text("flight_id,date,student\nF1,2026-05-22,anna\n")
    result = await hobbs("flights", "publish", str(file))
    assert result.exit_code == 1
    assert "publishing again is safe" in result.stderr


async def test_billed_and_refused_flights_are_listed_and_shown(hobbs: Hobbs, open_db: OpenDatabase) -> None:
    billing = open_db("billing")
    await given_school(billing)
    meterless = {"hobbs_out": None, "hobbs_in": None, "flight_hours": "1.3"}
    flights = [
        completed(),
        completed(flight_id="F124", **meterless),
        completed(flight_id="F9", aircraft="N0"),
    ]
    await given_billed(billing, *flights)
    listed = json.loads((await hobbs("flights", "list", "-o", "json")).stdout)
    assert [(row["flight_id"], row["state"]) for row in listed] == [
        ("F9", "refused"),
        ("F123", "billed"),
        ("F124", "billed"),
    ]
    assert listed[1]["charge"] == 36151
    cut = await hobbs("flights", "list", "--most", "1", "-o", "json")
    assert [row["flight_id"] for row in json.loads(cut.stdout)] == ["F9", "F123"]
    assert "only the first 1 billed flights are shown" in cut.stderr
    assert "refused flights are shown" not in cut.stderr
    only = json.loads((await hobbs("flights", "list", "--state", "refused", "-o", "json")).stdout)
    assert [row["flight_id"] for row in only] == ["F9"]
    assert json.loads((await hobbs("flights", "list", "--from", "2027-01-01", "-o", "json")).stdout) == []
    assert "361.51" in (await hobbs("flights", "list")).stdout
    shown = json.loads((await hobbs("flights", "show", "F123", "-o", "json")).stdout)
    assert sum(line["amount"] for line in shown["bills"][0]["lines"]) == 36151
    assert "N0" in (await hobbs("flights", "show", "F9")).stdout
    assert "214.50" in (await hobbs("flights", "show", "F123")).stdout
    assert (await hobbs("flights", "show", "F404")).exit_code == 1
