"""Applies corrections and cancellations in the order of their revisions; those before their turn wait.

Every round takes the lowest revision of each flight, so that what a round decides is in the tables when the
next one looks.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from fleet import dead_letters, inbox, outbox
from fleet.admitted import Admitted
from fleet.database import Tx
from fleet.envelope import Message, named_uuid
from fleet.faults import fault_point
from fleet.inbox import Unreadable
from fleet.outages import TryAgain
from services.billing import store, wire
from services.billing.domain.bills import Bill, FlightRefusal, Repeat, refuse
from services.billing.domain.flights import Flight
from services.billing.domain.rates import Book
from services.billing.domain.revisions import (
    CancelledUnbilled,
    History,
    Revision,
    RevisionResult,
    Waits,
    decide_revision,
    is_by_first_bill,
    judge_turn,
)

RACES_MAX = 5  # with other processes; one look finds what they committed
SUBJECT_MAX = 100
WAITING_FLIGHTS_MAX = 500

RevisionResults = list[RevisionResult]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Pending:
    """A revision to decide: it just arrived, or it waited (`kept`)."""

    admitted: Admitted[Revision]
    kept: bool

    @property
    def revision(self) -> Revision:
        return self.admitted.event

    @property
    def place(self) -> tuple[str, int]:
        return self.revision.flight_id, self.revision.revision


@dataclass(slots=True)
class _Round:
    """What one round makes of the lowest revision of each flight."""

    results: list[tuple[_Pending, RevisionResult]] = field(default_factory=list)
    due: list[_Pending] = field(default_factory=list)
    early: list[_Pending] = field(default_factory=list)
    lost: list[_Pending] = field(default_factory=list)


async def take(tx: Tx, arrived: Sequence[Admitted[Revision]]) -> RevisionResults:
    """Decide what arrived and what waited of the same flights; keep what is not due."""
    return await _apply(tx, arrived, {admitted.event.flight_id for admitted in arrived})


async def catch_up(tx: Tx, flight_ids: Collection[str]) -> RevisionResults:
    """Decide what waited of these flights and is due now."""
    return await _apply(tx, [], flight_ids)


async def _apply(
    tx: Tx, arrived: Sequence[Admitted[Revision]], flight_ids: Collection[str]
) -> RevisionResults:
    """Raises TryAgain when other processes were first too often: the batch is read again."""
    queues = _queues([*await _waited(tx, flight_ids), *(_Pending(admitted=a, kept=False) for a in arrived)])
    results: RevisionResults = []
    races = 0
    while queues:
        done = await _round(tx, [queue[0] for queue in queues.values()], queues)
        results += [result for _, result in done.results]
        races += bool(done.lost)
        if races > RACES_MAX:
            raise TryAgain(f"{len(done.lost)} revisions were decided by others {races} times")
        for pending, _ in done.results:
            queues[pending.revision.flight_id].remove(pending)
        queues = {flight_id: queue for flight_id, queue in queues.items() if queue}
        for pending in done.early:
            queues.pop(pending.revision.flight_id, None)
    return results


async def _waited(tx: Tx, flight_ids: Collection[str]) -> list[_Pending]:
    """What waits of these flights; a record that no release can read any more becomes a dead letter."""
    pending = []
    for kept in await store.waiting.lock_of_flights(tx, flight_ids) if flight_ids else []:
        record = kept.admitted.record
        try:
            revision = wire.events.REVISIONS[record.topic](record)
        except Unreadable as problem:
            await inbox.bury_unreadable(tx, [record], problem)
            await store.waiting.forget(tx, [(kept.flight_id, kept.revision)])
            continue
        admitted = Admitted(revision, record, kept.admitted.event_key, kept.admitted.cause)
        pending.append(_Pending(admitted=admitted, kept=True))
    return pending


def _queues(pending: Iterable[_Pending]) -> dict[str, list[_Pending]]:
    """By flight, in the order of the revisions; of one revision, what waited first."""
    queues: dict[str, list[_Pending]] = {}
    for one in sorted(pending, key=lambda one: one.place):
        queues.setdefault(one.revision.flight_id, []).append(one)
    return queues


async def _round(tx: Tx, lowest: Sequence[_Pending], queues: Mapping[str, Sequence[_Pending]]) -> _Round:
    histories = await store.revisions.histories(tx, queues.keys())
    done = _judge(lowest, histories)
    decided = await _decide(tx, done.due, histories)
    await _write(tx, decided, histories, done)
    early = [one for pending in done.early for one in queues[pending.revision.flight_id]]
    await _keep(tx, early, done)
    await _bury(tx, done)
    await store.waiting.forget(tx, [pending.place for pending, _ in done.results if pending.kept])
    return done


def _judge(lowest: Sequence[_Pending], histories: Mapping[str, History]) -> _Round:
    done = _Round()
    for pending in lowest:
        verdict = judge_turn(pending.revision, histories[pending.revision.flight_id])
        if isinstance(verdict, FlightRefusal | Repeat):
            done.results.append((pending, verdict))
        elif isinstance(verdict, Waits):
            done.early.append(pending)
        else:
            done.due.append(pending)
    return done


async def _decide(
    tx: Tx, due: Sequence[_Pending], histories: Mapping[str, History]
) -> list[tuple[_Pending, RevisionResult]]:
    """Price what is due, each by the version of the book it asks for."""
    by_version: dict[int | None, list[_Pending]] = {}
    for pending in due:
        history = histories[pending.revision.flight_id]
        first = history.first if is_by_first_bill(pending.revision, history) else None
        by_version.setdefault(first.school_version if first else None, []).append(pending)
    decided: list[tuple[_Pending, RevisionResult]] = []
    for version, some in by_version.items():
        book = await _book(tx, [p.revision.flight for p in some if p.revision.flight], version)
        decided += [(p, decide_revision(p.revision, histories[p.revision.flight_id], book)) for p in some]
    return decided


async def _book(tx: Tx, flights: Sequence[Flight], version: int | None) -> Book:
    if version is None:
        return await store.book.read(tx, flights)
    return await store.book.read_at(tx, flights, version)


async def _write(
    tx: Tx,
    decided: Sequence[tuple[_Pending, RevisionResult]],
    histories: Mapping[str, History],
    done: _Round,
) -> None:
    """Write bills and cancellations and stage what they tell; where another process was first, it is lost."""
    bills = {bill_id(result): (pending, result) for pending, result in decided if isinstance(result, Bill)}
    cancelled = [result for _, result in decided if isinstance(result, CancelledUnbilled)]
    written = await store.bills.insert(tx, {id: bill for id, (_, bill) in bills.items()})
    noted = await store.revisions.cancel(tx, cancelled)
    await fault_point("billing.revisions_written")
    messages: list[Message] = []
    for id, (pending, bill) in bills.items():
        if id in written:
            messages += _messages(id, bill, histories[bill.flight.flight_id], pending)
    await outbox.stage(tx, messages)
    for pending, result in decided:
        stands = (
            (isinstance(result, Bill) and bill_id(result) in written)
            or (isinstance(result, CancelledUnbilled) and pending.revision.flight_id in noted)
            or isinstance(result, FlightRefusal)
        )
        if stands:
            done.results.append((pending, result))
        else:
            done.lost.append(pending)


def bill_id(bill: Bill) -> UUID:
    """A flight that is billed again, after a restore, has the same bill."""
    return named_uuid(f"bill {bill.flight.name}", bill.occurred_at)


def _messages(id: UUID, bill: Bill, history: History, pending: _Pending) -> list[Message]:
    cause = pending.admitted.cause
    if history.first is None:
        return wire.events.messages([(id, bill, cause)])
    return [wire.events.flight_revised(id, bill, history.first, cause)]


async def _keep(tx: Tx, early: Sequence[_Pending], done: _Round) -> None:
    """Keep what is before its turn. Of one revision the first content waits; the same again is a repeat."""
    first: dict[tuple[str, int], _Pending] = {}
    for pending in early:
        before = first.setdefault(pending.place, pending)
        if before is not pending:
            done.results.append((pending, _again(pending.revision, before.revision)))
    new = [pending for pending in first.values() if not pending.kept]
    kept = await store.waiting.keep(tx, [pending.admitted for pending in new])
    if len(kept) < len(new):
        raise TryAgain("another process keeps a revision of the same flight")
    await fault_point("billing.revisions_kept")


def _again(revision: Revision, waiting: Revision) -> FlightRefusal | Repeat:
    if revision.fingerprint() == waiting.fingerprint():
        return Repeat(flight=revision)
    return refuse(
        revision,
        "waits_with_other_content",
        f"revision {revision.revision} waits with other content; send it under the next revision",
    )


async def _bury(tx: Tx, done: _Round) -> None:
    refusals = [
        refusal_letter(pending.admitted, result)
        for pending, result in done.results
        if isinstance(result, FlightRefusal)
    ]
    await dead_letters.bury(tx, refusals)


def refusal_letter(admitted: Admitted[Any], refusal: FlightRefusal) -> dead_letters.Refusal:
    """The dead letter of a flight or a revision that is refused."""
    return dead_letters.Refusal(
        admitted=admitted,
        reason=refusal.reason,
        sentence=refusal.sentence,
        subject=refusal.flight.name[:SUBJECT_MAX],
    )
