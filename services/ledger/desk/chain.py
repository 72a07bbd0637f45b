"""Verifies the hash chain over the journals, page by page.

Promises: it names the first journal that was changed after it was chained, whoever changed it.
"""

from fleet.database import Database
from services.ledger.desk import reads
from services.ledger.domain.chain import START, BrokenLink, Head


async def verify(database: Database, noted: Head | None = None) -> Head | BrokenLink:
    """Recompute the whole chain: its head, or the first broken link. Each page is a transaction.

    noted: a head that was kept elsewhere; a chain that was written again from its first link differs from it.
    """
    reached = START
    while True:
        async with database.transaction() as tx:
            page = await reads.chain.verify_onwards(tx, reached)
            if isinstance(page, BrokenLink):
                return page
            passes = noted is not None and reached.position < noted.position <= page.position
            if noted and passes and (fault := await reads.chain.noted_fault(tx, noted)):
                return fault
        if page.position == reached.position:
            break
        reached = page
    if noted and noted.position > reached.position:
        return BrokenLink(position=noted.position, why="the noted head is beyond the end of the chain")
    async with database.transaction() as tx:
        return await reads.chain.unchained(tx) or reached


async def waiting(database: Database) -> int:
    """How many journals are not in the chain yet."""
    async with database.transaction() as tx:
        return await reads.chain.count_waiting(tx)
