"""What journals by hand mean for payees: sentences for whoever is about to post or revert one."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from fleet.database import Tx
from fleet.money import format_minor
from services.payouts.desk import reads
from services.payouts.domain.payees import PAYEE_KINDS
from services.payouts.domain.payments import PAYABLE_EVENT_TYPES

Amounts = Mapping[tuple[str, str], int]  # wallet, currency -> minor units


def of_payees(amounts: Amounts) -> dict[tuple[str, str], int]:
    """Only what is on payees' wallets, and not zero."""
    return {
        key: amount for key, amount in amounts.items() if key[0].partition(":")[0] in PAYEE_KINDS and amount
    }


def of_a_journal_by_hand(amounts: Amounts) -> list[str]:
    """What a journal by hand means for payees: it moves their balances, and pays or takes nothing."""
    return [
        f"nobody pays these {_money(amount, currency)} to {wallet}: only a service's journals are paid, "
        "and `hobbs check` will name the difference"
        if amount > 0
        else f"takes {_money(-amount, currency)} from the balance of {wallet}, not from what it is paid, "
        "and `hobbs check` will name the difference"
        for (wallet, currency), amount in sorted(of_payees(amounts).items())
    ]


async def of_a_revert(tx: Tx, reverted: UUID, root_event_type: str, amounts: Amounts) -> list[str]:
    """What the revert of a journal means for payees. amounts: what it moves. Reads published views."""
    rows = {(row["wallet"], row["currency"]): row for row in await reads.payables_of(tx, [reverted])}
    return [
        _of_a_revert(rows.get(key), root_event_type, *key, amount)
        for key, amount in sorted(of_payees(amounts).items())
    ]


def _of_a_revert(
    payable: Mapping[str, Any] | None, root_event_type: str, wallet: str, currency: str, amount: int
) -> str:
    if payable is None and root_event_type not in PAYABLE_EVENT_TYPES:
        return (
            f"moves the balance of {wallet} by {_money(amount, currency)}, neither pays nor takes it back: "
            f"payouts owes nothing for a journal of type {root_event_type}; `hobbs check` will name it"
        )
    if amount > 0:
        return f"pays {wallet} {_money(amount, currency)} more through Stripe"
    took = f"takes {_money(-amount, currency)} from what {wallet} is paid next"
    if payable is None:
        return f"{took}; payouts has not seen the journal yet"
    if payable["stripe_transfer_id"] is not None:
        return f"{took}: transfer {payable['stripe_transfer_id']} has paid it"
    return f"{took}: it was not sent yet" + (
        f" (transfer {payable['transfer_id']})" if payable["transfer_id"] else ""
    )


def _money(amount: int, currency: str) -> str:
    return f"{format_minor(amount, currency)} {currency}"
