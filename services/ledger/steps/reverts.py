"""Reverts: posts the opposite of a journal, once, and links the two.

Promises: everything here is posted by `posting.post`, under its rules and locks.
"""

from collections.abc import Sequence

from fleet.database import Tx
from services.ledger import steps, store
from services.ledger.domain.journals import Answer, JournalRequest, Posted, Refused
from services.ledger.domain.reverts import RevertRequest, reversal, reverted_by, was_posted_meanwhile


async def revert(tx: Tx, asked: Sequence[RevertRequest]) -> list[Answer]:
    """Post the opposite of each named journal, linked to it; a second revert is answered by the first."""
    answers = await _revert(tx, asked)
    lost = [number for number, one in enumerate(answers) if was_posted_meanwhile(one)]
    if lost:  # somebody else's revert was committed between our look and our lock
        again = await _revert(tx, [asked[number] for number in lost])
        for number, answer in zip(lost, again, strict=True):
            answers[number] = answer
    return answers


async def reversals(tx: Tx, asked: Sequence[RevertRequest]) -> list[JournalRequest | Refused]:
    """The journals that take back what others moved, dated as the reverts that stand: those are repeats."""
    found = await store.journals.find(tx, [one.reverts for one in asked])
    dates = await store.reverts.dates(tx, [there.journal.journal_id for there in found.values()])
    return [reversal(one, found.get(one.reverts), dates) for one in asked]


async def _revert(tx: Tx, asked: Sequence[RevertRequest]) -> list[Answer]:
    answers = await steps.posting.post(tx, await reversals(tx, asked))
    fresh = {
        answer.journal.journal_id: reverted_by(answer.journal.source)
        for answer in answers
        if isinstance(answer, Posted) and not answer.repeated
    }
    await store.reverts.insert(tx, fresh)
    return answers
