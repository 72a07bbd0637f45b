"""Issues the statements of a month that is over: keeps what each is, wallet by wallet.

A part is one transaction: who dies leaves the others' statements issued, and whoever goes on begins after
them. A statement that is kept already stays as it is.
"""

from datetime import datetime, timedelta
from typing import Final

from console import metrics, store
from console.reads import statements as reads
from console.reads.school import school
from console.statements import due_at, issued, month_to_issue
from fleet.database import Database
from fleet.faults import fault_point

AT_ONCE: Final = 50


async def issue(db: Database, now: datetime) -> None:
    """Issue what is due: nothing on most days."""
    while await issue_part(db, now):
        pass


async def issue_part(db: Database, now: datetime, most: int = AT_ONCE) -> bool:
    """Issue the next statements of the month that is due; False: none is left."""
    async with db.transaction() as tx:
        found = await school(tx)
        month = month_to_issue(await store.statements.latest(tx), now, found.zone)
        if month is None:
            return False
        await store.statements.begin(tx, month.name)
        after = await store.statements.lock(tx, month.name)
        if after is None:
            return False  # somebody else ended it meanwhile
        wallets = await reads.holders(tx, found.currency, after, most)
        for wallet in wallets:
            statement = await reads.statement(tx, wallet, month, found.currency)
            if statement.lines or statement.opening:
                await store.statements.insert(tx, issued(statement, wallet, month, found.currency), now)
                metrics.STATEMENTS.inc()
        await fault_point("console.statements_kept")
        await store.statements.advance(tx, month.name, wallets[-1] if len(wallets) == most else None, now)
    return True


async def overdue(db: Database, now: datetime) -> timedelta:
    """For how long the statements of a month could have been issued and are not all; zero: none is due."""
    async with db.transaction() as tx:
        found = await school(tx)
        month = month_to_issue(await store.statements.latest(tx), now, found.zone)
    return now - due_at(month) if month else timedelta()
