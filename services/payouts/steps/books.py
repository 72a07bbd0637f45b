"""Compare what was announced with the ledger's books, before anything is decided about it."""

from collections.abc import Sequence

from fleet import dead_letters
from fleet.database import Tx
from fleet.dead_letters import Refusal
from services.payouts import store, wire
from services.payouts.domain.books import doubt
from services.payouts.wire.records import Posted


async def believed(tx: Tx, posted: Sequence[Posted]) -> list[Posted]:
    """The journals that are in the ledger as they were announced; the others are buried."""
    books = await store.books.read(tx, [one.event.journal_id for one in posted])
    doubts = [doubt(one.event.journal_id, wire.records.as_booked(one.event), books) for one in posted]
    refusals = [
        Refusal(admitted=one, reason=why.reason, sentence=why.sentence)
        for one, why in zip(posted, doubts, strict=True)
        if why is not None
    ]
    await dead_letters.bury(tx, refusals)
    return [one for one, why in zip(posted, doubts, strict=True) if why is None]
