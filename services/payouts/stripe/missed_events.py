"""Find the events that Stripe made and did not deliver, and publish them as the gateway service would.

Three steps: list the events (no transaction open), note those that no inbox admitted yet, and publish those
that are still missing some time later. A process may die in each, and two may run them at once. The place in
the list moves in the transaction that notes a page, so each page is either noted or read again.
"""

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Final

from fleet import outbox
from fleet.database import Database, Tx
from fleet.envelope import first_cause
from fleet.faults import fault_point
from fleet.inbox import Unreadable
from services.payouts import metrics, store, wire
from services.payouts.domain.answers import StripeAnswer, StripeVerdict, classify
from services.payouts.domain.endpoints import Endpoint
from services.payouts.domain.event_types import LISTED_TYPES
from services.payouts.domain.missed_events import EventListing, ListedEvent
from services.payouts.domain.reading import Wait
from services.payouts.stripe import odd_objects
from services.payouts.stripe.client import StripeClient
from services.payouts.stripe.pacer import Pace, Pacer
from services.payouts.stripe.usage import Usage

LISTED_FOR: Final = timedelta(days=30)  # docs.stripe.com/api/events/list
PAGES_AT_ONCE: Final = (
    30  # of 100 events, in one run: read at the rate below before a shutdown's time is over
)
PAGES_PER_S: Final = 2.0
PUBLISHED_AT_ONCE: Final = 100

NO_LIST: Final = Unreadable("invalid", "the list of events has no data")

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class ListingPolicy:
    """overlap: how far a listing reaches back behind the one before; grace: how long a delivery may take.

    wait: until the next listing; it grows while every event is delivered, and begins again when one was not.
    """

    overlap: timedelta
    grace: timedelta
    wait: Wait


@dataclass(frozen=True, slots=True, kw_only=True)
class UnreadableEvent:
    """A listed event that cannot be published, and why."""

    thing: Any
    problem: Unreadable


class MissedEvents:
    """Lists Stripe's events and publishes the missing ones; its timer runs `run`."""

    def __init__(
        self,
        db: Database,
        client: StripeClient,
        pace: Pace,
        usage: Usage,
        clock: Callable[[], datetime],
        policy: ListingPolicy,
        *,
        pages_per_s: float = PAGES_PER_S,
        keys: Sequence[str] = (),
    ) -> None:
        self._keys = keys
        self._db = db
        self._client = client
        self._pace = pace
        self._usage = usage
        self._list_pacer = Pacer(pages_per_s)
        self._clock = clock
        self._policy = policy

    async def run(self) -> None:
        """List new events if it is time, note the undelivered, publish those missing for the grace time."""
        listing = await self.begin() if await self._is_time() else None
        for _ in range(PAGES_AT_ONCE):
            if listing is None:
                break
            listing = await self._read_page(listing)
        await self.publish()

    async def _is_time(self) -> bool:
        """Whether the list is read now: a listing broke off, or the wait since the last one is over."""
        async with self._db.transaction() as tx:
            calm_since, listed_at, under_way = await store.events.listed(tx)
        wait = self._policy.wait.after(listed_at - calm_since, self._usage.stretch)
        return under_way or self._clock() >= listed_at + wait

    async def begin(self) -> EventListing | None:
        """Begin a listing or continue the one before; None while Stripe refuses our key."""
        now = self._clock()
        async with self._db.transaction() as tx:
            if await store.relay_stop.current(tx) is not None:
                return None
            listing = await store.events.begin_listing(tx, now)
        if listing.listed_until < now - LISTED_FOR:
            gap = {"listed_until": listing.listed_until.isoformat()}
            _log.critical("Stripe no longer lists the events of that time: reconcile by hand", extra=gap)
        return listing

    async def _read_page(self, listing: EventListing) -> EventListing | None:
        """Read and note one page; the place after it, None at the end or when Stripe did not answer."""
        since = max(listing.listed_until - self._policy.overlap, self._clock() - LISTED_FOR)
        answer = await self._ask(since, listing.page_after)
        if classify(answer) is not StripeVerdict.DONE:
            await self._put_off(listing, answer)
            return None
        await fault_point("events.listed")
        return await self.note(listing, answer.body)

    async def _ask(self, since: datetime, after: str | None) -> StripeAnswer:
        """Ask for a page, at the rate of this list and within the rate of all reads."""
        await self._list_pacer.turn()
        answer = await self._pace.read(
            Endpoint.EVENTS, lambda: self._client.events(LISTED_TYPES, since, after)
        )
        if classify(answer) is StripeVerdict.SLOW_DOWN:
            self._list_pacer.slow_down()
        else:
            self._list_pacer.went_well()
        return answer

    async def note(self, listing: EventListing, page: Mapping[str, Any]) -> EventListing | None:
        """Note the events of a page that were not delivered, and move the place past it, in one commit."""
        now, listed = self._clock(), page.get("data")
        things = listed if isinstance(listed, list) else []
        # A page may end with something that is no event: the next one begins after its last event.
        last = next((named for thing in reversed(things) if (named := _id_of(thing))), listing.page_after)
        events = [_read(thing, now) for thing in things]
        async with self._db.transaction() as tx:
            if not await store.events.turn_page(tx, listing, last):
                return None
            await store.events.note_missing(tx, [e for e in events if isinstance(e, ListedEvent)], now)
            for event in events:
                if isinstance(event, UnreadableEvent):
                    await _keep(tx, event, now)
            if not isinstance(listed, list):
                await _keep(tx, UnreadableEvent(thing=page, problem=NO_LIST), now)
                await store.events.start_over(tx, listing)
                return None
            if not page.get("has_more"):
                await store.events.complete_listing(tx, now)
                return None
        return replace(listing, page_after=last)

    async def _put_off(self, listing: EventListing, answer: StripeAnswer) -> None:
        """Leave the rest to the next run; it begins anew when Stripe refused the place in the list."""
        if classify(answer) is StripeVerdict.REFUSED and listing.page_after is not None:
            async with self._db.transaction() as tx:
                await store.events.start_over(tx, listing)
        details = {"status": answer.status, "answer": answer.sentence}
        level = logging.ERROR if classify(answer) is StripeVerdict.MISCONFIGURED else logging.INFO
        _log.log(level, "listing Stripe's events put off", extra=details)

    async def publish(self) -> None:
        """Stage the events that were missing for the grace time, each once."""
        now = self._clock()
        async with self._db.transaction() as tx:
            await store.events.forget_arrived(tx)
        published = 0
        while some := await self._publish_some(now):
            published += some
        if published:  # in a transaction of its own: who notes events locks the listing before them
            async with self._db.transaction() as tx:
                await store.events.disturb(tx, now)

    async def _publish_some(self, now: datetime) -> int:
        async with self._db.transaction() as tx:
            missed = await store.events.recover(tx, now - self._policy.grace, now, PUBLISHED_AT_ONCE)
            messages = [wire.missed_events.recovered(event, now, self._keys) for event in missed]
            await outbox.stage_named(tx, messages)
        if missed:
            _log.warning("events that Stripe did not deliver are published", extra=_about(missed))
        metrics.EVENTS_RECOVERED.inc(len(missed))
        return len(missed)


def _id_of(thing: Any) -> str | None:
    named = thing.get("id") if isinstance(thing, Mapping) else None
    return named if isinstance(named, str) and 0 < len(named) <= 100 and named.isprintable() else None


def _read(thing: Any, now: datetime) -> ListedEvent | UnreadableEvent:
    try:
        return wire.missed_events.listed_event(thing, now)
    except Unreadable as problem:
        return UnreadableEvent(thing=thing, problem=problem)


async def _keep(tx: Tx, unreadable: UnreadableEvent, now: datetime) -> None:
    """Keep an event that cannot be published for a person, so that the others are published without it."""
    odd = wire.fields.odd_object("event", unreadable.thing, str(unreadable.problem))
    event_id, thing = odd.object_id, unreadable.thing
    event_type = wire.fields.text(thing.get("type")) if isinstance(thing, Mapping) else None
    _log.error(
        "a listed event cannot be published", extra={"event_id": event_id, "problem": str(unreadable.problem)}
    )
    await store.kept_webhooks.keep(
        tx,
        event_id=event_id,
        event_type=(event_type or "unknown")[:100],
        account=None,
        reason=unreadable.problem.reason,
        sentence=str(unreadable.problem),
        body=odd.body,
        received_at=now,
    )
    await odd_objects.keep(tx, [odd], now, first_cause())


def _about(missed: Sequence[ListedEvent]) -> dict[str, Any]:
    """A log line's details of published events; the table `missed_event` keeps their ids."""
    types = sorted({event.event_type for event in missed})
    return {"events": len(missed), "types": ",".join(types), "oldest": missed[0].made_at.isoformat()}
