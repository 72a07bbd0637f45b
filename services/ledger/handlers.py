"""Kafka in: one function per topic. Timers: holds that run out, and the hash chain."""

import logging
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

from fleet import dead_letters, inbox, outbox
from fleet.database import Database
from fleet.envelope import Record, first_cause
from services.ledger import metrics, steps, store, wire
from services.ledger.domain.holds import journals_of
from services.ledger.domain.journals import Answer

CHAIN_AFTER: Final = timedelta(minutes=2)  # by then a worker's transaction has ended, one way or the other

_log = logging.getLogger(__name__)


async def post_journals(db: Database, batch: Sequence[Record]) -> None:
    """Post each requested journal once, and say what became of every request."""
    async with db.transaction() as tx:
        asked = await inbox.admit(tx, batch, wire.journals.journal_requested)
        with metrics.POSTING_SECONDS.time():
            answers = await steps.posting.post(tx, [wire.journals.journal_request(item) for item in asked])
        await dead_letters.bury(tx, wire.journals.refusals(asked, answers))
        await outbox.stage(tx, wire.journals.answers(asked, answers))
    metrics.count(answers)


async def revert_journals(db: Database, batch: Sequence[Record]) -> None:
    """Take back what each named journal moved, once."""
    async with db.transaction() as tx:
        asked = await inbox.admit(tx, batch, wire.reverts.revert_requested)
        answers = await steps.reverts.revert(tx, [wire.reverts.revert_request(item) for item in asked])
        await dead_letters.bury(tx, wire.journals.refusals(asked, answers))
        await outbox.stage(tx, wire.journals.answers(asked, answers))
    metrics.count(answers)


async def post_groups(db: Database, batch: Sequence[Record]) -> None:
    """Post all journals of a group or none; a transaction each, since their locks have no common order."""
    for record in batch:
        async with db.transaction() as tx:
            answers: list[Answer] = []
            for item in await inbox.admit(tx, [record], wire.groups.group_requested):
                requests = wire.groups.group_requests(item)
                answers = await steps.groups.post_together(tx, item.event.group, requests)
                await dead_letters.bury(tx, wire.groups.group_refusals(item, answers))
                await outbox.stage(tx, wire.groups.group_answers(item, answers))
        metrics.count(answers)


async def change_holds(db: Database, batch: Sequence[Record]) -> None:
    """Place, post and void holds, and say what became of each."""
    async with db.transaction() as tx:
        asked = await inbox.admit(tx, batch, wire.holds.hold_requested)
        answers = await steps.holds.change(tx, [wire.holds.hold_command(item.event) for item in asked])
        journals = await store.journals.posted(tx, journals_of(answers))
        await dead_letters.bury(tx, wire.holds.hold_refusals(asked, answers))
        await outbox.stage(tx, wire.holds.hold_answers(asked, answers, journals))
    metrics.count_holds(answers)


async def change_limits(db: Database, batch: Sequence[Record]) -> None:
    """Set each requested limit."""
    async with db.transaction() as tx:
        asked = await inbox.admit(tx, batch, wire.holds.limit_requested)
        answers = await steps.holds.limit(tx, [wire.holds.limit_command(item.event) for item in asked])
        await dead_letters.bury(tx, wire.holds.limit_refusals(asked, answers))
        await outbox.stage(tx, wire.holds.limit_answers(asked, answers))


async def expire_holds(db: Database) -> int:
    """Close holds whose time is over and say so; how many."""
    async with db.transaction() as tx:
        expired = await steps.holds.expire(tx)
        await outbox.stage(tx, [wire.holds.hold_changed(hold, first_cause()) for hold in expired])
    metrics.count_holds(expired)
    return len(expired)


async def extend_chain(db: Database, now: datetime) -> int:
    """Chain the journals that are old enough; the head goes to the log, out of the database's reach."""
    async with db.transaction() as tx:
        chained = await store.chain.extend(tx, now - CHAIN_AFTER)
        if chained:
            _log.info("chain extended", extra={"head": str(await store.chain.head(tx)), "journals": chained})
    return chained
