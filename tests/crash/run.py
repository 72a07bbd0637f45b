"""One crash run: all deaths of a seed under traffic, then every check."""

import asyncio
import json
import os
import random
import sys
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from hobbs.demo.school import CommandFailed, apply_school, run_hobbs
from hobbs.local.fleet_processes import Fleet
from hobbs.local.stripe_sim.control import Control
from schemas.services import SERVICES
from schemas.topics import TOPICS
from tests.checker.reading import Place, read_topics
from tests.crash.approvals import Approvers
from tests.crash.decisions import Deciders
from tests.crash.director import Died, Director, let_leases_end, make_refusals_due
from tests.crash.drill import plan_run
from tests.crash.replay import replay_everything, stop
from tests.crash.servers import Servers, deploy
from tests.crash.traffic import Counts, RecordFaults, Traffic
from tests.crash.verdict import drain, violations
from tests.crash.workers import SHORT_WAITS
from tests.support.reserves import school_with_a_reserve

FLIGHTS_MIN = 300
FLIGHTS_MIN_QUICK = 40
PAUSE_S = 0.6
MONEY_AFTER_S = 60.0
KEY_ATTEMPTS_MAX = 5
PAYMENT = 4_000_000

SIMULATOR_SETTINGS = {
    "charge_available_after_s": 0.0,
    "automatic_payout_after_s": 5.0,  # until then it can be taken back
    "payout_arrives_after_s": 0.3,
    "instant_payout_arrives_after_s": 0.3,
    "instant_daily_volume_max": 10_000_000_000,
    "webhook_duplicate": 0.2,
    "webhook_reorder": 0.2,
    "webhook_reorder_wait_s": 0.5,
    "webhook_forged": 0.1,
    "webhook_stale": 0.1,
}
# After a saved 500 the relay looks the operation up; after an effect a webhook often proves it earlier.
STRIPE_ERRORS: tuple[dict[str, Any], ...] = (
    {"kind": "server_error", "when": "after", "path": "/v2/core/accounts", "count": 2},
    {"kind": "server_error", "when": "before", "path": "/v2/core/accounts", "count": 3},
    {"kind": "server_error", "when": "after", "path": "/v1/transfers", "probability": 0.08},
    {"kind": "server_error", "when": "before", "path": "/v1/transfers", "probability": 0.05},
    {"kind": "server_error", "when": "after", "path": "/v1/transfers/*/reversals", "probability": 0.1},
    {"kind": "server_error", "when": "before", "path": "/v1/transfers/*/reversals", "probability": 0.1},
    {"kind": "server_error", "when": "after", "path": "/v1/payouts", "count": 2},
    {"kind": "server_error", "when": "before", "path": "/v1/payouts", "probability": 0.3, "count": 8},
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """The results of a run."""

    seed: int
    deaths: Sequence[Died]
    counts: Counts
    decisions: int
    duplicates: dict[str, int]
    effects: int
    drained_s: float
    violations: Sequence[str]
    seconds: float


async def run_seed(servers: Servers, seed: int, *, quick: bool = False) -> Outcome:
    """Run every death of a seed in a new deployment, then every check."""
    return await run_on(await deploy(servers), seed, quick=quick)


async def run_on(fleet: Fleet, seed: int, *, quick: bool) -> Outcome:
    """The same in an existing deployment with empty tables and no running worker."""
    with Control(fleet.stripe_api_base) as stripe:
        return await _run(fleet, stripe, seed, quick)


async def _run(fleet: Fleet, stripe: Control, seed: int, quick: bool) -> Outcome:
    began = time.monotonic()
    stripe.set(**SIMULATOR_SETTINGS, webhook_seed=seed)
    for number, error in enumerate(STRIPE_ERRORS):
        stripe.add_fault(
            **{**error, "seed": 100 * seed + number}
        )  # with one seed all would hit the same calls
    traffic = Traffic(fleet=fleet, chance=random.Random(f"traffic {seed}"), record_faults=RecordFaults())
    plan = plan_run(seed, quick=quick)
    directors = {
        service: Director(fleet, deaths, lambda: traffic.counts.flights) for service, deaths in plan.items()
    }
    deciders = Deciders(fleet=fleet, chance=random.Random(f"decisions {seed}"))
    approvers = Approvers(fleet=fleet, chance=random.Random(f"approvals {seed}"))
    await disturb(
        fleet, traffic, (deciders, approvers), directors, FLIGHTS_MIN_QUICK if quick else FLIGHTS_MIN
    )
    stripe.clear_faults()
    await let_leases_end(fleet)
    await make_refusals_due(fleet)
    drained_s, wrong = await drain(fleet, lambda: traffic.pay_in(PAYMENT))
    if not quick:
        wrong += await redrive_all(fleet)
        wrong += (await drain(fleet, lambda: traffic.pay_in(PAYMENT)))[1]
    wrong += await violations(fleet)
    await stop([life for director in directors.values() for life in director.living])
    wrong += await replay_everything(fleet)
    deaths = [died for director in directors.values() for died in director.done]
    wrong += [f"{d.death.point} was never reached in {d.death.service}" for d in deaths if not d.reached]
    return Outcome(
        seed=seed,
        deaths=deaths,
        counts=traffic.counts,
        decisions=deciders.asked + approvers.asked,
        duplicates=await duplicates(fleet),
        effects=len(stripe.effects()),
        drained_s=drained_s,
        violations=wrong,
        seconds=time.monotonic() - began,
    )


async def disturb(
    fleet: Fleet,
    traffic: Traffic,
    people: tuple[Deciders, Approvers],
    directors: dict[str, Director],
    flights: int,
) -> None:
    """Publish flights, payments and decisions while every service goes through its deaths."""
    deciders, approvers = people
    running = [asyncio.create_task(director.run()) for director in directors.values()]
    onboarding = asyncio.create_task(onboard_everybody(fleet))
    try:
        await asyncio.to_thread(apply_school, fleet, school_with_a_reserve(fleet.folder))
        key = await asyncio.to_thread(new_api_key, fleet)
        began, turn = time.monotonic(), 0
        while not all(task.done() for task in running) or traffic.counts.flights < flights:
            turn += 1
            enough = traffic.counts.flights >= flights  # then only enough to reach every point
            await traffic.publish(1 if enough else 2)
            if turn % 4 == 0:
                await traffic.publish_over_http(key, 1)
            if turn % 2 == 0:
                await deciders.ask_every_service()
                await approvers.decide_some()
            if turn % 6 == 0 and money_may_come(directors["payouts"], time.monotonic() - began):
                await asyncio.to_thread(traffic.pay_in, PAYMENT // 8)  # more than the flights cost
            await asyncio.sleep(PAUSE_S * (5 if enough else 1))
        await asyncio.gather(*running)
        await traffic.publish_the_rest()
    finally:
        for task in (*running, onboarding):
            task.cancel()
        await asyncio.gather(*running, onboarding, return_exceptions=True)


def money_may_come(payouts: Director, waited_s: float) -> bool:
    """At first the balance is too small, so that the treasury has held transfers to release."""
    planned = any(death.point == "treasury.looked" for death in payouts.deaths)
    died = any(
        died.death.point == "treasury.looked" for died in payouts.done
    )  # a pass without a death is not enough
    return not planned or died or waited_s > MONEY_AFTER_S


async def onboard_everybody(fleet: Fleet) -> None:
    """Finish Stripe's onboarding for every account, as payees do."""
    with Control(fleet.stripe_api_base) as stripe:
        while True:
            for account in stripe.state()["accounts"]:
                if not account["payouts_enabled"]:
                    stripe.onboard(account["id"])
            await asyncio.sleep(1.0)


def new_api_key(fleet: Fleet) -> str:
    """Make an API key. The gateway may die before it answers: then another key is asked for."""
    for attempt in range(KEY_ATTEMPTS_MAX):
        try:
            created = run_hobbs(fleet, "flights", "keys", "create", f"scheduler-{attempt}", "-o", "json")
        except CommandFailed:
            if attempt + 1 == KEY_ATTEMPTS_MAX:
                raise
        else:
            break
    made = json.loads(created)
    return str((made[0] if isinstance(made, list) else made)["key"])


async def redrive_all(fleet: Fleet) -> list[str]:
    """Redrive every open dead letter with the command; a violation when it does not exit with 0."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "hobbs", "dead", "redrive", "--all", "--yes"),
        env={**os.environ, **SHORT_WAITS, **fleet.environment("operator")},
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.PIPE,
    )
    _, said = await process.communicate()
    code = process.returncode
    return [f"`hobbs dead redrive --all` ended with {code}: {said.decode()[-300:]}"] if code else []


async def duplicates(fleet: Fleet) -> dict[str, int]:
    """Records published more than once, by service: deaths between acknowledgement and delete."""
    place = Place(
        database_url=fleet.owner_url, kafka=fleet.kafka_bootstrap, prefix=fleet.topic_prefix, stripe=""
    )
    seen: Counter[str] = Counter(dict.fromkeys(SERVICES, 0))
    for topic, records in (await read_topics(place)).items():
        if topic not in TOPICS or topic in ("flight.completed", "flight.corrected", "flight.cancelled"):
            continue
        for service in SERVICES:
            ids = [r.event_id for r in records if r.headers.get("ce_source") == f"hobbs/{service}"]
            seen[service] += len(ids) - len(set(ids))
    return dict(seen)
