"""Billing, the ledger, receivables, payouts and adjustments by their handlers, over Postgres and a simulator.

Kafka is played by hand: what one service stages the others read, sometimes twice, and services take turns in
any order. Payouts' relay calls the simulator; its events are handed on as the gateway publishes them.
"""

import contextlib
import random
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from types import ModuleType
from typing import Any
from uuid import UUID

import asyncpg
import orjson
import stripe

from fleet.database import Database
from fleet.decisions import Action, Decision, Person, Ruling
from fleet.envelope import Record, uuid7
from schemas.services import SERVICES
from schemas.stripe_fields import reduced
from services.adjustments import handlers as adjustments
from services.billing.handlers import (
    bill_flights,
    cancel_flights,
    configure_school,
    correct_flights,
    estimate_flights,
)
from services.ledger.handlers import change_holds, expire_holds, post_journals, revert_journals
from services.payouts import handlers as payouts
from services.payouts.stripe import webhooks as payouts_webhooks
from services.receivables import handlers as receivables
from tests.integration.payouts.world import World
from tests.integration.receivables.test_simulated_refunds import as_published
from tests.season.clock import Clock
from tests.support.records import record

AGAIN = 0.05  # the share of records that come twice
TURNS_MAX = 200
_STAGED = " UNION ALL ".join(
    f"SELECT '{service}' AS service, id, topic, convert_from(key, 'UTF8') AS key, value, event_id::text"  # noqa: S608 - constants
    f" FROM {service}.outbox WHERE id > ${place}"
    for place, service in enumerate(SERVICES, start=1)
)
Handler = Callable[[Database, Sequence[Record]], Awaitable[Any]]


def _service_of(handle: Handler) -> str:
    """Whose handler it is: services.billing.handlers are billing's."""
    of = handle.func if isinstance(handle, partial) else handle
    return str(of.__module__.split(".")[1])


def _routes(clock: Clock, world: World) -> Mapping[str, list[Handler]]:
    """By what each topic is read."""
    take_webhooks = partial(
        payouts_webhooks.handle_webhooks,
        effect_policy=world.effect_policy,
        look_now=lambda: None,
        clock=clock,
    )
    timed = partial(partial, clock=clock)
    return {
        "school.configured": [configure_school],
        "flight.dispatched": [estimate_flights],
        "flight.completed": [bill_flights],
        "flight.corrected": [correct_flights],
        "flight.cancelled": [cancel_flights],
        "journal.requested": [post_journals],
        "revert.requested": [revert_journals],
        "hold.requested": [change_holds],
        "school.accepted": [receivables.follow_book, adjustments.follow_book],
        "flight.estimated": [timed(receivables.take_estimates)],
        "hold.changed": [timed(receivables.take_changed_holds)],
        "hold.refused": [timed(receivables.take_refused_holds)],
        "journal.posted": [receivables.take_journals, timed(adjustments.take_posted)],
        "journal.refused": [timed(adjustments.take_refused)],
        "flight.revised": [timed(adjustments.propose_revisions)],
        "charge.requested": [timed(payouts.charge)],
        "charge.answered": [timed(receivables.take_charge_answers)],
        "payment.received": [payouts.know_payments],
        "refund.requested": [timed(payouts.refund)],
        "refund.settled": [receivables.take_refund_answers, timed(adjustments.take_refund_settled)],
        "stripe.webhook": [timed(receivables.take_stripe_events), take_webhooks],
    }


@dataclass(kw_only=True)
class Stage:
    """One school's services, and its people."""

    db: Mapping[str, Database]
    owner: "asyncpg.Connection[asyncpg.Record]"
    world: World
    clock: Clock
    stripe: stripe.StripeClient
    chance: random.Random
    read: dict[str, int] = field(default_factory=lambda: dict.fromkeys(SERVICES, 0))
    cursor: int = 0
    work_waits: bool = True

    def __post_init__(self) -> None:
        self.routes = _routes(self.clock, self.world)

    async def at(self, moment: datetime) -> None:
        """Go on to an instant, and hear what happened until then."""
        await self.clock.set(moment)
        self.work_waits = True
        await self.settle()

    async def say(self, *records: Record) -> None:
        """Records from outside, and what follows."""
        for one in records:
            await self._hand(one)
        await self.settle()

    async def settle(self) -> None:
        """Until nothing is staged, due or told."""
        for _ in range(TURNS_MAX):
            if not (await self._deliver() or await self._work()):
                return
        raise AssertionError("the services do not come to rest")

    async def _deliver(self) -> bool:
        rows = await self.owner.fetch(_STAGED, *(self.read[service] for service in SERVICES))
        queues = {service: [row for row in rows if row["service"] == service] for service in SERVICES}
        for queue in queues.values():
            queue.sort(key=lambda row: int(row["id"]))
        while waiting := [service for service, queue in queues.items() if queue]:
            service = self.chance.choice(waiting)
            row = queues[service].pop(0)
            self.read[service] = row["id"]
            if row["topic"] in self.routes:
                told = record(row["topic"], row["value"], key=row["key"], ce_id=row["event_id"])
                await self._hand(told)
                if self.chance.random() < AGAIN:
                    await self._hand(told)
        return bool(rows)

    async def _hand(self, one: Record) -> None:
        for handle in self.routes[one.topic]:
            service = _service_of(handle)
            await handle(self.db[service], [one])
            self.work_waits = self.work_waits or service == "payouts"

    async def _work(self) -> bool:
        """What payouts does at Stripe, and what Stripe tells."""
        if not self.work_waits:
            return False
        self.work_waits = False
        await self.world.once()
        await self.world.refunds().step()
        for event in self.world.control.events(after=self.cursor):
            self.cursor = event.pop("cursor")
            self.work_waits = True
            await self._hand(as_published(reduced(event)))
        return True

    async def timers(self) -> None:
        """Each timer of receivables, and what lets holds and corrections expire."""
        await adjustments.expire(self.db["adjustments"], clock=self.clock)
        await expire_holds(self.db["ledger"])
        await receivables.end_flights(self.db["receivables"], clock=self.clock)
        await self.settle()
        await self._charge()
        await receivables.dun(self.db["receivables"], clock=self.clock)
        await self.settle()
        await self._charge()
        await receivables.review_limits(self.db["receivables"], clock=self.clock)
        await receivables.tell_levels(self.db["receivables"], clock=self.clock)
        await self.settle()

    async def _charge(self) -> None:
        query, before = "SELECT count(*) FROM receivables.auto_charge", -1
        while (now := await self.owner.fetchval(query)) != before:
            before = now
            await receivables.charge_due(self.db["receivables"], clock=self.clock)
            await self.settle()

    async def decide(
        self, desk: ModuleType, action: str, about: str, *, who: str = "ann", why: str = "season", **told: Any
    ) -> tuple[UUID, Ruling]:
        """A person decides at a service's desk; the decision's id, and what was ruled."""
        asked = Decision(
            decision_id=uuid7(),
            action=action,
            object=about,
            parameters=orjson.loads(orjson.dumps(told)),
            who=Person(name=who, roles=frozenset({"operator", "finance"}), channel="test"),
            why=why,
            dry_run=False,
            requested_at=self.clock(),
        )
        actions: Mapping[str, Action] = desk.ACTIONS
        ruling = Ruling(done=False, sentence="nothing was judged")
        with contextlib.suppress(_Refused):
            async with self.db[desk.__name__.split(".")[1]].transaction() as tx:
                ruling = await actions[action].judge(tx, asked, self.clock())
                if not ruling.done:
                    raise _Refused
        await self.settle()
        return asked.decision_id, ruling


class _Refused(Exception):
    """Undoes what a judge did who refused."""
