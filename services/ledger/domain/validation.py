"""The rules that a requested journal must keep by itself, whatever is posted and the balances are."""

from datetime import datetime
from typing import Final, NamedTuple

from services.ledger.domain.journals import EntryRequest, JournalRequest, RefusedJournal, content_hash, refuse
from services.ledger.domain.wallets import is_line, unusable_wallet

ENTRIES_MAX: Final = 200
AMOUNT_MAX: Final = 10**15

_NAME_CHARS_MAX: Final = 100


class ValidRequest(NamedTuple):
    """A request that keeps every rule by itself, and the hash of its content.

    belongs_at: when it occurred, if its period was closed already.
    """

    request: JournalRequest
    content_hash: bytes
    belongs_at: datetime | None = None


def validate(request: JournalRequest) -> ValidRequest | RefusedJournal:
    """Check a request by itself, before any balance is locked, and hash its content."""
    if fault := _fault(request):
        return fault
    digest = content_hash(request.source, request.event_type, request.occurred_at, request.entries)
    return ValidRequest(request, digest)


def _fault(request: JournalRequest) -> RefusedJournal | None:
    if not 2 <= len(request.entries) <= ENTRIES_MAX:
        return _wrong_size(request)
    if not (is_line(request.source, _NAME_CHARS_MAX) and is_line(request.event_type, _NAME_CHARS_MAX)):
        return refuse(request, "bad_name", "source and event_type must each be one printable line")
    for entry in request.entries:
        if fault := _entry_fault(request, entry):
            return fault
    return _imbalance(request)


def _wrong_size(request: JournalRequest) -> RefusedJournal:
    count = len(request.entries)
    if count == 0:
        return refuse(request, "no_entries", "has no entries; a journal moves money between wallets")
    if count == 1:
        return refuse(request, "not_balanced", "has one entry; name the wallet on the other side too")
    return refuse(request, "too_many_entries", f"has {count} entries, the limit is {ENTRIES_MAX}; split it")


def _entry_fault(request: JournalRequest, entry: EntryRequest) -> RefusedJournal | None:
    if entry.amount == 0:
        return refuse(request, "amount_is_zero", f"the entry on {entry.wallet} is zero; leave it out")
    if abs(entry.amount) > AMOUNT_MAX:
        return refuse(
            request, "amount_too_large", f"{entry.amount} on {entry.wallet} is over the limit of {AMOUNT_MAX}"
        )
    if found := unusable_wallet(entry.wallet, entry.currency):
        return refuse(request, *found)
    return None


def _imbalance(request: JournalRequest) -> RefusedJournal | None:
    sums: dict[str, int] = {}
    for entry in request.entries:
        sums[entry.currency] = sums.get(entry.currency, 0) + entry.amount
    for currency, excess in sums.items():
        if excess:
            return refuse(request, "not_balanced", f"entries in {currency} sum to {excess}, not zero")
    return None
