"""When Stripe's objects are read without a webhook, and how many reads that makes. Pure.

Stripe allows 500 reads for each transaction of the last 30 days, and 10,000 a month at least (decision 0193).
Webhooks come first: what is here finds the one that was lost. A wait grows with the time since something may
have changed, so that the reads of a trouble grow with the logarithm of its age until they are daily.
"""

from dataclasses import dataclass
from datetime import timedelta
from typing import Final

# docs.stripe.com/rate-limits, "API read request allocations": a platform's reads for its connected accounts
# count too. Only charges are counted as transactions here: Stripe does not say whether transfers are.
READS_PER_TRANSACTION: Final = 500
READS_AT_LEAST: Final = 10_000
WINDOW: Final = timedelta(days=30)


@dataclass(frozen=True, slots=True, kw_only=True)
class Wait:
    """The wait before an object is read again: the time it has been so, at least `first`, at most `most`."""

    first: timedelta
    most: timedelta

    def after(self, age: timedelta, stretch: int = 1) -> timedelta:
        """The wait when something may have changed `age` ago, times the stretch of a scarce allowance."""
        return min(max(age, self.first), self.most) * stretch

    def reads(self, over: timedelta) -> int:
        """How often it is read in that time, the first time included, when nothing says that it changed."""
        at, reads = timedelta(), 0
        while at < over:
            reads += 1
            at += self.after(at)
        return reads


@dataclass(frozen=True, slots=True, kw_only=True)
class Rechecks:
    """When an account is read again: one that is not ready, one with money under way, a settled one."""

    unready: Wait
    unsettled: Wait
    ready: timedelta


@dataclass(frozen=True, slots=True, kw_only=True)
class Backoff:
    """The wait before what failed is tried again: `first`, doubled with each attempt up to `most`."""

    first: timedelta
    most: timedelta
    ends_after: timedelta

    def after(self, attempts: int) -> timedelta:
        """The wait after so many attempts in a row that failed."""
        return min(self.first * (1 << min(max(attempts - 1, 0), 40)), self.most)

    def is_over(self, attempts: int) -> bool:
        """Whether so many attempts took as long as anybody asks."""
        waited = timedelta()
        for attempt in range(1, attempts):
            waited += self.after(attempt)
            if waited >= self.ends_after:
                return True
        return False


@dataclass(frozen=True, slots=True, kw_only=True)
class PutOff:
    """When an object is tried again that could not be read, and one that is odd."""

    unread: Backoff
    odd: Backoff


@dataclass(frozen=True, slots=True, kw_only=True)
class Starts:
    """How many processes may start at once, each with its reads of Stripe, and how often one more may."""

    at_once: int
    each: timedelta


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadSchedule:
    """All waits of this service's loops."""

    rechecks: Rechecks
    balance: Wait
    events: Wait


@dataclass(frozen=True, slots=True, kw_only=True)
class School:
    """What Stripe is asked about: payees by how they stand, and what goes wrong.

    weekly: payees with a transfer each week, whose payout takes three days. short: the balance does not cover
    a transfer. charges: in the time. starts: of the service's processes.
    """

    unready: int
    settled: int
    weekly: int
    short: bool
    charges: int
    starts: int


# Account, balance, payouts and transfers. Accounts that API v1 made share one list call, those of v2 do not:
# counted is the worse.
ACCOUNT_CALLS: Final = 4
START_CALLS: Final = 4  # accounts of both APIs, transfers, and the accounts that are not ready
WEEK: Final = timedelta(days=7)
PAYOUT_TAKES: Final = timedelta(days=3)
MOVEMENTS: Final = timedelta(hours=1)  # how often the platform's balance transactions are listed


def reads_without_webhooks(
    schedule: ReadSchedule, school: School, over: timedelta = WINDOW
) -> dict[str, int]:
    """Loop -> reads in that time, when no webhook says anything."""
    rechecks = schedule.rechecks
    days = over // rechecks.ready
    calls_a_week = school.weekly * ACCOUNT_CALLS * rechecks.unsettled.reads(PAYOUT_TAKES)
    return {
        "accounts that are not ready": (1 + school.unready) * rechecks.unready.reads(over)
        if school.unready
        else 0,
        "settled accounts": days * (1 + ACCOUNT_CALLS * school.settled) if school.settled else 0,
        "accounts with money under way": over * calls_a_week // WEEK,
        "short balance": schedule.balance.reads(over) if school.short else 0,
        "list of events": schedule.events.reads(over),
        "movements of the balance": over // MOVEMENTS,
        "fees of charges": school.charges,
        "starts": school.starts * START_CALLS,
    }


def allowance(transactions: int) -> int:
    """How many reads Stripe allows in 30 days with so many transactions."""
    return max(READS_AT_LEAST, READS_PER_TRANSACTION * transactions)


def percent_used(reads: int, transactions: int) -> int:
    """How much of the allowance is used."""
    return 100 * reads // allowance(transactions)


def stretch_at(percent: int) -> int:
    """How many times longer the loops wait when so much of the allowance is used.

    What moves money, its lookups and what a webhook asks for never wait.
    """
    return next((times for over, times in _STRETCHES if percent >= over), 1)


_STRETCHES: Final = ((90, 16), (75, 4), (50, 2))
