"""Composition root of the ledger's worker."""

from datetime import UTC, datetime
from functools import partial

from fleet.settings import Settings
from fleet.worker import Worker
from services.ledger import handlers, wire

BATCH_MAX = 2_000  # only a backlog fills it: the fewer commits, the more journals (docs/decisions/0093)
POSTING_MEMBERS = 3  # one's Python beside another's Postgres, and one that reads (docs/decisions/0142)
HOLDS_BATCH_MAX = 100  # each command is a statement of its own, under the locks of all of them
GROUPS_BATCH_MAX = 20  # each group is a transaction of its own
EXPIRE_EVERY_S = 1.0
CHAIN_EVERY_S = 30.0


def build(settings: Settings | None = None) -> Worker:
    """Make the worker: requests for journals, holds and limits in, what became of each of them out."""
    worker = Worker("ledger", settings or Settings())
    db = worker.database
    posting = partial(handlers.post_journals, db)
    worker.consume(wire.journals.REQUESTED, posting, batch_max=BATCH_MAX, members=POSTING_MEMBERS)
    worker.consume(wire.links.REVERT_REQUESTED, partial(handlers.revert_journals, db), batch_max=BATCH_MAX)
    worker.consume(wire.links.GROUP_REQUESTED, partial(handlers.post_groups, db), batch_max=GROUPS_BATCH_MAX)
    worker.consume(wire.holds.REQUESTED, partial(handlers.change_holds, db), batch_max=HOLDS_BATCH_MAX)
    worker.consume(wire.holds.LIMIT_REQUESTED, partial(handlers.change_limits, db), batch_max=HOLDS_BATCH_MAX)

    async def expire_holds() -> None:
        while await handlers.expire_holds(db):
            continue

    async def extend_chain() -> None:
        while await handlers.extend_chain(db, datetime.now(UTC)):
            continue

    worker.every("expire_holds", EXPIRE_EVERY_S, expire_holds)
    worker.every("extend_chain", CHAIN_EVERY_S, extend_chain)
    worker.decide({})
    return worker
