"""Credit checks over HTTP at 100/s beside traffic: a planned flight is priced and judged by each.

The fleet that prices and posts runs as in production; flights are published while the checks are asked at
random instants that do not wait for the answers. A check's time runs from when it was due, so a late answer
of the client's own counts too.
"""

import asyncio
import json
import os
import random
import time
from typing import Any, Final

import httpx
from aiokafka import AIOKafkaProducer

from bench.figures import Figure, at_most
from bench.flights import AIRCRAFT, INSTRUCTORS, STUDENTS, Flights, school, start_all, until
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
        await start_all(deployment, *FLEET, settings={"HOBBS_CREDIT_CHECKS_PER_MINUTE": "60000"})
        key = await _open(deployment)
        bootstrap = deployment.fleet.kafka_bootstrap
        async with AIOKafkaProducer(bootstrap_servers=bootstrap, acks="all") as producer:
            flights = Flights(deployment=deployment, producer=producer, dice=random.Random(7))
            took: dict[str, list[float]] = {}
            limits = httpx.Limits(max_connections=CONNECTIONS, max_keepalive_connections=CONNECTIONS)
            address = f"http://127.0.0.1:{deployment.fleet.ports['gateway']}"
            headers = {"Authorization": f"Bearer {key}"}
            async with httpx.AsyncClient(base_url=address, headers=headers, limits=limits) as client:
                for what, body in (("flight", _flight), ("charge", _charge)):
                    checks = _Checks(client, body, random.Random(11))
                    traffic = asyncio.create_task(flights.publish(FLIGHTS_PER_S, WARM_UP_S + SECONDS))
                    await checks.ask(WARM_UP_S)
                    took[what] = await checks.ask(SECONDS)
                    await traffic
    load = os.getloadavg()[0]
    return [figure for what, found in took.items() for figure in _figures(what, found, load)]


class _Checks:
    """Asks at random instants; how many milliseconds each answer took."""

    def __init__(self, client: httpx.AsyncClient, body: Any, dice: random.Random) -> None:
        self._client, self._body, self._dice = client, body, dice

    async def ask(self, seconds: float) -> list[float]:
        began, due, asked = time.monotonic(), 0.0, []
        while (due := due + self._dice.expovariate(PER_S)) < seconds:
            if (wait := began + due - time.monotonic()) > 0:
                await asyncio.sleep(wait)
            asked.append(asyncio.create_task(self._one(began + due)))
        return list(await asyncio.gather(*asked))

    async def _one(self, due: float) -> float:
        answer = await self._client.post("/v1/credit-checks", json=self._body(self._dice))
        took = (time.monotonic() - due) * 1_000
        if answer.status_code != 200:
            raise AssertionError(f"a check was answered {answer.status_code}: {answer.text}")
        return took


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


async def _open(deployment: Deployment) -> str:
    """Apply a school with a policy on credit, make a key, and wait until receivables knows the policy."""
    file = deployment.fleet.folder / "school.toml"
    file.write_text(school() + CREDIT)
    told = ("--yes", "--no-wait", "--who", "bench", "--why", "to measure")
    await asyncio.to_thread(run_hobbs, deployment.fleet, "school", "apply", str(file), *told)
    owner = await deployment.connect()
    try:
        await until(owner, "SELECT count(*) FROM receivables.credit_policy", 1)
    finally:
        await owner.close()
    made = await asyncio.to_thread(
        run_hobbs,
        deployment.fleet,
        *(
            "flights",
            "keys",
            "create",
            "bench",
            "--scope",
            "credit:read",
            "--who",
            "bench",
            "--why",
            "bench",
            "-o",
            "json",
        ),
    )
    return str(json.loads(made)["key"])


def _figures(what: str, found: list[float], load: float) -> list[Figure]:
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
    ]
