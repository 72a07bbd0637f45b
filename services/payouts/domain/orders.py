"""What is requested from Stripe for each kind of operation: the parameters that are frozen. Pure.

Metadata carries our operation's id, so that an effect can be found when its answer was lost, and what a
transfer pays, so that a database restored from a backup learns it from Stripe (decision 0150).
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final
from uuid import NAMESPACE_URL, UUID, uuid5

from fleet.cause import Cause
from fleet.money import half_up
from services.payouts.domain.accounts import AccountPolicy, account_request
from services.payouts.domain.charges import ToCharge
from services.payouts.domain.operations import Kind

VALUE_CHARS_MAX: Final = 500  # Stripe's limit for a metadata value
SOURCES_KEYS_MAX: Final = 40  # of the 50 keys that Stripe allows
_NAMES: Final = uuid5(NAMESPACE_URL, "hobbs:payouts")


def operation_id(kind: Kind, cause: str) -> UUID:
    """Name an operation by its kind and cause: decided again, it is the same one, with the same key."""
    return uuid5(_NAMES, f"operation\x1f{kind}\x1f{cause}")


def transfer_id(wallet: str, currency: str, cause: str, sources: Sequence[str]) -> UUID:
    """Name a transfer by its payee, its cause and what it pays."""
    return uuid5(_NAMES, "\x1f".join(("transfer", wallet, currency, cause, *sorted(sources))))


@dataclass(frozen=True, slots=True, kw_only=True)
class NewOperation:
    """An operation as decided; nothing of it changes later. `cause` is unique for its kind.

    `not_after`: from then on it is not sent any more. `sent_since`: it may have been sent since then, by this
    database before it was restored: its key is not trusted for longer than if it had been.
    """

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
    not_after: datetime | None = None
    sent_since: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class MoneyToMove:
    """How much is to move (in minor units), for which transfer, and to or from which wallet."""

    transfer_id: UUID
    wallet: str
    amount: int
    currency: str
    trace: Cause


def order_transfer(
    money: MoneyToMove, *, destination: str, source: str, sources: Sequence[str]
) -> NewOperation:
    """Pay a payee: from the school's balance to the payee's connected account.

    `source`: the transfer's cause; `sources`: those of the journals it pays.
    """
    order = _move(
        Kind.TRANSFER,
        money,
        cause=str(money.transfer_id),
        source=source,
        params={"currency": money.currency.lower(), "destination": destination},
    )
    named = {**order.params["metadata"], **named_sources(money.transfer_id, sources)}
    return replace(order, params={**order.params, "metadata": named})


def order_reversal(
    money: MoneyToMove, *, stripe_transfer_id: str, cause: str, not_after: datetime | None = None
) -> NewOperation:
    """Take back part of a transfer. Each part has a cause of its own, and so an operation of its own."""
    order = _move(Kind.REVERSAL, money, cause=cause, source=cause, params={})
    return replace(order, parent_id=stripe_transfer_id, not_after=not_after)


def order_refund(
    *, wallet: str, charge_id: str, amount: int, currency: str, cause: str, trace: Cause
) -> NewOperation:
    """Give back part of a student's card payment. Each part has a cause of its own, as a reversal has."""
    named = operation_id(Kind.REFUND, cause)
    return NewOperation(
        id=named,
        kind=Kind.REFUND,
        wallet=wallet,
        cause=cause,
        amount=amount,
        currency=currency,
        parent_id=charge_id,
        trace=trace,
        params={
            "amount": amount,
            "charge": charge_id,
            "metadata": {"hobbs_operation_id": str(named), "hobbs_source": cause},
        },
    )


def order_charge(request: ToCharge, *, not_after: datetime) -> NewOperation:
    """Charge a student's saved payment method, while the student is away: what asks for them is refused."""
    cause = str(request.request_id)
    named = operation_id(Kind.CHARGE, cause)
    return NewOperation(
        id=named,
        kind=Kind.CHARGE,
        wallet=request.wallet,
        cause=cause,
        amount=request.amount,
        currency=request.currency,
        trace=request.trace,
        not_after=not_after,
        sent_since=request.decided_at,
        params={
            "amount": request.amount,
            "currency": request.currency.lower(),
            "customer": request.customer,
            "payment_method": request.payment_method,
            "allowed_payment_method_types": [request.method_type],
            "confirm": True,
            "off_session": True,
            "metadata": {
                "hobbs_operation_id": str(named),
                "hobbs_source": request.cause[:VALUE_CHARS_MAX],
                "hobbs_student": request.wallet.partition(":")[2],
            },
        },
    )


def order_instant_payout(money: MoneyToMove, *, stripe_account: str) -> NewOperation:
    """Send what a transfer brought from the connected account to the payee's bank at once, for a fee."""
    order = _move(
        Kind.INSTANT_PAYOUT,
        money,
        cause=str(money.transfer_id),
        source=f"transfer:{money.transfer_id}",
        params={"currency": money.currency.lower(), "method": "instant"},
    )
    return replace(order, stripe_account=stripe_account)


def _move(
    kind: Kind, money: MoneyToMove, *, cause: str, source: str, params: Mapping[str, Any]
) -> NewOperation:
    named = operation_id(kind, cause)
    return NewOperation(
        id=named,
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
            "metadata": _metadata(named, money.wallet, source),
        },
    )


def order_account(
    policy: AccountPolicy,
    *,
    wallet: str,
    country: str,
    trace: Cause,
    refused: int = 0,
) -> NewOperation:
    """Make a payee's account. `refused`: how many such requests Stripe refused before."""
    cause = f"{wallet}#{refused + 1}" if refused else wallet
    named = operation_id(Kind.ACCOUNT, cause)
    return NewOperation(
        id=named,
        kind=Kind.ACCOUNT,
        wallet=wallet,
        cause=cause,
        trace=trace,
        params={
            **account_request(policy, country=country),
            "metadata": _metadata(named, wallet, "school.configured"),
        },
    )


def instant_amount(transferred: int, basis_points: int, least_fee: int) -> int:
    """The most that can be paid out when Stripe takes its fee from the same money, in minor units, or 0."""
    by_percent = transferred * 10_000 // (10_000 + basis_points)
    amount = min(by_percent + 1, transferred - least_fee)  # rounding may leave room for one more
    while amount > 0 and amount + instant_fee(amount, basis_points, least_fee) > transferred:
        amount -= 1
    return max(amount, 0)


# One instant payout, in Stripe's units: 0.50 to 9,999.00 (from memory).
INSTANT_LEAST = 50
INSTANT_MOST = 999_900


def within_instant_bounds(amount: int) -> int:
    """What one instant payout can be of an amount, in Stripe's units; the ordinary payout brings the rest."""
    return 0 if amount < INSTANT_LEAST else min(amount, INSTANT_MOST)


def instant_fee(amount: int, basis_points: int, least_fee: int) -> int:
    """Stripe's fee for an instant payout: basis points, rounded half up, and at least `least_fee`."""
    return max(half_up(amount * basis_points, 10_000), least_fee)


def _metadata(operation: UUID, wallet: str, source: str) -> dict[str, str]:
    return {
        "hobbs_operation_id": str(operation),
        "hobbs_payee": wallet,
        "hobbs_source": source[:VALUE_CHARS_MAX],
    }


def named_sources(transfer: UUID, sources: Sequence[str]) -> dict[str, str]:
    """Say in metadata what a transfer pays: lists in JSON, each within Stripe's limit, and their number."""
    lists = list(_lists(sources))
    return {
        "hobbs_transfer_id": str(transfer),
        "hobbs_sources": str(len(sources)),
        **{f"hobbs_sources_{number}": text for number, text in enumerate(lists[:SOURCES_KEYS_MAX], 1)},
    }


def _lists(sources: Sequence[str]) -> Iterator[str]:
    """Cut the sources into lists that are as long as a value may be. A source has at most 100 characters."""
    listed: list[str] = []
    for source in sources:
        if listed and len(_json([*listed, source])) > VALUE_CHARS_MAX:
            yield _json(listed)
            listed = []
        listed.append(source)
    if listed:
        yield _json(listed)


def sources_named(metadata: Mapping[str, Any]) -> tuple[str, ...] | None:
    """Read what `named_sources` wrote; None when it is not all there.

    Transfers of releases before 0.2 named their cause only, which is the source of a transfer for one flight.
    """
    if "hobbs_sources" not in metadata:
        cause = str(metadata.get("hobbs_source", ""))
        return (cause,) if cause and cause.partition(":")[0] not in ("daily", "weekly") else None
    found: list[str] = []
    for number in range(1, SOURCES_KEYS_MAX + 1):
        found += _read_list(metadata.get(f"hobbs_sources_{number}", "[]"))
    return tuple(found) if str(len(found)) == metadata["hobbs_sources"] else None


def _read_list(text: Any) -> list[str]:
    try:
        read = json.loads(text)
    except (TypeError, ValueError):
        return []
    return [item for item in read if isinstance(item, str)] if isinstance(read, list) else []


def _json(sources: Sequence[str]) -> str:
    return json.dumps(list(sources), ensure_ascii=False, separators=(",", ":"))
