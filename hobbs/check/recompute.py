"""Recomputes what the books say: a bill from its facts and card versions, a wallet from its entries.

Promises: nothing shown as recomputed was read as a result; every disagreement is a finding with a sentence.
It changes nothing.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from fleet.database import Tx
from fleet.settings import Settings
from hobbs.shell.connections import acting_as
from services.billing.desk import reads as bills
from services.billing.desk.reads import BillToExplain
from services.billing.domain.billing import decide_bill
from services.billing.domain.bills import Bill, lines_and_legs
from services.billing.domain.flights import flight_from_facts
from services.billing.domain.rates import Book
from services.ledger.desk import reads
from services.ledger.desk.reads import PostedJournal


@dataclass(frozen=True, slots=True, kw_only=True)
class WalletSide:
    """One wallet of a flight: what the recomputed bill, the stored bill and the ledger say it gets."""

    wallet: str
    recomputed: int | None
    billed: int | None
    posted: int | None

    @property
    def agrees(self) -> bool:
        return self.recomputed == self.billed == self.posted


@dataclass(frozen=True, slots=True, kw_only=True)
class ExplainedFlight:
    """A bill made again from what it names. Amounts are minor units, readings and hours tenths.

    lines: `rounding_tenths` is the rounded amount less the exact one, in tenths of a minor unit, where a line
    is hours times a rate. remainder: what is left to the platform after every leg.
    """

    source: str
    currency: str
    billed_on: str
    readings: Mapping[str, Any]
    hours: Mapping[str, Any]
    rates: Sequence[Mapping[str, Any]]
    lines: Sequence[Mapping[str, Any]]
    legs: Sequence[Mapping[str, Any]]
    charge: int
    legs_total: int
    remainder: int
    wallets: Sequence[WalletSide]
    findings: Sequence[str]


async def explain_flight(
    settings: Settings, flight_id: str, revision: int | None = None
) -> ExplainedFlight | None:
    """Explain the bill of a flight: of this revision, or the newest. None: it has no bill."""
    async with acting_as(settings, "billing") as database, database.transaction() as tx:
        row = await bills.bill_to_explain(tx, flight_id, revision)
        if row is None:
            return None
        cards = await bills.cards_named(tx, row.rates)
    again = _priced_again(row, _book_of(cards, version=row.school_version))
    source = f"flight:{row.flight_id}:{row.revision}"
    async with acting_as(settings, "ledger") as database, database.transaction() as tx:
        journal = await reads.find_journal(tx, source)
    return compare(source, row, cards, again, journal)


@dataclass(frozen=True, slots=True, kw_only=True)
class Unpriceable:
    """What a bill names cannot be read any more: somebody changed it by hand."""

    sentence: str


_UNREADABLE = (
    KeyError,
    TypeError,
    ValueError,
    AttributeError,
    ArithmeticError,
)  # ValidationError is a ValueError


def _book_of(cards: Sequence[Mapping[str, Any]], *, version: int) -> Book | Unpriceable:
    try:
        return bills.book_of_cards(cards, version=version)
    except _UNREADABLE as error:
        return Unpriceable(sentence=f"its cards cannot be read: {_what(error)}")


def _priced_again(row: BillToExplain, book: Book | Unpriceable) -> object:
    if isinstance(book, Unpriceable):
        return book
    try:
        return decide_bill(flight_from_facts(row.facts), book)
    except _UNREADABLE as error:
        return Unpriceable(sentence=f"its facts cannot be read: {_what(error)}")


def _what(error: Exception) -> str:
    return f"{type(error).__name__} {str(error).splitlines()[0] if str(error) else ''}".strip()


def compare(
    source: str, row: Any, rates: Sequence[Mapping[str, Any]], again: object, journal: PostedJournal | None
) -> ExplainedFlight:
    """Set the recomputed bill, the stored one and the journal beside each other."""
    lines, legs = row.lines, row.legs
    wallets = _wallets(row, legs, again, journal)
    return ExplainedFlight(
        source=source,
        currency=row.currency,
        billed_on=row.billed_on.isoformat(),
        readings=row.facts,
        hours={"billed_tenths": row.billed_tenths, "from": row.hours_from},
        rates=rates,
        lines=[{**line, "rounding_tenths": _rounding(line)} for line in lines],
        legs=legs,
        charge=row.charge,
        legs_total=row.legs_total,
        remainder=row.margin,
        wallets=wallets,
        findings=[
            *_bill_findings(source, row, lines, legs, again),
            *_journal_findings(source, wallets, journal, row.currency),
        ],
    )


def _rounding(line: Mapping[str, Any]) -> int | None:
    amount, tenths, rate = line.get("amount"), line.get("tenths"), line.get("rate")
    return None if amount is None or tenths is None or rate is None else int(amount * 10 - tenths * rate)


def _wallets(
    row: Any, legs: Sequence[Mapping[str, Any]], again: object, journal: PostedJournal | None
) -> list[WalletSide]:
    recomputed = dict(again.entries()) if isinstance(again, Bill) else {}
    billed: dict[str, int] = {f"student:{row.student}": -row.charge}
    for leg in legs:
        wallet = leg.get("wallet", "(no wallet)")
        billed[wallet] = billed.get(wallet, 0) + leg.get("amount", 0)
    billed["platform:school"] = billed.get("platform:school", 0) + row.margin
    posted: dict[str, int] = {}
    for entry in journal.entries if journal else ():
        posted[entry.wallet] = posted.get(entry.wallet, 0) + entry.amount
    names = {
        wallet: None for side in (recomputed, billed, posted) for wallet, amount in side.items() if amount
    }
    return [
        WalletSide(
            wallet=wallet,
            recomputed=recomputed.get(wallet),
            billed=billed.get(wallet),
            posted=posted.get(wallet),
        )
        for wallet in names
    ]


def _bill_findings(source: str, row: Any, lines: Any, legs: Any, again: object) -> list[str]:
    if not isinstance(again, Bill):
        return [f"{source}: cannot be priced again: {getattr(again, 'sentence', again)}"]
    found = []
    lines_again, legs_again = lines_and_legs(again)
    for what, stored, made in (("lines", lines, lines_again), ("legs", legs, legs_again)):
        if stored != made:
            found.append(f"{source}: its {what} are not what its facts and rates give: {made}")
    for what, told, sum_again in (
        ("charge", row.charge, again.charge),
        ("remainder", row.margin, again.margin),
        ("legs", row.legs_total, sum(leg.amount for leg in again.legs)),
        ("hours", row.billed_tenths, again.hours.billed),
        ("the hours' source", row.hours_from, again.hours.source),
        ("the currency", row.currency, again.currency),
        ("the date", row.billed_on, again.billed_on),
        ("the student", row.student, again.flight.student),
        ("the instructor", row.instructor, again.flight.instructor),
        ("the aircraft", row.aircraft, again.flight.aircraft),
    ):
        if told != sum_again:
            found.append(f"{source}: {what}: {told} on the bill and {sum_again} recomputed")
    return found


def _journal_findings(
    source: str, wallets: Sequence[WalletSide], journal: PostedJournal | None, currency: str
) -> list[str]:
    if journal is None:
        return [f"{source}: is billed and not posted"] if wallets else []
    found = [
        f"{source}: {side.wallet} gets {side.recomputed} recomputed, {side.billed} on the bill, "
        f"{side.posted} in the ledger"
        for side in wallets
        if not side.agrees
    ]
    if others := sorted({entry.currency for entry in journal.entries} - {currency}):
        found.append(f"{source}: is billed in {currency} and posted in {', '.join(others)}")
    return [*found, *_content_findings(journal)]


def _content_findings(journal: PostedJournal) -> list[str]:
    if journal.says_what_it_said:
        return []
    return [f"journal {journal.source} is not what was posted: its content no longer has its hash"]


async def journal_findings(tx: Tx, journal: PostedJournal) -> list[str]:
    """What is wrong with a journal by itself: its content, and how its entries continue their wallets."""
    breaks = await tx.all(_BREAKS, journal_id=journal.journal_id)
    return [
        *_content_findings(journal),
        *(
            f"{row.wallet} version {row.version}: {row.balance_before} and {row.amount} "
            f"are not {row.balance_after}"
            for row in breaks
        ),
    ]


_BREAKS = """
    SELECT entry.address AS wallet, entry.version, entry.amount, entry.balance_after,
           coalesce(before.balance_after, 0) AS balance_before
    FROM ledger_public.entries AS entry
    LEFT JOIN ledger_public.entries AS before
           ON before.address = entry.address AND before.currency = entry.currency
          AND before.version = entry.version - 1
    WHERE entry.journal_id = :journal_id
      AND entry.balance_after <> coalesce(before.balance_after, 0) + entry.amount
    ORDER BY entry.position
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class ExplainedWallet:
    """One balance of a wallet, added up again from its entries. Minor units."""

    wallet: str
    currency: str
    balance: int
    recomputed: int
    pending: int
    open_holds: int
    available: int
    limit: int | None
    limit_binds: str | None
    entries: int
    by_event_type: Sequence[Mapping[str, Any]]
    findings: Sequence[str]


async def explain_wallet(tx: Tx, wallet: str) -> list[ExplainedWallet]:
    """Add up a wallet's balances again, one per currency; empty: there is no such wallet."""
    return [await _wallet(tx, there) for there in await reads.list_balances(tx, wallet=wallet)]


async def _wallet(tx: Tx, there: reads.WalletBalance) -> ExplainedWallet:
    place = {"wallet": there.wallet, "currency": there.currency}
    kinds = [dict(row._mapping) for row in await tx.all(_BY_EVENT_TYPE, **place)]
    recomputed = sum(kind["amount"] for kind in kinds)
    broken = await tx.first(_FIRST_BREAK, **place)
    held = (await tx.one(_HELD, **place)).amount
    findings = []
    if recomputed != there.balance:
        findings.append(f"{there.wallet}: balance {there.balance}, but its entries sum to {recomputed}")
    if sum(kind["entries"] for kind in kinds) != there.entries:
        findings.append(f"{there.wallet}: entries are missing; the newest version is {there.entries}")
    if broken is not None:
        findings.append(
            f"{there.wallet}: the running balance breaks at version {broken.version}, {broken.source}"
        )
    if held != there.pending:
        findings.append(f"{there.wallet}: pending {there.pending}, but its open holds keep {held}")
    return ExplainedWallet(
        wallet=there.wallet,
        currency=there.currency,
        balance=there.balance,
        recomputed=recomputed,
        pending=there.pending,
        open_holds=held,
        available=there.available,
        limit=there.limit,
        limit_binds=there.limit_binds,
        entries=there.entries,
        by_event_type=kinds,
        findings=findings,
    )


_BY_EVENT_TYPE = """
    SELECT event_type, count(*) AS entries, CAST(sum(amount) AS bigint) AS amount,
           min(recorded_at) AS first_at, max(recorded_at) AS last_at
    FROM ledger_public.entries WHERE address = :wallet AND currency = :currency
    GROUP BY event_type ORDER BY event_type
"""
_FIRST_BREAK = """
    SELECT version, source FROM (
        SELECT version, source, amount, balance_after,
               lag(balance_after, 1, CAST(0 AS bigint)) OVER along AS balance_before,
               lag(version, 1, CAST(0 AS bigint)) OVER along AS version_before
        FROM ledger_public.entries WHERE address = :wallet AND currency = :currency
        WINDOW along AS (ORDER BY version)
    ) AS line
    WHERE balance_after <> balance_before + amount OR version <> version_before + 1
    ORDER BY version LIMIT 1
"""
_HELD = """
    SELECT CAST(coalesce(sum(amount), 0) AS bigint) AS amount FROM ledger_public.holds
    WHERE address = :wallet AND currency = :currency AND state = 'open'
"""
