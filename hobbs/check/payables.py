"""What a journal and its reverts owe payees, compared with what payouts has of them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from fleet.database import Tx
from fleet.money import format_minor
from services.ledger.desk import reads
from services.ledger.desk.reads.journals import JournalDetails
from services.payouts.desk import reads as payouts
from services.payouts.desk.consequences import of_payees

ON_ITS_WAY: Final = timedelta(minutes=10)  # what travels through Kafka, as `hobbs check` has it


@dataclass(frozen=True, slots=True, kw_only=True)
class OwedToPayees:
    """Payables of a journal and its reverts (by their sources), and where they differ from the ledger."""

    reverts: Sequence[str]
    payables: Sequence[Mapping[str, Any]]
    findings: Sequence[str]


async def owed_to_payees(tx: Tx, journal: JournalDetails) -> OwedToPayees:
    """What payees are owed for a journal, its revert, the revert of that, and so on. Reads views only."""
    journals = await _with_reverts(tx, journal)
    payables = await payouts.payables_of(tx, [one.journal_id for one in journals])
    now = datetime.now(UTC)
    return OwedToPayees(
        reverts=[one.source for one in journals[1:]],
        payables=payables,
        findings=[sentence for one in journals for sentence in _findings(one, payables, now)],
    )


async def _with_reverts(tx: Tx, journal: JournalDetails) -> list[JournalDetails]:
    journals = [journal]
    while journals[-1].reverted_by is not None:
        revert = await reads.journals.find_journal(tx, journals[-1].reverted_by)
        if revert is None:
            break
        journals.append(revert)
    return journals


def _findings(journal: JournalDetails, payables: Sequence[Mapping[str, Any]], now: datetime) -> list[str]:
    posted: dict[tuple[str, str], int] = {}
    for entry in journal.entries:
        key = (entry.wallet, entry.currency)
        posted[key] = posted.get(key, 0) + entry.amount
    owed = {
        (p["wallet"], p["currency"]): p["amount"] for p in payables if p["journal_id"] == journal.journal_id
    }
    there = of_payees(posted)
    fresh = now - journal.recorded_at < ON_ITS_WAY
    found = []
    for wallet, currency in sorted({*there, *owed}):
        ledger, payouts_has = there.get((wallet, currency), 0), owed.get((wallet, currency), 0)
        if ledger != payouts_has and not (fresh and (wallet, currency) not in owed):
            ours, theirs = format_minor(ledger, currency), format_minor(payouts_has, currency)
            found.append(f"{journal.source}: the ledger owes {wallet} {ours} {currency}, payouts {theirs}")
    return found
