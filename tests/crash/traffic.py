"""Flights, corrections and payments for a run, from a seed: some repeated, late, unreadable or refused."""

import asyncio
import json
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import groupby
from typing import Any
from uuid import NAMESPACE_OID, uuid5

import httpx
import stripe
from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError

from hobbs.demo.money import Cashier
from hobbs.local.fleet_processes import Fleet

STUDENT = "student-01"
INSTRUCTORS = ("instructor-01", "instructor-02", "instructor-03", "instructor-05")
NOT_FLOWN_WITH = "instructor-04"  # by this traffic: what is taken back of this payee is not deducted before
AIRCRAFT = ("N695SP", "N740SP", "N71755", "N364MA", "N822KT", "N989SP", "N842SA", "N172TP", "N124ME")
UNREADABLE = (b"", b"not json", b"\xff\xfe\x00", b"[]", b'{"flight_id": "X"', b'{"revision": 1}', b'"N364MA"')
COMPLETED, CORRECTED, CANCELLED = "flight.completed", "flight.corrected", "flight.cancelled"
DISPATCHED = "flight.dispatched"
DISPATCHED_SHARE = 0.3
MAKER = "dispatch"
CANCELLED_SHARE = 0.2
OTHER_DAYS = ("2025-06-30T15:00:00Z", "2025-07-02T15:00:00Z", "2025-12-24T15:00:00Z")  # the tax changed
LATE_MAX = 12
HTTP_ATTEMPTS_MAX = 300

Headers = list[tuple[str, bytes]]
KeyValueHeaders = tuple[bytes | None, bytes, Headers]


async def publish(fleet: Fleet, topic: str, records: Sequence[KeyValueHeaders]) -> None:
    """Publish records in order; the topic is named without the prefix. Tries again while the broker is away.

    Records that a killed broker had taken already are then published twice.
    """
    while records:
        try:
            await _publish_once(fleet, topic, records)
            return
        except (KafkaError, OSError):
            await asyncio.sleep(0.5)


async def _publish_once(fleet: Fleet, topic: str, records: Sequence[KeyValueHeaders]) -> None:
    producer = AIOKafkaProducer(bootstrap_servers=fleet.kafka_bootstrap, acks="all")
    try:
        await producer.start()
        name = fleet.topic_prefix + topic
        sent = [await producer.send(name, value, key=key, headers=h) for key, value, h in records]
        await asyncio.gather(*sent)
    finally:
        await producer.stop()  # also one that could not start


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordFaults:
    """Shares of records that are published twice, published late, unreadable, or refused by a rule.

    corrected: of flights that are followed by a correction or a cancellation of some flight. mended: of
    refused flights that are sent again under their own name, as they were flown and as an event of its own.
    """

    duplicated: float = 0.1
    reordered: float = 0.1
    poison: float = 0.01
    refused: float = 0.02
    corrected: float = 0.3
    mended: float = 0.0


@dataclass(slots=True, kw_only=True)
class Counts:
    """What was published."""

    flights: int = 0
    duplicates: int = 0
    reordered: int = 0
    poison: int = 0
    corrections: int = 0
    cancellations: int = 0
    mended: int = 0
    payments: int = 0


@dataclass(slots=True, kw_only=True)
class Traffic:
    """Publishes to one deployment; every choice comes from `chance`."""

    fleet: Fleet
    chance: random.Random
    record_faults: RecordFaults
    counts: Counts = field(default_factory=Counts)
    meters: dict[str, int] = field(default_factory=dict)
    held_back: list[tuple[int, str, KeyValueHeaders]] = field(default_factory=list)
    flown: dict[str, dict[str, Any]] = field(default_factory=dict)
    to_mend: list[dict[str, Any]] = field(default_factory=list)
    sent: int = 0
    made: int = 0
    cashier: Cashier = field(init=False)

    def __post_init__(self) -> None:
        self.cashier = Cashier(self.fleet)

    async def publish(self, flights: int) -> None:
        """Publish some flights and corrections to Kafka, and wait until it has them."""
        for _ in range(flights):
            self.counts.flights += 1
            record = self._record()
            if self.chance.random() < DISPATCHED_SHARE:
                self._hold_back(DISPATCHED, self._dispatch())
            self._hold_back(COMPLETED, record)
            while self.to_mend:
                self._hold_back(COMPLETED, self._mended(self.to_mend.pop()))
            if self.flown and self.chance.random() < self.record_faults.corrected:
                self._hold_back(*self._correction())
        await self._send_due(self.sent)

    def _hold_back(self, topic: str, record: KeyValueHeaders) -> None:
        """Keep a record until it is due: once or twice, now or late."""
        times = 1 + (self.chance.random() < self.record_faults.duplicated)
        self.counts.duplicates += times - 1
        for _ in range(times):
            late = self.chance.random() < self.record_faults.reordered
            self.counts.reordered += late
            wait = self.chance.randint(2, LATE_MAX) if late else 0
            self.held_back.append((self.sent + wait, topic, record))
            self.sent += 1

    async def publish_the_rest(self) -> None:
        """What is late; and one flight that is refused and sent again, where no other was so far."""
        if self.record_faults.mended and not self.counts.mended:
            self.counts.flights += 1
            self._hold_back(COMPLETED, self._refused(self._flight(), mended=True))
            self._hold_back(COMPLETED, self._mended(self.to_mend.pop()))
        await self._send_due(self.sent + LATE_MAX + 1)

    async def publish_over_http(self, key: str, flights: int) -> None:
        """Post flights to the gateway until it accepts them, as a scheduler does. Raises TimeoutError."""
        bodies = [self._flight() for _ in range(flights)]
        self.counts.flights += flights
        for _ in range(HTTP_ATTEMPTS_MAX):  # the gateway may be dead; a scheduler sends the same again
            if await self._accepted(key, bodies):
                return
            await asyncio.sleep(0.3)
        raise TimeoutError("the gateway does not accept flights")

    async def _accepted(self, key: str, bodies: list[dict[str, Any]]) -> bool:
        headers = {"Authorization": f"Bearer {key}"}
        try:
            async with httpx.AsyncClient(timeout=10, trust_env=False) as client:
                answer = await client.post(
                    f"{self.fleet.gateway_url}/v1/flights", json=bodies, headers=headers
                )
        except httpx.TransportError:
            return False
        if answer.status_code < 500:
            answer.raise_for_status()
        return answer.status_code < 500

    def pay_in(self, amount: int) -> None:
        """Charge the student's card at Stripe; an error that a run injects for charges may hit it instead."""
        try:
            self.cashier.pay_in(STUDENT, [amount])
        except stripe.APIError:
            return  # the next one pays
        self.counts.payments += 1

    async def _send_due(self, until: int) -> None:
        due = sorted((r for r in self.held_back if r[0] <= until), key=lambda record: record[0])
        self.held_back = [r for r in self.held_back if r[0] > until]
        for topic, records in groupby(due, key=lambda record: record[1]):
            await publish(self.fleet, topic, [record for _, _, record in records])

    def _correction(self) -> tuple[str, KeyValueHeaders]:
        """The next revision of some flight: other facts, or none."""
        last = self.flown[self.chance.choice(sorted(self.flown))]
        topic, body = self._next_revision(last)
        self.flown[last["flight_id"]] = {**last, **body}
        return topic, (body["flight_id"].encode(), json.dumps(body).encode(), [])

    def _next_revision(self, last: Mapping[str, Any]) -> tuple[str, dict[str, Any]]:
        named = {"flight_id": last["flight_id"], "revision": last["revision"] + 1, "reason": "a wrong record"}
        if self.chance.random() < CANCELLED_SHARE:
            self.counts.cancellations += 1
            return CANCELLED, {**named, "cancelled_by": MAKER}
        self.counts.corrections += 1
        facts = {name: value for name, value in last.items() if name != "cancelled_by"}
        return CORRECTED, {**facts, **named, **self._other_facts(last), "corrected_by": MAKER}

    def _other_facts(self, last: Mapping[str, Any]) -> Mapping[str, Any]:
        tenths = self.chance.randrange(0, 35)
        hours_in = f"{(round(float(last['hobbs_out']) * 10) + tenths) / 10}"
        choices: list[Mapping[str, Any]] = [
            {"hobbs_in": hours_in, "flight_hours": f"{tenths / 10}"},
            {"instructor": self.chance.choice(INSTRUCTORS), "ground_hours": f"{tenths / 10}"},
            {"aircraft": self.chance.choice(AIRCRAFT)},
            {"departed_at": self.chance.choice(OTHER_DAYS)},
            {},  # it changes nothing
        ]
        return self.chance.choice(choices)

    def _record(self) -> KeyValueHeaders:
        if self.chance.random() < self.record_faults.poison:
            self.counts.poison += 1
            return b"poison", self.chance.choice(UNREADABLE), []
        body = self._flight()
        if self.chance.random() < self.record_faults.refused:
            return self._refused(body, mended=self.chance.random() < self.record_faults.mended)
        return body["flight_id"].encode(), json.dumps(body).encode(), self._headers(body["flight_id"])

    def _refused(self, flown: Mapping[str, Any], *, mended: bool) -> KeyValueHeaders:
        """A flight as no rule takes it. One that is mended has two contents, and is corrected no more."""
        self.counts.poison += 1
        if mended:
            self.to_mend.append(self.flown.pop(flown["flight_id"]))
        wrong: dict[str, Any] = self.chance.choice(
            [{"aircraft": "N0SUCH"}, {"hobbs_in": "0.1"}, {"student": "nobody"}, {"dual_hours": "1.25"}]
        )
        body = {**flown, **wrong}
        return body["flight_id"].encode(), json.dumps(body).encode(), self._headers(body["flight_id"])

    def _mended(self, flown: Mapping[str, Any]) -> KeyValueHeaders:
        """The flight under the name that was refused, with what was flown, as another event."""
        self.counts.mended += 1
        headers = [("ce_source", b"scheduler"), ("ce_id", f"mended-{flown['flight_id']}".encode())]
        return flown["flight_id"].encode(), json.dumps(dict(flown)).encode(), headers

    def _dispatch(self) -> KeyValueHeaders:
        """The dispatch of the newest flight, planned as it was flown, departing now."""
        flight = next(reversed(self.flown.values()), {"flight_id": "c-0", "student": STUDENT})
        known = (
            "flight_id",
            "aircraft",
            "student",
            "instructor",
            "flight_hours",
            "dual_hours",
            "ground_hours",
        )
        body = {name: flight[name] for name in known if name in flight}
        body |= {"departs_at": f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}"}
        return body["flight_id"].encode(), json.dumps(body).encode(), []

    def _headers(self, flight: str) -> Headers:
        """A foreign publisher's id, a UUID as ours, or no id: then the natural key is the identity."""
        kind = self.chance.randrange(3)
        if kind == 0:
            return []
        own = [("ce_source", b"hobbs/flights"), ("ce_id", str(uuid5(NAMESPACE_OID, flight)).encode())]
        return own if kind == 1 else [("ce_source", b"scheduler"), ("ce_id", f"e-{flight}".encode())]

    def _flight(self) -> dict[str, Any]:
        self.made += 1
        aircraft = self.chance.choice(AIRCRAFT)
        tenths = self.chance.randrange(5, 35)
        out = self.meters.get(aircraft, 10_000)
        self.meters[aircraft] = out + tenths
        departed = datetime(2026, 1, 5, 13, tzinfo=UTC) + timedelta(minutes=37 * self.made)
        solo = self.chance.random() < 0.1
        taught = {} if solo else self._lesson(tenths)
        flight: dict[str, Any] = {
            "flight_id": f"c-{self.made:05d}",
            "revision": 1,
            "departed_at": f"{departed:%Y-%m-%dT%H:%M:%SZ}",
            "aircraft": aircraft,
            "student": STUDENT,
            "hobbs_out": f"{out / 10}",
            "hobbs_in": f"{(out + tenths) / 10}",
            "flight_hours": f"{tenths / 10}",
            **taught,
        }
        self.flown[flight["flight_id"]] = flight
        return dict(flight)

    def _lesson(self, tenths: int) -> Mapping[str, str]:
        return {
            "instructor": self.chance.choice(INSTRUCTORS),
            "dual_hours": f"{tenths / 10}",
            "ground_hours": f"{self.chance.randrange(0, 10) / 10}",
        }
