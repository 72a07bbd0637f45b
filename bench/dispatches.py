"""Dispatches at 50/s beside traffic: how long a scheduler waits for `dispatch.cleared` or `dispatch.refused`.

Timed from the instant at which a dispatch was due to be published to the one at which its answer is read from
Kafka: through billing, receivables, the ledger and receivables again.
"""

import asyncio
import os
import random
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import orjson
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer

from bench.credit import FLEET, FLIGHTS_PER_S, SECONDS, WARM_UP_S, open_school
from bench.figures import Figure, at_most
from bench.flights import AIRCRAFT, INSTRUCTORS, STUDENTS, Flights, start_all
from bench.readers import percentile
from bench.servers import Deployment, deployed
from hobbs.local.stack import Stack

PER_S: Final = 50.0
MEDIAN_MS: Final = 250.0
ANSWERED_WITHIN_S: Final = 30.0
ANSWERS: Final = ("dispatch.cleared", "dispatch.refused")


async def measure(stack: Stack) -> list[Figure]:
    """The median of a dispatch's answer, and its 99th percentile."""
    async with deployed(stack) as deployment:
        await start_all(deployment, *FLEET, settings={})
        await open_school(deployment)
        bootstrap = deployment.fleet.kafka_bootstrap
        async with (
            AIOKafkaProducer(bootstrap_servers=bootstrap, acks="all") as producer,
            _answers(deployment) as answered,
        ):
            flights = Flights(deployment=deployment, producer=producer, dice=random.Random(7))
            traffic = asyncio.create_task(flights.publish(FLIGHTS_PER_S, WARM_UP_S + SECONDS))
            due = await _dispatch(deployment, producer, random.Random(13))
            await traffic
            await _until_answered(due, answered)
    warm = min(due.values()) + WARM_UP_S
    took = [(answered[flight] - at) * 1_000 for flight, at in due.items() if at > warm]
    note = f"{len(took)} dispatches in {SECONDS:g} s beside {FLIGHTS_PER_S:g} flights/s"
    name = f"a dispatch's answer at {PER_S:g}/s"
    return [
        Figure(
            name=f"{name}, median",
            value=percentile(took, 0.5),
            unit="ms",
            limit=at_most(MEDIAN_MS),
            note=f"{note}; load {os.getloadavg()[0]:.1f} at the end",
        ),
        Figure(name=f"{name}, 99th percentile", value=percentile(took, 0.99), unit="ms", note=note),
    ]


async def _dispatch(
    deployment: Deployment, producer: AIOKafkaProducer, dice: random.Random
) -> dict[str, float]:
    """Publish dispatches at random instants; when each was due, by flight."""
    began, offset, due = time.monotonic(), 0.0, dict[str, float]()
    topic = f"{deployment.fleet.topic_prefix}flight.dispatched"
    while (offset := offset + dice.expovariate(PER_S)) < WARM_UP_S + SECONDS:
        if (wait := began + offset - time.monotonic()) > 0:
            await asyncio.sleep(wait)
        flight = f"d-{len(due)}"
        due[flight] = began + offset
        body = orjson.dumps(_planned(flight, dice))
        await producer.send(topic, body, key=flight.encode())
    await producer.flush()
    return due


def _planned(flight: str, dice: random.Random) -> dict[str, Any]:
    hours = f"{dice.randrange(5, 35) / 10}"
    return {
        "flight_id": flight,
        "departs_at": (datetime.now(UTC) + timedelta(hours=1)).isoformat(),
        "student": f"s-{dice.randrange(STUDENTS)}",
        "aircraft": f"N{dice.randrange(AIRCRAFT)}OW",
        "instructor": f"i-{dice.randrange(INSTRUCTORS)}",
        "flight_hours": hours,
        "dual_hours": hours,
    }


@asynccontextmanager
async def _answers(deployment: Deployment) -> AsyncIterator[dict[str, float]]:
    """When each flight's answer was read, as they come."""
    prefix, read = deployment.fleet.topic_prefix, dict[str, float]()
    topics = [f"{prefix}{topic}" for topic in ANSWERS]
    async with AIOKafkaConsumer(
        *topics, bootstrap_servers=deployment.fleet.kafka_bootstrap, fetch_max_wait_ms=20
    ) as consumer:
        await consumer.seek_to_end()
        reading = asyncio.create_task(_read(consumer, read))
        try:
            yield read
        finally:
            reading.cancel()


async def _read(consumer: AIOKafkaConsumer, read: dict[str, float]) -> None:
    async for message in consumer:
        read.setdefault(message.key.decode(), time.monotonic())


async def _until_answered(due: dict[str, float], answered: dict[str, float]) -> None:
    async with asyncio.timeout(ANSWERED_WITHIN_S):
        while len(answered) < len(due):  # noqa: ASYNC110 - another task reads
            await asyncio.sleep(0.1)
