"""Customers that exist at Stripe already and are taken for a student by their id (decision 0390). Pure."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from services.payouts.domain.student_links import NAMED, STUDENT

_ID: Final = re.compile(r"cus_\w{1,90}", re.ASCII)


@dataclass(frozen=True, slots=True, kw_only=True)
class CustomerRequest:
    """A customer that a person said is a student's. `id`: of the decision."""

    id: UUID
    wallet: str
    customer: str

    @property
    def student(self) -> str:
        return self.wallet.removeprefix(STUDENT)


def is_customer_id(text: object) -> bool:
    return isinstance(text, str) and _ID.fullmatch(text) is not None


def not_theirs(request: CustomerRequest, customer: Mapping[str, Any]) -> str | None:
    """Why a customer that Stripe shows cannot be this student's; None when it may be."""
    if customer.get("deleted"):
        return f"{request.customer} was deleted at Stripe"
    named = _named(customer).get(NAMED)
    if named and named != request.student:
        return f"{request.customer} belongs to {STUDENT}{named}: its metadata at Stripe says so"
    return None


def is_marked(request: CustomerRequest, customer: Mapping[str, Any]) -> bool:
    """Whether its metadata names the student, as that of a customer made here does."""
    return _named(customer).get(NAMED) == request.student


def _named(customer: Mapping[str, Any]) -> Mapping[str, Any]:
    metadata = customer.get("metadata")
    return metadata if isinstance(metadata, Mapping) else {}
