"""A corrected month: how fast corrections post, beside how fast flights are billed; and the approval queue.

Every worker runs but payouts, which takes no part in either. Flights and corrections are on their topics at
once, as a file leaves them there; each correction changes the hours of another flight, by less than what a
person must approve.
"""

import json
import random
import time
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

import asyncpg

from bench import flights, journals, processes
from bench.figures import Figure, at_least, at_most
from bench.flights import start_all, until
from bench.readers import percentile
from bench.servers import Deployment, deployed
from fleet.database import Database
from fleet.envelope import Record
from fleet.grants import READER
from hobbs.local.stack import Stack
from schemas.services import SERVICES
from services.adjustments.desk import reads

FLIGHTS, WARM_UP = 10_000, 1_000
SHARE_OF_BILLING = 0.5
WAITING_SQL: Final = Path(__file__).with_name("waiting_adjustments.sql")
WAITING, PAGES, PAGE = 100_000, 200, 50
FIRST_PAGE_MS = 20.0
WITHIN_S = 300.0
OTHERS: Final = tuple(service for service in SERVICES if service != "payouts")

_BILLED: Final = "SELECT count(*) FROM billing.bill WHERE corrects IS NULL"
_FLIGHTS_POSTED: Final = "SELECT count(*) FROM ledger.journal WHERE event_type = 'flight'"
_POSTED: Final = "SELECT count(*) FROM ledger.journal WHERE event_type = 'adjustment'"
_SETTLED: Final = "SELECT count(*) FROM adjustments.adjustment WHERE state IN ('settling', 'settled')"


async def measure(stack: Stack) -> list[Figure]:
    """Bill a month, correct all of it, then read the queue of a school that approves nothing."""
    async with deployed(stack) as deployment:
        workers = await start_all(deployment, *OTHERS, settings={})
        payouts = await start_all(deployment, "payouts", settings=flights.UNHURRIED)
        await flights.open_school(deployment)
        deployment.stop(payouts)
        owner = await deployment.connect()
        try:
            shares = processes.Shares(processes.pids(stack, workers))
            month = [_flight(number) for number in range(WARM_UP + FLIGHTS)]
            await _billed(deployment, owner, month[:WARM_UP], WARM_UP)
            await _posted(deployment, owner, month[:WARM_UP], WARM_UP)
            billed = await _billed(deployment, owner, month[WARM_UP:], len(month))
            shares.look()
            posted = await _posted(deployment, owner, month[WARM_UP:], len(month))
            used = processes.percentages(shares.look())
            deployment.stop()
            page_ms = await _queue(deployment, owner)
        finally:
            await owner.close()
    return _figures(billed, posted, used, page_ms)


def _figures(billed: float, posted: float, used: str, page_ms: list[float]) -> list[Figure]:
    return [
        Figure(
            name="corrections posted, as a share of flights billed",
            value=posted / billed,
            unit="of it",
            limit=at_least(SHARE_OF_BILLING),
            baseline=("flights billed, flights/s", billed),
            note=f"{posted:,.0f} corrections/s, {FLIGHTS:,} at once, each of another flight; from the first "
            f"on its topic to the last one's journal; billed: to the last bill; {used}",
        ),
        Figure(
            name=f"approval queue, first page at {WAITING:,} adjustments, 99th percentile",
            value=percentile(page_ms, 0.99),
            unit="ms",
            limit=at_most(FIRST_PAGE_MS),
            note=f"{PAGE} rows; median {percentile(page_ms, 0.5):.2g} ms of {len(page_ms)}; all wait, by 100 "
            "makers, and each would take back what was sent within 72 hours",
        ),
    ]


async def _billed(
    deployment: Deployment, owner: asyncpg.Connection, month: Sequence[dict[str, Any]], there: int
) -> float:
    """Flights a second until the last of them has its bill; returns when their journals are posted too."""
    began = time.monotonic()
    await _produce(deployment, "flight.completed", month)
    await until(owner, _BILLED, there, WITHIN_S)
    took = time.monotonic() - began
    await until(owner, _FLIGHTS_POSTED, there, WITHIN_S)
    return len(month) / took


async def _posted(
    deployment: Deployment, owner: asyncpg.Connection, month: Sequence[dict[str, Any]], there: int
) -> float:
    """Corrections a second until the ledger posted the last of them; returns when all are being settled."""
    began = time.monotonic()
    await _produce(deployment, "flight.corrected", [_corrected(flight) for flight in month])
    await until(owner, _POSTED, there, WITHIN_S)
    took = time.monotonic() - began
    await until(owner, _SETTLED, there, WITHIN_S)
    return len(month) / took


async def _produce(deployment: Deployment, topic: str, bodies: Sequence[dict[str, Any]]) -> None:
    now = datetime.now(UTC)
    records = [
        Record(
            topic=topic,
            partition=number % journals.PARTITIONS,
            offset=number,
            key=body["flight_id"].encode(),
            value=json.dumps(body).encode(),
            headers={},
            timestamp=now,
        )
        for number, body in enumerate(bodies)
    ]
    async with journals.producing(deployment.fleet.kafka_bootstrap) as producer:
        await journals.produce(producer, deployment.fleet.topic_prefix, records)


def _flight(number: int) -> dict[str, Any]:
    """A flight of the last three weeks; older ones need a person's approval. Every fifth is a leaseback's."""
    dice = random.Random(number)
    departed = datetime.now(UTC) - timedelta(days=dice.randrange(1, 20), minutes=dice.randrange(600))
    leased = dice.random() < flights.LEASEBACKS
    tail = f"N{dice.randrange(flights.OWNERS)}LB" if leased else f"N{dice.randrange(flights.AIRCRAFT)}OW"
    out = 10_000 + 40 * number
    return {
        "flight_id": f"c-{number}",
        "revision": 1,
        "departed_at": f"{departed:%Y-%m-%dT%H:%M:%SZ}",
        "aircraft": tail,
        "student": f"s-{dice.randrange(flights.STUDENTS)}",
        "instructor": f"i-{dice.randrange(flights.INSTRUCTORS)}",
        **_hours(out, dice.randrange(5, 35)),
        "ground_hours": f"{dice.randrange(0, 10) / 10}",
    }


def _hours(out: int, tenths: int) -> dict[str, Any]:
    flown = f"{tenths / 10}"
    readings = {"hobbs_out": f"{out / 10}", "hobbs_in": f"{(out + tenths) / 10}"}
    return {**readings, "flight_hours": flown, "dual_hours": flown}


def _corrected(flight: dict[str, Any]) -> dict[str, Any]:
    """A tenth of an hour more."""
    out, tenths = round(float(flight["hobbs_out"]) * 10), round(float(flight["flight_hours"]) * 10)
    said = {"revision": 2, "reason": "the meter was read again", "corrected_by": "dispatch"}
    return {**flight, **_hours(out, tenths + 1), **said}


async def _queue(deployment: Deployment, owner: asyncpg.Connection) -> list[float]:
    """Milliseconds of the first page of the approval queue, as `hobbs adjustments list` reads it."""
    await owner.execute(WAITING_SQL.read_text())
    await owner.execute("ANALYZE")
    desk = Database(deployment.fleet.database_url("operator"), schema="adjustments", pool_size=1, role=READER)
    took: list[float] = []
    try:
        for _ in range(PAGES):
            began = time.monotonic()
            async with desk.transaction() as tx:
                assert len(await reads.queue(tx, most=PAGE)) == PAGE
            took.append(1000 * (time.monotonic() - began))
    finally:
        await desk.close()
    return took
