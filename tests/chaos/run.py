"""One chaos run: two workers of every service under all faults of a seed, then every check without faults."""

import asyncio
import random
import signal
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

import stripe

from hobbs.demo.figures import Figures
from hobbs.demo.school import apply_school, run_hobbs
from hobbs.local.fleet_processes import WEBHOOK_PATHS, Fleet
from hobbs.local.stripe_sim.control import Control
from schemas.services import CONSOLE, SERVICES
from tests.chaos.mix import NO_FAULTS, RECORDS, WEBHOOKS, Disturbance, disturbances, stripe_faults
from tests.checker.reading import read_stripe
from tests.crash.approvals import Approvers
from tests.crash.director import let_leases_end
from tests.crash.dunned import have_dunned
from tests.crash.replay import replay_everything, stop
from tests.crash.run import PAYMENT, SIMULATOR_SETTINGS, duplicates, new_api_key, onboard_everybody
from tests.crash.servers import Servers, deploy, second_gateway
from tests.crash.taken_back import take_money_back
from tests.crash.traffic import Counts, Traffic
from tests.crash.verdict import drain, violations
from tests.crash.workers import Life
from tests.support import console_shown
from tests.support.reserves import school_with_a_reserve

FLIGHTS = 300
DISTURBANCES = 12


@dataclass(slots=True, kw_only=True)
class Report:
    """The results of a run."""

    seed: int
    counts: Counts = field(default_factory=Counts)
    disturbances: Counter[str] = field(default_factory=Counter)
    stripe_faults: Counter[str] = field(default_factory=Counter)
    webhooks: Counter[str] = field(default_factory=Counter)
    recovered: int = 0
    duplicates: dict[str, int] = field(default_factory=dict)
    effects: int = 0
    drained_s: float = 0.0
    violations: list[str] = field(default_factory=list)
    seconds: float = 0.0


@dataclass(slots=True)
class WorkerPairs:
    """Two workers of each service; a stopped or killed one is replaced at once."""

    fleets: Sequence[Fleet]
    lives: list[tuple[int, Life]] = field(default_factory=list)

    def start(self) -> None:
        for service in SERVICES:
            for place in range(2):
                self.add(service, place)

    def add(self, service: str, place: int) -> None:
        self.lives.append((place, Life(self.fleets[place], service)))

    async def lose(self, service: str, by: signal.Signals, chance: random.Random) -> None:
        place, life = chance.choice([(p, x) for p, x in self.lives if x.service == service])
        self.lives.remove((place, life))
        life.child.signal(by)
        await asyncio.to_thread(life.child.wait, 30)
        life.child.kill()
        self.add(service, place)


async def run_seed(
    servers: Servers, seed: int, *, flights: int = FLIGHTS, times: int = DISTURBANCES
) -> Report:
    """Run one seed, then every check."""
    with Control(servers.simulator.api_base) as sim:
        return await _run(servers, sim, seed, flights, times)


async def _run(servers: Servers, sim: Control, seed: int, flights: int, times: int) -> Report:
    began = time.monotonic()
    report = Report(seed=seed)
    fleet = await deploy(servers)
    sim.set(**(SIMULATOR_SETTINGS | WEBHOOKS), webhook_seed=seed)
    for fault in stripe_faults(seed):
        sim.add_fault(**fault)
    traffic = Traffic(fleet=fleet, chance=random.Random(f"traffic {seed}"), record_faults=RECORDS)
    workers = WorkerPairs((fleet, second_gateway(fleet)))
    workers.start()
    await disturb(servers, fleet, workers, traffic, report, flights, disturbances(seed, times))
    await end_faults(fleet, sim, report)
    report.drained_s, report.violations = await drain(fleet, lambda: traffic.pay_in(PAYMENT), recovers=True)
    report.recovered = await recovered(fleet)
    report.violations += await violations(fleet)
    report.violations += await pages_differ(fleet)
    await stop([life for _, life in workers.lives])
    report.violations += await replay_everything(fleet)
    report.counts, report.effects = traffic.counts, len(sim.effects())
    deliveries = (await read_stripe(fleet.stripe_api_base))["deliveries"]
    report.webhooks = Counter(f"{delivery['variant']} {delivery['state']}" for delivery in deliveries)
    report.duplicates = await duplicates(fleet)
    report.seconds = time.monotonic() - began
    return report


async def disturb(
    servers: Servers,
    fleet: Fleet,
    workers: WorkerPairs,
    traffic: Traffic,
    report: Report,
    flights: int,
    planned: Sequence[Disturbance],
) -> None:
    """Publish flights and payments while the disturbances happen."""
    onboarding = asyncio.create_task(onboard_everybody(fleet))
    taking_back = asyncio.create_task(take_money_back(fleet))
    dunning = asyncio.create_task(have_dunned(fleet))
    alternating = asyncio.create_task(alternate_gateways(workers.fleets, fleet))
    await asyncio.to_thread(apply_school, fleet, school_with_a_reserve(fleet.folder))
    key = await asyncio.to_thread(new_api_key, fleet)
    approvers = Approvers(fleet=fleet, chance=random.Random(f"approvals {report.seed}"))
    disturbing = asyncio.create_task(run_disturbances(servers, workers, planned, report))
    try:
        turn = 0
        while traffic.counts.flights < flights or not disturbing.done():
            turn += 1
            if disturbing.done():
                disturbing.result()  # raises what ended it
            await traffic.publish(3)
            if turn % 2 == 0:
                await approvers.decide_some()
            if turn % 5 == 0:
                await traffic.publish_over_http(key, 2)
            if turn % 6 == 0:
                await asyncio.to_thread(traffic.pay_in, PAYMENT // 10)
            await asyncio.sleep(0.6)
        await traffic.publish_the_rest()
        disturbing.result()
    finally:
        tasks = (onboarding, taking_back, dunning, alternating, disturbing)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def run_disturbances(
    servers: Servers, workers: WorkerPairs, planned: Sequence[Disturbance], report: Report
) -> None:
    """Cause the disturbances, one after the other."""
    chance = random.Random(f"run_disturbances {report.seed}")
    for disturbance in planned:
        await asyncio.sleep(disturbance.after_s)
        report.disturbances[disturbance.kind] += 1
        match disturbance.kind:
            case "broker":
                servers.restart_kafka()
            case "database":
                servers.restart_postgres()
            case "kill":
                await workers.lose(disturbance.service, signal.SIGKILL, chance)
            case _:
                await workers.lose(disturbance.service, signal.SIGTERM, chance)


async def alternate_gateways(fleets: Sequence[Fleet], fleet: Fleet) -> None:
    """Register one gateway at Stripe and then the other, as a load balancer would alternate."""
    client = stripe.StripeClient(
        fleet.stripe_secret_key, base_addresses={"api": fleet.stripe_api_base}, max_network_retries=2
    )
    while True:
        for one in fleets:
            await asyncio.to_thread(point_at, client, one.gateway_url)
            await asyncio.sleep(2.0)


def point_at(client: stripe.StripeClient, gateway: str) -> None:
    for endpoint in client.v1.webhook_endpoints.list().data:
        path = WEBHOOK_PATHS["connect" if endpoint.url.endswith("/connect") else "platform"]
        client.v1.webhook_endpoints.update(endpoint.id, {"url": gateway + path})


async def end_faults(fleet: Fleet, sim: Control, report: Report) -> None:
    """End all faults. Lost webhooks stay lost: payouts finds their events in Stripe's list."""
    for fault in sim.faults():
        report.stripe_faults[f"{fault['kind']} {fault['when']}"] += fault["fired"]
    sim.clear_faults()
    sim.set(**NO_FAULTS)
    sim.flush_deliveries()
    await let_leases_end(fleet)


async def pages_differ(fleet: Fleet) -> list[str]:
    """What the console's pages show otherwise than `hobbs` and the ledger."""
    said = await asyncio.to_thread(run_hobbs, fleet, "balances", "-o", "json")
    return await console_shown.differs(fleet.owner_url, fleet.database_url(CONSOLE), said)


async def recovered(fleet: Fleet) -> int:
    """How many events were found in Stripe's list because no webhook came."""
    async with Figures(fleet) as figures:
        [row] = await figures.rows(
            "SELECT count(*) AS n FROM payouts.missed_event WHERE recovered_at IS NOT NULL"
        )
    return int(row["n"])
