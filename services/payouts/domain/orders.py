"""What is requested from Stripe for each kind of operation: the parameters that are frozen. Pure.

Metadata carries our operation's id, so that an effect can be found when its answer was lost.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

from fleet.cause import Cause
from fleet.money import half_up
from services.payouts.domain.operations import Kind

SOURCE_CHARS_MAX = 500  # Stripe's limit for a metadata value


@dataclass(frozen=True, slots=True, kw_only=True)
class NewOperation:
    """An operation as decided; nothing of it changes later. `cause` is unique for its kind."""

    id: UUID
    kind: Kind
    wallet: str
    cause: str
    params: Mapping[str, Any]
    trace: Cause
    transfer_id: UUID | None = None
    amount: int | None = None
    currency: str | None = None
    stripe_account: str | None = None
    parent_id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class MoneyToMove:
    """How much is to move (in minor units), for which transfer, and to or from which wallet."""

    transfer_id: UUID
    wallet: str
    amount: int
    currency: str
    trace: Cause


def order_transfer(operation_id: UUID, money: MoneyToMove, *, destination: str, source: str) -> NewOperation:
    """Pay a payee: from the school's balance to the payee's connected account."""
    return _move(
        operation_id,
        Kind.TRANSFER,
        money,
        cause=str(money.transfer_id),
        source=source,
        params={"currency": money.currency.lower(), "destination": destination},
    )


def order_reversal(
    operation_id: UUID, money: MoneyToMove, *, stripe_transfer_id: str, cause: str
) -> NewOperation:
    """Take back part of a transfer. Each part has a cause of its own, and so an operation of its own."""
    order = _move(operation_id, Kind.REVERSAL, money, cause=cause, source=cause, params={})
    return replace(order, parent_id=stripe_transfer_id)


def order_instant_payout(operation_id: UUID, money: MoneyToMove, *, stripe_account: str) -> NewOperation:
    """Send what a transfer brought from the connected account to the payee's bank at once, for a fee."""
    order = _move(
        operation_id,
        Kind.INSTANT_PAYOUT,
        money,
        cause=str(money.transfer_id),
        source=f"transfer:{money.transfer_id}",
        params={"currency": money.currency.lower(), "method": "instant"},
    )
    return replace(order, stripe_account=stripe_account)


def _move(
    operation_id: UUID, kind: Kind, money: MoneyToMove, *, cause: str, source: str, params: Mapping[str, Any]
) -> NewOperation:
    return NewOperation(
        id=operation_id,
        kind=kind,
        wallet=money.wallet,
        cause=cause,
        transfer_id=money.transfer_id,
        amount=money.amount,
        currency=money.currency,
        trace=money.trace,
        params={
            "amount": money.amount,
            **params,
            "metadata": _metadata(operation_id, money.wallet, source),
        },
    )


def order_account(
    operation_id: UUID, *, wallet: str, email: str | None, country: str, trace: Cause, refused: int = 0
) -> NewOperation:
    """Make a payee's Express account. `refused`: how many such requests Stripe refused before."""
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
    """The most that can be paid out when Stripe takes its fee from the same money, in minor units, or 0."""
    by_percent = transferred * 10_000 // (10_000 + basis_points)
    amount = min(by_percent + 1, transferred - least_fee)  # rounding may leave room for one more
    while amount > 0 and amount + instant_fee(amount, basis_points, least_fee) > transferred:
        amount -= 1
    return max(amount, 0)


def instant_fee(amount: int, basis_points: int, least_fee: int) -> int:
    """Stripe's fee for an instant payout: basis points, rounded half up, and at least `least_fee`."""
    return max(half_up(amount * basis_points, 10_000), least_fee)


def _metadata(operation_id: UUID, wallet: str, source: str) -> dict[str, str]:
    return {
        "hobbs_operation_id": str(operation_id),
        "hobbs_payee": wallet,
        "hobbs_source": source[:SOURCE_CHARS_MAX],
    }
