"""Kafka in: journal.requested."""

from collections.abc import Sequence

from fleet import dead_letters, inbox, outbox
from fleet.database import Database
from fleet.envelope import Record
from services.ledger import metrics, posting, wire


async def post_journals(db: Database, batch: Sequence[Record]) -> None:
    """Post each requested journal once, and say what became of every request."""
    async with db.transaction() as tx:
        asked = await inbox.admit(tx, batch, wire.journal_requested)
        with metrics.POSTING_SECONDS.time():
            answers = await posting.post(tx, [wire.journal_request(item) for item in asked])
        await dead_letters.bury(tx, wire.refusals(asked, answers))
        await outbox.stage(tx, wire.answers(asked, answers))
    metrics.count(answers)
