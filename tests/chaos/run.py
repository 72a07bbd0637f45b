"""One chaos run: two of every worker under all faults of a seed, then peace, then every question there is."""

import asyncio
import random
import signal
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

import stripe

from hobbs.demo.figures import Figures
from hobbs.demo.school import apply_school
from hobbs.local.fleet_processes import WEBHOOK_PATHS, Fleet
from hobbs.local.stripe_sim.control import Control
from schemas.services import SERVICES
from tests.chaos.mix import PEACE, RECORDS, WEBHOOKS, Blow, blows, stripe_faults
from tests.checker.reading import read_stripe
from tests.crash.director import let_leases_end
from tests.crash.replay import replay_everything, stop
from tests.crash.run import PAYMENT, ROUGH, duplicates, new_api_key, onboard_everybody
from tests.crash.servers import Servers, deploy, second_gateway
from tests.crash.traffic import Counts, Traffic
from tests.crash.verdict import drain, violations
from tests.crash.workers import Life

FLIGHTS = 300
BLOWS = 12


@dataclass(slots=True, kw_only=True)
class Report:
    """What a run came to."""

    seed: int
    counts: Counts = field(default_factory=Counts)
    blows: Counter[str] = field(default_factory=Counter)
    stripe_faults: Counter[str] = field(default_factory=Counter)
    webhooks: Counter[str] = field(default_factory=Counter)
    recovered: int = 0
    duplicates: dict[str, int] = field(default_factory=dict)
    effects: int = 0
    drained_s: float = 0.0
    violations: list[str] = field(default_factory=list)
    seconds: float = 0.0


@dataclass(slots=True)
class Crowd:
    """Two workers of each service; who leaves or dies is replaced at once."""

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


async def run_seed(servers: Servers, seed: int, *, flights: int = FLIGHTS, times: int = BLOWS) -> Report:
    """Run one seed and ask every question after it."""
    with Control(servers.simulator.api_base) as sim:
        return await _run(servers, sim, seed, flights, times)


async def _run(servers: Servers, sim: Control, seed: int, flights: int, times: int) -> Report:
    began = time.monotonic()
    report = Report(seed=seed)
    fleet = await deploy(servers)
    sim.set(**(ROUGH | WEBHOOKS), webhook_seed=seed)
    for fault in stripe_faults(seed):
        sim.add_fault(**fault)
    traffic = Traffic(fleet=fleet, chance=random.Random(f"traffic {seed}"), mischief=RECORDS)
    crowd = Crowd((fleet, second_gateway(fleet)))
    crowd.start()
    await storm(servers, fleet, crowd, traffic, report, flights, blows(seed, times))
    await make_peace(fleet, sim, report)
    report.drained_s, report.violations = await drain(fleet, lambda: traffic.pay_in(PAYMENT), recovers=True)
    report.recovered = await recovered(fleet)
    report.violations += await violations(fleet)
    await stop([life for _, life in crowd.lives])
    report.violations += [
        f"replaying every topic changed {table}" for table in await replay_everything(fleet)
    ]
    report.counts, report.effects = traffic.counts, len(sim.effects())
    deliveries = (await read_stripe(fleet.stripe_api_base))["deliveries"]
    report.webhooks = Counter(f"{delivery['variant']} {delivery['state']}" for delivery in deliveries)
    report.duplicates = await duplicates(fleet)
    report.seconds = time.monotonic() - began
    return report


async def storm(
    servers: Servers,
    fleet: Fleet,
    crowd: Crowd,
    traffic: Traffic,
    report: Report,
    flights: int,
    struck: Sequence[Blow],
) -> None:
    """Fly and pay while blow after blow falls."""
    onboarding = asyncio.create_task(onboard_everybody(fleet))
    turning = asyncio.create_task(turn_webhooks(crowd.fleets, fleet))
    await asyncio.to_thread(apply_school, fleet)
    key = await asyncio.to_thread(new_api_key, fleet)
    striking = asyncio.create_task(strike(servers, crowd, struck, report))
    try:
        turn = 0
        while traffic.counts.flights < flights or not striking.done():
            turn += 1
            await traffic.publish(3)
            if turn % 5 == 0:
                await traffic.publish_over_http(key, 2)
            if turn % 6 == 0:
                await asyncio.to_thread(traffic.pay_in, PAYMENT // 10)
            await asyncio.sleep(0.6)
        await traffic.publish_the_rest()
        await striking
    finally:
        for task in (onboarding, turning, striking):
            task.cancel()
        await asyncio.gather(onboarding, turning, striking, return_exceptions=True)


async def strike(servers: Servers, crowd: Crowd, struck: Sequence[Blow], report: Report) -> None:
    """Deal the blows, one after the other."""
    chance = random.Random(f"strike {report.seed}")
    for blow in struck:
        await asyncio.sleep(blow.after_s)
        report.blows[blow.kind] += 1
        match blow.kind:
            case "broker":
                servers.restart_kafka()
            case "database":
                servers.restart_postgres()
            case "kill":
                await crowd.lose(blow.service, signal.SIGKILL, chance)
            case _:
                await crowd.lose(blow.service, signal.SIGTERM, chance)


async def turn_webhooks(fleets: Sequence[Fleet], fleet: Fleet) -> None:
    """Point Stripe at one gateway and then the other, as a load balancer does."""
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


async def make_peace(fleet: Fleet, sim: Control, report: Report) -> None:
    """End all faults. What Stripe lost stays lost: payouts finds it in Stripe's list of events."""
    for fault in sim.faults():
        report.stripe_faults[f"{fault['kind']} {fault['when']}"] += fault["fired"]
    sim.clear_faults()
    sim.set(**PEACE)
    sim.flush_deliveries()
    await let_leases_end(fleet)


async def recovered(fleet: Fleet) -> int:
    """Events that no webhook told and Stripe's list did."""
    async with Figures(fleet) as figures:
        [row] = await figures.rows(
            "SELECT count(*) AS n FROM payouts.missed_event WHERE recovered_at IS NOT NULL"
        )
    return int(row["n"])
