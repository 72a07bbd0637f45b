"""What is unusual about journals that would be posted: new wallets, a strange currency or date."""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import Final

from fleet.database import Tx
from schemas.journal_types import happened_at_stripe
from services.ledger.desk import reads
from services.ledger.domain.journals import Journal

LATE: Final = timedelta(days=31)
EARLY: Final = timedelta(hours=1)


async def unusual(tx: Tx, journals: Sequence[Journal], now: datetime) -> dict[str, list[str]]:
    """Sentences by the journals' sources; reads published views only."""
    wallets = sorted({entry.wallet for journal in journals for entry in journal.entries})
    held = await reads.balances.currencies_of(tx, wallets)
    currencies = await reads.balances.currencies(tx)
    return {
        journal.source: [*_wallets(journal, held, currencies), *_date(journal, now)] for journal in journals
    }


def of_a_revert(root_event_type: str) -> list[str]:
    """What the revert of such a journal does not do."""
    if not happened_at_stripe(root_event_type):
        return []
    return ["changes the books only: what happened at Stripe stays as it is"]


def _wallets(journal: Journal, held: dict[str, set[str]], currencies: Sequence[str]) -> Iterator[str]:
    strange = sorted({entry.currency for entry in journal.entries} - set(currencies))
    if currencies and strange:
        yield f"no wallet holds {', '.join(strange)} yet, only {', '.join(currencies)}"
    for wallet, currency in sorted({(entry.wallet, entry.currency) for entry in journal.entries}):
        if wallet not in held:
            yield f"opens the new wallet {wallet}"
        elif currency not in held[wallet] and currency not in strange:
            yield f"{wallet} holds {', '.join(sorted(held[wallet]))} so far, not {currency}"


def _date(journal: Journal, now: datetime) -> Iterator[str]:
    occurred_at = journal.belongs_at or journal.occurred_at
    if journal.belongs_at is not None:
        dated = journal.occurred_at.isoformat()
        yield f"occurred at {occurred_at.isoformat()}, in a closed period: it is dated {dated}"
    if occurred_at > now + EARLY:
        yield f"is dated ahead: {occurred_at.isoformat()}"
    elif occurred_at < now - LATE:
        yield f"is dated over a month ago: {occurred_at.isoformat()}"
