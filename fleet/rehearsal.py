"""What handlers would write if they got these records now: each transaction is counted and rolled back.

Nothing is committed, so a transaction does not see what the one before it would have written: that nothing
would be written is exact, and what would be is counted against the tables as they are.
"""

from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import groupby
from typing import Final

from fleet.database import Database, Tx
from fleet.envelope import Record
from fleet.shared_batches import Handler

# Between the clock that stamped a record and the database's: see docs/decisions/0131.
CLOCKS_APART: Final = timedelta(hours=12)
NOTHING_REMEMBERED: Final = datetime.max.replace(tzinfo=UTC) - CLOCKS_APART
INBOX: Final = "inbox"

Change = tuple[str, str]  # a table or topic, and what happens there

_WRITTEN: Final = """
    SELECT CASE schemaname WHEN current_schema() THEN relname ELSE schemaname || '.' || relname END AS name,
           n_tup_ins AS added, n_tup_upd AS changed, n_tup_del AS removed
    FROM pg_stat_xact_user_tables WHERE n_tup_ins + n_tup_upd + n_tup_del > 0
"""
# A row that is seen while the transaction that wrote it is in progress is this transaction's own, or one of
# its savepoints'. xmin has 32 of the number's 64 bits; the others are those of the nearest number to ours.
_STAGED: Final = """
    WITH own AS MATERIALIZED (SELECT CAST(CAST(pg_current_xact_id() AS text) AS bigint) AS number)
    SELECT topic, count(*) AS rows FROM outbox, own
    WHERE pg_xact_status(CAST(CAST(own.number
        + (CAST(CAST(outbox.xmin AS text) AS bigint) - own.number % 4294967296 + 6442450944) % 4294967296
        - 2147483648 AS text) AS xid8)) = 'in progress'
    GROUP BY topic
"""
_EPOCH: Final = """
    SELECT (SELECT min(admitted_at) FROM inbox) AS since, EXISTS (SELECT FROM topic_position) AS has_read,
           current_setting('track_counts')::boolean AS counts
"""


class NotCounted(Exception):
    """The database does not count what transactions write, so nothing can be said of a rehearsal."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Epoch:
    """From when on a service's inbox remembers what was handled; None: it has handled nothing yet.

    It is asked of the inbox and kept nowhere: pruned by age, its oldest row is younger than what is gone.
    """

    since: datetime | None

    @property
    def sentence(self) -> str:
        """When that is, for people."""
        if self.since is None or self.since == NOTHING_REMEMBERED:
            return "its inbox is empty"
        return f"its inbox begins at {self.since.isoformat()}, and clocks may be 12 hours apart"

    def may_be_forgotten(self, record: Record) -> bool:
        """Whether this record may have been handled, and pruned since. Clocks may be apart."""
        return self.since is not None and record.timestamp < self.since + CLOCKS_APART


@dataclass(slots=True, kw_only=True)
class Rehearsal:
    """Counts what handlers of one service would write. While `db.watch` is its `watch`, nothing commits."""

    epoch: Epoch
    changes: Counter[Change] = field(default_factory=Counter)
    forgotten: int = 0  # events that would be admitted anew although they may have been handled before
    _old: bool = False

    async def try_out(self, handler: Handler, batch: Sequence[Record]) -> None:
        """Have the handler handle a batch, in its order, and count."""
        for old, some in groupby(batch, self.epoch.may_be_forgotten):
            self._old = old
            await handler(list(some))

    @asynccontextmanager
    async def watch(self, tx: Tx) -> AsyncIterator[None]:
        """Count what is written between; the database rolls back afterwards."""
        before = await _written(tx)  # of transactions before this one, as far as they are not reported yet
        yield
        await tx.execute("SET CONSTRAINTS ALL IMMEDIATE")  # what a commit would check
        written = await _written(tx) - before
        self.forgotten += written[INBOX, "added"] if self._old else 0
        if written["outbox", "added"]:
            written += Counter({(row.topic, "published"): row.rows for row in await tx.all(_STAGED)})
        self.changes += written


async def begin(db: Database) -> Rehearsal:
    """Begin a rehearsal on this database: from now on its transactions are counted and rolled back."""
    async with db.autocommit() as tx:
        found = await tx.one(_EPOCH)
    if not found.counts:
        raise NotCounted("the server's setting track_counts is off: nobody can say what would be written")
    since = found.since or (NOTHING_REMEMBERED if found.has_read else None)
    rehearsal = Rehearsal(epoch=Epoch(since=since))
    db.watch = rehearsal.watch
    return rehearsal


async def _written(tx: Tx) -> Counter[Change]:
    return Counter(
        {
            (row.name, what): number
            for row in await tx.all(_WRITTEN)
            for what, number in (("added", row.added), ("changed", row.changed), ("removed", row.removed))
        }
    )
