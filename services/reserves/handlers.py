"""Kafka in: one function for each topic; admit, lock, decide, write, stage. No rule lives here."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime

from fleet import inbox
from fleet.database import Database
from fleet.envelope import Record
from services.reserves import steps, store, wire

Clock = Callable[[], datetime]


def utc_now() -> datetime:
    return datetime.now(UTC)


async def follow_book(db: Database, batch: Sequence[Record], *, clock: Clock = utc_now) -> None:
    """Take the policies, time zone and currency from the versions of the book that billing accepted."""
    async with db.transaction() as tx:
        accepted = await inbox.admit(
            tx,
            batch,
            wire.reserve_records.school_accepted,
            natural_key=lambda read: f"school:{read.version}",
        )
        if not accepted:
            return
        versions = [one.event for one in accepted]
        named = [(read.version, *read.school) for read in versions if read.school is not None]
        await store.policy.follow_school(
            tx, version=max(read.version for read in versions), named=max(named, default=None)
        )
        await store.policy.keep(
            tx, [(read.version, day, card) for read in versions for day, card in read.cards]
        )
        await steps.health.judge_reserve(tx, clock())


async def take_posted(db: Database, batch: Sequence[Record]) -> None:
    """Add the ledger's journals to the positions."""
    async with db.transaction() as tx:
        posted = await inbox.admit(
            tx,
            batch,
            wire.reserve_records.journal_posted,
            natural_key=lambda journal: str(journal.journal_id),
        )
        zone, _ = await store.policy.school(tx)
        await steps.positions.take(tx, wire.reserve_records.taken(posted, zone))


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
    """Judge the reserve by the time and by what journals moved meanwhile."""
    async with db.transaction() as tx:
        await steps.health.judge_reserve(tx, clock())
