"""What is asked of Stripe, by kind of operation: the parameters that are frozen when it is decided. Pure.

Metadata carries our operation's id, so that any effect can be found again without its answer.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from fleet.money import half_up
from services.payouts.domain import Trace
from services.payouts.operations import Kind

SOURCE_CHARS_MAX = 500  # Stripe's limit for a metadata value


@dataclass(frozen=True, slots=True, kw_only=True)
class NewOperation:
    """An operation as decided; everything here is frozen from now on. `cause`: unique for its kind."""

    id: UUID
    kind: Kind
    wallet: str
    cause: str
    params: Mapping[str, Any]
    trace: Trace
    transfer_id: UUID | None = None
    amount: int | None = None
    currency: str | None = None
    stripe_account: str | None = None
    parent_id: str | None = None


def order_transfer(
    operation_id: UUID,
    *,
    transfer_id: UUID,
    wallet: str,
    amount: int,
    currency: str,
    destination: str,
    source: str,
    trace: Trace,
) -> NewOperation:
    """Pay a payee: from the school's balance to the payee's connected account."""
    return NewOperation(
        id=operation_id,
        kind=Kind.TRANSFER,
        wallet=wallet,
        cause=str(transfer_id),
        transfer_id=transfer_id,
        amount=amount,
        currency=currency,
        trace=trace,
        params={
            "amount": amount,
            "currency": currency.lower(),
            "destination": destination,
            "metadata": _metadata(operation_id, wallet, source),
        },
    )


def order_reversal(
    operation_id: UUID,
    *,
    transfer_id: UUID,
    stripe_transfer_id: str,
    wallet: str,
    amount: int,
    currency: str,
    cause: str,
    trace: Trace,
) -> NewOperation:
    """Take back part of a transfer. The cause is in the key's operation, so a second part is another one."""
    return NewOperation(
        id=operation_id,
        kind=Kind.REVERSAL,
        wallet=wallet,
        cause=cause,
        transfer_id=transfer_id,
        amount=amount,
        currency=currency,
        parent_id=stripe_transfer_id,
        trace=trace,
        params={"amount": amount, "metadata": _metadata(operation_id, wallet, cause)},
    )


def order_instant_payout(
    operation_id: UUID,
    *,
    transfer_id: UUID,
    wallet: str,
    amount: int,
    currency: str,
    stripe_account: str,
    trace: Trace,
) -> NewOperation:
    """Send what a transfer brought from the connected account to the payee's bank at once, for a fee."""
    return NewOperation(
        id=operation_id,
        kind=Kind.INSTANT_PAYOUT,
        wallet=wallet,
        cause=str(transfer_id),
        transfer_id=transfer_id,
        amount=amount,
        currency=currency,
        stripe_account=stripe_account,
        trace=trace,
        params={
            "amount": amount,
            "currency": currency.lower(),
            "method": "instant",
            "metadata": _metadata(operation_id, wallet, f"transfer:{transfer_id}"),
        },
    )


def order_account(
    operation_id: UUID, *, wallet: str, email: str | None, country: str, trace: Trace, refused: int = 0
) -> NewOperation:
    """Make the Express account a payee is paid on; after a refusal another operation asks anew."""
    return NewOperation(
        id=operation_id,
        kind=Kind.ACCOUNT,
        wallet=wallet,
        cause=f"{wallet}#{refused + 1}" if refused else wallet,
        trace=trace,
        params={
            "type": "express",
            "country": country,
            "capabilities": {"transfers": {"requested": True}},
            "metadata": _metadata(operation_id, wallet, "school.configured"),
            **({"email": email} if email else {}),
        },
    )


def instant_amount(transferred: int, basis_points: int, least_fee: int) -> int:
    """The most that can be paid out at once when the fee comes out of the same money; 0 when too little."""
    by_percent = transferred * 10_000 // (10_000 + basis_points)
    amount = min(by_percent + 1, transferred - least_fee)  # rounding may leave room for one more
    while amount > 0 and amount + instant_fee(amount, basis_points, least_fee) > transferred:
        amount -= 1
    return max(amount, 0)


def instant_fee(amount: int, basis_points: int, least_fee: int) -> int:
    """What Stripe takes for an instant payout: a share, rounded half up, and never less than a minimum."""
    return max(half_up(amount * basis_points, 10_000), least_fee)


def _metadata(operation_id: UUID, wallet: str, source: str) -> dict[str, str]:
    return {
        "hobbs_operation_id": str(operation_id),
        "hobbs_payee": wallet,
        "hobbs_source": source[:SOURCE_CHARS_MAX],
    }
