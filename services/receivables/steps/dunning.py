"""Asks students for what is overdue, step by step of the book. The caller commits.

Students are decided about without a lock first; those for whom something follows are locked, and those of
them about whom somebody else decided meanwhile are left to the next look. A person's decision locks the same
row.
"""

from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from typing import Literal

from fleet import outbox
from fleet.database import Tx
from fleet.envelope import Message, first_cause
from fleet.faults import fault_point
from fleet.zones import local_time
from services.receivables import metrics, store, wire
from services.receivables.domain.dunning import Decision, Policy, Standing, decide, in_words

Who = Literal["ending", "askable"]  # whose run or promise may end; who may be asked for something
_Decided = Sequence[tuple[Standing, Decision]]


async def due(tx: Tx, who: Who, after: str, most: int, now: datetime) -> list[str]:
    """Students for whom something may follow, by name from `after` on; at most `most`."""
    zone, _ = await store.credit.school(tx)
    local = local_time(now, zone)
    if who == "ending":
        return await store.dunning.ending(tx, local.date(), after, most)
    policy = await store.dunning.policy(tx, local.date())
    if not policy.steps or policy.is_quiet(local):
        return []
    return await store.dunning.askable(tx, local.date(), after, most)


async def go_on(tx: Tx, students: Sequence[str], now: datetime) -> None:
    """Do what is due for these students."""
    zone, _ = await store.credit.school(tx)
    local = local_time(now, zone)
    policy = await store.dunning.policy(tx, local.date())
    decided = await _decide(tx, students, policy, local, now)
    if decided:
        changed = await store.dunning.lock(tx, [standing for standing, _ in decided])
        decided = [one for one in decided if one[0].student not in changed]
    if decided:
        messages = await _write(tx, decided, policy, local, now)
        await fault_point("receivables.dunning_written")
        await outbox.stage(tx, messages)


async def _decide(
    tx: Tx, students: Sequence[str], policy: Policy, local: datetime, now: datetime
) -> _Decided:
    """Those for whom something follows."""
    if not students:
        return []
    standings = await store.dunning.standings(tx, students, local.date(), now)
    decided = [(standing, decide(policy, standing, local)) for standing in standings.values()]
    return [(standing, decision) for standing, decision in decided if decision.changes_something]


async def _write(tx: Tx, decided: _Decided, policy: Policy, local: datetime, now: datetime) -> list[Message]:
    today = local.date()
    asked = [(standing, decision, decision.step) for standing, decision in decided if decision.step]
    sentences = {standing.student: in_words(step, standing, today) for standing, _, step in asked}
    bills = await store.dunning.oldest_bills(tx, sentences.keys(), today)  # as JSON: there may be a million
    await store.dunning.write(tx, decided, sentences, policy, local, now)
    for action, steps in Counter(step.action for _, _, step in asked).items():
        metrics.DUNNING_STEPS.labels(action).inc(steps)
    messages, cause = [], first_cause()
    for standing, decision, step in asked:
        run = standing.run + (decision.run == "begins")
        told = wire.dunning.requested(
            step,
            standing,
            run,
            bills[standing.student],
            sentences[standing.student],
            today,
            now,
            cause,
        )
        messages.append(told)
    return messages
