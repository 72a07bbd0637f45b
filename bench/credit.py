"""Credit checks over HTTP at 100/s beside traffic: a planned flight is priced and judged by each.

The fleet that prices and posts runs as in production; flights are published while the checks are asked at
random instants that do not wait for the answers. A check's time runs from when it was due, so a late answer
of the client's own counts too: it shares the cores, and so it is no more than sockets (httpx takes longer
for a request than the gateway does).
"""

import asyncio
import json
import os
import random
import re
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, Final

import orjson
from aiokafka import AIOKafkaProducer

from bench.figures import Figure, at_most
from bench.flights import AIRCRAFT, INSTRUCTORS, STUDENTS, Flights, school, start_all, until
from bench.processes import used_s
from bench.readers import percentile
from bench.servers import Deployment, deployed
from hobbs.demo.school import run_hobbs
from hobbs.local.stack import Stack
from schemas.services import SERVICES

PER_S: Final = 100.0
SECONDS: Final = float(os.environ.get("SECONDS", "30"))
WARM_UP_S: Final = 5.0
FLIGHTS_PER_S: Final = 10.0
P99_MS: Final = 20.0
CONNECTIONS: Final = 20
FLEET: Final = tuple(service for service in SERVICES if service != "payouts")  # nobody is to be paid
CREDIT: Final = "\n[credit]\nlimit = 5000.00\nmargin_percent = 10\nnear_percent = 80\n"


async def measure(stack: Stack) -> list[Figure]:
    """The 99th percentile and the median of a check that names a flight, and of one that names its charge."""
    async with deployed(stack) as deployment:
        workers = await start_all(deployment, *FLEET, settings={"HOBBS_CREDIT_CHECKS_PER_MINUTE": "60000"})
        gateway = next(worker.pid for worker in workers if worker.name == "gateway")
        await open_school(deployment)
        key = await _new_key(deployment)
        bootstrap = deployment.fleet.kafka_bootstrap
        async with AIOKafkaProducer(bootstrap_servers=bootstrap, acks="all") as producer:
            flights = Flights(deployment=deployment, producer=producer, dice=random.Random(7))
            took: dict[str, list[float]] = {}
            used: dict[str, float] = {}
            async with _client(deployment.fleet.ports["gateway"], key) as client:
                for what, body in (("flight", _flight), ("charge", _charge)):
                    checks = _Checks(client, body, random.Random(11))
                    traffic = asyncio.create_task(flights.publish(FLIGHTS_PER_S, WARM_UP_S + SECONDS))
                    await checks.ask(WARM_UP_S)
                    before = used_s(gateway)
                    took[what] = await checks.ask(SECONDS)
                    used[what] = (used_s(gateway) - before) * 1_000 / len(took[what])
                    await traffic
    load = os.getloadavg()[0]
    return [figure for what, found in took.items() for figure in _figures(what, found, used[what], load)]


_LENGTH: Final = re.compile(rb"(?i)\r\ncontent-length: ([0-9]+)\r\n")
IDLE_MOST_S: Final = 2.0  # the gateway closes what is idle for 5 s; a request may not meet that
Connection = tuple[asyncio.StreamReader, asyncio.StreamWriter]


class _Client:
    """Connections to the gateway that are kept; the one that was given back last is taken first."""

    def __init__(self, port: int, key: str) -> None:
        self._port = port
        self._free: list[tuple[float, Connection]] = []  # and when it was given back
        self._places = asyncio.Semaphore(CONNECTIONS)
        self._head = f"POST /v1/credit-checks HTTP/1.1\r\nHost: gateway\r\nAuthorization: Bearer {key}\r\n"

    async def check(self, body: bytes) -> None:
        """Ask, and read the whole answer. Raises AssertionError for one that is no 200."""
        async with self._places:
            reader, writer = connection = await self._connected()
            writer.write(f"{self._head}Content-Length: {len(body)}\r\n\r\n".encode() + body)
            head = await reader.readuntil(b"\r\n\r\n")
            length = _LENGTH.search(head)
            answer = await reader.readexactly(int(length[1]) if length else 0)
            if not head.startswith(b"HTTP/1.1 200 "):
                raise AssertionError(f"a check was answered {head.decode()}{answer.decode()}")
            self._free.append((time.monotonic(), connection))

    async def _connected(self) -> Connection:
        """The one that was used last, unless it has been idle for long; or a new one."""
        while self._free:
            given_back, (reader, writer) = self._free.pop()
            if time.monotonic() - given_back < IDLE_MOST_S:
                return reader, writer
            writer.close()
        return await asyncio.open_connection("127.0.0.1", self._port)

    def close(self) -> None:
        for _, (_, writer) in self._free:
            writer.close()


@asynccontextmanager
async def _client(port: int, key: str) -> AsyncIterator[_Client]:
    client = _Client(port, key)
    yield client
    client.close()


class _Checks:
    """Asks at random instants; how many milliseconds each answer took."""

    def __init__(self, client: _Client, body: Any, dice: random.Random) -> None:
        self._client, self._body, self._dice = client, body, dice

    async def ask(self, seconds: float) -> list[float]:
        began, due, asked = time.monotonic(), 0.0, []
        while (due := due + self._dice.expovariate(PER_S)) < seconds:
            if (wait := began + due - time.monotonic()) > 0:
                await asyncio.sleep(wait)
            asked.append(asyncio.create_task(self._one(began + due)))
        return list(await asyncio.gather(*asked))

    async def _one(self, due: float) -> float:
        await self._client.check(orjson.dumps(self._body(self._dice)))
        return (time.monotonic() - due) * 1_000


def _flight(dice: random.Random) -> dict[str, Any]:
    hours = f"{dice.randrange(5, 35) / 10}"
    return {
        "student": f"s-{dice.randrange(STUDENTS)}",
        "aircraft": f"N{dice.randrange(AIRCRAFT)}OW",
        "instructor": f"i-{dice.randrange(INSTRUCTORS)}",
        "flight_hours": hours,
        "dual_hours": hours,
    }


def _charge(dice: random.Random) -> dict[str, Any]:
    return {"student": f"s-{dice.randrange(STUDENTS)}", "charge": dice.randrange(5_000, 90_000)}


async def open_school(deployment: Deployment) -> None:
    """Apply a school with a policy on credit, and wait until receivables knows the policy."""
    file = deployment.fleet.folder / "school.toml"
    file.write_text(school() + CREDIT)
    told = ("--yes", "--no-wait", "--who", "bench", "--why", "to measure")
    await asyncio.to_thread(run_hobbs, deployment.fleet, "school", "apply", str(file), *told)
    owner = await deployment.connect()
    try:
        await until(owner, "SELECT count(*) FROM receivables.credit_policy", 1)
    finally:
        await owner.close()


async def _new_key(deployment: Deployment) -> str:
    named = ("flights", "keys", "create", "bench", "--scope", "credit:read")
    why = ("--who", "bench", "--why", "bench", "-o", "json")
    made = await asyncio.to_thread(run_hobbs, deployment.fleet, *named, *why)
    return str(json.loads(made)["key"])


def _figures(what: str, found: list[float], used_ms: float, load: float) -> list[Figure]:
    note = (
        f"{len(found)} checks in {SECONDS:g} s beside {FLIGHTS_PER_S:g} flights/s; load {load:.1f} at the end"
    )
    name = f"credit check of a planned {what}" if what == "flight" else "credit check of a named charge"
    return [
        Figure(
            name=f"{name} at {PER_S:g}/s, 99th percentile",
            value=percentile(found, 0.99),
            unit="ms",
            limit=at_most(P99_MS),
            note=note,
        ),
        Figure(name=f"{name}, median", value=percentile(found, 0.5), unit="ms", note=note),
        Figure(name=f"{name}, processor of the gateway for one", value=used_ms, unit="ms", note=note),
    ]
