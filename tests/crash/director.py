"""Kills one service at one point after the other: start it, wait for the fault, kill it, start it again."""

import asyncio
import signal
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from uuid import uuid4

import asyncpg

from fleet.decisions import REQUESTED
from hobbs.demo.school import SCHOOL_FILE, CommandFailed, apply_school
from hobbs.local.fleet_processes import Fleet
from hobbs.local.stripe_sim.control import Control
from tests.crash.charged import charge_cards
from tests.crash.compared import POINTS as COMPARED
from tests.crash.compared import compare
from tests.crash.drill import CONSUMED, Death
from tests.crash.dunned import have_dunned
from tests.crash.taken_back import take_money_back
from tests.crash.traffic import publish
from tests.crash.workers import LEASE_S, Life
from tests.support.reserves import KEPT_IN_RUNS

REACH_WITHIN_S = 120.0
LOOK_S = 0.1
IN_DOUBT = {
    "relay.looking_up:account": "/v2/core/accounts",
    "relay.looking_up:instant_payout": "/v1/payouts",
    "relay.looking_up:reversal": "/v1/transfers/*/reversals",
    "relay.looking_up:refund": "/v1/refunds",
    "relay.looking_up:charge": "/v1/payment_intents",
}
# The second: a step has asked for a charge, and the process dies with the charge that follows.
DUNNING = ("receivables.dunning_written", "receivables.charges_decided")
TAKEN_BACK = ("payouts.debt_claimed", "revers", "refund")
BY_CLOCK = ("adjustments.expired", "adjustments.settlements_reminded")
NEW_INSTRUCTOR = """
[[instructor]]
id = "instructor-{number}"
name = "Robin New"
email = "robin.new@example.org"
flight_per_hour = 40.00
ground_per_hour = 30.00
"""
RESERVES = ("liability:reserve-N364MA", "liability:reserve-N695SP")
REFUSED_FLOOR = 1_000_000_000
UNREADABLE_EVERY_S = 1.0  # while a service is to die with a dead letter; each makes a batch of its own


@dataclass(frozen=True, slots=True, kw_only=True)
class Died:
    """The result of one death."""

    death: Death
    reached: bool
    seconds: float
    flights: int
    faults_met: Sequence[str]


@dataclass(slots=True)
class Director:
    """Runs the deaths of one service, each in a process of its own; the last process has no faults."""

    fleet: Fleet
    deaths: Sequence[Death]
    flights: Callable[[], int]
    done: list[Died] = field(default_factory=list)
    living: list[Life] = field(default_factory=list)

    async def run(self) -> None:
        # A rebalance leaves a second process running; it may hold the only partition of a topic for good.
        for last in (False, True):
            await self._die_at([d for d in self.deaths if (d.point == "consumer.rebalancing") is last])
        self.living.append(Life(self.fleet, self.deaths[0].service))

    async def _die_at(self, deaths: Sequence[Death]) -> None:
        missed = [death for death in deaths if not await self._live(death)]
        for death in missed:  # the traffic may have missed the point the first time
            self.done = [d for d in self.done if d.death is not death]
            await self._live(death)

    async def _live(self, death: Death) -> bool:
        began, flights = time.monotonic(), self.flights()
        if death.point.startswith("timer.date_"):
            await set_timers_back_a_day(self.fleet)
        if path := IN_DOUBT.get(death.point):
            await asyncio.to_thread(fail_in_doubt, self.fleet, path)
        if death.point == "adjustments.refused":
            await forbid_lower_reserves(self.fleet, floor=REFUSED_FLOOR)
        if death.point == "adoption.adopted":
            await self._leave_an_effect_unrecorded(death.service)
        life = Life(self.fleet, death.service, death.faults)
        needed = asyncio.create_task(bring_what_it_needs(self.fleet, death))
        try:
            reached = await self._until_it_dies(death, life)
        finally:
            needed.cancel()
            await asyncio.gather(needed, return_exceptions=True)
        life.child.kill()
        await let_leases_end(self.fleet)
        if death.point == "adjustments.refused":
            await forbid_lower_reserves(self.fleet, floor=None)
        self.done.append(
            Died(
                death=death,
                reached=reached,
                seconds=time.monotonic() - began,
                flights=self.flights() - flights,
                faults_met=life.faults_met,
            )
        )
        return reached

    async def _until_it_dies(self, death: Death, life: Life) -> bool:
        match death.point:
            case "effect before answer":
                return await self._die_between_effect_and_answer(life)
            case "outbox lock lost":
                met = await self._met(life, "outbox.acknowledged delay")
                await cut_connections(self.fleet, death.service)
                await asyncio.sleep(2.0)
                return met
            case "lease expired mid-call":
                met = await self._met(life, "relay.before_send:transfer delay")
                await asyncio.sleep(LEASE_S + 2.0)
                return met
            case "consumer.draining":
                await self._met(life, "consumer.acknowledged")
                life.child.signal(signal.SIGTERM)
            case "consumer.rebalancing":
                await self._met(life, "outbox.owned", "consumer.acknowledged")
                self.living.append(Life(self.fleet, death.service))
        met = await self._met(life, f"{death.point} {death.action}")
        if met and death.action == "hang":
            await asyncio.sleep(1.0)
        return met

    async def _met(self, life: Life, *lines: str) -> bool:
        deadline = time.monotonic() + REACH_WITHIN_S
        while time.monotonic() < deadline:
            if life.reached & set(lines):
                return True
            if life.is_over:
                return bool(life.reached & set(lines))
            await asyncio.sleep(LOOK_S)
        return False

    async def _leave_an_effect_unrecorded(self, service: str) -> None:
        """The next process finds it when it compares what Stripe made."""
        life = Life(self.fleet, service)
        await self._die_between_effect_and_answer(life)
        life.child.kill()

    async def _die_between_effect_and_answer(self, life: Life) -> bool:
        """Delay Stripe's answer, and kill the worker when the money has moved but the answer is not in."""
        with Control(self.fleet.stripe_api_base) as stripe:
            return await self._kill_after_effect(life, stripe)

    async def _kill_after_effect(self, life: Life, stripe: Control) -> bool:
        fault = stripe.add_fault("slow", when="after", path="/v1/transfers", delay_s=1.5, count=3)
        before = len(stripe.effects(kind="transfer"))
        deadline = time.monotonic() + REACH_WITHIN_S
        while time.monotonic() < deadline and not life.is_over:
            fired = next(f["fired"] for f in stripe.faults() if f["id"] == fault["id"])
            if fired and len(stripe.effects(kind="transfer")) > before:
                stripe.clear_faults(fault["id"])
                return True
            await asyncio.sleep(0.05)
        stripe.clear_faults(fault["id"])
        return False


async def bring_what_it_needs(fleet: Fleet, death: Death) -> None:
    """Publish what the death waits for, where the traffic of a seed may have none: records to bury."""
    while death.point == "dead_letters.buried":
        await publish(fleet, topic_to_read(death.service), [(b"poison", b"not json", [])])
        await asyncio.sleep(UNREADABLE_EVERY_S)
    while death.point in BY_CLOCK:
        await let_time_pass(fleet)
        await asyncio.sleep(UNREADABLE_EVERY_S)
    if death.service == "payouts" and any(part in death.point for part in TAKEN_BACK):
        await take_money_back(fleet)
    if death.point in DUNNING:
        await have_dunned(fleet)
    elif "charge" in death.point and not death.point.endswith((":charge_fee", "charges_written")):
        await charge_cards(fleet)
    if death.point in COMPARED:
        await compare(fleet, death.point)
    if death.point in ("relay.looking_up:account", "payouts.contacts_kept"):
        await asyncio.to_thread(employ_an_instructor, fleet)
    if death.point == "treasury.looked":
        await asyncio.to_thread(fall_short, fleet)
    if death.point == "payouts.retried":
        await asyncio.to_thread(refuse_a_transfer, fleet)
    while death.point == "payouts.retried":
        await make_refusals_due(fleet)
        await asyncio.sleep(UNREADABLE_EVERY_S)


def topic_to_read(service: str) -> str:
    """A topic whose unreadable records the service buries: of decisions it buries only those that name it."""
    return next(topic for topic in CONSUMED[service] if topic != REQUESTED)


def fail_in_doubt(fleet: Fleet, path: str) -> None:
    """Have Stripe answer three calls with 500 and do nothing; the faults of the start are used up.

    If it did them, a webhook would prove it before the relay looks them up.
    """
    with Control(fleet.stripe_api_base) as stripe:
        stripe.add_fault("server_error", when="before", path=path, count=3)


def employ_an_instructor(fleet: Fleet) -> None:
    """Have somebody stated and an account made: those of the school's payees were made at the start."""
    with TemporaryDirectory() as folder:
        file = Path(folder) / "school.toml"
        school = SCHOOL_FILE.read_text(encoding="utf-8") + KEPT_IN_RUNS
        file.write_text(school + NEW_INSTRUCTOR.format(number=uuid4()), encoding="utf-8")
        with suppress(CommandFailed):  # billing may be dead just now; the death is tried again
            apply_school(fleet, file)


async def forbid_lower_reserves(fleet: Fleet, *, floor: int | None) -> None:
    """Set or lift a limit on the reserves, so that the ledger refuses corrections that lower them."""
    connection = await asyncpg.connect(fleet.owner_url, server_settings={"search_path": "ledger"})
    for wallet in RESERVES:
        await connection.execute("SELECT set_limit($1, 'USD', $2, 'all')", wallet, floor)
    await connection.close()


async def let_time_pass(fleet: Fleet) -> None:
    """What waits for a person has waited too long, and so has what waits for money; their timers are due."""
    connection = await asyncpg.connect(fleet.owner_url)
    async with connection.transaction():
        await connection.execute(
            "UPDATE adjustments.adjustment SET expires_at = now()"
            " WHERE id = (SELECT id FROM adjustments.adjustment WHERE state = 'waiting' LIMIT 1)"
        )
        await connection.execute(
            "UPDATE adjustments.timer SET due_at = now() WHERE name IN ('expire', 'remind')"
        )
    await connection.close()


def fall_short(fleet: Fleet) -> None:
    """Have Stripe refuse transfers for lack of money: by now the run may have paid in more than enough."""
    with Control(fleet.stripe_api_base) as stripe:
        stripe.add_fault("balance_insufficient", path="/v1/transfers", count=2)


def refuse_a_transfer(fleet: Fleet) -> None:
    """Have Stripe refuse one transfer for a cause that nobody knows: it is sent again a day later."""
    with Control(fleet.stripe_api_base) as stripe:
        stripe.add_fault("refuse", path="/v1/transfers", code="refused_for_once", count=1)


async def make_refusals_due(fleet: Fleet) -> None:
    """Let the day pass after which what Stripe refused is tried again."""
    connection = await asyncpg.connect(fleet.owner_url)
    await connection.execute(
        "UPDATE payouts.operation SET retry_at = now() WHERE state = 'refused' AND retry_at > now()"
    )
    await connection.close()


async def let_leases_end(fleet: Fleet) -> None:
    """End the leases of rereads and of requests to take back or refund now; they last up to two minutes."""
    connection = await asyncpg.connect(fleet.owner_url)
    await connection.execute("UPDATE payouts.inquiry SET lease_until = now() WHERE lease_until > now()")
    await connection.execute("UPDATE payouts.clawback SET due_at = now() WHERE due_at > now()")
    await connection.execute("UPDATE payouts.refund_request SET due_at = now() WHERE due_at > now()")
    await connection.close()


async def set_timers_back_a_day(fleet: Fleet) -> None:
    """Set the timers' last business date back by a day, so that today's is closed again."""
    connection = await asyncpg.connect(fleet.owner_url)
    await connection.execute("UPDATE payouts.timer SET last_run = last_run - 1 WHERE last_run IS NOT NULL")
    await connection.close()


async def cut_connections(fleet: Fleet, service: str) -> None:
    """End every connection of a service to Postgres, as a failover does."""
    connection = await asyncpg.connect(fleet.owner_url)
    await connection.execute(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
        " WHERE usename = $1 AND datname = current_database()",
        f"hobbs_{service}",
    )
    await connection.close()
