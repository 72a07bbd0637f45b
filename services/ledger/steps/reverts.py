"""Posts reverts, by `posting.post`: under its rules and locks."""

from collections.abc import Sequence

from fleet.database import Tx
from services.ledger import steps, store
from services.ledger.domain.journals import JournalReply, JournalRequest, PostedJournal, RefusedJournal
from services.ledger.domain.reverts import RevertRequest, reversal, reverted_by, was_posted_meanwhile


async def revert(tx: Tx, requests: Sequence[RevertRequest]) -> list[JournalReply]:
    """Post a revert of each named journal, in order; a second revert is replied to with the first."""
    replies = await _revert(tx, requests)
    raced = [number for number, one in enumerate(replies) if was_posted_meanwhile(one)]
    if raced:  # another worker committed its revert after this one looked, and before it locked
        again = await _revert(tx, [requests[number] for number in raced])
        for number, reply in zip(raced, again, strict=True):
            replies[number] = reply
    return replies


async def reversals(tx: Tx, requests: Sequence[RevertRequest]) -> list[JournalRequest | RefusedJournal]:
    """The requests for the reverts; of a journal that is reverted already, a repeat of its revert."""
    found = await store.journals.find(tx, [one.reverts for one in requests])
    dates = await store.reverts.dates(tx, [there.journal.journal_id for there in found.values()])
    return [reversal(one, found.get(one.reverts), dates) for one in requests]


async def _revert(tx: Tx, requests: Sequence[RevertRequest]) -> list[JournalReply]:
    replies = await steps.posting.post(tx, await reversals(tx, requests))
    fresh = {
        reply.journal.journal_id: reverted_by(reply.journal.source)
        for reply in replies
        if isinstance(reply, PostedJournal) and not reply.repeated
    }
    await store.reverts.insert(tx, fresh)
    return replies
