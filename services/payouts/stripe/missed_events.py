"""Find the events that Stripe made and never managed to deliver, and publish them as the gateway would.

Three steps, each safe to die in and to run in two processes at once: list (no transaction open), note what
nobody here took in yet, and publish what is still missing a while later. The place in the list moves in the
transaction that notes a page, so a page is noted or read again.
"""

import json
import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Final

from fleet import outbox
from fleet.database import Database, Tx
from fleet.faults import fault_point
from fleet.inbox import Unreadable
from services.payouts import metrics, store, wire
from services.payouts.domain.answers import Answer, Verdict, classify
from services.payouts.domain.missed_events import Listed, Listing
from services.payouts.stripe.client import StripeGateway
from services.payouts.stripe.pacer import Limiter

# What only a webhook tells; Stripe lists by up to 20 types. The rest is read again by the inquiries, and an
# endpoint that is not subscribed to a type would make each event of it look lost.
TYPES: Final = (
    "charge.captured",
    "charge.dispute.closed",
    "charge.dispute.created",
    "charge.dispute.funds_reinstated",
    "charge.dispute.funds_withdrawn",
    "charge.dispute.updated",
    "charge.refund.updated",
    "charge.refunded",
    "charge.succeeded",
    "charge.updated",
    "payment_intent.payment_failed",
    "payment_intent.succeeded",
    "payout.created",
    "refund.created",
    "refund.failed",
    "refund.updated",
    "transfer.reversed",
)
LISTED_FOR: Final = timedelta(days=30)  # docs.stripe.com/api/events/list
PAGES_AT_ONCE: Final = 30  # of 100 events, in one run: at the pace below done before a drain's patience ends
PAGES_PER_S: Final = 2.0
PUBLISHED_AT_ONCE: Final = 100

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Patience:
    """overlap: how far each listing looks back behind the last; grace: how long a delivery may take."""

    overlap: timedelta = timedelta(minutes=30)
    grace: timedelta = timedelta(minutes=5)


@dataclass(frozen=True, slots=True, kw_only=True)
class Refused:
    """A listed event that no rule of ours can publish."""

    thing: Mapping[str, Any]
    problem: Unreadable


class Recovery:
    """`run` is what its timer runs."""

    def __init__(
        self,
        db: Database,
        gateway: StripeGateway,
        limiter: Limiter,
        clock: Callable[[], datetime],
        patience: Patience,
        *,
        pages_per_s: float = PAGES_PER_S,
    ) -> None:
        self._db = db
        self._gateway = gateway
        self._limiter = limiter
        self._pace = Limiter(pages_per_s)
        self._clock = clock
        self._patience = patience

    async def run(self) -> None:
        """List what is new at Stripe, note what was not delivered, publish what was missing long enough."""
        listing = await self.begin()
        for _ in range(PAGES_AT_ONCE):
            if listing is None:
                break
            listing = await self._read_page(listing)
        await self.publish()

    async def begin(self) -> Listing | None:
        """The place to go on from; None while Stripe refuses our key."""
        now = self._clock()
        async with self._db.transaction() as tx:
            if await store.relay_stop.current(tx) is not None:
                return None
            listing = await store.events.begin_listing(tx, now)
        if listing.listed_until < now - LISTED_FOR:
            gap = {"listed_until": listing.listed_until.isoformat()}
            _log.critical("events of that time are no longer listed by Stripe: reconcile by hand", extra=gap)
        return listing

    async def _read_page(self, listing: Listing) -> Listing | None:
        """Read and note one page; the place after it, None at the end or when Stripe did not answer."""
        since = max(listing.listed_until - self._patience.overlap, self._clock() - LISTED_FOR)
        answer = await self._ask(since, listing.page_after)
        if classify(answer) is not Verdict.DONE:
            await self._put_off(listing, answer)
            return None
        await fault_point("events.listed")
        return await self.note(listing, answer.body)

    async def _ask(self, since: datetime, after: str | None) -> Answer:
        """Ask slowly, and within what all readings together may take."""
        await self._pace.turn()
        await self._limiter.turn()
        answer = await self._gateway.events(TYPES, since, after)
        for limiter in (self._pace, self._limiter):
            if classify(answer) is Verdict.SLOW_DOWN:
                limiter.slow_down()
            else:
                limiter.went_well()
        return answer

    async def note(self, listing: Listing, page: Mapping[str, Any]) -> Listing | None:
        """Write what of a page was not delivered, and go past it, in one commit."""
        now, things = self._clock(), page["data"]
        last = str(things[-1]["id"]) if things else listing.page_after
        events = [_read(thing, now) for thing in things]
        async with self._db.transaction() as tx:
            if not await store.events.turn_page(tx, listing, last):
                return None
            await store.events.note_missing(tx, [e for e in events if isinstance(e, Listed)], now)
            for event in events:
                if isinstance(event, Refused):
                    await _keep(tx, event, now)
            if not page.get("has_more"):
                await store.events.complete_listing(tx, now)
                return None
        return replace(listing, page_after=last)

    async def _put_off(self, listing: Listing, answer: Answer) -> None:
        """Leave it to the next run, at the same place; from the beginning when Stripe refuses the place."""
        if classify(answer) is Verdict.REFUSED and listing.page_after is not None:
            async with self._db.transaction() as tx:
                await store.events.start_over(tx, listing)
        said = {"status": answer.status, "said": answer.sentence}
        level = logging.ERROR if classify(answer) is Verdict.MISCONFIGURED else logging.INFO
        _log.log(level, "listing Stripe's events put off", extra=said)

    async def publish(self) -> None:
        """Stage what has been missing for the grace time, each event once."""
        now = self._clock()
        async with self._db.transaction() as tx:
            await store.events.forget_arrived(tx)
        while await self._publish_some(now):
            continue

    async def _publish_some(self, now: datetime) -> int:
        async with self._db.transaction() as tx:
            missed = await store.events.recover(tx, now - self._patience.grace, now, PUBLISHED_AT_ONCE)
            await outbox.stage_named(tx, [wire.missed_events.recovered(event, now) for event in missed])
        if missed:
            _log.warning("events that Stripe did not deliver are published", extra=_about(missed))
        metrics.EVENTS_RECOVERED.inc(len(missed))
        return len(missed)


def _read(thing: Mapping[str, Any], now: datetime) -> Listed | Refused:
    try:
        return wire.missed_events.event_listed(thing, now)
    except Unreadable as problem:
        return Refused(thing=thing, problem=problem)


async def _keep(tx: Tx, refused: Refused, now: datetime) -> None:
    """Keep for a person what cannot be published: its neighbours must not wait for it."""
    event_id = str(refused.thing.get("id"))[:100]
    _log.error(
        "a listed event cannot be published", extra={"event_id": event_id, "said": str(refused.problem)}
    )
    await store.kept_webhooks.keep(
        tx,
        event_id=event_id,
        event_type=str(refused.thing.get("type"))[:100],
        account=None,
        reason=refused.problem.reason,
        sentence=str(refused.problem),
        body=json.dumps(refused.thing),
        received_at=now,
    )


def _about(missed: Sequence[Listed]) -> dict[str, Any]:
    """What a log line says of them; which ones they were stays in `missed_event`."""
    types = sorted({event.event_type for event in missed})
    return {"events": len(missed), "types": ",".join(types), "oldest": missed[0].made_at.isoformat()}
