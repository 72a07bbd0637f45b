"""Posts a set of requests in one flush, or in halves when the database refuses what no rule foresaw.

Promises: an answer for each request, in order; a request that cannot be stored stops no other. It must not
know where requests come from or where answers go.
"""

import logging
from collections.abc import Awaitable, Callable, Sequence
from typing import Final

from fleet.database import Tx
from fleet.faults import fault_point
from fleet.outages import TryAgain
from services.ledger import store
from services.ledger.domain.journals import (
    Answer,
    Balance,
    BalanceKey,
    Journal,
    JournalRequest,
    Posted,
    Refused,
    Repeated,
    Sound,
    balances_to_lock,
    date_into_open_period,
    decide_posting,
    refuse,
    screen,
)

RACES_MAX: Final = 20  # of one batch, with other workers and with whoever closes the period

_log = logging.getLogger(__name__)

_Lock = Callable[[Tx, Sequence[BalanceKey]], Awaitable[dict[BalanceKey, Balance]]]


async def post(tx: Tx, requests: Sequence[JournalRequest | Refused]) -> list[Answer]:
    """Post what may stand; requests refused on the way here are answered as they are."""
    screened = [item if isinstance(item, Refused) else screen(item) for item in requests]
    sound = [item for item in screened if isinstance(item, Sound)]
    verdicts = iter(await _flush_or_halve(tx, sound) if sound else [])
    answers = [item if isinstance(item, Refused) else next(verdicts) for item in screened]
    return await _with_repeats_read(tx, answers)


async def _flush_or_halve(tx: Tx, sound: Sequence[Sound]) -> list[Posted | Repeated | Refused]:
    """Flush; on a refusal by the database flush each half after the other, down to the one to blame.

    Halves lock wallets out of order, so this may end in a deadlock error: the batch is then read again, and
    so it is after RACES_MAX races with others. Raises TryAgain.
    """
    verdicts: list[Posted | Repeated | Refused] = []
    parts, races = [sound], 0
    for _ in range(2 * len(sound) + RACES_MAX):  # halving takes 2n - 1 flushes at most
        if not parts or races >= RACES_MAX:
            break
        part = parts.pop()
        flushed = await _flushed_or_rejected(tx, part)
        if not isinstance(flushed, store.journals.Rejected):
            verdicts += flushed
        elif (again := await _after_a_race(tx, part, flushed.rule)) is not None:
            races += 1
            parts.append(again)
        elif len(part) == 1:
            verdicts.append(refuse(part[0].request, flushed.rule, flushed.sentence, flushed.shortfall))
        else:
            half = len(part) // 2
            parts += [part[half:], part[:half]]
    if parts:
        raise TryAgain(f"{sum(map(len, parts))} of {len(sound)} journals wait after {races} races")
    return verdicts


async def _flushed_or_rejected(
    tx: Tx, part: Sequence[Sound]
) -> list[Posted | Repeated | Refused] | store.journals.Rejected:
    try:
        return await _flush(tx, part)
    except store.journals.Rejected as rejected:
        _log.warning("journals rejected", extra={"rule": rejected.rule, "journals": len(part)})
        return rejected


async def _after_a_race(tx: Tx, part: Sequence[Sound], rule: str) -> Sequence[Sound] | None:
    """What to flush next when others changed something between our look and our insert; None: no race."""
    if (
        rule == store.journals.SOURCE_IS_POSTED_ONCE
    ):  # another worker posted a source; it has committed: look again
        return part
    if rule == store.journals.PERIOD_IS_OPEN and (closed_until := await store.journals.closed_until(tx)):
        return date_into_open_period(part, closed_until)
    return None


async def _flush(tx: Tx, sound: Sequence[Sound]) -> list[Posted | Repeated | Refused]:
    """Post all, or raise Rejected with nothing written.

    Nearly always every wallet is open, so nobody looks first; else what is locked is let go, and it begins
    again by opening what is missing.
    """
    try:
        async with store.journals.all_or_rejected(tx):
            return await _write(tx, sound, store.journals.lock_open_balances)
    except store.journals.NotOpened:
        async with store.journals.all_or_rejected(tx):
            return await _write(tx, sound, store.journals.lock_balances)


async def _write(tx: Tx, sound: Sequence[Sound], lock_balances: _Lock) -> list[Posted | Repeated | Refused]:
    standing = await store.journals.standing_journals(tx, [item.request.source for item in sound])
    balances = await lock_balances(tx, balances_to_lock(sound, standing))
    await fault_point("ledger.balances_locked")
    verdicts = decide_posting(sound, standing, balances)
    journals = [verdict for verdict in verdicts if isinstance(verdict, Journal)]
    if not journals:
        return [verdict for verdict in verdicts if not isinstance(verdict, Journal)]
    recorded_at = await store.journals.insert_journals(tx, journals)
    if late := [journal for journal in journals if journal.belongs_at]:
        await store.journals.link_late(tx, late)
    await fault_point("ledger.journals_written")
    return [
        Posted(journal=verdict, recorded_at=recorded_at) if isinstance(verdict, Journal) else verdict
        for verdict in verdicts
    ]


async def _with_repeats_read(tx: Tx, answers: Sequence[Posted | Repeated | Refused]) -> list[Answer]:
    repeats = [answer.journal_id for answer in answers if isinstance(answer, Repeated)]
    there = await store.journals.posted_journals(tx, repeats) if repeats else {}
    return [there[answer.journal_id] if isinstance(answer, Repeated) else answer for answer in answers]
