"""What Stripe made for operations that the database does not know, because it was restored. Pure.

Such an effect is adopted: its transfer is written as it was made, with what it paid (decision 0150).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from services.payouts.domain.operations import Kind

ADOPTED = "adopted"  # the event type of the payables that make an adopted transfer's sum right
NAMES_MAX = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundEffect:
    """An effect at Stripe, as its metadata describes it. `amount` in minor units, None for an account.

    `sources`: what a transfer paid, None when its metadata does not say all of it.
    `transfer_id`: None for transfers of releases that did not name it.
    """

    stripe_id: str
    kind: Kind
    operation_id: UUID
    wallet: str
    transfer_id: UUID | None
    cause: str
    sources: tuple[str, ...] | None
    amount: int | None
    currency: str | None
    made_at: datetime
    thing: Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class PaidPayable:
    """A payable that a found transfer paid. `transfer_id`: the transfer it is in now, and its state."""

    id: int
    source: str
    amount: int
    transfer_id: UUID | None
    stripe_transfer_id: str | None
    in_flight: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Regrouping:
    """How a found transfer is written.

    `there`: the transfer is in the database, held before it had an operation. `dissolved`: other unsent
    transfers that hold some of its payables. `difference`: what Stripe paid more than these payables come to
    now, in minor units (negative: less).
    """

    payables: tuple[int, ...]
    there: bool = False
    dissolved: tuple[UUID, ...] = field(default=())
    difference: int = 0


def judge_found_transfer(found: FoundEffect, payables: Sequence[PaidPayable]) -> Regrouping | str:
    """Decide how a found transfer is written, or say in a sentence why it has to wait."""
    if found.transfer_id is None:
        return "made by a release that did not name the transfer; compare it with Stripe's dashboard"
    if found.sources is None:
        return "its metadata does not say all that it paid; compare it with Stripe's dashboard"
    missing = [source for source in found.sources if source not in {p.source for p in payables}]
    if missing:
        return f"waits for {len(missing)} journals that are not read yet: {_some(missing)}"
    if twice := [p for p in payables if p.stripe_transfer_id]:
        others = sorted({str(p.stripe_transfer_id) for p in twice})
        return f"paid twice: {_some([p.source for p in twice])} also by {_some(others)}"
    if sending := [p.source for p in payables if p.in_flight]:
        return f"waits for a request to Stripe that is under way: {_some(sending)}"
    assert found.amount is not None
    holders = {p.transfer_id for p in payables if p.transfer_id}
    return Regrouping(
        payables=tuple(p.id for p in payables),
        there=found.transfer_id in holders,
        dissolved=tuple(sorted(holders - {found.transfer_id})),
        difference=found.amount - sum(p.amount for p in payables),
    )


def _some(names: Sequence[str]) -> str:
    more = f" and {len(names) - NAMES_MAX} more" if len(names) > NAMES_MAX else ""
    return ", ".join(names[:NAMES_MAX]) + more
