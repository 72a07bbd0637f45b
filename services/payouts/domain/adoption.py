"""What Stripe made for operations that the database does not know, because it was restored. Pure.

Such an effect is adopted: its transfer is written as it was made, with what it paid (decision 0150).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from fleet.cause import Cause
from services.payouts.domain.operations import Kind
from services.payouts.domain.orders import operation_id, transfer_id

EVENT_TYPE = "adopted"  # the event type of the payables that make an adopted transfer's sum right
NAMES_MAX = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundEffect:
    """An effect at Stripe, as its metadata describes it. `amount` in minor units, None for an account.

    `sources`: what a transfer paid, None when its metadata does not say all of it.
    `transfer_id`: None for transfers of releases that did not name it. `settled_by`: a person had it written
    with what is known of it.
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
    settled_by: str | None = None


class Standing(StrEnum):
    """What became of a found effect: it is written, it waits for what is not read yet, or for a person."""

    ADOPTED = "adopted"
    WAITING = "waiting"
    DOUBTFUL = "doubtful"


Judged = tuple[Standing, str]  # and a sentence about it


@dataclass(frozen=True, slots=True, kw_only=True)
class PaidPayable:
    """A payable that a found transfer paid. `transfer_id`: the transfer it is in now, and its state."""

    id: int
    source: str
    amount: int
    transfer_id: UUID | None
    stripe_transfer_id: str | None
    in_flight: bool
    trace: Cause


@dataclass(frozen=True, slots=True, kw_only=True)
class Regrouping:
    """How a found transfer is written.

    `trace`: of the first of its payables. `there`: the transfer is in the database, held before it had an
    operation. `dissolved`: other unsent transfers that hold some of its payables. `difference`: what Stripe
    paid more than these payables come to now, in minor units (negative: less).
    """

    payables: tuple[int, ...]
    trace: Cause | None = None
    there: bool = False
    dissolved: tuple[UUID, ...] = field(default=())
    difference: int = 0


def judge_found_transfer(found: FoundEffect, payables: Sequence[PaidPayable]) -> Regrouping | Judged:
    """Decide how a found transfer is written, or say why it is not."""
    if found.settled_by is None and (doubt := _doubt(found, payables)):
        return doubt
    if sending := [p.source for p in payables if p.in_flight]:
        return Standing.WAITING, f"waits for a request to Stripe that is under way: {_some(sending)}"
    assert found.amount is not None
    paid = unpaid(payables)
    holders = {p.transfer_id for p in paid if p.transfer_id}
    return Regrouping(
        payables=tuple(p.id for p in paid),
        trace=paid[0].trace if paid else None,
        dissolved=tuple(sorted(holders - {found.transfer_id})),
        difference=found.amount - sum(p.amount for p in paid),
    )


def unpaid(payables: Sequence[PaidPayable]) -> list[PaidPayable]:
    """Those that no transfer at Stripe paid, as far as is known here."""
    return [payable for payable in payables if payable.stripe_transfer_id is None]


def named_by_stripe(found: FoundEffect) -> FoundEffect:
    """A found transfer under names that follow from Stripe's id: its own are taken, or it says none."""
    cause = f"{EVENT_TYPE}:{found.stripe_id}"
    return replace(
        found,
        operation_id=operation_id(Kind.TRANSFER, cause),
        transfer_id=transfer_id(found.wallet, str(found.currency), cause, ()),
        cause=cause,
    )


def _doubt(found: FoundEffect, payables: Sequence[PaidPayable]) -> Judged | None:
    if found.transfer_id is None:
        sentence = "made by a release that did not name the transfer; compare it with Stripe's dashboard"
        return Standing.DOUBTFUL, sentence
    if found.sources is None:
        sentence = "its metadata does not say all that it paid; compare it with Stripe's dashboard"
        return Standing.DOUBTFUL, sentence
    missing = [source for source in found.sources if source not in {p.source for p in payables}]
    if missing:
        sentence = f"waits for {len(missing)} journals that are not read yet: {_some(missing)}"
        return Standing.WAITING, sentence
    if twice := [p for p in payables if p.stripe_transfer_id]:
        others = sorted({str(p.stripe_transfer_id) for p in twice})
        sentence = f"paid twice: {_some([p.source for p in twice])} also by {_some(others)}"
        return Standing.DOUBTFUL, sentence
    return None


def _some(names: Sequence[str]) -> str:
    more = f" and {len(names) - NAMES_MAX} more" if len(names) > NAMES_MAX else ""
    return ", ".join(names[:NAMES_MAX]) + more
