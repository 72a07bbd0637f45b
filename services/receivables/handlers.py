"""Handles the topics that receivables reads, one function each, and sets the gauges of what waits."""

import asyncio
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from functools import partial
from typing import Final, get_args

from fleet.database import Database
from fleet.envelope import Record, first_cause
from fleet.inbox import admit
from fleet.zones import local_date
from services.receivables import metrics, steps, store, wire
from services.receivables.wire.stripe_objects import Kind, WebhookRead

CHARGED_AT_ONCE: Final = 200
LOOKED_AT_AT_ONCE: Final = 500
REVIEWED_AT_ONCE: Final = 200
DUNNED_AT_ONCE: Final = 2_500
DUNNED_SIDE_BY_SIDE: Final = 2
DUNNED_NAMES: Final = 50_000

Clock = Callable[[], datetime]


def utc_now() -> datetime:
    return datetime.now(UTC)


async def take_stripe_events(
    db: Database,
    batch: Sequence[Record],
    *,
    livemode: bool = False,
    keys: Sequence[str] = (),
    clock: Clock = utc_now,
) -> None:
    """Ask the ledger to post the payments, refunds and disputes that Stripe reports, each once."""
    read = partial(wire.stripe_objects.stripe_event, livemode=livemode, keys=keys)
    async with db.transaction() as tx:
        events = await admit(tx, batch, read, natural_key=wire.stripe_objects.stripe_event_key)
        await store.webhooks.keep(tx, [s.event.kept() for s in events if s.event.kind is Kind.UNKNOWN])
        await steps.charges.learn(tx, [(fact, s) for s in events for fact in s.event.facts], now=clock())
        await steps.charges.refuse_parts(tx, events)
        paid = [(fact, s.cause) for s in events for fact in s.event.facts]
        failures = [(s.event.failure, s.cause) for s in events if s.event.failure]
        await steps.failures.tell(tx, failures)
        await steps.saved_methods.learn(tx, [s.event.method for s in events if s.event.method])
        await steps.auto_charges.note_ended(tx, paid, failures, clock())
    for admitted in events:
        metrics.WEBHOOKS.labels(admitted.event.kind, _label(admitted.event)).inc()


async def take_settled_charges(db: Database, batch: Sequence[Record], *, clock: Clock = utc_now) -> None:
    """Ask the ledger to post Stripe's fee of each settled charge, once."""
    async with db.transaction() as tx:
        settled = await admit(
            tx, batch, wire.stripe_objects.charge_settled, natural_key=lambda fact: fact.fee.transaction_id
        )
        await steps.charges.learn(tx, [(s.event, s) for s in settled], now=clock())


async def follow_book(db: Database, batch: Sequence[Record]) -> None:
    """Take what the versions of the school's book that billing accepted say of credit."""
    async with db.transaction() as tx:
        accepted = await admit(
            tx, batch, wire.book.school_accepted, natural_key=lambda event: f"school:{event.version}"
        )
        await steps.credit.follow_book(tx, wire.book.versions(accepted))


async def take_estimates(db: Database, batch: Sequence[Record], *, clock: Clock = utc_now) -> None:
    """Ask the ledger for the holds of dispatched flights."""
    async with db.transaction() as tx:
        estimated = await admit(
            tx,
            batch,
            wire.dispatches.flight_estimated,
            natural_key=lambda event: event.natural_key,
        )
        await steps.dispatches.take_estimates(tx, estimated, clock())


async def take_changed_holds(db: Database, batch: Sequence[Record], *, clock: Clock = utc_now) -> None:
    """Clear the dispatches whose holds stand, and note those that have ended."""
    async with db.transaction() as tx:
        changed = await admit(tx, batch, wire.dispatches.hold_changed)
        await steps.dispatches.take_changed(tx, changed, clock())


async def take_refused_holds(db: Database, batch: Sequence[Record], *, clock: Clock = utc_now) -> None:
    """Refuse the dispatches whose holds the ledger refused."""
    async with db.transaction() as tx:
        refused = await admit(tx, batch, wire.dispatches.hold_refused)
        await steps.dispatches.take_refused(tx, refused, clock())


async def end_flights(db: Database, *, clock: Clock = utc_now) -> None:
    """Ask for the end of the holds of flights that were billed or cancelled."""
    async with db.transaction() as tx:
        await steps.dispatches.end_flights(tx, clock())


async def take_charge_answers(db: Database, batch: Sequence[Record], *, clock: Clock = utc_now) -> None:
    """Keep what became of charges of saved methods, and ask the ledger to post what was paid."""
    async with db.transaction() as tx:
        answered = await admit(tx, batch, wire.auto_charges.answered)
        await steps.auto_charges.take_answers(tx, answered, clock())


async def take_refund_answers(db: Database, batch: Sequence[Record]) -> None:
    """Keep what payouts answered to refunds of what was overpaid."""
    async with db.transaction() as tx:
        answers = await admit(tx, batch, wire.account_notes.refund_settled)
        await steps.account_notes.take_answers(tx, [one.event for one in answers if one.event])


async def take_journals(db: Database, batch: Sequence[Record]) -> None:
    """Keep students' open items as the ledger posts; journals without a student cost nothing here."""
    ours = wire.journals.of_students(batch)
    if not ours:
        return
    async with db.transaction() as tx:
        posted = await admit(
            tx, ours, wire.journals.journal_posted, natural_key=lambda journal: str(journal.journal_id)
        )
        await steps.open_items.take_posted(tx, posted)


async def charge_due(db: Database, *, most: int = CHARGED_AT_ONCE, clock: Clock = utc_now) -> None:
    """Charge the saved methods of students who owe something and allowed it. A transaction for each part."""
    after: str | None = ""
    while after is not None:
        async with db.transaction() as tx:
            after = await steps.auto_charges.decide_due(tx, after, most, clock())


async def dun(
    db: Database, *, most: int = DUNNED_AT_ONCE, named: int = DUNNED_NAMES, clock: Clock = utc_now
) -> None:
    """Ask students for what is overdue, as far as a step is due. A transaction for each part.

    Two parts at once: what Postgres does for the one, Python does for the other.
    """
    for who in get_args(steps.dunning.Who):
        after: str | None = ""
        while after is not None:
            async with db.transaction() as tx:
                students = await steps.dunning.due(tx, who, after, named, clock())
            parts = iter([students[n : n + most] for n in range(0, len(students), most)])
            async with asyncio.TaskGroup() as both:
                for _ in range(DUNNED_SIDE_BY_SIDE):
                    both.create_task(_dun_parts(db, parts, clock))
            after = students[-1] if len(students) == named else None


async def _dun_parts(db: Database, parts: Iterator[Sequence[str]], clock: Clock) -> None:
    for part in parts:
        async with db.transaction() as tx:
            await steps.dunning.go_on(tx, part, clock())


async def tell_levels(db: Database, *, most: int = LOOKED_AT_AT_ONCE, clock: Clock = utc_now) -> None:
    """Say which students crossed a level of their limit. A transaction for each part."""
    more = True
    while more:
        async with db.transaction() as tx:
            more = await steps.credit_levels.tell(tx, most, clock())


async def review_limits(db: Database, *, most: int = REVIEWED_AT_ONCE, clock: Clock = utc_now) -> None:
    """Let limits rise and fall by the book's policy, or propose it. A transaction for each part."""
    more = True
    while more:
        async with db.transaction() as tx:
            more = await steps.limit_changes.look(tx, most, clock())


async def allocate_named(db: Database, *, clock: Clock = utc_now) -> None:
    """Give payments to students who became known after they paid."""
    async with db.transaction() as tx:
        await steps.charges.allocate_named(tx, first_cause(), now=clock())


async def measure_waiting(db: Database) -> None:
    """Set the gauges of what waits for a payment or for a person."""
    async with db.transaction() as tx:
        waiting = await store.waiting.count(tx)
        ages = await store.auto_charges.ages(tx)
        dunned = await store.dunning.count(tx)
        notes = await store.account_notes.count(tx)
        proposals = await store.limit_changes.count_open(tx)
    metrics.LIMIT_PROPOSALS.set(proposals)
    for what, count in notes.items():
        metrics.NOTES_WAITING.labels(what).set(count)
    for what, count in dunned.items():
        metrics.DUNNING.labels(what).set(count)
    for state, age in ages.items():
        metrics.AUTO_CHARGE_AGE.labels(state).set(age.total_seconds())
    metrics.WAITING.labels("payment").set(waiting.charges)
    metrics.WAITING.labels("student").set(waiting.students)
    metrics.WAITING.labels("refund").set(waiting.unexplained_refunds)
    metrics.WAITING_AGE.labels("payment").set(waiting.charge_age_s)
    metrics.WAITING_AGE.labels("student").set(waiting.student_age_s)


async def measure_ageing(db: Database, *, clock: Clock = utc_now) -> None:
    """Set the gauges of what students owe, by how long it is overdue."""
    async with db.transaction() as tx:
        zone, _ = await store.credit.school(tx)
        ages = await store.open_items.ages(tx, local_date(clock(), zone))
    for age, amount in ages.items():
        metrics.OWED.labels(age).set(amount)


def _label(read: WebhookRead) -> str:
    return read.webhook.event_type if read.kind is not Kind.ELSEWHERE else "elsewhere"
