"""Which of the requested journals are posted, and the balances they leave.

Pure: no I/O, no clock, no randomness. It must not know Kafka, SQL, or what a flight is.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType

from services.ledger.domain.journals import (
    Entry,
    ExistingJournal,
    Journal,
    JournalRequest,
    PostedJournal,
    PostingResult,
    RefusedJournal,
    Repeated,
    refuse,
)
from services.ledger.domain.validation import ValidRequest
from services.ledger.domain.wallets import BALANCE_MAX, Balance, BalanceKey, Limit


@dataclass(frozen=True, slots=True, kw_only=True)
class PostingPreview:
    """What posting would reply now, and the balances it would leave, in minor units.

    A repeat of what is posted is that journal (`PostedJournal`); of one in the same file, `Repeated`.
    """

    results: Sequence[PostingResult | PostedJournal]
    balances: Mapping[BalanceKey, int]


def date_into_open_period(valid: Sequence[ValidRequest], closed_until: datetime) -> list[ValidRequest]:
    """Date late requests at the first instant of the open period, and keep when they occurred.

    The hash stays that of the request as it was made, so that the same request again is a repeat.
    """
    return [
        item
        if item.request.occurred_at >= closed_until
        else ValidRequest(
            request=item.request._replace(occurred_at=closed_until),
            content_hash=item.content_hash,
            belongs_at=item.belongs_at or item.request.occurred_at,
        )
        for item in valid
    ]


def balances_to_lock(
    valid: Sequence[ValidRequest], existing: Mapping[str, ExistingJournal]
) -> list[BalanceKey]:
    """The balances that these requests would move, sorted; none for journals that are posted already."""
    fresh = (item.request for item in valid if item.request.source not in existing)
    return sorted({(entry.wallet, entry.currency) for request in fresh for entry in request.entries})


def decide_posting(
    valid: Sequence[ValidRequest],
    existing: Mapping[str, ExistingJournal],
    balances: Mapping[BalanceKey, Balance],
    credited: Mapping[str, Collection[str]] = MappingProxyType({}),
) -> list[PostingResult]:
    """Decide each request, in order; each journal continues the balances that the one before it left.

    existing: journals posted before, by source. balances: locked, all those of `balances_to_lock`.
    credited: of the posted journals that requests move on, by source, the wallets they put money on.
    """
    posted = dict(existing)
    put_on = dict(credited)
    moved = {item.request.moves for item in valid}
    running = dict(balances)
    limits = {key: balance.limit for key, balance in balances.items() if balance.limit is not None}
    results: list[PostingResult] = []
    for item in valid:
        result = _decide(item, posted, running, limits, put_on)
        if isinstance(result, Journal):
            posted[result.source] = ExistingJournal(result.journal_id, result.content_hash)
            if result.source in moved:
                put_on[result.source] = {entry.wallet for entry in result.entries if entry.amount > 0}
        results.append(result)
    return results


def balances_left(results: Sequence[PostingResult]) -> dict[BalanceKey, int]:
    """The balances after the last of these results that moves each; minor units."""
    return {
        (entry.wallet, entry.currency): entry.balance_after
        for result in results
        if isinstance(result, Journal)
        for entry in result.entries
    }


def _decide(
    item: ValidRequest,
    posted: Mapping[str, ExistingJournal],
    running: dict[BalanceKey, Balance],
    limits: Mapping[BalanceKey, Limit],
    put_on: Mapping[str, Collection[str]],
) -> PostingResult:
    there = posted.get(item.request.source)
    if there is None:
        return _nothing_to_move(item.request, put_on) or _post(item, running, limits)
    if there.content_hash == item.content_hash:
        return Repeated(journal_id=there.journal_id, source=item.request.source)
    return refuse(
        item.request,
        "source_reused",
        f"already posted with other content (journal {there.journal_id}); "
        "correct it with a journal of its own source",
    )


def _nothing_to_move(request: JournalRequest, put_on: Mapping[str, Collection[str]]) -> RefusedJournal | None:
    """Refuse to take money from where the journal that it came by did not put it.

    A journal that is not posted yet may still come: the two are read from different partitions.
    """
    there = put_on.get(request.moves) if request.moves else None
    if there is None:
        return None
    for entry in request.entries:
        if entry.amount < 0 and entry.wallet not in there:
            return refuse(
                request,
                "nothing_to_move",
                f"takes from {entry.wallet} what {request.moves} put there, but that one put nothing there",
            )
    return None


def _post(
    item: ValidRequest, running: dict[BalanceKey, Balance], limits: Mapping[BalanceKey, Limit]
) -> Journal | RefusedJournal:
    """Add the request's entries to the running balances; a refused request leaves them as they are."""
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
) -> RefusedJournal | None:
    """Refuse a request that takes more from a wallet than its limit leaves; paying in is always allowed."""
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
