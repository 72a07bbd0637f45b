"""Kafka in: one function for each topic; admit, lock, decide, write, stage. No rule lives here."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime

from fleet import inbox
from fleet.database import Database
from fleet.envelope import Record
from services.reserves import metrics, steps, store, wire
from services.reserves.domain.breaks import Class
from services.reserves.domain.health import HEALTHS, UNKNOWN
from services.reserves.domain.mismatches import Mismatch

Clock = Callable[[], datetime]


def utc_now() -> datetime:
    return datetime.now(UTC)


async def follow_book(db: Database, batch: Sequence[Record], *, clock: Clock = utc_now) -> None:
    """Take policies, time zone and currency from the versions of the school's book that billing accepted."""
    async with db.transaction() as tx:
        accepted = await inbox.admit(
            tx, batch, wire.lines.school_accepted, natural_key=lambda event: f"school:{event.version}"
        )
        await steps.health.follow_book(tx, wire.reserve_records.policies(accepted), clock())


async def take_transactions(db: Database, batch: Sequence[Record]) -> None:
    """Keep the rows of Stripe's balance, each version once."""
    async with db.transaction() as tx:
        shown = await inbox.admit(tx, batch, wire.lines.stripe_transaction)
        await steps.lines.keep_lines(tx, [one.event for one in shown])


async def take_journals(db: Database, batch: Sequence[Record]) -> None:
    """Add journals to the positions, and keep those that move Stripe's cash."""
    async with db.transaction() as tx:
        posted = await inbox.admit(
            tx, batch, wire.lines.journal_posted, natural_key=lambda journal: str(journal.journal_id)
        )
        if posted:
            zone, _ = await store.policy.school(tx)
            await steps.positions.take(tx, wire.reserve_records.taken(posted, zone))
            await steps.lines.keep_journals(tx, wire.lines.book_lines(posted))


async def take_transfers(db: Database, batch: Sequence[Record]) -> None:
    """Keep which of Stripe's transfers are ours."""
    async with db.transaction() as tx:
        sent = await inbox.admit(
            tx, batch, wire.lines.transfer_sent, natural_key=lambda event: str(event.transfer_id)
        )
        await store.lines.keep_sent(tx, {one.event.stripe_transfer_id: one.event.transfer_id for one in sent})


async def take_refused(db: Database, batch: Sequence[Record]) -> None:
    """Note at accepted breaks that the ledger refused what was asked for."""
    ours = wire.lines.of_reconciliation(batch)
    if not ours:
        return
    async with db.transaction() as tx:
        refused = await inbox.admit(tx, ours, wire.lines.journal_refused)
        for one in refused:
            await store.breaks.set_refused(tx, one.event.source, one.event.sentence)


async def take_refunds(db: Database, batch: Sequence[Record]) -> None:
    """Keep which refunds Hobbs ordered: a person made the others in Stripe's dashboard."""
    async with db.transaction() as tx:
        settled = await inbox.admit(
            tx, batch, wire.lines.refund_settled, natural_key=lambda event: str(event.settlement_id)
        )
        await store.lines.keep_own_refunds(tx, [name for one in settled for name in one.event.refunds])


async def take_balance(db: Database, batch: Sequence[Record], *, clock: Clock = utc_now) -> None:
    """Keep the newest reading of the balance, and judge the reserve by it."""
    async with db.transaction() as tx:
        read = await inbox.admit(tx, batch, wire.reserve_records.balance_read)
        if read:
            await store.health.keep_balances(
                tx, [held for one in read for held in wire.reserve_records.balances(one.event)]
            )
            await steps.health.judge_reserve(tx, clock())


async def judge(db: Database, *, clock: Clock = utc_now) -> None:
    """Judge the reserve by the time, and by what journals moved meanwhile."""
    async with db.transaction() as tx:
        await steps.health.judge_reserve(tx, clock())


async def measure_reconciliation(db: Database, *, clock: Clock = utc_now) -> None:
    """Set the gauges of the comparison with Stripe."""
    async with db.transaction() as tx:
        standing = await store.reconciliation_gauges.standing(tx)
        limit = await steps.reconciliation.drift_limit(tx, clock())
        mismatches = await store.mismatches.open_by_kind(tx)
    for kind in Mismatch:
        metrics.MISMATCHES.labels(kind).set(mismatches.get(kind, 0))
    for name in Class:
        metrics.BREAKS.labels(name).set(standing.breaks.get(name, 0))
    metrics.DRIFT_ABOVE_LIMIT.set(sum(amount > limit for amount in standing.drifts.values()))
    metrics.OLDEST_BREAK.set(standing.oldest.total_seconds())
    metrics.COMPARISON_AGE.set(standing.age.total_seconds())


async def measure_reserve(db: Database, *, clock: Clock = utc_now) -> None:
    """Set the gauges of the reserve; all are 0 while the school keeps none."""
    now = clock()
    async with db.transaction() as tx:
        standing = await store.health.standing(tx)
        unacknowledged, opened = await store.alerts.standing(tx, now)
    for health in HEALTHS:
        metrics.HEALTH.labels(health).set(standing is not None and standing.health == health)
    closed = standing is not None and standing.blocks_transfers and standing.health != UNKNOWN
    metrics.GATE_CLOSED.set(closed)
    metrics.ALERTS.set(unacknowledged)
    metrics.OPENED.set(opened)
    metrics.FREE.set(standing.free if standing else 0)
    metrics.MINIMUM.set(standing.minimum if standing else 0)
    read_at = standing.read_at if standing else None
    metrics.BALANCE_AGE.set((now - read_at).total_seconds() if read_at else 0)


async def match(db: Database, *, clock: Clock = utc_now) -> None:
    """Match what is open on both sides."""
    await steps.reconciliation.match(db, clock())
