"""What is done about bills that are overdue, and when. Pure; amounts are minor units and positive.

A run begins when something of a student is overdue and ends when nothing is. In a run each step of the book
is done once, in the book's order, one at a time; a step that is passed over is not gone back to.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, Final, Literal, NamedTuple
from uuid import NAMESPACE_URL, UUID, uuid5

from fleet.money import format_minor

Action = Literal["remind", "charge_card", "block_dispatch", "call", "collection"]
Hold = Literal["paused", "promised"]
Stop = Literal["quiet", "paused", "promised", "disputed", "in_question", "charge_under_way", "too_little"]
Run = Literal["none", "begins", "goes_on", "ends"]

PROMISE_MOST: Final = timedelta(days=90)
_SATURDAY: Final = 6
_LINKS: Final = uuid5(NAMESPACE_URL, "hobbs:receivables:dunning-link")


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """A step of the book. Of days_overdue and balance those that are set must be reached."""

    name: str
    action: Action
    days_overdue: int | None
    balance: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """The book's policy of a day; effective_from and version name its card. No steps: nothing is done."""

    effective_from: date | None = None
    version: int | None = None
    steps: tuple[Step, ...] = ()
    minimum: int = 0
    from_hour: int = 9
    until_hour: int = 18
    on_weekends: bool = False
    holidays: frozenset[date] = frozenset()
    days_between: int = 1

    def is_quiet_day(self, day: date) -> bool:
        """Whether nobody is asked for anything on a day of the school's calendar."""
        return day in self.holidays or (day.isoweekday() >= _SATURDAY and not self.on_weekends)

    def is_quiet(self, local: datetime) -> bool:
        """Whether nobody is asked for anything at a time of the school's clock."""
        return self.is_quiet_day(local.date()) or not self.from_hour <= local.hour < self.until_hour

    def next_working_day(self, day: date) -> date:
        """The first day from this one on, on which somebody may be asked; itself if a year has none."""
        later = (day + timedelta(days=n) for n in range(366))
        return next((one for one in later if not self.is_quiet_day(one)), day)

    def next_today(self, local: datetime) -> datetime | None:
        """The first time of the same day, from now on, at which somebody may be asked; None: none is left."""
        if self.is_quiet_day(local.date()) or local.hour >= self.until_hour:
            return None
        begins = local.replace(hour=self.from_hour, minute=0, second=0, microsecond=0)
        return max(local, begins)


def policy_of(card: Mapping[str, Any], effective_from: date, version: int) -> Policy:
    """Read the policy from the book's card on credit, as it is stored."""
    told = {name: card[f"dunning_{name}"] for name in _PLAIN if f"dunning_{name}" in card}
    return Policy(
        effective_from=effective_from,
        version=version,
        steps=tuple(_step(one) for one in card.get("dunning_steps", ())),
        holidays=frozenset(date.fromisoformat(day) for day in card.get("dunning_holidays", ())),
        **told,
    )


_PLAIN: Final = ("minimum", "from_hour", "until_hour", "on_weekends", "days_between")


def _step(said: Mapping[str, Any]) -> Step:
    return Step(
        name=said["name"],
        action=said["action"],
        days_overdue=said.get("days_overdue"),
        balance=said.get("balance"),
    )


class Done(NamedTuple):
    """A step that was done in the run, and on which day."""

    step: str
    on: date


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """What decides about a student now.

    total: what is overdue, less what was paid and is on its way into the account; oldest_due: since when,
    None where nothing is; bills: how many are overdue. in_question: a correction of a flight of theirs is not
    decided, so the school may be wrong. chargeable: there is a saved method that the student
    lets be charged. run: the number of the newest run, running: whether it is open. hold: what stops it,
    until: the last day of a promise. done: the steps of the open run.
    """

    student: str
    currency: str
    total: int
    oldest_due: date | None
    bills: int
    disputed: int
    in_question: bool
    charge_under_way: bool
    chargeable: bool
    run: int
    running: bool
    hold: Hold | None
    until: date | None
    done: Sequence[Done]

    def days_overdue(self, today: date) -> int:
        """For how many days the oldest bill is overdue."""
        return (today - self.oldest_due).days if self.oldest_due else 0


def standing_of(row: Mapping[str, Any]) -> Standing:
    """A row of the database's `dunning_of`."""
    told = {name: row[name] for name in Standing.__slots__ if name != "done"}
    done = tuple(Done(step, date.fromisoformat(on)) for step, on in row["done"])
    return Standing(**told, done=done)


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """What follows for one student: of the run, of a promise whose day has passed, and the step to do now."""

    run: Run
    lapses: bool
    stopped: Stop | None
    step: Step | None

    @property
    def changes_something(self) -> bool:
        return self.lapses or self.step is not None or self.run in ("begins", "ends")


def decide(policy: Policy, standing: Standing, local: datetime) -> Decision:
    """Decide about one student at a time of the school's clock."""
    lapses = has_lapsed(standing, local.date())
    if standing.total <= 0:
        return Decision(run="ends" if standing.running else "none", lapses=lapses, stopped=None, step=None)
    if not standing.running and not policy.steps:
        return Decision(run="none", lapses=lapses, stopped=None, step=None)
    stopped = stopped_by(policy, standing, local)
    return Decision(
        run="goes_on" if standing.running else "begins",
        lapses=lapses,
        stopped=stopped,
        step=None if stopped else next_step(policy, standing, local.date()),
    )


def has_lapsed(standing: Standing, today: date) -> bool:
    """Whether the day until which a student promised to pay has passed."""
    return standing.hold == "promised" and standing.until is not None and standing.until < today


def stopped_by(policy: Policy, standing: Standing, local: datetime) -> Stop | None:
    """What stands against doing any step now; None: nothing."""
    if standing.hold == "paused":
        return "paused"
    if standing.hold == "promised" and not has_lapsed(standing, local.date()):
        return "promised"
    if standing.disputed:
        return "disputed"
    if standing.in_question:
        return "in_question"
    if standing.charge_under_way:
        return "charge_under_way"
    if standing.total < policy.minimum:
        return "too_little"
    return "quiet" if policy.is_quiet(local) else None


def next_step(policy: Policy, standing: Standing, today: date) -> Step | None:
    """The next step of the book that is due: after those that were done, and not too soon after the last."""
    done = {one.step for one in standing.done} if standing.running else set()
    if any(one.on + timedelta(days=policy.days_between) > today for one in standing.done if one.step in done):
        return None
    return next((step for step in _left(policy, done) if _is_due(step, standing, today)), None)


def _left(policy: Policy, done: Collection[str]) -> Sequence[Step]:
    """The steps of the book after those that were done."""
    passed = max((place for place, step in enumerate(policy.steps) if step.name in done), default=-1)
    return policy.steps[passed + 1 :]


def _is_due(step: Step, standing: Standing, today: date) -> bool:
    if step.action == "charge_card" and not standing.chargeable:
        return False  # what does nothing is not counted as done
    return standing.days_overdue(today) >= (step.days_overdue or 0) and standing.total >= (step.balance or 0)


def upcoming(policy: Policy, standing: Standing, today: date) -> tuple[Step, date | None] | None:
    """The step that follows if nothing changes, and the day of it; None: no step of the book is left.

    Without a day: it waits for a larger balance. A promise or a pause moves the day, and is not counted.
    """
    done = {one.step for one in standing.done} if standing.running else set()
    left = [step for step in _left(policy, done) if step.action != "charge_card" or standing.chargeable]
    if not left or standing.oldest_due is None:
        return None
    rested = [one.on + timedelta(days=policy.days_between) for one in standing.done if one.step in done]
    due = {
        max([today, standing.oldest_due + timedelta(days=step.days_overdue or 0), *rested])
        for step in left
        if standing.total >= (step.balance or 0)
    }
    for day in sorted(map(policy.next_working_day, due)):
        if step := next_step(policy, standing, day):  # the first of the book's, of all that are due by then
            return step, day
    return left[0], None


_THEN: Final[Mapping[Action, str]] = {
    "remind": "please pay it",
    "charge_card": "the saved payment method is charged",
    "block_dispatch": "no further flight is cleared until it is paid",
    "call": "the school calls",
    "collection": "it is handed to collection",
}


def in_words(step: Step, standing: Standing, today: date) -> str:
    """What is asked for, of how many bills, and what happens: one sentence for everything that is overdue."""
    total = f"{format_minor(standing.total, standing.currency)} {standing.currency}"
    of = "1 bill" if standing.bills == 1 else f"{standing.bills} bills"
    days = standing.days_overdue(today)
    since = f"since {days} day" + ("" if days == 1 else "s")
    return f"{total} of {of} are overdue, the oldest {since}: {_THEN[step.action]}"


def link_of(student: str, run: int, step: str, action: Action) -> UUID | None:
    """Name the page to pay by of a request: done again after a restore, it is the same one.

    None where the saved method is charged for it.
    """
    return None if action == "charge_card" else uuid5(_LINKS, f"{student}\x1f{run}\x1f{step}")


CAUSE: Final = "dunning"  # how the cause of a charge begins that a step asked for
