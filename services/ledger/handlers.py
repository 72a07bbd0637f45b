"""One function for each topic that the ledger consumes, and one for each of its timers."""

import logging
from collections.abc import Sequence
from datetime import datetime, timedelta
from functools import partial
from typing import Final

from fleet import dead_letters, inbox, outbox
from fleet.database import Database
from fleet.envelope import Record, first_cause
from fleet.excess import excess_rights
from fleet.revisions import migrated
from services.ledger import metrics, steps, store, wire
from services.ledger.domain.holds import journal_ids
from services.ledger.domain.journals import JournalReply

CHANGED_WITHIN_MIN: Final = 60  # for so long a changed login is shown
CHAIN_AFTER: Final = timedelta(minutes=2)  # by then every transaction that posts is committed or undone

_log = logging.getLogger(__name__)


async def post_journals(db: Database, batch: Sequence[Record], *, proved: bool = False) -> None:
    """Post each requested journal once, and reply to every request. proved: who asks is who they say."""
    asked = partial(wire.journals.journal_requested, proved=proved)
    async with db.transaction() as tx:
        admitted = await inbox.admit(tx, batch, asked)
        with metrics.POSTING_SECONDS.time():
            replies = await steps.posting.post(tx, [wire.journals.journal_request(item) for item in admitted])
        await dead_letters.bury(tx, wire.journals.refusals(admitted, replies))
        await outbox.stage(tx, wire.journals.messages(admitted, replies))
    metrics.count(replies)


async def revert_journals(db: Database, batch: Sequence[Record]) -> None:
    """Post a revert of each named journal, once, and reply to every request."""
    async with db.transaction() as tx:
        admitted = await inbox.admit(tx, batch, wire.reverts.revert_requested)
        replies = await steps.reverts.revert(tx, [wire.reverts.revert_request(item) for item in admitted])
        await dead_letters.bury(tx, wire.journals.refusals(admitted, replies))
        await outbox.stage(tx, wire.journals.messages(admitted, replies))
    metrics.count(replies)


async def post_groups(db: Database, batch: Sequence[Record], *, proved: bool = False) -> None:
    """Post all journals of a group or none. Each group is a transaction: locks of several have no order.

    proved: services prove their requests, and none asks for groups: no journal of one may be a service's.
    """
    for record in batch:
        async with db.transaction() as tx:
            replies: list[JournalReply] = []
            for item in await inbox.admit(tx, [record], wire.groups.group_requested):
                requests = wire.groups.group_requests(item, for_people=proved)
                replies = await steps.groups.post_group(tx, item.event.group, requests)
                await dead_letters.bury(tx, wire.groups.group_refusals(item, replies))
                await outbox.stage(tx, wire.groups.group_messages(item, replies))
        metrics.count(replies)


async def change_holds(db: Database, batch: Sequence[Record]) -> None:
    """Place, post and void holds, and reply to each command."""
    async with db.transaction() as tx:
        admitted = await inbox.admit(tx, batch, wire.holds.hold_requested)
        replies = await steps.holds.change(tx, [wire.holds.hold_command(item.event) for item in admitted])
        journals = await store.journals.posted(tx, journal_ids(replies))
        await dead_letters.bury(tx, wire.holds.hold_refusals(admitted, replies))
        await outbox.stage(tx, wire.holds.hold_messages(admitted, replies, journals))
    metrics.count_holds(replies)


async def change_limits(db: Database, batch: Sequence[Record]) -> None:
    """Set each requested limit, and announce those that are set."""
    async with db.transaction() as tx:
        admitted = await inbox.admit(tx, batch, wire.holds.limit_requested)
        replies = await steps.holds.limit(tx, [wire.holds.limit_command(item.event) for item in admitted])
        await dead_letters.bury(tx, wire.holds.limit_refusals(admitted, replies))
        await outbox.stage(tx, wire.holds.limit_messages(admitted, replies))


async def expire_holds(db: Database) -> int:
    """Close holds that have expired, and announce it; returns how many."""
    async with db.transaction() as tx:
        expired = await steps.holds.expire(tx)
        await outbox.stage(tx, [wire.holds.hold_changed(hold, first_cause()) for hold in expired])
    metrics.count_holds(expired)
    return len(expired)


async def look_at_roles(db: Database) -> None:
    """Measure what roles may do beyond what the code says, and note which logins came and went."""
    async with db.transaction() as tx:
        beyond = await excess_rights(tx, migrated())
        await store.logins_seen.look(tx)
        changed = await store.logins_seen.changed_within(tx, CHANGED_WITHIN_MIN)
    metrics.RIGHTS_BEYOND.set(len(beyond))
    metrics.LOGINS_CHANGED.set(changed)
    for one in beyond:
        _log.warning("a role has what it should not", extra={"found": one.sentence})


async def extend_chain(db: Database, now: datetime) -> int:
    """Add journals that are old enough to the chain; returns how many. The log keeps a copy of the head."""
    async with db.transaction() as tx:
        chained = await store.chain.extend(tx, now - CHAIN_AFTER)
        if chained:
            _log.info("chain extended", extra={"head": str(await store.chain.head(tx)), "journals": chained})
    return chained
