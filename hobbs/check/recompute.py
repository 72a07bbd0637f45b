"""Recomputes a bill from its facts and card versions, and a wallet from its entries, and compares.

Promises: a recomputed amount is never read from what it is compared with; every difference is a finding
with a sentence. It changes nothing.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from fleet.database import Tx
from fleet.settings import Settings
from hobbs.check.payables import OwedToPayees, owed_to_payees
from hobbs.check.revisions import (
    ExplainedRevision,
    explain_revisions,
    posted_by,
    sources_of,
    standing_revision,
)
from hobbs.shell.connections import reading
from services.adjustments.desk.reads import explanations
from services.billing.desk import reads as bills
from services.billing.desk.reads import BillToExplain
from services.billing.domain.billing import decide_bill
from services.billing.domain.bills import Bill, lines_and_legs
from services.billing.domain.flights import flight_from_facts
from services.billing.domain.rates import Book
from services.ledger.desk import reads
from services.ledger.desk.reads.balances import WalletBalance
from services.ledger.desk.reads.journals import JournalDetails
from services.ledger.desk.reads.recompute import Break, EventTypeSum


@dataclass(frozen=True, slots=True, kw_only=True)
class WalletSide:
    """What a wallet gets from a flight: recomputed, on the stored bill, in the ledger. Minor units."""

    wallet: str
    recomputed: int | None
    billed: int | None
    posted: int | None

    @property
    def agrees(self) -> bool:
        return self.recomputed == self.billed == self.posted


@dataclass(frozen=True, slots=True, kw_only=True)
class ExplainedFlight:
    """A bill recomputed from the facts and cards it names. Amounts are minor units; readings, hours tenths.

    lines: `rounding_tenths` is the rounded amount less the exact one, in tenths of a minor unit, where a line
    is hours times a rate. remainder: what is left to the platform after every leg. reverts: the sources of
    its journals' reverts, of the reverts of those, and so on. payables: what they all owe payees. revisions:
    every bill of the flight. in_ledger: whether this one is what the ledger has; otherwise it is compared
    with its bill only.
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
    reverts: Sequence[str] = ()
    payables: Sequence[Mapping[str, Any]] = ()
    revisions: Sequence[ExplainedRevision] = ()
    recoveries: Sequence[Mapping[str, Any]] = ()
    in_ledger: bool = True


async def explain_flight(
    settings: Settings, flight_id: str, revision: int | None = None
) -> ExplainedFlight | None:
    """Explain the bill of a flight: of this revision, or the newest. None: it has no bill."""
    async with reading(settings) as database, database.transaction() as tx:
        return await explain_flight_in(tx, flight_id, revision)


async def explain_flight_in(tx: Tx, flight_id: str, revision: int | None = None) -> ExplainedFlight | None:
    """The same in a transaction that may read published views."""
    found = await bills.bills_to_explain(tx, flight_id)
    row = next((one for one in reversed(found) if revision in (None, one.revision)), None)
    if row is None:
        return None
    cards = await bills.cards_named(tx, row.rates)
    adjustments = await explanations.of_flight(tx, flight_id)
    named = [await reads.journals.find_journal(tx, name) for name in sources_of(found, adjustments)]
    journals = [journal for journal in named if journal is not None]
    owed = [await owed_to_payees(tx, journal) for journal in journals]
    again = _priced_again(row, _book_of(cards, version=row.school_version))
    stands = row.revision == standing_revision(found, adjustments)
    explained = compare(row, cards, again, journals if stands else None)
    return replace(
        _with_payables(explained, owed) if stands else explained,
        revisions=explain_revisions(found, adjustments),
        recoveries=await explanations.recoveries_of(tx, flight_id),
        in_ledger=stands,
    )


def _with_payables(explained: ExplainedFlight, owed: Sequence[OwedToPayees]) -> ExplainedFlight:
    return replace(
        explained,
        reverts=[source for one in owed for source in one.reverts],
        payables=[payable for one in owed for payable in one.payables],
        findings=[*explained.findings, *(sentence for one in owed for sentence in one.findings)],
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Unpriceable:
    """The facts or cards of a bill cannot be read: somebody changed them by hand."""

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


@dataclass(frozen=True, slots=True)
class NothingOwed:
    """A cancelled flight: nobody owes anything, whatever its facts were."""

    charge: int = 0


def _priced_again(row: BillToExplain, book: Book | Unpriceable) -> object:
    if row.kind == "cancelled":
        return NothingOwed()
    if isinstance(book, Unpriceable):
        return book
    try:
        return decide_bill(flight_from_facts(row.facts, hours_from=row.hours_from), book)
    except _UNREADABLE as error:
        return Unpriceable(sentence=f"its facts cannot be read: {_what(error)}")


def _what(error: Exception) -> str:
    return f"{type(error).__name__} {str(error).splitlines()[0] if str(error) else ''}".strip()


def compare(
    row: BillToExplain,
    rates: Sequence[Mapping[str, Any]],
    again: object,
    journals: Sequence[JournalDetails] | None,
) -> ExplainedFlight:
    """Compare the recomputed bill, the stored one and the journals; None: the ledger has another revision."""
    kind = "flight" if row.corrects is None else "adjustment"
    source = f"{kind}:{row.flight_id}:{row.revision}"
    lines, legs = row.lines, row.legs
    wallets = _wallets(row, legs, again, journals)
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
            *_ledger_findings(source, wallets, journals, row.currency),
        ],
    )


def _rounding(line: Mapping[str, Any]) -> int | None:
    amount, tenths, rate = line.get("amount"), line.get("tenths"), line.get("rate")
    return None if amount is None or tenths is None or rate is None else int(amount * 10 - tenths * rate)


def _wallets(
    row: Any,
    legs: Sequence[Mapping[str, Any]],
    again: object,
    journals: Sequence[JournalDetails] | None,
) -> list[WalletSide]:
    recomputed = dict(again.entries()) if isinstance(again, Bill) else {}
    billed: dict[str, int] = {f"student:{row.student}": -row.charge}
    for leg in legs:
        wallet = leg.get("wallet", "(no wallet)")
        billed[wallet] = billed.get(wallet, 0) + leg.get("amount", 0)
    billed["platform:school"] = billed.get("platform:school", 0) + row.margin
    posted = posted_by(journals or ())
    names = {
        wallet: None for side in (recomputed, billed, posted) for wallet, amount in side.items() if amount
    }
    return [
        WalletSide(
            wallet=wallet,
            recomputed=recomputed.get(wallet),
            billed=billed.get(wallet),
            posted=posted.get(wallet) or None,  # corrections may have taken all of it back
        )
        for wallet in names
    ]


def _bill_findings(source: str, row: Any, lines: Any, legs: Any, again: object) -> list[str]:
    if isinstance(again, NothingOwed):
        owed = row.charge or row.legs_total or row.margin
        return [f"{source}: is cancelled, and somebody owes something"] if owed else []
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


def _ledger_findings(
    source: str, wallets: Sequence[WalletSide], journals: Sequence[JournalDetails] | None, currency: str
) -> list[str]:
    if journals is None:
        return [
            f"{source}: {side.wallet} gets {side.recomputed} recomputed, {side.billed} on the bill"
            for side in wallets
            if side.recomputed != side.billed
        ]
    if not journals:
        return [f"{source}: is billed and not posted"] if wallets else []
    found = [
        f"{source}: {side.wallet} gets {side.recomputed} recomputed, {side.billed} on the bill, "
        f"{side.posted} in the ledger"
        for side in wallets
        if not side.agrees
    ]
    if others := sorted({entry.currency for one in journals for entry in one.entries} - {currency}):
        found.append(f"{source}: is billed in {currency} and posted in {', '.join(others)}")
    return [*found, *(sentence for journal in journals for sentence in _content_findings(journal))]


def _content_findings(journal: JournalDetails) -> list[str]:
    if journal.content_matches_hash:
        return []
    return [f"journal {journal.source} is not what was posted: its content no longer has its hash"]


async def journal_findings(tx: Tx, journal: JournalDetails) -> list[str]:
    """Check a journal by itself: its content hash, and the running balances of its entries."""
    return [
        *_content_findings(journal),
        *(
            f"{one.wallet} version {one.version}: {one.balance_before} and {one.amount} "
            f"are not {one.balance_after}"
            for one in await reads.recompute.breaks_in_journal(tx, journal.journal_id)
        ),
    ]


@dataclass(frozen=True, slots=True, kw_only=True)
class ExplainedWallet:
    """A balance of a wallet, recomputed from its entries. Minor units."""

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
    by_event_type: Sequence[EventTypeSum]
    findings: Sequence[str]


async def explain_wallet(tx: Tx, wallet: str) -> list[ExplainedWallet]:
    """Recompute a wallet's balances, one for each currency; empty: there is no such wallet."""
    return [await _wallet(tx, there) for there in await reads.balances.list_balances(tx, wallet=wallet)]


async def _wallet(tx: Tx, there: WalletBalance) -> ExplainedWallet:
    sums = await reads.recompute.sums_by_event_type(tx, there.wallet, there.currency)
    broken = await reads.recompute.first_break(tx, there.wallet, there.currency)
    held = await reads.recompute.sum_of_open_holds(tx, there.wallet, there.currency)
    return ExplainedWallet(
        wallet=there.wallet,
        currency=there.currency,
        balance=there.balance,
        recomputed=sum(one.amount for one in sums),
        pending=there.pending,
        open_holds=held,
        available=there.available,
        limit=there.limit,
        limit_binds=there.limit_binds,
        entries=there.entries,
        by_event_type=sums,
        findings=_wallet_findings(there, sums, broken, held),
    )


def _wallet_findings(
    there: WalletBalance, sums: Sequence[EventTypeSum], broken: Break | None, held: int
) -> list[str]:
    findings = []
    recomputed = sum(one.amount for one in sums)
    if recomputed != there.balance:
        findings.append(f"{there.wallet}: balance {there.balance}, but its entries sum to {recomputed}")
    if sum(one.entries for one in sums) != there.entries:
        findings.append(f"{there.wallet}: entries are missing; the newest version is {there.entries}")
    if broken is not None:
        findings.append(
            f"{there.wallet}: the running balance breaks at version {broken.version}, {broken.source}"
        )
    if held != there.pending:
        findings.append(f"{there.wallet}: pending {there.pending}, but its open holds keep {held}")
    return findings
