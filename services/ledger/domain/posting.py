"""Which of the requested journals are posted, and the balances they leave.

Pure: no I/O, no clock, no randomness. It must not know Kafka, SQL, or what a flight is.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from services.ledger.domain.journals import (
    Entry,
    Journal,
    JournalRequest,
    Refused,
    Repeated,
    Standing,
    Verdict,
    refuse,
)
from services.ledger.domain.screening import Sound
from services.ledger.domain.wallets import BALANCE_MAX, Balance, BalanceKey, Limit


@dataclass(frozen=True, slots=True, kw_only=True)
class Rehearsal:
    """What posting would answer now, and the balances it would leave. Nothing was locked or written."""

    verdicts: Sequence[Verdict]
    balances: Mapping[BalanceKey, int]


def date_into_open_period(sound: Sequence[Sound], closed_until: datetime) -> list[Sound]:
    """Date what came late at the first instant of the open period; it remembers when it was true.

    Its hash stays that of what was asked: asked again, it is the same journal.
    """
    return [
        item
        if item.request.occurred_at >= closed_until
        else Sound(
            request=item.request._replace(occurred_at=closed_until),
            content_hash=item.content_hash,
            belongs_at=item.belongs_at or item.request.occurred_at,
        )
        for item in sound
    ]


def balances_to_lock(sound: Sequence[Sound], standing: Mapping[str, Standing]) -> list[BalanceKey]:
    """The balances that journals which do not stand yet will move."""
    fresh = (item.request for item in sound if item.request.source not in standing)
    return sorted({(entry.wallet, entry.currency) for request in fresh for entry in request.entries})


def decide_posting(
    sound: Sequence[Sound], standing: Mapping[str, Standing], balances: Mapping[BalanceKey, Balance]
) -> list[Verdict]:
    """Answer each request, in order; every posted journal continues the balances the one before it left.

    standing: journals posted before, by source. balances: locked, all that `balances_to_lock` named.
    """
    answered = dict(standing)
    running = dict(balances)
    limits = {key: balance.limit for key, balance in balances.items() if balance.limit is not None}
    verdicts: list[Verdict] = []
    for item in sound:
        verdict = _decide(item, answered, running, limits)
        if isinstance(verdict, Journal):
            answered[verdict.source] = Standing(verdict.journal_id, verdict.content_hash)
        verdicts.append(verdict)
    return verdicts


def balances_left(verdicts: Sequence[Verdict]) -> dict[BalanceKey, int]:
    """The balances after the last of these results that moves each; minor units."""
    return {
        (entry.wallet, entry.currency): entry.balance_after
        for verdict in verdicts
        if isinstance(verdict, Journal)
        for entry in verdict.entries
    }


def _decide(
    item: Sound,
    answered: Mapping[str, Standing],
    running: dict[BalanceKey, Balance],
    limits: Mapping[BalanceKey, Limit],
) -> Verdict:
    there = answered.get(item.request.source)
    if there is None:
        return _post(item, running, limits)
    if there.content_hash == item.content_hash:
        return Repeated(journal_id=there.journal_id)
    return refuse(
        item.request,
        "source_reused",
        f"already posted with other content (journal {there.journal_id}); "
        "correct it with a journal of its own source",
    )


def _post(
    item: Sound, running: dict[BalanceKey, Balance], limits: Mapping[BalanceKey, Limit]
) -> Journal | Refused:
    """Continue the running balances, or leave them as they are."""
    request = item.request
    touched: dict[BalanceKey, Balance] = {}
    entries: list[Entry] = []
    for asked in request.entries:
        key = (asked.wallet, asked.currency)
        before = touched.get(key) or running[key]
        after = before.amount + asked.amount
        if abs(after) > BALANCE_MAX:
            return refuse(
                request,
                "balance_too_large",
                f"the balance of {asked.wallet} would be {after}, more than the ledger can hold",
            )
        version = before.version + 1
        touched[key] = Balance(before.wallet_id, after, version)
        entries.append(Entry(before.wallet_id, asked.wallet, asked.currency, asked.amount, after, version))
    if limits and (fault := _limit_fault(request, running, touched, limits)):
        return fault
    running |= touched
    return Journal(
        journal_id=request.journal_id,
        source=request.source,
        event_type=request.event_type,
        occurred_at=request.occurred_at,
        content_hash=item.content_hash,
        entries=tuple(entries),
        memo=request.memo,
        request_event_id=request.request_event_id,
        belongs_at=item.belongs_at,
    )


def _limit_fault(
    request: JournalRequest,
    running: Mapping[BalanceKey, Balance],
    touched: Mapping[BalanceKey, Balance],
    limits: Mapping[BalanceKey, Limit],
) -> Refused | None:
    """Refuse what takes from a wallet more than its limit leaves; paying into it is always fine."""
    for key, after in touched.items():
        limit = limits.get(key)
        if limit is None or after.amount >= running[key].amount:
            continue
        short = limit.floor - (after.amount - limit.pending)
        if short > 0:
            return refuse(
                request,
                "limit_exceeded",
                f"takes {running[key].amount - after.amount} {key[1]} from {key[0]}, which has "
                f"{running[key].amount - limit.pending} available and may not go below "
                f"{limit.floor}: short by {short}",
                short,
            )
    return None
