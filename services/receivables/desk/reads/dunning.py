"""What people ask of dunning, read from published views. Amounts are minor units of `currency`."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any, Final
from uuid import UUID

from fleet.database import Tx
from fleet.zones import local_time
from services.receivables import store
from services.receivables.domain.dunning import Policy, Standing, decide, link_of, next_step, upcoming

AT_ONCE: Final = 5_000

_ZONE = "SELECT time_zone FROM receivables_public.school"
_CANDIDATES = "SELECT student FROM receivables_public.dunning_candidates(:day, :after, :most)"
_HISTORY = """
    SELECT at, run, what, step, action, currency, total, oldest_due, until, who, why, sentence
    FROM receivables_public.dunning_history WHERE student = :student ORDER BY place
"""


async def listed(tx: Tx, now: datetime, *, student: str | None = None) -> list[dict[str, Any]]:
    """Who is asked for what is overdue, by name: how they stand, what stops it, and the step that is next.

    stopped: quiet, paused, promised, disputed, in_question, charge_under_way, too_little; None: the step is
    due now. next_step: what follows if nothing changes, on the day next_on.
    """
    local, policy = await _policy(tx, now)
    return [_row(standing, policy, local) for standing in await _standings(tx, local.date(), now, student)]


async def part(
    tx: Tx, now: datetime, *, after: str = "", most: int = AT_ONCE, only: Sequence[str] | None = None
) -> tuple[list[dict[str, Any]], str | None]:
    """The next `most` of `listed`, by name after `after`; and the last name, None at the end.

    only: these students alone, also those of whom nothing is asked.
    """
    local, policy = await _policy(tx, now)
    names = await _names(tx, local.date(), after, most, only)
    found = await store.dunning.standings(tx, names, local.date(), now)
    return [_row(one, policy, local) for one in found.values()], names[-1] if len(names) == most else None


async def due_today(tx: Tx, now: datetime) -> list[dict[str, Any]]:
    """What would be asked of whom today if nothing changes, and from when on; nothing is written."""
    found: list[dict[str, Any]] = []
    after: str | None = ""
    while after is not None:
        rows, after = await due_part(tx, now, after=after)
        found += rows
    return found


async def due_part(
    tx: Tx, now: datetime, *, after: str = "", most: int = AT_ONCE, only: Sequence[str] | None = None
) -> tuple[list[dict[str, Any]], str | None]:
    """Of the next `most` students those of `due_today`; and the last name, None at the end."""
    local, policy = await _policy(tx, now)
    at = policy.next_today(local)
    if at is None:
        return [], None
    names = await _names(tx, local.date(), after, most, only)
    found = await store.dunning.standings(tx, names, local.date(), now)
    rows = [_row(one, policy, at) for one in found.values()]
    due = [row | {"from": at.strftime("%H:%M")} for row in rows if row["step"] and not row["stopped"]]
    return due, names[-1] if len(names) == most else None


_NEWEST = """
    SELECT told.run, told.step, told.action FROM receivables_public.dunning_cases AS known
    JOIN receivables_public.dunning_history AS told USING (student, run)
    WHERE known.student = :student AND known.overdue_since IS NOT NULL
      AND told.what = 'step' AND told.action <> 'charge_card'
    ORDER BY told.place DESC LIMIT 1
"""


async def newest_page(tx: Tx, student: str) -> UUID | None:
    """Which page of payouts' the newest request of the open run names; None: nothing was asked to be paid."""
    row = await tx.first(_NEWEST, student=student)
    return link_of(student, row.run, row.step, row.action) if row else None


async def history(tx: Tx, student: str) -> list[dict[str, Any]]:
    """All that was done and decided about one student, the first first."""
    return [dict(row._mapping) for row in await tx.all(_HISTORY, student=student)]


async def _policy(tx: Tx, now: datetime) -> tuple[datetime, Policy]:
    """The time on the school's clock, and the policy of its day."""
    zone = (await tx.one(_ZONE)).time_zone
    local = local_time(now, zone)
    return local, await store.dunning.policy(tx, local.date())


async def _standings(tx: Tx, day: date, now: datetime, student: str | None) -> list[Standing]:
    if student is not None:
        return [*(await store.dunning.standings(tx, [student], day, now)).values()]
    found: list[Standing] = []
    after: str | None = ""
    while after is not None:
        names = await _names(tx, day, after, AT_ONCE)
        found += (await store.dunning.standings(tx, names, day, now)).values()
        after = names[-1] if len(names) == AT_ONCE else None
    return found


async def _names(tx: Tx, day: date, after: str, most: int, only: Sequence[str] | None = None) -> list[str]:
    if only is not None:
        return sorted(one for one in only if one > after)[:most]
    return [row.student for row in await tx.all(_CANDIDATES, day=day, after=after, most=most)]


def _row(standing: Standing, policy: Policy, local: datetime) -> dict[str, Any]:
    decision = decide(policy, standing, local)
    today = local.date()
    step = next_step(policy, standing, today) if standing.total > 0 else None
    then, then_on = (standing.total > 0 and upcoming(policy, standing, today)) or (None, None)
    return {
        "student": standing.student,
        "currency": standing.currency,
        "total": standing.total,
        "days_overdue": standing.days_overdue(today) if standing.total > 0 else 0,
        "run": standing.run,
        "last_step": standing.done[-1].step if standing.done else None,
        "last_on": standing.done[-1].on if standing.done else None,
        "stopped": decision.stopped,
        "hold": standing.hold,
        "until": standing.until,
        "step": step and step.name,
        "action": step and step.action,
        "next_step": then and then.name,
        "next_action": then and then.action,
        "next_on": then_on,
    }
