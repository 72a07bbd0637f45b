"""Posts a set of requests in one flush, or in halves when the database refuses one for an unforeseen reason.

Promises: a reply for each request, in order; a request that cannot be stored stops no other. It must not
know where requests come from or where replies go.
"""

import logging
from collections.abc import Awaitable, Callable, Sequence
from typing import Final

from fleet.database import Tx
from fleet.faults import fault_point
from fleet.outages import TryAgain
from services.ledger import store
from services.ledger.domain.journals import (
    Journal,
    JournalReply,
    JournalRequest,
    PostedJournal,
    RefusedJournal,
    Repeated,
    refuse,
)
from services.ledger.domain.posting import balances_to_lock, date_into_open_period, decide_posting
from services.ledger.domain.validation import ValidRequest, validate
from services.ledger.domain.wallets import Balance, BalanceKey

RACES_MAX: Final = 20  # of one batch, with other workers and with whoever closes the period

_log = logging.getLogger(__name__)

_Flushed = PostedJournal | Repeated | RefusedJournal
_Lock = Callable[[Tx, Sequence[BalanceKey]], Awaitable[dict[BalanceKey, Balance]]]


async def post(tx: Tx, requests: Sequence[JournalRequest | RefusedJournal]) -> list[JournalReply]:
    """Post the requests that keep the rules, and reply to each; refused ones are passed through."""
    checked = [item if isinstance(item, RefusedJournal) else validate(item) for item in requests]
    valid = [item for item in checked if isinstance(item, ValidRequest)]
    results = iter(await _flush_or_halve(tx, valid) if valid else [])
    replies = [item if isinstance(item, RefusedJournal) else next(results) for item in checked]
    return await _with_repeats_read(tx, replies)


async def _flush_or_halve(tx: Tx, valid: Sequence[ValidRequest]) -> list[_Flushed]:
    """Flush the requests; if the database refuses them, flush each half, until a single one is refused.

    Halves lock wallets out of order, so this may end in a deadlock error. Then, and after RACES_MAX races
    with other transactions (TryAgain is raised), the batch is read again.
    """
    results: list[_Flushed] = []
    parts, races = [valid], 0
    for _ in range(2 * len(valid) + RACES_MAX):  # halving takes 2n - 1 flushes at most
        if not parts or races >= RACES_MAX:
            break
        part = parts.pop()
        flushed = await _flush_part(tx, part)
        if not isinstance(flushed, store.constraints.ConstraintViolated):
            results += flushed
        elif (again := await _after_a_race(tx, part, flushed.rule)) is not None:
            races += 1
            parts.append(again)
        elif len(part) == 1:
            results.append(refuse(part[0].request, flushed.rule, flushed.sentence, flushed.shortfall))
        else:
            half = len(part) // 2
            parts += [part[half:], part[:half]]
    if parts:
        raise TryAgain(f"{sum(map(len, parts))} of {len(valid)} journals wait after {races} races")
    return results


async def _flush_part(
    tx: Tx, part: Sequence[ValidRequest]
) -> list[_Flushed] | store.constraints.ConstraintViolated:
    try:
        return await _flush(tx, part)
    except store.constraints.ConstraintViolated as violated:
        _log.warning("journals rejected", extra={"rule": violated.rule, "journals": len(part)})
        return violated


async def _after_a_race(tx: Tx, part: Sequence[ValidRequest], rule: str) -> Sequence[ValidRequest] | None:
    """What to flush next if another transaction committed between reading and inserting; None: none did."""
    if rule in store.constraints.POSTED_ONCE:  # another worker committed it: it is a repeat
        return part
    if rule == store.constraints.PERIOD_IS_OPEN and (closed_until := await store.periods.closed_until(tx)):
        return date_into_open_period(part, closed_until)
    return None


async def _flush(tx: Tx, valid: Sequence[ValidRequest]) -> list[_Flushed]:
    """Post all, or raise ConstraintViolated with nothing written.

    Nearly always every wallet is open, so missing ones are not looked for first. If one is missing, the locks
    are released and the flush begins again by opening it.
    """
    try:
        async with store.constraints.savepoint(tx):
            return await _write(tx, valid, store.balances.lock_open)
    except store.balances.BalanceMissing:
        async with store.constraints.savepoint(tx):
            return await _write(tx, valid, store.balances.lock)


async def _write(tx: Tx, valid: Sequence[ValidRequest], lock_balances: _Lock) -> list[_Flushed]:
    existing = await store.journals.existing(tx, [item.request.source for item in valid])
    balances = await lock_balances(tx, balances_to_lock(valid, existing))
    await fault_point("ledger.balances_locked")
    credited = await store.journals.credited(tx, (item.request.moves for item in valid))
    results = decide_posting(valid, existing, balances, credited)
    journals = [result for result in results if isinstance(result, Journal)]
    if not journals:
        return [result for result in results if not isinstance(result, Journal)]
    recorded_at = await store.journals.insert(tx, journals)
    if late := [journal for journal in journals if journal.belongs_at]:
        await store.periods.insert_late(tx, late)
    await fault_point("ledger.journals_written")
    return [
        PostedJournal(journal=result, recorded_at=recorded_at) if isinstance(result, Journal) else result
        for result in results
    ]


async def _with_repeats_read(tx: Tx, replies: Sequence[_Flushed]) -> list[JournalReply]:
    repeats = [reply.journal_id for reply in replies if isinstance(reply, Repeated)]
    there = await store.journals.posted(tx, repeats) if repeats else {}
    return [there[reply.journal_id] if isinstance(reply, Repeated) else reply for reply in replies]
