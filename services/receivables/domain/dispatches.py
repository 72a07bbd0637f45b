"""What follows of a dispatched flight: which hold is asked for, voided, or what is refused. Pure.

At most one command of a flight is on its way to the ledger. What comes meanwhile waits for the answer, so the
order in which dispatches, answers and ends come does not matter. Amounts are minor units.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from services.receivables.domain.credit import Credit, CreditPolicy, Refused, check, overdue

State = Literal["waits", "asked", "cleared", "voiding", "closed", "refused"]
Ended = Literal["billed", "cancelled"]
PREFIX = "dispatch:"
STUDENT = "student:"


@dataclass(frozen=True, slots=True, kw_only=True)
class Dispatch:
    """One dispatch of a flight. held and expires_at are None until a hold is asked for.

    allowed: how much beyond the limit the hold may go, by allowances of people.
    """

    flight_id: str
    revision: int
    student: str
    currency: str | None
    estimate: int | None
    ends_at: datetime
    state: State
    held: int | None = None
    expires_at: datetime | None = None
    allowed: int = 0
    activity: str | None = None

    @property
    def hold(self) -> str:
        """The name of its hold."""
        return f"{PREFIX}{self.flight_id}:{self.revision}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimated:
    """A dispatch that billing priced, or why it could not (`reason`)."""

    dispatch: Dispatch
    reason: str | None
    sentence: str

    @property
    def natural_key(self) -> str:
        return self.dispatch.hold


@dataclass(frozen=True, slots=True, kw_only=True)
class HoldAnswer:
    """The state of a hold that the ledger tells of, and what is available on its wallet."""

    hold: str
    wallet: str
    state: str
    available: int


@dataclass(frozen=True, slots=True, kw_only=True)
class HoldRefusal:
    """A command to a hold that the ledger refused; shortfall: what is missing, if a limit is the reason."""

    hold: str
    reason: str
    sentence: str
    shortfall: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """What a dispatch is judged by.

    credit: None before the book names a currency. of_kind: what the book lets anybody owe after a flight of
    its kind. allowed: how far a person let this flight go beyond the limit. blocked: currency and amount of
    what is overdue, where that blocks dispatches.
    """

    credit: Credit | None
    of_kind: int | None
    allowed: int
    blocked: tuple[str, int] | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Ask for the dispatch's hold, in the place of one that stands."""

    dispatch: Dispatch
    replaces: Dispatch | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Void:
    """Ask for the end of a hold that stands."""

    dispatch: Dispatch


@dataclass(frozen=True, slots=True, kw_only=True)
class Refuse:
    """A dispatch that is not asked for any more."""

    dispatch: Dispatch
    reason: Literal["flight_has_ended", "dispatched_again"]
    sentence: str


Step = Place | Void | Refuse


def decide(dispatches: Sequence[Dispatch], ended: Ended | None) -> list[Step]:
    """What is due of one flight, by its dispatches in the order of their revisions, and how it ended."""
    waiting = [one for one in dispatches if one.state == "waits"]
    steps: list[Step] = []
    if ended is not None:
        steps += [_refuse(one, "flight_has_ended", f"the flight is {ended} already") for one in waiting]
    else:
        last = waiting[-1].revision if waiting else 0
        again = f"it was dispatched again, as revision {last}, before it was decided"
        steps += [_refuse(one, "dispatched_again", again) for one in waiting[:-1]]
    if any(one.state in ("asked", "voiding") for one in dispatches):
        return steps
    standing = next((one for one in reversed(dispatches) if one.state == "cleared"), None)
    if ended is not None:
        return [*steps, Void(dispatch=standing)] if standing else steps
    return [*steps, Place(dispatch=waiting[-1], replaces=standing)] if waiting else steps


def _refuse(
    dispatch: Dispatch, reason: Literal["flight_has_ended", "dispatched_again"], sentence: str
) -> Refuse:
    return Refuse(dispatch=dispatch, reason=reason, sentence=f"flight {dispatch.flight_id}: {sentence}")


def named(hold: str) -> tuple[str, int] | None:
    """The flight and the revision of a dispatch's hold; None: it is another hold."""
    flight_id, _, revision = hold.removeprefix(PREFIX).rpartition(":")
    ours = hold.startswith(PREFIX) and flight_id and revision.isascii() and revision.isdigit()
    return (flight_id, int(revision)) if ours and len(revision) < 5 else None


def students_of(wallets: Iterable[str]) -> set[str]:
    """The students among the owners of wallets."""
    return {wallet.removeprefix(STUDENT) for wallet in wallets if wallet.startswith(STUDENT)}


def refused_by(student: str, terms: Terms) -> Refused | None:
    """Why no hold is asked for: the credit is frozen, or what is overdue blocks it; None: it is."""
    if terms.credit is not None and terms.credit.frozen:
        return check(terms.credit, 0)
    if terms.blocked is not None and not terms.allowed:
        return overdue(student, *terms.blocked)
    return None


def over_already(dispatch: Dispatch, now: datetime) -> str | None:
    """Why nothing is held of a dispatch that is read when its hold would be over; None: it would not."""
    if dispatch.expires_at is None or dispatch.expires_at > now:
        return None
    ended, over = (f"{at:%Y-%m-%d %H:%M} UTC" for at in (dispatch.ends_at, dispatch.expires_at))
    return (
        f"flight {dispatch.flight_id}: as planned it ended {ended}, and its hold would be over since {over}; "
        "if it has not flown, dispatch it again with the time at which it departs now"
    )


def floor(terms: Terms) -> int | None:
    """How low the balance may be once the hold stands; None: there is no limit."""
    if terms.credit is None:
        return None
    limits = [limit for limit in (terms.credit.credit_limit, terms.of_kind) if limit is not None]
    return terms.credit.disputed - min(limits) - terms.allowed if limits else None


def to_hold(estimate: int, policy: CreditPolicy) -> int:
    """The estimate and the policy's margin, rounded up; a hold keeps at least one minor unit."""
    return max(1, -(-estimate * (100 + policy.margin_percent) // 100))


def expires_at(ends_at: datetime, policy: CreditPolicy) -> datetime:
    """Until when a hold stands that nobody ends."""
    return ends_at + timedelta(hours=policy.hold_hours)
