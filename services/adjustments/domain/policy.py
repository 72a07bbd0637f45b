"""The school's policy for corrections: what needs a person, how many, and until when it waits. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Final

from fleet.money import format_minor
from fleet.zones import local_date


class Need(StrEnum):
    """Why a person must approve an adjustment."""

    AMOUNT = "amount"
    LARGE_AMOUNT = "large_amount"
    OLD_FLIGHT = "old_flight"
    STUDENT_CHANGED = "student_changed"
    LOST_DISPUTE = "lost_dispute"
    RECOVERED_FLIGHT = "recovered_flight"
    BY_HAND = "by_hand"


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """A card of kind `adjustments`, or the defaults where there is none. Amounts are minor units.

    waterfall: the ways tried for a payee who owes, in their order.
    """

    approve_above: int = 5_000
    second_approver_above: int = 50_000
    approve_older_than_days: int = 30
    expires_after_days: int = 14
    offset_escalates_after_days: int = 60
    offset_share_percent: int = 100
    recover_lost_disputes: bool = False
    waterfall: tuple[str, ...] = ("future_payout_offset",)


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgement:
    """What the policy asks for before an adjustment may be posted; until when it waits for that."""

    needs: tuple[Need, ...]
    approvals_needed: int
    approve_above: int
    second_approver_above: int
    expires_at: datetime
    sentence: str


def judge(
    differences: Mapping[str, int],
    *,
    currency: str,
    flown_on: date,
    student_changed: bool,
    recovered: bool = False,
    recovered_flight: bool = False,
    by_hand: bool = False,
    policy: Policy,
    now: datetime,
    zone: str,
) -> Judgement:
    """Say what an adjustment of these differences needs, by the school's calendar in time zone `zone`."""
    largest = max(map(abs, differences.values()), default=0)
    needs: list[Need] = []
    if largest > policy.second_approver_above:
        needs.append(Need.LARGE_AMOUNT)
    elif largest > policy.approve_above:
        needs.append(Need.AMOUNT)
    if local_date(now, zone) - flown_on > timedelta(days=policy.approve_older_than_days):
        needs.append(Need.OLD_FLIGHT)
    if student_changed:
        needs.append(Need.STUDENT_CHANGED)
    if recovered:
        needs.append(Need.LOST_DISPUTE)
    if recovered_flight:
        needs.append(Need.RECOVERED_FLIGHT)
    if by_hand:
        needs.append(Need.BY_HAND)
    count = 2 if Need.LARGE_AMOUNT in needs else 1 if needs else 0
    return Judgement(
        needs=tuple(needs),
        approvals_needed=count,
        approve_above=policy.approve_above,
        second_approver_above=policy.second_approver_above,
        expires_at=now + timedelta(days=policy.expires_after_days),
        sentence=_sentence(needs, count, largest, currency, policy),
    )


_COUNTED: Final = {1: "one approval", 2: "two approvals, of two persons"}


def waits_for(needed: int, given: int = 0) -> str:
    """What it still waits for, after so many approvals."""
    return "a second approval, of another person" if given else _COUNTED[needed]


def _sentence(needs: Sequence[Need], count: int, largest: int, currency: str, policy: Policy) -> str:
    amount = f"the largest difference is {format_minor(largest, currency)} {currency}"
    if not needs:
        return f"approved by policy: {amount}"
    said = {
        Need.AMOUNT: amount,
        Need.LARGE_AMOUNT: amount,
        Need.OLD_FLIGHT: f"the flight is older than {policy.approve_older_than_days} days",
        Need.STUDENT_CHANGED: "the student changed",
        Need.LOST_DISPUTE: "payees bear what a dispute took, or get it back",
        Need.RECOVERED_FLIGHT: "payees of this flight bear a part of a lost dispute, of other amounts",
        Need.BY_HAND: "other software billed the flight, and the amounts are by hand",
    }
    return f"waits for {_COUNTED[count]}: {', '.join(said[need] for need in needs)}"
