"""Verifies the hash chain over the journals, in pages, by the database's own functions.

Promises: the first journal that is not what was chained is named, whoever changed it.
"""

from fleet.database import Database
from services.ledger.desk import reads
from services.ledger.domain.chain import START, Broken, Head


async def verify(database: Database, noted: Head | None = None) -> Head | Broken:
    """Recompute the whole chain; where it ends, or where it first breaks. A transaction for each page.

    noted: a head somebody kept elsewhere; a chain that was written anew does not pass through it.
    """
    reached = START
    while True:
        async with database.transaction() as tx:
            page = await reads.chain.verify_onwards(tx, reached)
            if isinstance(page, Broken):
                return page
            passes = noted is not None and reached.position < noted.position <= page.position
            if noted and passes and (fault := await reads.chain.noted_fault(tx, noted)):
                return fault
        if page.position == reached.position:
            break
        reached = page
    if noted and noted.position > reached.position:
        return Broken(position=noted.position, why="the noted head is beyond the end of the chain")
    async with database.transaction() as tx:
        return await reads.chain.unchained(tx) or reached


async def waiting(database: Database) -> int:
    """How many journals are not chained yet."""
    async with database.transaction() as tx:
        return await reads.chain.count_waiting(tx)
