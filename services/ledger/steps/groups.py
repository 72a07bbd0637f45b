"""Groups: posts several journals together or not at all.

Promises: everything here is posted by `posting.post`, under its rules and locks.
"""

from collections.abc import Sequence

from fleet.database import Tx
from services.ledger import steps, store
from services.ledger.domain.groups import refuse_all, refuse_reused_name
from services.ledger.domain.journals import Answer, JournalRequest, Posted, Refused


class _Apart(Exception):
    """Some of a group was refused, so none of it may stay."""

    def __init__(self, answers: Sequence[Answer]) -> None:
        super().__init__()
        self.answers = answers


async def post_together(tx: Tx, name: str, requests: Sequence[JournalRequest]) -> list[Answer]:
    """Post all of a group or nothing. The one to blame says why; the others say whom they waited for.

    The same group again is answered by its journals. A name that stands for other sources is refused.
    """
    if reused := refuse_reused_name(name, requests, await store.groups.sources(tx, name)):
        return [*reused]
    try:
        async with tx.savepoint():
            answers = await steps.posting.post(tx, requests)
            if any(isinstance(answer, Refused) for answer in answers):
                raise _Apart(answers)
    except _Apart as apart:
        return [*refuse_all(requests, apart.answers)]
    fresh = [one.journal.journal_id for one in answers if isinstance(one, Posted) and not one.repeated]
    await store.groups.insert(tx, name, fresh)
    return answers
