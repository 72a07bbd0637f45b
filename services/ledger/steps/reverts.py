"""Journals that belong to others: reverts, groups that stand or fall together, and rehearsals of posting.

Promises: everything here is posted by `posting.post`, under its rules and locks. It adds links, never rules
about money.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from fleet.database import Tx
from services.ledger import steps, store
from services.ledger.domain.journals import (
    Answer,
    Balance,
    BalanceKey,
    EntryRequest,
    Journal,
    JournalRequest,
    Posted,
    Refused,
    Sound,
    Verdict,
    balances_to_lock,
    date_into_open_period,
    decide_posting,
    refuse,
    screen,
)

REVERT: Final = "revert"


@dataclass(frozen=True, slots=True, kw_only=True)
class RevertRequest:
    """Somebody wants what the journal of `reverts` (a source) moved to be taken back, under this new id."""

    journal_id: UUID
    reverts: str
    occurred_at: datetime
    memo: str = ""
    request_event_id: UUID | None = None


def revert_source(reverted: UUID) -> str:
    """The source of the journal that reverts this one: there can be only one."""
    return f"{REVERT}:{reverted}"


def _reverted(source: str) -> UUID:
    return UUID(source.removeprefix(f"{REVERT}:"))


async def revert(tx: Tx, asked: Sequence[RevertRequest]) -> list[Answer]:
    """Post the opposite of each named journal, linked to it; a second revert is answered by the first."""
    answers = await _revert(tx, asked)
    lost = [number for number, one in enumerate(answers) if _was_reused(one)]
    if lost:  # somebody else's revert was committed between our look and our lock
        again = await _revert(tx, [asked[number] for number in lost])
        for number, answer in zip(lost, again, strict=True):
            answers[number] = answer
    return answers


def _was_reused(answer: Answer) -> bool:
    return isinstance(answer, Refused) and answer.reason == "source_reused"


async def _revert(tx: Tx, asked: Sequence[RevertRequest]) -> list[Answer]:
    answers = await steps.posting.post(tx, await reversals(tx, asked))
    fresh = {
        answer.journal.journal_id: _reverted(answer.journal.source)
        for answer in answers
        if isinstance(answer, Posted) and not answer.repeated
    }
    await store.journals.link_reverts(tx, fresh)
    return answers


async def reversals(tx: Tx, asked: Sequence[RevertRequest]) -> list[JournalRequest | Refused]:
    """The journals that take back what others moved, dated as the reverts that stand: those are repeats."""
    found = await store.journals.find_journals(tx, [one.reverts for one in asked])
    dates = await store.journals.reverts_dated(tx, [there.journal.journal_id for there in found.values()])
    return [_reversal(one, found.get(one.reverts), dates) for one in asked]


def _reversal(
    asked: RevertRequest, there: Posted | None, dates: dict[UUID, datetime]
) -> JournalRequest | Refused:
    """`dates`: of reverts by what they revert; this one is added."""
    if there is None:
        return Refused(
            source=asked.reverts,
            event_type=REVERT,
            reason="unknown_journal",
            sentence=f"journal {asked.reverts}: is not posted, so there is nothing to revert",
        )
    return JournalRequest(
        journal_id=asked.journal_id,
        source=revert_source(there.journal.journal_id),
        event_type=REVERT,
        occurred_at=dates.setdefault(there.journal.journal_id, asked.occurred_at),
        entries=tuple(
            EntryRequest(wallet=entry.wallet, currency=entry.currency, amount=-entry.amount)
            for entry in there.journal.entries
        ),
        memo=asked.memo or f"reverts {there.journal.source}",
        request_event_id=asked.request_event_id,
    )


class _Apart(Exception):
    """Some of a group was refused, so none of it may stay."""

    def __init__(self, answers: Sequence[Answer]) -> None:
        super().__init__()
        self.answers = answers


async def post_together(tx: Tx, name: str, requests: Sequence[JournalRequest]) -> list[Answer]:
    """Post all of a group or nothing. The one to blame says why; the others say whom they waited for.

    The same group again is answered by its journals. A name that stands for other sources is refused.
    """
    stands = await store.journals.group_sources(tx, name)
    if stands and stands != {request.source for request in requests}:
        why = f"group {name} is already posted with other journals: {', '.join(sorted(stands))}"
        return [refuse(request, "group_reused", why) for request in requests]
    try:
        async with tx.savepoint():
            answers = await steps.posting.post(tx, requests)
            if any(isinstance(answer, Refused) for answer in answers):
                raise _Apart(answers)
    except _Apart as apart:
        return _all_refused(requests, apart.answers)
    fresh = [one.journal.journal_id for one in answers if isinstance(one, Posted) and not one.repeated]
    await store.journals.link_group(tx, name, fresh)
    return answers


def _all_refused(requests: Sequence[JournalRequest], answers: Sequence[Answer]) -> list[Answer]:
    blamed = next(answer for answer in answers if isinstance(answer, Refused))
    return [
        answer
        if isinstance(answer, Refused)
        else refuse(request, "group_refused", f"was asked together with another: {blamed.sentence}")
        for request, answer in zip(requests, answers, strict=True)
    ]


@dataclass(frozen=True, slots=True, kw_only=True)
class Rehearsal:
    """What posting would answer now, and the balances it would leave. Nothing was locked or written."""

    verdicts: Sequence[Verdict]
    balances: Mapping[BalanceKey, int]


async def rehearse(tx: Tx, requests: Sequence[JournalRequest | Refused]) -> Rehearsal:
    """Decide as `post` would, on balances as they stand; somebody else may post in between."""
    screened = [item if isinstance(item, Refused) else screen(item) for item in requests]
    sound = [item for item in screened if isinstance(item, Sound)]
    if closed_until := await store.journals.closed_until(tx):
        sound = date_into_open_period(sound, closed_until)
    standing = await store.journals.standing_journals(tx, [item.request.source for item in sound])
    keys = balances_to_lock(sound, standing)
    there = await store.journals.read_balances(tx, keys)
    nothing = Balance(wallet_id=0, amount=0, version=0)
    decided = decide_posting(sound, standing, {key: there.get(key, nothing) for key in keys})
    verdicts = iter(decided)
    return Rehearsal(
        verdicts=[item if isinstance(item, Refused) else next(verdicts) for item in screened],
        balances=_left(decided),
    )


def _left(verdicts: Sequence[Verdict]) -> dict[BalanceKey, int]:
    return {
        (entry.wallet, entry.currency): entry.balance_after
        for verdict in verdicts
        if isinstance(verdict, Journal)
        for entry in verdict.entries
    }
