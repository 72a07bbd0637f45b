"""Kafka in: one function for each topic; admit, lock, decide, write, stage. No rule lives here."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta

from fleet import inbox
from fleet.database import Database
from fleet.envelope import Record
from services.adjustments import metrics, steps, store, wire
from services.adjustments.domain.settlements_late import Lateness

CLOSING_WITHIN = timedelta(hours=12)

Clock = Callable[[], datetime]


def utc_now() -> datetime:
    return datetime.now(UTC)


async def propose_revisions(db: Database, batch: Sequence[Record], *, clock: Clock = utc_now) -> None:
    """Make an adjustment of each revision of a flight."""
    async with db.transaction() as tx:
        revised = await inbox.admit(
            tx, batch, wire.records.flight_revised, natural_key=lambda revision: revision.name
        )
        await steps.proposals.propose(tx, revised, clock())


async def take_posted(db: Database, batch: Sequence[Record], *, clock: Clock = utc_now) -> None:
    """Take the ledger's journals of adjustments, settlements and ended disputes; others cost nothing here."""
    ours = wire.records.ours(batch)
    if not ours:
        return
    async with db.transaction() as tx:
        posted = await inbox.admit(
            tx, ours, wire.records.journal_posted, natural_key=lambda journal: str(journal.journal_id)
        )
        of_adjustments = [one for one in posted if wire.records.is_of_adjustment(one.event.source)]
        journals = [wire.records.posted_journal(one.event) for one in of_adjustments]
        await steps.answers.take_posted(tx, journals, clock())
        await steps.settlements.take_posted(tx, wire.settlements.posted(posted), clock())
        await steps.settlements_refunds.take_returned(tx, wire.settlements.returned_refunds(posted), clock())
        await steps.recoveries.take(tx, wire.records.ended_disputes(posted), clock())


async def take_refused(db: Database, batch: Sequence[Record], *, clock: Clock = utc_now) -> None:
    """Take the ledger's refusals of journals of adjustments and settlements."""
    ours = wire.records.ours(batch)
    if not ours:
        return
    async with db.transaction() as tx:
        refused = await inbox.admit(tx, ours, wire.records.journal_refused)
        of_adjustments = [one for one in refused if wire.records.is_of_adjustment(one.event.source)]
        journals = [wire.records.refused_journal(one.event) for one in of_adjustments]
        await steps.answers.take_refused(tx, journals, clock())
        await steps.settlements.take_refused(tx, wire.settlements.refused(refused), clock())


async def follow_book(db: Database, batch: Sequence[Record]) -> None:
    """Take the policies and the time zone from the versions of the book that billing accepted."""
    async with db.transaction() as tx:
        accepted = await inbox.admit(
            tx, batch, wire.records.school_accepted, natural_key=lambda read: f"school:{read.version}"
        )
        if not accepted:
            return
        versions = [one.event for one in accepted]
        named = [(read.version, read.time_zone) for read in versions if read.time_zone is not None]
        await store.policy.follow_school(
            tx, version=max(read.version for read in versions), named=max(named, default=None)
        )
        await store.policy.keep(
            tx, [(read.version, day, card) for read in versions for day, card in read.cards]
        )


async def take_transfer_sent(db: Database, batch: Sequence[Record], *, clock: Clock = utc_now) -> None:
    """Take transfers that paid journals of adjustments: what was owed or deducted is settled.

    Of every other only until when its money can be taken back is kept, while that is to come.
    """
    ours, windows = wire.records.paying_ours(batch), wire.settlements.windows(batch, clock())
    if not ours and not windows:
        return
    async with db.transaction() as tx:
        await store.settlements_sent.keep_windows(tx, windows)
        sent = await inbox.admit(
            tx, ours, wire.records.transfer_sent, natural_key=lambda event: str(event.transfer_id)
        )
        await steps.settlements.take_sent(
            tx, wire.settlements.carried(sent), wire.settlements.parts(sent), clock()
        )


async def take_reversal_settled(db: Database, batch: Sequence[Record], *, clock: Clock = utc_now) -> None:
    """Take payouts' answers to the reversals that were asked for."""
    async with db.transaction() as tx:
        answers = await inbox.admit(
            tx, batch, wire.records.reversal_settled, natural_key=lambda event: str(event.settlement_id)
        )
        await steps.settlements.take_reversals(tx, wire.settlements.answers(answers), clock())


async def take_refund_settled(db: Database, batch: Sequence[Record], *, clock: Clock = utc_now) -> None:
    """Take payouts' answers to the refunds that were asked for."""
    async with db.transaction() as tx:
        answers = await inbox.admit(
            tx, batch, wire.records.refund_settled, natural_key=lambda event: str(event.settlement_id)
        )
        await steps.settlements_refunds.take_answers(tx, wire.settlements.refund_answers(answers), clock())


async def expire(db: Database, *, clock: Clock = utc_now) -> None:
    """End what nobody decided in time, a batch in each transaction."""
    expired = steps.expiry.BATCH_MAX
    while expired == steps.expiry.BATCH_MAX:
        async with db.transaction() as tx:
            expired = await steps.expiry.expire(tx, clock())


async def hear_early(db: Database, *, clock: Clock = utc_now) -> None:
    """Hear answers that were kept while their settlements began, a batch in each transaction."""
    heard = steps.settlements_early.BATCH_MAX
    while heard == steps.settlements_early.BATCH_MAX:
        async with db.transaction() as tx:
            heard = await steps.settlements_early.hear_missed(tx, clock())


async def remind_of_settlements(db: Database, *, clock: Clock = utc_now) -> None:
    """Tell finance of settlements that are late, a batch in each transaction."""
    told = steps.settlements_late.BATCH_MAX
    while told >= steps.settlements_late.BATCH_MAX:
        async with db.transaction() as tx:
            told = await steps.settlements_late.remind(tx, clock())


async def measure_settlements(db: Database, *, clock: Clock = utc_now) -> None:
    """Set the gauges of settlements: what waits by its method, and what is late."""
    async with db.transaction() as tx:
        waiting = await store.settlements_late.open_by_method(tx)
        late = await steps.settlements_late.count(tx, clock())
    for method in metrics.WAITING_METHODS:
        metrics.SETTLEMENTS.labels(str(method)).set(waiting.get(method, 0))
    metrics.LATE.labels(str(Lateness.OVERDUE)).set(late.overdue)
    metrics.LATE.labels(str(Lateness.WINDOW_CLOSES)).set(late.window_closes)
    metrics.LATE.labels(str(Lateness.UNANSWERED)).set(late.unanswered)
    metrics.LATE.labels(str(Lateness.FORGOTTEN)).set(late.forgotten)


async def measure(db: Database, *, clock: Clock = utc_now) -> None:
    """Set the gauges: what goes on, since when, and what is lost when nobody decides soon."""
    now = clock()
    async with db.transaction() as tx:
        there = await store.gauges.by_state(tx)
        closing = await store.gauges.clawbacks_closing(tx, now, now + CLOSING_WITHIN)
    for state in metrics.OPEN:
        found = there.get(state)
        metrics.IN_STATE.labels(str(state)).set(found.count if found else 0)
        metrics.OLDEST.labels(str(state)).set((now - found.since).total_seconds() if found else 0)
    metrics.CLAWBACK_CLOSING.set(closing)
