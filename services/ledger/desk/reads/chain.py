"""What verifying the hash chain reads."""

from typing import Final

from fleet.database import Tx
from services.ledger.domain.chain import START, BrokenLink, Head

VERIFY_AT_ONCE: Final = 20_000
UNCHAINED_AFTER: Final = "15 minutes"

_VERIFY: Final = """
    SELECT reached, reached_hash, why, journal_id, source
    FROM ledger_public.verify_links(CAST(:after AS bigint), CAST(:hash AS bytea), :most)
"""


async def verify_onwards(tx: Tx, reached: Head) -> Head | BrokenLink:
    """Recompute at most VERIFY_AT_ONCE links after `reached`: the last of them, or the first broken one.

    Returns `reached` if no link follows it.
    """
    row = await tx.one(_VERIFY, after=reached.position, hash=reached.hash, most=VERIFY_AT_ONCE)
    if row.why is not None:
        return BrokenLink(position=row.reached + 1, why=row.why, journal_id=row.journal_id, source=row.source)
    return Head(position=row.reached, hash=row.reached_hash)


_HEAD: Final = "SELECT position, hash FROM ledger_public.journal_links ORDER BY position DESC LIMIT 1"


async def head(tx: Tx) -> Head:
    """The newest link."""
    row = await tx.first(_HEAD)
    return START if row is None else Head(position=row.position, hash=row.hash)


_LINK: Final = "SELECT hash, journal_id FROM ledger_public.journal_links WHERE position = :position"


async def noted_fault(tx: Tx, noted: Head) -> BrokenLink | None:
    """Compare a head that was kept elsewhere with the link at its position. None: they are equal."""
    row = await tx.one(_LINK, position=noted.position)
    if row.hash == noted.hash:
        return None
    why = "the chain was written again: this link differs from the noted head"
    return BrokenLink(position=noted.position, why=why, journal_id=row.journal_id)


# extend_chain() adds journals that are two minutes old, from ten minutes before its head on.
_UNCHAINED: Final = """
    WITH head AS (SELECT recorded_at FROM ledger_public.journal_links ORDER BY position DESC LIMIT 1)
    SELECT journal.journal_id, journal.source, journal.recorded_at
    FROM ledger_public.journals AS journal
    LEFT JOIN ledger_public.journal_links AS link ON link.journal_id = journal.journal_id
    WHERE link.journal_id IS NULL
      AND (journal.recorded_at > now() + CAST(CAST(:age AS text) AS interval)
           OR (journal.recorded_at < now() - CAST(CAST(:age AS text) AS interval)
               AND journal.recorded_at < (SELECT recorded_at FROM head) - interval '10 minutes'))
    ORDER BY journal.recorded_at, journal.journal_id LIMIT 1
"""


async def unchained(tx: Tx) -> BrokenLink | None:
    """A journal that the timer will never add to the chain, since its recorded_at was changed.

    A journal newer than the head is added later, perhaps much later: no worker may be running.
    """
    end = await head(tx)
    row = await tx.first(_UNCHAINED, age=UNCHAINED_AFTER)
    if row is None:
        return None
    why = f"recorded at {row.recorded_at.isoformat()}, and not in the chain"
    return BrokenLink(position=end.position + 1, why=why, journal_id=row.journal_id, source=row.source)


_WAITING: Final = """
    SELECT count(*) AS journals FROM ledger_public.journals AS journal
    WHERE NOT EXISTS (
        SELECT FROM ledger_public.journal_links AS link WHERE link.journal_id = journal.journal_id)
"""


async def count_waiting(tx: Tx) -> int:
    """How many journals are not in the chain yet."""
    row = await tx.one(_WAITING)
    return int(row.journals)
