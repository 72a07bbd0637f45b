"""Settles what posted adjustments changed: begins, hears the answers, and tells whoever is concerned.

Everything happens under the locks of the flights, which are taken first and in one order.
"""

import logging
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final
from uuid import UUID

from fleet import outbox
from fleet.database import Tx
from fleet.envelope import Message
from fleet.faults import fault_point
from fleet.zones import local_date
from services.adjustments import store, wire
from services.adjustments.domain import settlements, settlements_answers, settlements_told
from services.adjustments.domain.adjustments import Adjustment, Move, State, Through, adjustment_id
from services.adjustments.domain.journals import flight_of
from services.adjustments.domain.settlements import (
    BY_JOURNAL,
    BY_TRANSFER,
    Changes,
    Method,
    Settlement,
    SettlementState,
    Step,
    Terms,
)
from services.adjustments.domain.settlements_early import Answer, is_answer_to
from services.adjustments.domain.settlements_sent import Carried, PartCarried, Posted, Refused, Reversed
from services.adjustments.steps import moves

WHO: Final = "hobbs"

_Left = Mapping[tuple[str, str], int]
_log = logging.getLogger(__name__)


@dataclass(slots=True, kw_only=True)
class Known:
    """Locked adjustments and their settlements, which follow what is decided; and the decisions so far."""

    adjustments: Mapping[UUID, Adjustment]
    rows: dict[UUID, Settlement]
    transferred: Mapping[str, Mapping[str, str]]
    parts: Mapping[tuple[str, str], Sequence[tuple[str, int]]]
    decided: list[Changes] = field(default_factory=list)
    early: list[Answer] = field(default_factory=list)

    def asked(self, answer: Answer) -> Settlement | None:
        """The settlement that waits for this answer; None when it had one, or is not known here.

        What is not known here is kept until it is decided again.
        """
        row = self.rows.get(answer.settlement_id)
        if row is None or not is_answer_to(answer, row):
            told = {"settlement_id": str(answer.settlement_id)}
            _log.warning("an answer is of no settlement known here and is kept", extra=told)
            self.early.append(answer)
            return None
        return row if row.state is SettlementState.ASKED else None

    def offset(self, settlement_id: UUID) -> Settlement | None:
        """The debt that waits to be deducted under this id; None when there is none."""
        row = self.rows.get(settlement_id)
        if row is None or row.method is not Method.FUTURE_PAYOUT_OFFSET:
            return None
        return row if row.state is SettlementState.WAITING else None

    def beside(self, row: Settlement) -> list[Settlement]:
        """Every settlement of its wallet in its adjustment."""
        place = (row.adjustment_id, row.wallet)
        return [one for one in self.rows.values() if (one.adjustment_id, one.wallet) == place]

    def take_parts(self) -> None:
        """Settle what transfers took off of debts that wait."""
        for (adjustment, wallet), row in {
            (row.adjustment_id, row.wallet): row for row in self.rows.values()
        }.items():
            parts = self.parts.get((self.adjustments[adjustment].source, wallet), ())
            changes = settlements_answers.after_parts(self.beside(row), parts)
            if changes.steps:
                self.decide(changes)

    def transfer(self, row: Settlement) -> str | None:
        """The transfer that carried its adjustment to its wallet."""
        return self.transferred[self.adjustments[row.adjustment_id].source].get(row.wallet)

    def decide(self, changes: Changes) -> None:
        after = settlements.applied(list(self.rows.values()), changes)
        self.rows = {row.id: row for row in after}
        self.decided.append(changes)


async def begin(tx: Tx, posted: Sequence[Adjustment], now: datetime, through: Through | None) -> list[UUID]:
    """Begin to settle adjustments that were just posted; tell each person what changed and how it is settled.

    The flights are locked. Each adjustment goes on to `settling`, or to `settled`, `through` posted when that
    step is not written yet. Gives the settlements of what payees owe.
    """
    if not posted:
        return []
    begun = await _first(tx, posted, now)
    by_id = {one.id: one for one in posted}
    left = await _write(tx, Changes(begun=tuple(begun)), by_id, WHO, now)
    await fault_point("adjustments.settlements_begun")
    how: dict[UUID, dict[str, str]] = {one.id: {} for one in posted}
    for settlement in begun:
        if said := settlements_told.told(settlement, _left_of(settlement, left)):
            how[settlement.adjustment_id][settlement.wallet] = said
    await outbox.stage(tx, [m for one in posted for m in wire.notifications.posted(one, how[one.id])])
    await _finish(tx, by_id, now, through)
    return [one.id for one in begun if one.method in (Method.STRIPE_REVERSAL, Method.FUTURE_PAYOUT_OFFSET)]


async def _first(tx: Tx, posted: Sequence[Adjustment], now: datetime) -> list[Settlement]:
    """The first settlement of each party, by the policy of today."""
    zone = await store.policy.time_zone(tx)
    waterfall = (await store.policy.in_force(tx, local_date(now, zone))).waterfall
    claws_back = Method.STRIPE_REVERSAL in waterfall[:1]
    approvers = await store.settlements.approved_by(tx, [one.id for one in posted]) if claws_back else {}
    transferred = await store.settlements_sent.carried(tx, [one.source for one in posted])
    parts = await store.settlements_sent.parts(tx, [one.source for one in posted])
    return [
        settlement
        for one in posted
        for first in settlements.begin(
            Terms(
                adjustment_id=one.id,
                source=one.source,
                currency=one.currency,
                differences=one.differences,
                waterfall=waterfall,
                approved_by=approvers.get(one.id),
            ),
            transferred[one.source],
        )
        for settlement in settlements_answers.begun_in_parts(first, parts.get((one.source, first.wallet), ()))
    ]


async def change(tx: Tx, adjustment: Adjustment, changes: Changes, who: str, now: datetime) -> None:
    """Settle in another way, as a person decided; the flight is locked."""
    by_id = {adjustment.id: adjustment}
    left = await _write(tx, changes, by_id, who, now)
    await fault_point("adjustments.settlement_chosen")
    chosen = [one for one in changes.begun if one.state is SettlementState.ASKED]
    await outbox.stage(tx, [m for one in chosen for m in _tell_begun(one, adjustment, left)])
    await _finish(tx, by_id, now)


async def take_posted(tx: Tx, posted: Sequence[Posted], now: datetime) -> None:
    """Take the ledger's journals of settlements: they are settled."""
    known = await lock(tx, [one.settlement_id for one in posted])
    for journal in posted:
        if (one := known.asked(journal)) is not None:
            step = Step(
                settlement=one,
                to=SettlementState.SETTLED,
                amount=one.amount,
                sentence="the ledger posted its journal",
                proof=one.source,
            )
            known.decide(Changes(steps=(step,)))
    await go_on(tx, known, now)


async def take_refused(tx: Tx, refused: Sequence[Refused], now: datetime) -> None:
    """Take the ledger's refusals: what was there before is in force again."""
    known = await lock(tx, [one.settlement_id for one in refused])
    for one in refused:
        asked = known.rows.get(one.settlement_id)  # what is not known here is judged anew when it is asked
        if asked is not None and asked.method in BY_JOURNAL and asked.state is SettlementState.ASKED:
            beside, transfer = known.beside(asked), known.transfer(asked)
            known.decide(settlements_answers.after_refused_journal(asked, beside, one.sentence, transfer))
    await go_on(tx, known, now)


async def take_reversals(tx: Tx, answers: Sequence[Reversed], now: datetime) -> None:
    """Take payouts' answers: what came back is settled, the rest becomes an offset by itself."""
    known = await lock(tx, [one.settlement_id for one in answers])
    for one in answers:
        if (offset := known.offset(one.settlement_id)) is not None:
            known.decide(settlements_answers.after_forgotten_reversal(offset, known.beside(offset), one))
        elif (asked := known.asked(one)) is not None:
            beside, transfer = known.beside(asked), known.transfer(asked)
            known.decide(settlements_answers.after_reversal(asked, beside, one.came_back, transfer))
    await go_on(tx, known, now)


async def take_sent(tx: Tx, carried: Sequence[Carried], parts: Sequence[PartCarried], now: datetime) -> None:
    """Take transfers that carried adjustments, or took parts of debts off: what waited for them is settled.

    They are kept too: a transfer may be sent before this service knows that the journal was posted.
    """
    sources = {one.source for one in (*carried, *parts)}
    if not sources:
        return
    await store.flights.lock(tx, {flight_of(source) for source in sources})
    await store.settlements_sent.keep_carried(tx, carried)
    await store.settlements_sent.keep_parts(tx, parts)
    known = await _load(tx, {id_ for source in sources if (id_ := _adjustment_of(source)) is not None})
    known.take_parts()
    for row in list(known.rows.values()):
        transfer = known.transfer(row)
        if row.state is SettlementState.WAITING and row.method in BY_TRANSFER and transfer is not None:
            step = Step(
                settlement=row,
                to=SettlementState.SETTLED,
                amount=row.amount,
                sentence=f"transfer {transfer} carried it",
                proof=transfer,
            )
            known.decide(Changes(steps=(step,)))
    await go_on(tx, known, now)


def _adjustment_of(source: str) -> UUID | None:
    """The adjustment whose journal a source names; None when it names none."""
    _, _, revision = source.rpartition(":")
    return adjustment_id(flight_of(source), int(revision)) if revision.isdecimal() else None


async def lock(tx: Tx, ids: Sequence[UUID]) -> Known:
    """Lock the flights that these settlements are about, and read everything of them."""
    found = await store.settlements.places_of(tx, ids) if ids else {}
    await store.flights.lock(tx, set(found.values()))
    return await _load(tx, set(found))


async def _load(tx: Tx, ids: Collection[UUID]) -> Known:
    adjustments = await store.adjustments.load(tx, ids) if ids else {}
    rows = await store.settlements.of_adjustments(tx, adjustments) if adjustments else []
    transferred = await store.settlements_sent.carried(tx, [one.source for one in adjustments.values()])
    parts = await store.settlements_sent.parts(tx, [one.source for one in adjustments.values()])
    return Known(
        adjustments=adjustments, rows={row.id: row for row in rows}, transferred=transferred, parts=parts
    )


async def go_on(tx: Tx, known: Known, now: datetime) -> None:
    """Write what was decided, tell it, and finish the adjustments of which nothing waits any more."""
    if known.early:
        await store.settlements_early.keep(tx, known.early, now)
    known.take_parts()
    if not known.decided:
        return
    changes = settlements.together(known.decided)
    left = await _write(tx, changes, known.adjustments, WHO, now)
    await fault_point("adjustments.settlements_answered")
    messages = [
        message
        for step in changes.steps
        for message in _tell_step(step, known.adjustments[step.settlement.adjustment_id], left)
    ]
    messages += [
        message
        for one in changes.begun
        for message in _tell_begun(one, known.adjustments[one.adjustment_id], left)
    ]
    await outbox.stage(tx, messages)
    concerned = {step.settlement.adjustment_id for step in changes.steps}
    await _finish(tx, {one: known.adjustments[one] for one in concerned}, now)


async def _write(
    tx: Tx, changes: Changes, adjustments: Mapping[UUID, Adjustment], who: str, now: datetime
) -> _Left:
    """Write settlements and ask for what settles them; what the parties owe in all afterwards.

    What was answered before a restore is not asked for again: its answer is heard when all is written.
    """
    if changes.steps or changes.begun:
        sentences = [settlements_told.begun(one) for one in changes.begun]
        await store.settlements.change(tx, changes, sentences, who, now)
    asked = [one for one in changes.begun if one.state is SettlementState.ASKED]
    answered = await store.settlements_early.of(tx, [one.id for one in asked])
    asked = [one for one in asked if one.id not in answered]
    await outbox.stage(tx, [_asking(one, adjustments[one.adjustment_id], now) for one in asked])
    owing = {row.wallet for row in (*changes.begun, *(step.settlement for step in changes.steps))}
    return await store.settlements.left(tx, owing)


def _asking(settlement: Settlement, adjustment: Adjustment, now: datetime) -> Message:
    if settlement.method is Method.STRIPE_REVERSAL:
        return wire.settlements.reversal_requested(settlement, adjustment)
    if settlement.method is Method.REFUND:
        return wire.settlements.refund_requested(settlement, adjustment)
    return wire.settlements.journal_requested(settlement, adjustment, now)


def _tell_begun(settlement: Settlement, adjustment: Adjustment, left: _Left) -> list[Message]:
    owed = _left_of(settlement, left)
    if settlement.instead_of is settlement.method:  # the rest of a debt, of which what was settled tells
        if settlement.state is not SettlementState.SETTLED:
            return []
        said = settlements_told.settled(settlement, settlement.amount, owed)
        return [wire.settlements.told(settlement, adjustment, "settlement_done", said, owed)] if said else []
    said = settlements_told.told(settlement, owed)
    return [wire.settlements.told(settlement, adjustment, "settlement_changed", said, owed)] if said else []


def _tell_step(step: Step, adjustment: Adjustment, left: _Left) -> list[Message]:
    """Tell the party what is settled, and finance what failed, at once or later."""
    settlement, owed = step.settlement, _left_of(step.settlement, left)
    if step.to in (SettlementState.FAILED, SettlementState.REPLACED):
        about = f"adjustment {adjustment.name}, {settlement.wallet}: {settlement.method} failed"
        said = f"{about}: {step.sentence}; what takes its place is in `hobbs adjustments show`"
        return [wire.settlements.finance("settlement_failed", adjustment.name, said, adjustment.trace)]
    told = settlements_told.settled(settlement, step.amount, owed)
    return [wire.settlements.told(settlement, adjustment, "settlement_done", told, owed)] if told else []


def _left_of(settlement: Settlement, left: _Left) -> int:
    return left.get((settlement.wallet, settlement.currency), 0)


async def _finish(
    tx: Tx, adjustments: Mapping[UUID, Adjustment], now: datetime, through: Through | None = None
) -> None:
    """Bring adjustments to `settled` when nothing of them waits, and to `settling` when something does."""
    waiting = await store.settlements.with_open(tx, adjustments)
    steps = [
        Move(adjustment=one, to=to, who=WHO, why=_WHY[to], through=through)
        for one in adjustments.values()
        if (to := State.SETTLING if one.id in waiting else State.SETTLED) is not one.state
    ]
    await moves.make(tx, steps, now)


_WHY: Final = {
    State.SETTLING: "the money of some parties is under way",
    State.SETTLED: "every party is settled",
}
