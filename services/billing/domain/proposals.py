"""A change of a card's amounts from a day on: proposed by one person, approved by another. Pure.

Amounts are minor units by setting. What is proposed is the whole card as it will be, so that what was looked
at is what is approved; it is void once the card it was made from is another.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Any, Final
from uuid import UUID

from services.billing.domain.rates import BEGINNING

# The cards whose amounts are proposed one by one; the others are of the school's file only.
KINDS: Final = ("aircraft", "instructor", "student_rate")
OWN_LIMIT: Final = "credit_limit"  # set whole, by people who may alone or not (own_limits.py)
PROPOSED: Final = (*KINDS, OWN_LIMIT)


class ProposalState(StrEnum):
    """waiting: for another person. Approved and rejected ones stay so."""

    WAITING = "waiting"
    APPROVED = "approved"
    REJECTED = "rejected"


@dataclass(frozen=True, slots=True, kw_only=True)
class Proposal:
    """A card as it would be from a day on, and as it was when that was proposed: {} where there was none."""

    id: UUID
    kind: str
    key: str
    effective_from: date
    old: Mapping[str, Any]
    new: Mapping[str, Any]
    proposed_by: str
    why: str
    state: ProposalState = ProposalState.WAITING

    @property
    def name(self) -> str:
        since = "the beginning" if self.effective_from == BEGINNING else str(self.effective_from)
        return f"{self.kind} {self.key} from {since}"

    def changes(self) -> list[dict[str, Any]]:
        """What is another amount: each setting with both, in minor units."""
        names = sorted({*self.old, *self.new})
        return [
            {"setting": name, "before": self.old.get(name), "after": self.new.get(name)}
            for name in names
            if self.old.get(name) != self.new.get(name)
        ]


def objection_to_proposing(
    old: Mapping[str, Any] | None, amounts: Mapping[str, object], known: frozenset[str]
) -> str | None:
    """Why these amounts are no change of a card, as a sentence; None when they are.

    old: the card in force on the day. known: the settings of such a card that are amounts.
    """
    if old is None:
        return "no such card is in force on that day: a new one is written into the school's file"
    for name, amount in amounts.items():
        if name not in known or name not in old:
            return f"this card has no amount {name}"
        if isinstance(amount, bool) or not isinstance(amount, int) or amount < 0:
            return f"{name}: an amount is a whole number of minor units, 0 or more"
    if all(old[name] == amount for name, amount in amounts.items()):
        return "these are the amounts as they are"
    return None


def objection_to_approving(
    proposal: Proposal, *, by_its_maker: bool, standing: Mapping[str, Any] | None
) -> str | None:
    """Why a person may not approve it now, as a sentence; None when they may.

    standing: the card that is in force on the proposal's day as the book is now.
    """
    if proposal.state is not ProposalState.WAITING:
        return f"it is {proposal.state} already"
    if by_its_maker:
        return f"{proposal.proposed_by} proposed it, and somebody else has to approve it"
    if (standing or {}) != proposal.old:
        return "the card was changed since it was proposed: reject it, and propose it again"
    return None
