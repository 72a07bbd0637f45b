"""Messages out: what the comparison of a business date came to."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from pydantic import TypeAdapter, ValidationError

from fleet.cause import Cause
from fleet.envelope import Message, first_cause
from schemas.fields import WalletAddress
from schemas.journals import EntryRequest, JournalRequested, RevertRequested
from schemas.reserves import ReconciliationCompleted
from services.reserves.domain.days import ComparedDay
from services.reserves.domain.lines import EXTERNAL_STRIPE

_WALLET: Final[TypeAdapter[str]] = TypeAdapter(WalletAddress)


def completed(compared: ComparedDay, run: int, now: datetime) -> Message:
    """Tell what a date's comparison came to."""
    event = ReconciliationCompleted(
        business_date=compared.business_date,
        currency=compared.currency,
        run=run,
        stripe_closing=compared.stripe_closing,
        books_closing=compared.books_closing,
        drift=compared.drift,
        explained=compared.explained,
        unexplained=compared.unexplained,
        breaks_open=compared.breaks_open,
        completed_at=now,
    )
    key = compared.business_date.isoformat()
    return Message(topic="reconciliation.completed", key=key, event=event, cause=first_cause())


def journal_requested(currency: str, proposal: Mapping[str, Any], cause: Cause) -> Message:
    """Ask the ledger for a journal that was proposed and accepted; asked again it is the same one."""
    event = JournalRequested(
        source=proposal["source"],
        event_type="stripe_reconciliation",
        currency=currency,
        occurred_at=datetime.fromisoformat(proposal["occurred_at"]),
        memo=proposal["memo"],
        entries=[EntryRequest(wallet=wallet, amount=amount) for wallet, amount in proposal["entries"]],
    )
    return Message(topic="journal.requested", key=event.source, event=event, cause=cause)


def revert_requested(proposal: Mapping[str, Any], why: str, now: datetime, cause: Cause) -> Message:
    """Ask the ledger for the opposite of a journal."""
    event = RevertRequested(reverts=proposal["reverts"], occurred_at=now, memo=why[:500])
    return Message(topic="revert.requested", key=event.reverts, event=event, cause=cause)


def is_counterpart(wallet: str) -> bool:
    """Whether this is a wallet that Stripe's money can come from or go to."""
    try:
        _WALLET.validate_python(wallet)
    except ValidationError:
        return False
    return wallet != EXTERNAL_STRIPE
