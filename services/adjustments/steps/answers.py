"""Takes the ledger's answers: a posted adjustment begins to be settled, a refused one has failed."""

from collections.abc import Collection, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Final

from fleet import outbox
from fleet.database import Tx
from fleet.faults import fault_point
from services.adjustments import store
from services.adjustments.domain.adjustments import Adjustment, Move, State, Through
from services.adjustments.domain.journals import PostedJournal, RefusedJournal
from services.adjustments.domain.proposals import LEDGER, RESTORED
from services.adjustments.steps import moves, proposals

BY_LEDGER: Final = Through(state=State.POSTED, who=LEDGER, why="the ledger posted its journal")
_DONE: Final = frozenset({State.POSTED, State.SETTLING, State.SETTLED})


async def take_posted(tx: Tx, journals: Sequence[PostedJournal], now: datetime) -> None:
    """Keep what the ledger posted; adjustments that it posted begin to be settled.

    One that nobody approved here was posted before a restore: what the ledger holds stands.
    """
    if not journals:
        return
    await store.journals.keep(tx, journals)
    firsts = await store.flights.lock(tx, {journal.flight_id for journal in journals})
    known = await store.adjustments.of_flights(tx, firsts)
    by_source = {journal.source: journal for journal in journals}
    answered = [one for one in known if one.source in by_source and one.state not in _DONE]
    expected = [_as_posted(one, by_source[one.source]) for one in answered if one.state is State.APPROVED]
    steps = [
        Move(adjustment=one, to=State.POSTED, who=LEDGER, why=RESTORED)
        for one in answered
        if one.state is not State.APPROVED
    ]
    restored = await moves.make(tx, steps, now)
    await fault_point("adjustments.posted")
    await proposals.begin(tx, expected, now, through=BY_LEDGER)
    await proposals.begin(tx, restored, now)
    await proposals.resume(tx, firsts, _as_they_are(known, [*expected, *restored]), now)


async def take_refused(tx: Tx, journals: Sequence[RefusedJournal], now: datetime) -> None:
    """What the ledger refused has failed, and says why; a person or a later revision goes on."""
    if not journals:
        return
    refusals = {journal.source: journal for journal in journals}
    firsts = await store.flights.lock(tx, {journal.flight_id for journal in journals})
    known = await store.adjustments.of_flights(tx, firsts)
    steps = [
        Move(
            adjustment=one,
            to=State.FAILED,
            who=LEDGER,
            why=_refusal(refusals[one.source]),
        )
        for one in known
        if one.source in refusals and one.state is State.APPROVED
    ]
    failed = await moves.make(tx, steps, now)
    await fault_point("adjustments.refused")
    await outbox.stage(tx, [message for one in failed for message in proposals.consequences(one)])
    await proposals.resume(tx, firsts, _as_they_are(known, failed), now)


def _as_posted(adjustment: Adjustment, journal: PostedJournal) -> Adjustment:
    """What was asked for, as the ledger posted it; its row says so with the step that follows."""
    return replace(
        adjustment,
        state=State.POSTED,
        sentence=BY_LEDGER.why,
        differences=journal.entries,
        journal_id=journal.journal_id,
    )


def _refusal(journal: RefusedJournal) -> str:
    return f"the ledger refused its journal ({journal.reason}): {journal.sentence}"


def _as_they_are(known: Sequence[Adjustment], moved: Collection[Adjustment]) -> dict[str, list[Adjustment]]:
    """Adjustments by flight, those that moved as they are now."""
    now = {one.id: one for one in moved}
    return proposals.by_flight([now.get(one.id, one) for one in known])
