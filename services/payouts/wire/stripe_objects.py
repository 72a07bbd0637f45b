"""Stripe's objects into domain values. Objects are mappings as Stripe's API shows them.

Amounts become minor units of the books (fleet/stripe_amounts.py). An object that is not as documented raises
OddField; of a list the others are read, and each odd one is told.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, TypeVar
from uuid import UUID

from fleet.stripe_amounts import whole_from_stripe
from schemas.stripe_fields import reduced
from services.payouts.domain.accounts import Agreement
from services.payouts.domain.adoption import FoundEffect
from services.payouts.domain.odd_objects import OddField, OddObject
from services.payouts.domain.operations import Kind
from services.payouts.domain.orders import sources_named
from services.payouts.domain.payees import AccountStatus
from services.payouts.domain.payouts import PAYOUT_STATUSES, SeenPayout, SeenReversal
from services.payouts.domain.refunds import SeenRefund, Standing
from services.payouts.wire.fields import (
    amount,
    currency,
    id_of,
    instant,
    mapping,
    moment,
    odd_object,
    text,
    whole,
    word,
)

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class SettledCharge:
    """A charge's balance transaction: gross less fee is net, in the currency of the school's balance."""

    transaction_id: str
    gross: int
    fee: int
    net: int
    currency: str
    available_at: datetime


def read_each(
    kind: str, listed: Any, read: Callable[[Mapping[str, Any]], T], account: str | None = None
) -> tuple[list[T], list[OddObject]]:
    """Read every object of a list; those that cannot be read are told, whatever they look like."""
    if not isinstance(listed, list | tuple):
        return [], [odd_object(f"list of {kind}s", listed, "the list is not a list", account)]
    found: list[T] = []
    odd: list[OddObject] = []
    for thing in listed:
        try:
            found.append(read(mapping(thing, kind)))
        except OddField as problem:
            odd.append(odd_object(kind, thing, problem, account))
    return found, odd


def made_at(thing: Mapping[str, Any], otherwise: datetime) -> datetime:
    """When Stripe made an object that is proven; `otherwise` when it does not say."""
    try:
        return instant(thing)
    except OddField:
        return otherwise


def operation_named(thing: Mapping[str, Any]) -> UUID | None:
    """The operation that an object's metadata names, None when it names none of ours."""
    metadata = thing.get("metadata")
    return _uuid(metadata.get("hobbs_operation_id")) if isinstance(metadata, Mapping) else None


def seen_payout(thing: Mapping[str, Any], account: str, operation_id: UUID | None = None) -> SeenPayout:
    """A payout with its sign: a negative one is what Stripe took from the payee's bank."""
    status = word(thing, "status")
    if status not in PAYOUT_STATUSES:
        raise OddField(f"status is {status!r}, which is not one of {', '.join(PAYOUT_STATUSES)}")
    return SeenPayout(
        stripe_payout_id=word(thing, "id"),
        stripe_account=account,
        amount=amount(thing),
        currency=currency(thing),
        status=status,
        instant=thing.get("method") == "instant",
        made_at=instant(thing),
        failure=text(thing.get("failure_message")) or text(thing.get("failure_code")),
        operation_id=operation_id or operation_named(thing),
    )


def seen_reversal(thing: Mapping[str, Any]) -> SeenReversal:
    reversed_amount = amount(thing)
    if reversed_amount <= 0:
        raise OddField(f"amount is {reversed_amount}; a reversal takes something back")
    return SeenReversal(
        stripe_reversal_id=word(thing, "id"),
        stripe_transfer_id=word(thing, "transfer"),
        amount=reversed_amount,
        currency=currency(thing),
        reversed_at=instant(thing),
        operation_id=operation_named(thing),
        cause=_cause_named(thing),
    )


_STANDINGS: Final = {
    "succeeded": Standing.SUCCEEDED,
    "failed": Standing.FAILED,
    "canceled": Standing.FAILED,
}


def seen_refund(thing: Mapping[str, Any]) -> SeenRefund:
    """A refund; whatever status is neither an end nor a success is pending."""
    refunded = amount(thing)
    if refunded <= 0:
        raise OddField(f"amount is {refunded}; a refund gives something back")
    return SeenRefund(
        stripe_refund_id=word(thing, "id"),
        charge_id=word(thing, "charge"),
        amount=refunded,
        standing=_STANDINGS.get(word(thing, "status"), Standing.PENDING),
        cause=_cause_named(thing),
    )


def _cause_named(thing: Mapping[str, Any]) -> str | None:
    """The cause of the operation of ours that an object's metadata names."""
    return None if operation_named(thing) is None else str(thing["metadata"].get("hobbs_source", ""))


def odd_reversal(reversal: SeenReversal, why: str) -> OddObject:
    """A reversal that does not fit its transfer."""
    shown = {
        "id": reversal.stripe_reversal_id,
        "transfer": reversal.stripe_transfer_id,
        "amount": reversal.amount,
        "currency": reversal.currency,
    }
    return odd_object("reversal", shown, why)


def reversed_amount(transfer: Mapping[str, Any]) -> tuple[str, int]:
    """A transfer's id, and how much Stripe took back of it so far."""
    return word(transfer, "id"), amount(transfer, "amount_reversed")


def settled_charge(transaction: Mapping[str, Any], charge_id: str) -> SettledCharge:
    """A charge's balance transaction, compared with itself and with its charge."""
    settled = SettledCharge(
        transaction_id=word(transaction, "id"),
        gross=amount(transaction),
        fee=amount(transaction, "fee"),
        net=amount(transaction, "net"),
        currency=currency(transaction),
        available_at=instant(transaction, "available_on"),
    )
    if settled.gross <= 0 or settled.fee < 0 or settled.gross - settled.fee != settled.net:
        raise OddField(f"{settled.gross} less the fee {settled.fee} is not the net {settled.net}")
    source = id_of(transaction.get("source"))
    if source not in (None, charge_id):
        raise OddField(f"it is the balance transaction of {source}")
    return settled


def moves_nothing(charge: Mapping[str, Any]) -> str | None:
    """Why a charge without a balance transaction needs no further look; None when it may still get one.

    `charge.captured` and `charge.updated` say when that changes: docs.stripe.com/api/charges/object.
    """
    if charge.get("object") != "charge":
        return None
    if charge.get("status") == "failed":
        return "the charge failed: no money moved"
    if charge.get("captured") is False:
        released = "released" if charge.get("refunded") is True else "not captured"
        return f"the authorization was {released}: no money moved"
    return None


def payout_fee(transaction: Mapping[str, Any], payout: SeenPayout) -> int:
    """The fee of a payout by its balance transaction, which must be of the payout's amount and currency.

    It is charged to and paid by the payee's own balance, so that a fraction that the books cannot write is
    left out of both.
    """
    fee, net = whole(transaction, "fee"), whole(transaction, "net")
    if currency(transaction) != payout.currency:
        raise OddField(f"its balance transaction is in {currency(transaction)}, not {payout.currency}")
    if amount(transaction) != -payout.amount or fee < 0 or net != whole(transaction, "amount") - fee:
        raise OddField(f"its balance transaction says {whole(transaction, 'amount')}, fee {fee}, net {net}")
    return whole_from_stripe(fee, payout.currency)


def account_status(
    account: Mapping[str, Any], balance: Mapping[str, Any] | None, account_id: str
) -> AccountStatus:
    """The status of an account and its balance; it is ready when it may receive transfers and pay out."""
    capabilities = account.get("capabilities")
    transfers = capabilities.get("transfers") if isinstance(capabilities, Mapping) else None
    requirements = account.get("requirements")
    requirements = requirements if isinstance(requirements, Mapping) else {}
    due = {*_texts(requirements.get("currently_due")), *_texts(requirements.get("past_due"))}
    totals: dict[str, int] = defaultdict(int)
    for of, units in money_of((balance or {}).get("available")) + money_of((balance or {}).get("pending")):
        totals[of] += units
    return AccountStatus(
        stripe_account=account_id,
        ready=transfers == "active" and account.get("payouts_enabled") is True,
        details_submitted=account.get("details_submitted") is True,
        charges_enabled=account.get("charges_enabled") is True,
        payouts_enabled=account.get("payouts_enabled") is True,
        requirements=tuple(sorted(due)),
        disabled_reason=text(requirements.get("disabled_reason")),
        balance_negative=any(total < 0 for total in totals.values()),
        agreement=_agreement(account),
    )


def _agreement(account: Mapping[str, Any]) -> Agreement:
    """Stripe names the agreement only when it is the recipient's."""
    accepted = account.get("tos_acceptance")
    named = accepted.get("service_agreement") if isinstance(accepted, Mapping) else None
    return Agreement.RECIPIENT if named == "recipient" else Agreement.FULL


def available(balance: Mapping[str, Any]) -> dict[str, int]:
    """Currency -> minor units that may be sent now; what is pending at Stripe is not among them."""
    totals: dict[str, int] = defaultdict(int)
    for of, units in money_of(balance.get("available")):
        totals[of] += units
    return {of: whole_from_stripe(units, of) for of, units in totals.items()}


def held(balance: Mapping[str, Any]) -> dict[str, int]:
    """Currency -> minor units at Stripe, available and pending."""
    totals: dict[str, int] = defaultdict(int)
    for of, units in money_of(balance.get("available")) + money_of(balance.get("pending")):
        totals[of] += units
    return {of: whole_from_stripe(units, of) for of, units in totals.items()}


def odd_balance(balance: Mapping[str, Any], account: str | None = None) -> list[OddObject]:
    """Parts of a balance that cannot be read; nothing is sent on their account."""
    parts = [balance.get(name, []) for name in ("available", "pending")]
    odd = [one for part in parts for one in read_each("balance entry", part, _part, account)[1]]
    return odd


def money_of(parts: Any) -> list[tuple[str, int]]:
    """Currency and Stripe's units of each part of a balance that can be read."""
    return read_each("balance entry", parts, _part)[0] if parts is not None else []


def _part(part: Mapping[str, Any]) -> tuple[str, int]:
    return currency(part), whole(part, "amount")


def _texts(value: Any) -> Iterable[str]:
    return [t for v in value if (t := text(v))] if isinstance(value, list | tuple) else ()


def found_effect(thing: Mapping[str, Any]) -> FoundEffect | None:
    """A transfer or an account whose metadata names an operation of ours; None for all others."""
    operation_id, metadata = operation_named(thing), thing.get("metadata")
    if operation_id is None or not isinstance(metadata, Mapping) or not metadata.get("hobbs_payee"):
        return None
    kind = _FOUND_KINDS.get(str(thing.get("object")))
    if kind is None:
        return None
    money = kind is Kind.TRANSFER
    if money:
        word(thing, "destination")
    return FoundEffect(
        stripe_id=word(thing, "id"),
        kind=kind,
        operation_id=operation_id,
        wallet=str(metadata["hobbs_payee"]),
        transfer_id=_uuid(metadata.get("hobbs_transfer_id")),
        cause=str(metadata.get("hobbs_source", "")),
        sources=sources_named(metadata) if money else None,
        amount=amount(thing) if money else None,
        currency=currency(thing) if money else None,
        made_at=moment(thing),
        thing=reduced(thing),
    )


_FOUND_KINDS = {"transfer": Kind.TRANSFER, "account": Kind.ACCOUNT, "v2.core.account": Kind.ACCOUNT}


def _uuid(value: Any) -> UUID | None:
    try:
        return UUID(value) if isinstance(value, str) else None
    except ValueError:
        return None
