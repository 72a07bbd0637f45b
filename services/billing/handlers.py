"""Kafka in: one function for each topic; admit, lock, decide, write, stage. No rule lives here."""

from collections.abc import Callable, Iterable, Sequence

from fleet import dead_letters, inbox, outbox
from fleet.database import Database, Tx
from fleet.envelope import Record
from fleet.faults import fault_point
from fleet.inbox import Admitted
from fleet.outages import TryAgain
from services.billing import metrics, steps, store, wire
from services.billing.domain.billing import decide_bill, decide_bills
from services.billing.domain.bills import Bill, BillingResult, FlightRefusal
from services.billing.domain.flights import Flight
from services.billing.domain.rates import Book
from services.billing.domain.revisions import CancelledUnbilled, Revision, RevisionResult
from services.billing.domain.versions import ChangeRefusal, ChangeSet

RACES_MAX = 5  # with other processes; one look finds what they committed

FlightResults = list[tuple[Admitted[Flight], BillingResult]]


async def bill_flights(db: Database, batch: Sequence[Record]) -> None:
    """Price each completed flight once and ask the ledger to post it."""
    with metrics.BATCH_SECONDS.time():
        async with db.transaction() as tx:
            admitted = await inbox.admit(
                tx, batch, wire.events.flight_completed, natural_key=lambda f: f.name
            )
            if not admitted:
                return
            book = await store.book.read(tx, [a.event for a in admitted])
            judged = await _bill_new(tx, admitted, book)
            refused = [(a, v) for a, v in judged if isinstance(v, FlightRefusal)]
            await dead_letters.bury(tx, [steps.revisions.refusal_letter(a, v) for a, v in refused])
            waited = await steps.revisions.catch_up(tx, {a.event.flight_id for a in admitted})
    _count(result for _, result in judged)
    _count(waited)


async def _bill_new(tx: Tx, admitted: Sequence[Admitted[Flight]], book: Book) -> FlightResults:
    """Decide and write. Flights that another process billed meanwhile are decided again.

    Raises TryAgain when that happens RACES_MAX times: the batch is read again.
    """
    judged: FlightResults = []
    for _ in range(RACES_MAX):
        decided = await _bill_once(tx, admitted, book)
        judged += [(a, v) for a, v in decided if v is not None]
        admitted = [a for a, v in decided if v is None]
        if not admitted:
            return judged
    raise TryAgain(f"{len(admitted)} flights were billed by others {RACES_MAX} times and are in no bill")


async def _bill_once(
    tx: Tx, admitted: Sequence[Admitted[Flight]], book: Book
) -> list[tuple[Admitted[Flight], BillingResult | None]]:
    """The result on each flight; None where another process wrote its bill first."""
    flights = [a.event for a in admitted]
    results = decide_bills(flights, book, await store.bills.known(tx, flights))
    bills = {
        steps.revisions.bill_id(v): (a, v)
        for a, v in zip(admitted, results, strict=True)
        if isinstance(v, Bill)
    }
    written = await store.bills.insert(tx, {bill_id: bill for bill_id, (_, bill) in bills.items()})
    await fault_point("billing.bills_written")
    await outbox.stage(
        tx, wire.events.messages((i, bill, a.cause) for i, (a, bill) in bills.items() if i in written)
    )
    lost = {id(a) for i, (a, _) in bills.items() if i not in written}
    return [(a, None if id(a) in lost else v) for a, v in zip(admitted, results, strict=True)]


async def estimate_flights(db: Database, batch: Sequence[Record]) -> None:
    """Say what each dispatched flight would be billed, by the cards and the function that will bill it."""
    async with db.transaction() as tx:
        admitted = await inbox.admit(
            tx,
            batch,
            wire.events.flight_dispatched,
            natural_key=lambda event: f"dispatch:{event.flight_id}:{event.revision}",
        )
        planned = [wire.events.planned_flight(one.event) for one in admitted]
        book = await store.book.read(tx, planned) if planned else None
        await outbox.stage(
            tx,
            [
                wire.events.flight_estimated(one.event, decide_bill(flight, book), one.cause)
                for one, flight in zip(admitted, planned, strict=True)
                if book is not None
            ],
        )


async def correct_flights(db: Database, batch: Sequence[Record]) -> None:
    """Price each correction of a flight and tell of it, in the order of the revisions."""
    await _revise(db, batch, wire.events.flight_corrected)


async def cancel_flights(db: Database, batch: Sequence[Record]) -> None:
    """Give each cancelled flight a bill on which nobody owes anything, in the order of the revisions."""
    await _revise(db, batch, wire.events.flight_cancelled)


async def _revise(db: Database, batch: Sequence[Record], read: Callable[[Record], Revision]) -> None:
    with metrics.REVISION_BATCH_SECONDS.time():
        async with db.transaction() as tx:
            admitted = await inbox.admit(tx, batch, read, natural_key=lambda revision: revision.name)
            results = await steps.revisions.take(tx, admitted)
    _count(results)


async def apply_waiting(db: Database) -> None:
    """Apply revisions whose turn came while another process looked, and set the gauges of those that wait.

    A batch of flights and a batch of corrections do not see each other's rows before both are committed.
    """
    async with db.transaction() as tx:
        ready = await store.waiting.ready(tx, most=steps.revisions.WAITING_FLIGHTS_MAX)
        results = await steps.revisions.catch_up(tx, ready)
        waiting, age_s = await store.waiting.count(tx)
    _count(results)
    metrics.REVISIONS_WAITING.set(waiting)
    metrics.REVISION_WAITING_AGE.set(age_s)


def _count(results: Iterable[BillingResult | RevisionResult]) -> None:
    for result in results:
        if isinstance(result, Bill):
            _count_bill(result)
        elif isinstance(result, FlightRefusal):
            metrics.REFUSALS.labels(result.reason).inc()
        elif isinstance(result, CancelledUnbilled):
            metrics.REVISIONS.labels("cancelled").inc()
        else:
            metrics.REPEATS.inc()


def _count_bill(bill: Bill) -> None:
    if bill.correction is None or bill.correction.corrects is None:
        metrics.BILLS.labels(bill.hours.source).inc()
    if bill.correction is not None:
        metrics.REVISIONS.labels(bill.correction.kind).inc()
    for flag in bill.flags:
        metrics.FLAGS.labels(flag.kind).inc()


async def configure_school(db: Database, batch: Sequence[Record]) -> None:
    """Apply each new version of the school's book, whole or not at all; a refused one is a dead letter.

    People decide on versions (desk/book.py), which are known here when they come: new are those of before a
    restore, and of releases whose command published them. The other services follow `school.accepted`.
    """
    async with db.transaction() as tx:
        admitted = await inbox.admit(tx, batch, wire.events.school_configured)
        if not admitted:
            return
        version = await store.book.lock(tx)
        applied: list[tuple[Admitted[ChangeSet], ChangeRefusal | None]] = []
        for one in admitted:
            refusal = await _apply(tx, one, version)
            version = version if refusal else max(version, one.event.version)
            applied.append((one, refusal))
        await dead_letters.bury(tx, [_change_refusal(a, refusal) for a, refusal in applied if refusal])
    for _, refusal in applied:
        metrics.VERSIONS.labels(refusal.reason if refusal else "applied").inc()


async def _apply(tx: Tx, admitted: Admitted[ChangeSet], version: int) -> ChangeRefusal | None:
    """Apply one change set and tell of it; its refusal, or None when the book has it."""
    changes, event_key = admitted.event, admitted.event_key
    if await store.book.version_of_event(tx, event_key) is not None:
        return None
    refusal = await steps.versions.refusal_of(tx, changes, version=version)
    if refusal is None:
        await store.book.apply(tx, changes, event_key)
        await fault_point("billing.book_written")
        await outbox.stage_named(tx, [wire.events.school_accepted(changes, event_key, admitted.cause)])
    return refusal


def _change_refusal(admitted: Admitted[ChangeSet], refusal: ChangeRefusal) -> dead_letters.Refusal:
    return dead_letters.Refusal(
        admitted=admitted,
        reason=refusal.reason,
        sentence=refusal.sentence,
        subject=f"school:{admitted.event.version}:{admitted.event_key}",
    )
