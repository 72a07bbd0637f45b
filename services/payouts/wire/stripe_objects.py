"""Stripe's objects into domain values. Objects are mappings as Stripe's API shows them."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from services.payouts.domain.adoption import FoundEffect
from services.payouts.domain.operations import Kind
from services.payouts.domain.orders import sources_named
from services.payouts.domain.payees import AccountStatus
from services.payouts.domain.payouts import SeenPayout, SeenReversal


def instant_of(thing: Mapping[str, Any]) -> datetime:
    """When Stripe made an object."""
    return datetime.fromtimestamp(int(thing["created"]), UTC)


def operation_named(thing: Mapping[str, Any]) -> UUID | None:
    """The operation that an object's metadata names, None when it names none of ours."""
    metadata = thing.get("metadata")
    return _uuid(metadata.get("hobbs_operation_id")) if isinstance(metadata, Mapping) else None


def seen_payout(thing: Mapping[str, Any], account: str, operation_id: UUID | None = None) -> SeenPayout:
    return SeenPayout(
        stripe_payout_id=thing["id"],
        stripe_account=account,
        amount=thing["amount"],
        currency=thing["currency"].upper(),
        status=thing["status"],
        instant=thing.get("method") == "instant",
        made_at=instant_of(thing),
        failure=thing.get("failure_message") or thing.get("failure_code"),
        operation_id=operation_id or operation_named(thing),
    )


def seen_reversals(listed: Sequence[Mapping[str, Any]]) -> list[SeenReversal]:
    return [
        SeenReversal(
            stripe_reversal_id=thing["id"],
            stripe_transfer_id=thing["transfer"],
            amount=thing["amount"],
            reversed_at=instant_of(thing),
            operation_id=operation_named(thing),
        )
        for thing in listed
    ]


def account_status(account: Mapping[str, Any], balance: Mapping[str, Any] | None) -> AccountStatus:
    """The status of an account and its balance; it is ready when it may receive transfers and pay out."""
    capabilities = account.get("capabilities") or {}
    requirements = account.get("requirements") or {}
    due = {*(requirements.get("currently_due") or ()), *(requirements.get("past_due") or ())}
    money = [*(balance or {}).get("available", ()), *(balance or {}).get("pending", ())]
    totals: dict[str, int] = defaultdict(int)
    for part in money:
        totals[part["currency"]] += part["amount"]
    return AccountStatus(
        stripe_account=account["id"],
        ready=capabilities.get("transfers") == "active" and bool(account.get("payouts_enabled")),
        details_submitted=bool(account.get("details_submitted")),
        charges_enabled=bool(account.get("charges_enabled")),
        payouts_enabled=bool(account.get("payouts_enabled")),
        requirements=tuple(sorted(due)),
        disabled_reason=requirements.get("disabled_reason"),
        balance_negative=any(total < 0 for total in totals.values()),
    )


def id_of(value: Any) -> str:
    """An expanded object stands for its id."""
    return str(value["id"]) if isinstance(value, Mapping) else str(value)


def found_effect(thing: Mapping[str, Any]) -> FoundEffect | None:
    """A transfer or an account whose metadata names an operation of ours; None for all others."""
    operation_id, metadata = operation_named(thing), thing.get("metadata")
    if operation_id is None or not isinstance(metadata, Mapping) or not metadata.get("hobbs_payee"):
        return None
    kind = {"transfer": Kind.TRANSFER, "account": Kind.ACCOUNT}.get(str(thing.get("object")))
    if kind is None:
        return None
    money = kind is Kind.TRANSFER
    return FoundEffect(
        stripe_id=str(thing["id"]),
        kind=kind,
        operation_id=operation_id,
        wallet=str(metadata["hobbs_payee"]),
        transfer_id=_uuid(metadata.get("hobbs_transfer_id")),
        cause=str(metadata.get("hobbs_source", "")),
        sources=sources_named(metadata) if money else None,
        amount=int(thing["amount"]) if money else None,
        currency=str(thing["currency"]).upper() if money else None,
        made_at=instant_of(thing),
        thing=thing,
    )


def _uuid(text: Any) -> UUID | None:
    try:
        return UUID(text) if isinstance(text, str) else None
    except ValueError:
        return None
