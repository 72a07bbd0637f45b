"""What billing would make of flights and corrections that nobody has published yet."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any, Literal
from uuid import UUID

from fleet.database import Tx
from schemas.flights import FlightCancelled, FlightCompleted, FlightCorrected
from services.billing import wire
from services.billing.desk import reads
from services.billing.desk.reads import revisions as revision_reads
from services.billing.domain.billing import decide_bill
from services.billing.domain.bills import Bill, FlightRefusal
from services.billing.domain.rates import Book
from services.billing.domain.revisions import (
    Due,
    FiledBill,
    History,
    Revision,
    decide_revision,
    is_by_first_bill,
    judge_turn,
)


async def refusals(tx: Tx, flights: Sequence[FlightCompleted]) -> list[FlightRefusal | None]:
    """For each flight why it would be refused, or None; flights that were billed before are judged too."""
    return [one if isinstance(one, FlightRefusal) else None for one in await results(tx, flights)]


async def results(tx: Tx, flights: Sequence[FlightCompleted]) -> list[Bill | FlightRefusal]:
    """For each flight its bill by today's book, or why it would be refused, whatever was billed before."""
    book = _newest(await reads.whole_book(tx))
    return [decide_bill(wire.events.flight_from_event(flight), book) for flight in flights]


def _newest(whole: reads.WholeBook) -> Book:
    cards = [
        {
            "kind": card.kind,
            "key": card.key,
            "effective_from": card.effective_from,
            "version": card.version,
            "card": card.document,
        }
        for card in whole.cards
    ]
    return reads.book_of_cards(cards, version=whole.version)


@dataclass(frozen=True, slots=True, kw_only=True)
class RevisionPreview:
    """What a correction or a cancellation would do now. Amounts are minor units.

    state: `due` it is applied at once; `waits` for an earlier revision; `decided` before; `refused`.
    before, after: what the bill in force and the new one leave on each wallet, credit positive; both empty
    unless it is due.
    """

    flight_id: str
    revision: int
    state: Literal["due", "waits", "decided", "refused"]
    sentence: str = ""
    reason: str = ""
    currency: str = "USD"
    billed_on: date | None = None
    before: Mapping[str, int]
    after: Mapping[str, int]

    def differences(self) -> dict[str, int]:
        """By how much each wallet changes; none of zero."""
        wallets = dict.fromkeys([*self.before, *self.after])
        changed = {wallet: self.after.get(wallet, 0) - self.before.get(wallet, 0) for wallet in wallets}
        return {wallet: amount for wallet, amount in changed.items() if amount}


async def revisions(tx: Tx, events: Sequence[FlightCorrected | FlightCancelled]) -> list[RevisionPreview]:
    """Judge each in the order of the revisions, as if all were published; one result for each, in order."""
    known = await revision_reads.flight_histories(tx, {event.flight_id for event in events})
    books = _Books(_newest(await reads.whole_book(tx)), await reads.card_history(tx))
    previews: dict[int, RevisionPreview] = {}
    for place in sorted(range(len(events)), key=lambda place: events[place].revision):
        revision = wire.events.revision_from_event(events[place])
        history = known.get(revision.flight_id, History())
        previews[place], known[revision.flight_id] = _preview(revision, history, books)
    return [previews[place] for place in range(len(events))]


class _Books:
    """The book at each version that prices something."""

    def __init__(self, newest: Book, changes: Sequence[reads.CardHistory]) -> None:
        self.newest = newest
        self._changes = changes
        self._at: dict[int, Book] = {}

    def at(self, version: int) -> Book:
        if version not in self._at:
            stands: dict[tuple[str, str, date], dict[str, Any]] = {}
            for change in self._changes:
                if change.version <= version:
                    place = (change.kind, change.key, change.effective_from)
                    stands[place] = {
                        "kind": change.kind,
                        "key": change.key,
                        "effective_from": change.effective_from,
                        "version": change.version,
                        "card": change.new,
                    }
            cards = [card for card in stands.values() if card["card"] is not None]
            self._at[version] = reads.book_of_cards(cards, version=version)
        return self._at[version]


def _preview(revision: Revision, history: History, books: _Books) -> tuple[RevisionPreview, History]:
    """What becomes of a revision, and the flight's history after it."""
    nothing = RevisionPreview(
        flight_id=revision.flight_id, revision=revision.revision, state="waits", before={}, after={}
    )
    if revision.revision in history.fingerprints:
        said = f"revision {revision.revision} is decided; the same again changes nothing"
        return replace(nothing, state="decided", sentence=said), history
    turn = judge_turn(revision, history)
    if isinstance(turn, FlightRefusal):
        return replace(nothing, state="refused", reason=turn.reason, sentence=turn.sentence), history
    if not isinstance(turn, Due):
        return replace(nothing, sentence="waits for its flight, or for an earlier revision"), history
    first = history.first if is_by_first_bill(revision, history) else None
    result = decide_revision(revision, history, books.at(first.school_version) if first else books.newest)
    if isinstance(result, FlightRefusal):
        passed = replace(history, refused=history.refused | {revision.revision})
        return replace(nothing, state="refused", reason=result.reason, sentence=result.sentence), passed
    decided = {**history.fingerprints, revision.revision: revision.fingerprint()}
    if not isinstance(result, Bill):
        return replace(nothing, state="due"), replace(history, fingerprints=decided)
    filed = _filed(result, first=history.first)
    preview = replace(
        nothing,
        state="due",
        currency=result.currency,
        billed_on=result.billed_on,
        before=dict(history.in_force.entries) if history.in_force else {},
        after=dict(result.entries()),
    )
    return preview, replace(history, first=history.first or filed, in_force=filed, fingerprints=decided)


def _filed(bill: Bill, *, first: FiledBill | None) -> FiledBill:
    """The bill as the next revision of the same flight would find it."""
    return FiledBill(
        bill_id=first.bill_id if first else UUID(int=0),
        flight_id=bill.flight.flight_id,
        revision=bill.flight.revision,
        student=bill.flight.student,
        billed_on=bill.billed_on,
        occurred_at=bill.occurred_at,
        currency=bill.currency,
        school_version=bill.school_version,
        entries=tuple(bill.entries()),
    )
