"""Posts the journals of a group together or not at all, by `posting.post`: under its rules and locks."""

from collections.abc import Sequence

from fleet.database import Tx
from services.ledger import steps, store
from services.ledger.domain.groups import refuse_all, refuse_reused_name
from services.ledger.domain.journals import JournalReply, JournalRequest, PostedJournal, RefusedJournal


class _GroupRefused(Exception):
    """A journal of the group is refused, so that the others must be undone."""

    def __init__(self, replies: Sequence[JournalReply]) -> None:
        super().__init__()
        self.replies = replies


async def post_group(
    tx: Tx, name: str, requests: Sequence[JournalRequest | RefusedJournal]
) -> list[JournalReply]:
    """Post all journals of a group or none; a reply for each request, in order.

    The same group again is replied to with its journals. A name that is used for other sources is refused.
    """
    if reused := refuse_reused_name(name, requests, await store.groups.sources(tx, name)):
        return [*reused]
    try:
        async with tx.savepoint():
            replies = await steps.posting.post(tx, requests)
            if any(isinstance(reply, RefusedJournal) for reply in replies):
                raise _GroupRefused(replies)
    except _GroupRefused as refused:
        return [*refuse_all(requests, refused.replies)]
    fresh = [one.journal.journal_id for one in replies if isinstance(one, PostedJournal) and not one.repeated]
    await store.groups.insert(tx, name, fresh)
    return replies
