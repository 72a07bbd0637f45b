"""Composition root of the ledger's worker."""

from datetime import UTC, datetime
from functools import partial

from fleet.worker import Worker
from schemas.proved import PROVED
from services.ledger import handlers, wire
from services.ledger.desk import decisions, openings
from services.ledger.settings import LedgerSettings

BATCH_MAX = 2_000  # reached only by a backlog; fewer commits post more journals (docs/decisions/0093)
POSTING_MEMBERS = 3  # one computes, one waits for Postgres, one reads (docs/decisions/0142)
HOLDS_BATCH_MAX = 100  # the locks of all are held until commit
GROUPS_BATCH_MAX = 20  # each group is a transaction
EXPIRE_EVERY_S = 1.0
CHAIN_EVERY_S = 30.0
HOLDS_EVERY_S = 0.01  # somebody stands beside the aircraft and waits for the answer
LOOK_EVERY_S = 60.0  # each process shows what roles may do: a look reads the catalogs


def build(settings: LedgerSettings | None = None) -> Worker:
    """Make the worker: it consumes requests for journals, holds and limits, and replies to each."""
    settings = settings or LedgerSettings()
    worker = Worker("ledger", settings, proved=PROVED)
    db = worker.database
    proved = bool(worker.publishers.keys)
    posting = partial(handlers.post_journals, db, proved=proved)
    worker.consume(wire.journals.REQUESTED, posting, batch_max=BATCH_MAX, members=POSTING_MEMBERS)
    first = [wire.journals.REQUESTED]  # what the others change is posted first, also after a restore
    worker.consume(
        wire.reverts.REQUESTED, partial(handlers.revert_journals, db), batch_max=BATCH_MAX, after=first
    )
    worker.consume(
        wire.groups.REQUESTED,
        partial(handlers.post_groups, db, proved=proved),
        batch_max=GROUPS_BATCH_MAX,
        after=first,
    )
    worker.consume(
        wire.holds.REQUESTED,
        partial(handlers.change_holds, db),
        batch_max=HOLDS_BATCH_MAX,
        every_s=HOLDS_EVERY_S,
        after=first,
    )
    worker.consume(
        wire.holds.LIMIT_REQUESTED,
        partial(handlers.change_limits, db),
        batch_max=HOLDS_BATCH_MAX,
        after=first,
    )

    async def expire_holds() -> None:
        while await handlers.expire_holds(db):
            continue

    async def extend_chain() -> None:
        while await handlers.extend_chain(db, datetime.now(UTC)):
            continue

    async def look_at_roles() -> int:
        await handlers.look_at_roles(db)
        return 0

    worker.loop("look_at_roles", look_at_roles, idle_s=LOOK_EVERY_S)
    worker.every("expire_holds", EXPIRE_EVERY_S, expire_holds)
    worker.every("extend_chain", CHAIN_EVERY_S, extend_chain)
    worker.decide({**decisions.ACTIONS, **openings.ACTIONS})
    return worker
