"""When a limit rises or falls by the book's policy. Pure; amounts are minor units, days the school's.

A limit rises for months without a late payment and for flights that were flown, while nothing is disputed;
it falls once for each payment that was declined, bounced or disputed.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any, Final, Literal
from uuid import UUID

from fleet.money import format_minor

Manner = Literal["off", "proposed", "automatic"]
State = Literal["proposed", "waits", "in_force", "refused", "lapsed"]
Action = Literal["accept", "refuse", "lapse"]
RECENT_DAYS: Final = 30  # what happened longer ago lowers no limit, whatever day the policy is from


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """What the book's card on credit says of limits that change; see schemas/school.py."""

    effective_from: date = date.min
    version: int = 0
    raises: Manner = "off"
    raise_by: int = 0
    raise_up_to: int = 0
    raise_after_months: int = 6
    raise_after_flights: int = 10
    late_after_days: int = 7
    falls: Manner = "off"
    fall_by: int = 0
    fall_down_to: int = 0
    allowed_by_one_up_to: int = 0

    @property
    def is_idle(self) -> bool:
        """Whether no limit changes by itself."""
        return self.raises == self.falls == "off"


def policy_of(card: Mapping[str, Any], effective_from: date, version: int) -> Policy:
    """Read the policy from the book's card on credit, as it is stored."""
    told = {name: card[name] for name in _NAMES if card.get(name) is not None}
    return Policy(effective_from=effective_from, version=version, **told)


_NAMES: Final = tuple(Policy.__slots__[2:])  # but for the card's own date and version


@dataclass(frozen=True, slots=True, kw_only=True)
class Setback:
    """A payment that was declined, bounced or disputed: what it was, its name, and the day."""

    cause: str
    on: date


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """A change of a limit, as it was found; see the table limit_change."""

    id: UUID | None = None
    student: str
    number: int
    cause: str
    currency: str
    from_limit: int
    to_limit: int
    evidence: Mapping[str, Any]
    sentence: str
    state: State
    needs_second: bool = False
    accepted_by: str | None = None

    @property
    def rises(self) -> bool:
        """Whether the student may owe more."""
        return self.to_limit > self.from_limit


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """What decides about a student's limit.

    limit: the one in force, None: none. fixed: a freeze or a limit with an end is in force, which nothing
    changes. known_from: the first day of the account here. late_until: the last day on which a bill was late.
    flights: flown since the last change, of other software's too. setbacks: recent ones that changed nothing.
    set_back_on: the day of the newest one of all. changed_on: the day of the last change or refusal.
    open: the change that waits; said_since: the book has said another word of the limit since it was found,
    if only the same amount: accepted, it would not stand. still_set_back: what a fall that waits was found by
    is still so.
    """

    student: str
    currency: str
    limit: int | None
    book_limit: int | None
    card_from: date | None
    card_version: int | None
    fixed: bool
    known_from: date | None
    late_until: date | None
    flights: int
    disputes_open: int
    set_back_on: date | None
    changed_on: date | None
    changes: int
    setbacks: tuple[Setback, ...] = ()
    open: Change | None = None
    said_since: bool = False
    still_set_back: bool = False


def review(policy: Policy, standing: Standing, today: date) -> tuple[bool, Sequence[Change]]:
    """Whether the change that is open lapses, and what is found: at most one change is open then."""
    found = _found(policy, standing, today)
    waiting = standing.open
    if waiting is None:
        return False, found
    if standing.said_since:
        return True, found
    if not waiting.rises:
        still = waiting.from_limit == standing.limit and standing.still_set_back
        still = still and not standing.fixed and policy.falls != "off"
        return not still, () if still else found
    still = any((one.cause, one.to_limit) == (waiting.cause, waiting.to_limit) for one in found)
    return not still, () if still else found


def still_holds(policy: Policy, standing: Standing, today: date) -> bool:
    """Whether the change that is open would be found again."""
    lapses, _ = review(policy, standing, today)
    return not lapses


def _found(policy: Policy, standing: Standing, today: date) -> Sequence[Change]:
    if standing.limit is None or standing.fixed:
        return ()
    return _falls(policy, standing, standing.limit) or _rise(policy, standing, standing.limit, today)


def _falls(policy: Policy, standing: Standing, limit: int) -> Sequence[Change]:
    """Each setback once; a proposal waits for a person, and what follows waits for it."""
    if policy.falls == "off":
        return ()
    found: list[Change] = []
    for setback in standing.setbacks:
        to = max(limit - policy.fall_by, policy.fall_down_to)
        if to >= limit:
            break
        change = _change(policy.falls, standing, setback.cause, limit, to, len(found))
        said = {"setback": setback.cause, "on": setback.on.isoformat()}
        found.append(replace(change, evidence=said, sentence=f"{_words(setback)} on {setback.on}"))
        if policy.falls == "proposed":
            break
        limit = to
    return found


def _rise(policy: Policy, standing: Standing, limit: int, today: date) -> Sequence[Change]:
    since = _good_since(standing)
    if policy.raises == "off" or limit >= policy.raise_up_to or since is None:
        return ()
    months = whole_months(since, today)
    if standing.disputes_open or months < policy.raise_after_months:
        return ()
    if standing.flights < policy.raise_after_flights:
        return ()
    to = min(limit + policy.raise_by, policy.raise_up_to)
    change = _change(policy.raises, standing, f"rise:{since}", limit, to, 0)
    said = {
        "months": months,
        "since": since.isoformat(),
        "flights": standing.flights,
        "late_until": standing.late_until and standing.late_until.isoformat(),
        "disputes_open": standing.disputes_open,
    }
    sentence = (
        f"{months} months without a late payment, since {since}; {standing.flights} flights; no open dispute"
    )
    return (replace(change, evidence=said, sentence=sentence),)


def _good_since(standing: Standing) -> date | None:
    """From which day on nothing was late, declined, disputed or decided; None: no account is known."""
    if standing.known_from is None:
        return None
    days = (standing.known_from, standing.late_until, standing.set_back_on, standing.changed_on)
    return max(day for day in days if day is not None)


def whole_months(since: date, today: date) -> int:
    """How many months of the calendar are over: from the 31st on, each ends with its month's last day."""
    months = (today.year - since.year) * 12 + today.month - since.month
    following = date(today.year + today.month // 12, today.month % 12 + 1, 1)
    is_last = (following - today).days == 1
    return months if today.day >= since.day or is_last else months - 1


def _change(manner: Manner, standing: Standing, cause: str, limit: int, to: int, place: int) -> Change:
    return Change(
        student=standing.student,
        number=standing.changes + 1 + place,
        cause=cause,
        currency=standing.currency,
        from_limit=limit,
        to_limit=to,
        evidence={},
        sentence="",
        state="in_force" if manner == "automatic" else "proposed",
    )


_SETBACKS: Final = {
    "declined": "a charge of the saved method was declined",
    "failed": "a payment failed after it was made",
    "disputed": "a payment was disputed",
    "bounced": "a cheque bounced",
}


def _words(setback: Setback) -> str:
    kind, _, name = setback.cause.partition(":")
    return f"{_SETBACKS[kind]} ({name})"


_MOVES: Final[Mapping[tuple[State, Action], State]] = {
    ("proposed", "accept"): "in_force",
    ("waits", "accept"): "in_force",
    ("proposed", "refuse"): "refused",
    ("waits", "refuse"): "refused",
    ("proposed", "lapse"): "lapsed",
    ("waits", "lapse"): "lapsed",
}


def moved(change: Change, action: Action, who: str, policy: Policy) -> Change | str:
    """A change after somebody said something of it, or why it cannot be. A large rise needs two persons."""
    state = _MOVES.get((change.state, action))
    if state is None:
        return f"this change of {change.student}'s limit is {change.state.replace('_', ' ')}"
    if action != "accept" or change.state == "waits":
        return replace(change, state=state)
    second = change.rises and change.to_limit - change.from_limit > policy.allowed_by_one_up_to
    return replace(change, state="waits" if second else state, needs_second=second, accepted_by=who)


def in_words(change: Change) -> str:
    """What becomes of the limit, as the beginning of a sentence."""
    before, after = (
        f"{format_minor(amount, change.currency)} {change.currency}"
        for amount in (change.from_limit, change.to_limit)
    )
    return f"the limit of {change.student} {'rises' if change.rises else 'falls'} from {before} to {after}"
