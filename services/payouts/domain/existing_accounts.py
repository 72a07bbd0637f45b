"""Accounts that exist at Stripe already and are taken for a payee by their id (decision 0191). Pure."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from services.payouts.domain.operations import Kind
from services.payouts.domain.orders import operation_id

_ID: Final = re.compile(r"acct_\w{1,90}", re.ASCII)


@dataclass(frozen=True, slots=True, kw_only=True)
class AdoptionRequest:
    """An account that a person said is a payee's. `id`: of the decision."""

    id: UUID
    wallet: str
    stripe_account: str


def is_account_id(text: object) -> bool:
    return isinstance(text, str) and _ID.fullmatch(text) is not None


def foreign(request: AdoptionRequest, account: Mapping[str, Any]) -> str | None:
    """Why an account that Stripe shows is not this payee's; None when it may be."""
    payee = _named(account).get("hobbs_payee")
    if payee and payee != request.wallet:
        return f"{request.stripe_account} belongs to {payee}: its metadata at Stripe says so"
    return None


def marks(request: AdoptionRequest, account: Mapping[str, Any]) -> dict[str, str]:
    """The metadata that a later restore needs to find the account's payee; empty when it is there."""
    found = _named(account)
    named = operation_id(Kind.ACCOUNT, request.stripe_account)
    wanted = {"hobbs_payee": request.wallet, "hobbs_operation_id": str(named)}
    return {name: value for name, value in wanted.items() if not found.get(name)}


def _named(account: Mapping[str, Any]) -> Mapping[str, Any]:
    metadata = account.get("metadata")
    return metadata if isinstance(metadata, Mapping) else {}
