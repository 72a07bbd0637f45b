"""Versions of the school's book: which change set may follow the version in force. Pure."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Literal
from uuid import NAMESPACE_URL, UUID, uuid5

from fleet.zones import UnknownZone, time_zone
from services.billing.domain.rates import (
    BEGINNING,
    LINE_KINDS,
    AdjustmentsCard,
    AircraftCard,
    BookCard,
    CreditCard,
    CreditLimitCard,
    ReserveCard,
    SchoolCard,
    aircraft_problems,
    credit_limit_problems,
    credit_problems,
    policy_problems,
    reserve_problems,
)

SCOPES = ("instructor:", "student:")

_ACCEPTED = uuid5(NAMESPACE_URL, "hobbs:school-accepted")

ChangeReason = Literal["stale_version", "invalid_card", "currency_changed", "too_large"]


@dataclass(frozen=True, slots=True, kw_only=True)
class CardChange:
    """One dated card as a change leaves it; None when it withdraws the card. `document`: as published."""

    kind: str
    key: str
    effective_from: date
    document: Mapping[str, Any] | None
    card: BookCard | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeSet:
    """A version of the book and the version it was made from."""

    version: int
    base_version: int
    who: str
    why: str
    at: datetime
    changes: tuple[CardChange, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeRefusal:
    """Why none of a change set is applied."""

    reason: ChangeReason
    sentence: str


def accepted_event_id(event_key: UUID) -> UUID:
    """Name the `school.accepted` event of a change set: the same one, however often it is decided."""
    return uuid5(_ACCEPTED, str(event_key))


def judge_change_set(
    changes: ChangeSet, *, version: int, currency: str | None, has_bills: bool, fits: bool = True
) -> ChangeRefusal | None:
    """Say why a change set may not follow the book's `version`; None when it may.

    `currency` is the book's so far: it stays once there are bills. `fits`: it can be told to other services.
    """
    if changes.base_version != version or changes.version != version + 1:
        return ChangeRefusal(
            reason="stale_version",
            sentence=f"version {changes.version} was made from version {changes.base_version}, "
            f"but the book is at version {version}; run `hobbs school apply` again",
        )
    problems = _twice(changes) + [
        f"{change.kind} {change.key} from {change.effective_from}: {problem}"
        for change in changes.changes
        for problem in change_problems(change)
    ]
    if problems:
        return ChangeRefusal(reason="invalid_card", sentence="; ".join(problems)[:1900])
    if not fits:
        return ChangeRefusal(
            reason="too_large",
            sentence="the change set is too large for one event; publish its cards as several versions",
        )
    return _currency_changed(changes, currency, has_bills)


def _twice(changes: ChangeSet) -> list[str]:
    places = Counter((c.kind, c.key, c.effective_from) for c in changes.changes)
    return [
        f"{kind} {key} from {day}: changed {n} times in one set"
        for (kind, key, day), n in places.items()
        if n > 1
    ]


def change_problems(change: CardChange) -> list[str]:
    """What is wrong with one dated card by itself."""
    if change.card is None:
        return [] if change.kind != "school" else ["the school's own card cannot be withdrawn"]
    ended = isinstance(change.card, CreditLimitCard) and credit_limit_problems(
        change.card, change.effective_from
    )
    return [*_key_problems(change), *card_problems(change.card), *(ended or [])]


def card_problems(card: BookCard) -> list[str]:
    """What is wrong with a card's settings taken together."""
    if isinstance(card, AircraftCard):
        return aircraft_problems(card)
    if isinstance(card, AdjustmentsCard):
        return policy_problems(card)
    if isinstance(card, ReserveCard):
        return reserve_problems(card)
    if isinstance(card, CreditCard):
        return credit_problems(card)
    if isinstance(card, SchoolCard):
        return _zone_problems(card.time_zone)
    return []


def _key_problems(change: CardChange) -> list[str]:
    if change.kind == "school" and (change.key != "school" or change.effective_from != BEGINNING):
        return [f"the school's card has the key school and no date but {BEGINNING}"]
    if change.kind == "adjustments" and change.key != "adjustments":
        return ["the policy on corrections has the key adjustments"]
    if change.kind == "reserve" and change.key != "reserve":
        return ["the policy on the reserve has the key reserve"]
    if change.kind == "credit" and change.key != "credit":
        return ["the policy on credit has the key credit"]
    if change.kind == "tax" and change.key not in LINE_KINDS:
        return [f"there is no kind of line {change.key}; known are {', '.join(LINE_KINDS)}"]
    if change.kind == "student_rate" and change.key != "default" and not change.key.startswith(SCOPES):
        return ["a student rate's key is default, instructor:<id> or student:<id>"]
    return []


def _zone_problems(name: str) -> list[str]:
    try:
        time_zone(name)
    except UnknownZone as unknown:
        return [f"time_zone {unknown}"]
    return []


def _currency_changed(changes: ChangeSet, currency: str | None, has_bills: bool) -> ChangeRefusal | None:
    for change in changes.changes:
        if not isinstance(change.card, SchoolCard) or currency in (None, change.card.currency):
            continue
        if has_bills:
            return ChangeRefusal(
                reason="currency_changed",
                sentence=f"there are bills in {currency}; the school's currency cannot become "
                f"{change.card.currency}",
            )
    return None
