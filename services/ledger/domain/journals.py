"""What the ledger decides: which requested journals may stand, and the balances they leave.

Pure: no I/O, no clock, no randomness. Amounts are signed minor units, credit positive. It must not know
Kafka, SQL, or what a flight is.

What is made by the thousand in each batch is a named tuple, given its values in order: a frozen dataclass
takes three times as long to make, and names twice (docs/decisions/0091).
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from hashlib import sha256
from typing import Final, NamedTuple
from uuid import UUID

from services.ledger.domain.currencies import CURRENCIES

WALLET_KINDS: Final = ("student", "instructor", "platform", "aircraft_owner", "liability", "external")
ENTRIES_MAX: Final = 200
AMOUNT_MAX: Final = 10**15
BALANCE_MAX: Final = 2**63 - 1

_LINE: Final = re.compile(r"[^\x00-\x1f\x7f]*[^\x00-\x20\x7f]")
_NAME_CHARS_MAX: Final = 100
_ADDRESS_CHARS_MAX: Final = 130

BalanceKey = tuple[str, str]  # wallet address, currency


class EntryRequest(NamedTuple):
    """One signed amount asked for on one wallet, `<kind>:<name>`."""

    wallet: str
    currency: str
    amount: int


class JournalRequest(NamedTuple):
    """A journal somebody wants posted, once for its source, under the id it will have."""

    journal_id: UUID
    source: str
    event_type: str
    occurred_at: datetime
    entries: tuple[EntryRequest, ...]
    memo: str = ""
    request_event_id: UUID | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Limit:
    """How far down journals may take a balance: its amount less what open holds keep."""

    floor: int
    pending: int


class Balance(NamedTuple):
    """A wallet's balance in one currency after `version` entries."""

    wallet_id: int
    amount: int
    version: int
    limit: Limit | None = None


class Entry(NamedTuple):
    """An entry as posted, with the wallet's balance and version after it."""

    wallet_id: int
    wallet: str
    currency: str
    amount: int
    balance_after: int
    version: int


class Journal(NamedTuple):
    """A journal as posted; its entries are in the order they were asked for."""

    journal_id: UUID
    source: str
    event_type: str
    occurred_at: datetime
    content_hash: bytes
    entries: tuple[Entry, ...]
    memo: str = ""
    request_event_id: UUID | None = None
    belongs_at: datetime | None = None


class Standing(NamedTuple):
    """A journal that is already posted for a source."""

    journal_id: UUID
    content_hash: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Repeated:
    """The request says again what a journal already says: that journal is the answer."""

    journal_id: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class Refused:
    """The request may not stand; `sentence` says why and what to do."""

    source: str
    event_type: str
    reason: str
    sentence: str
    shortfall: int | None = None


Verdict = Journal | Repeated | Refused


class Posted(NamedTuple):
    """A journal that stands. `repeated`: it stood before this request asked for it."""

    journal: Journal
    recorded_at: datetime
    repeated: bool = False


Answer = Posted | Refused


class Sound(NamedTuple):
    """A request without a fault of its own, and the hash of what it says.

    belongs_at: when it was true, if it came too late to be dated so.
    """

    request: JournalRequest
    content_hash: bytes
    belongs_at: datetime | None = None


def screen(request: JournalRequest) -> Sound | Refused:
    """Judge a request by itself, whatever stands and whatever the balances are: before any lock."""
    if fault := _fault(request):
        return fault
    digest = content_hash(request.source, request.event_type, request.occurred_at, request.entries)
    return Sound(request, digest)


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


def content_hash(
    source: str, event_type: str, occurred_at: datetime, entries: Sequence[EntryRequest]
) -> bytes:
    """sha256 of what a journal says: the same as journal_content_hash() in the database.

    The memo is left out: new words for the same money are no other journal. So is the entries' order.
    """
    at = occurred_at.astimezone(UTC).isoformat(timespec="microseconds")
    lines = sorted([f"{entry.wallet}\t{entry.currency}\t{entry.amount}" for entry in entries])
    return sha256("\n".join((f"journal 1\t{source}\t{event_type}\t{at}", *lines)).encode()).digest()


def refuse(request: JournalRequest, reason: str, why: str, shortfall: int | None = None) -> Refused:
    """Refuse a request; `why` continues the sentence that names it."""
    return Refused(
        source=request.source,
        event_type=request.event_type,
        reason=reason,
        sentence=f"journal {request.source}: {why}",
        shortfall=shortfall,
    )


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


def _fault(request: JournalRequest) -> Refused | None:
    if not 2 <= len(request.entries) <= ENTRIES_MAX:
        return _wrong_size(request)
    if not (_is_line(request.source, _NAME_CHARS_MAX) and _is_line(request.event_type, _NAME_CHARS_MAX)):
        return refuse(request, "bad_name", "source and event_type must each be one printable line")
    for entry in request.entries:
        if fault := _entry_fault(request, entry):
            return fault
    return _imbalance(request)


def _wrong_size(request: JournalRequest) -> Refused:
    count = len(request.entries)
    if count == 0:
        return refuse(request, "no_entries", "has no entries; a journal moves money between wallets")
    if count == 1:
        return refuse(request, "not_balanced", "has one entry; name the wallet on the other side too")
    return refuse(request, "too_many_entries", f"has {count} entries, the limit is {ENTRIES_MAX}; split it")


def _entry_fault(request: JournalRequest, entry: EntryRequest) -> Refused | None:
    if entry.amount == 0:
        return refuse(request, "amount_is_zero", f"the entry on {entry.wallet} is zero; leave it out")
    if abs(entry.amount) > AMOUNT_MAX:
        return refuse(
            request, "amount_too_large", f"{entry.amount} on {entry.wallet} is over the limit of {AMOUNT_MAX}"
        )
    if found := unusable_wallet(entry.wallet, entry.currency):
        return refuse(request, *found)
    return None


@lru_cache(maxsize=50_000)  # a school has some thousand wallets, and each is judged again with every flight
def unusable_wallet(wallet: str, currency: str | None) -> tuple[str, str] | None:
    """Why nothing can be asked of this wallet in this currency (None: not judged): reason and sentence."""
    if currency is not None and currency not in CURRENCIES:
        return "unknown_currency", f"{currency!r} is not an ISO 4217 code such as USD"
    kind, colon, name = wallet.partition(":")
    if kind not in WALLET_KINDS:
        return (
            "unknown_wallet_kind",
            f"wallet {wallet!r} is of no known kind; the kinds are {', '.join(WALLET_KINDS)}",
        )
    if not (colon and _is_line(name, _ADDRESS_CHARS_MAX) and len(wallet) <= _ADDRESS_CHARS_MAX):
        return "bad_wallet_name", f"wallet {wallet!r} names nobody one can read"
    return None


def _imbalance(request: JournalRequest) -> Refused | None:
    sums: dict[str, int] = {}
    for entry in request.entries:
        sums[entry.currency] = sums.get(entry.currency, 0) + entry.amount
    for currency, excess in sums.items():
        if excess:
            return refuse(request, "not_balanced", f"entries in {currency} sum to {excess}, not zero")
    return None


def _is_line(text: str, chars_max: int) -> bool:
    return len(text) <= chars_max and _LINE.fullmatch(text) is not None
