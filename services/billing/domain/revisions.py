"""Corrections and cancellations of flights: when each is due, and what becomes of it. Pure.

The revisions of a flight are applied in their order. One that was refused is passed over; one that did not
come yet is waited for.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from uuid import UUID

from services.billing.domain.billing import decide_bill
from services.billing.domain.bills import (
    Bill,
    Correction,
    FlightRefusal,
    Hours,
    PricedBy,
    Repeat,
    RevisionKind,
    refuse,
)
from services.billing.domain.fact_checks import FLIGHT_ID_MAX
from services.billing.domain.flights import Flight, name_of
from services.billing.domain.rates import Book


@dataclass(frozen=True, slots=True, kw_only=True)
class Revision:
    """A correction of a flight, with all its facts, or its cancellation (`flight` is None)."""

    flight_id: str
    revision: int
    flight: Flight | None
    reason: str
    made_by: str
    priced_by: PricedBy = "bill"

    @property
    def kind(self) -> RevisionKind:
        return "cancelled" if self.flight is None else "corrected"

    @property
    def name(self) -> str:
        """Its natural key: a dead letter's subject."""
        return name_of(self.flight_id, self.revision)

    def fingerprint(self) -> str:
        """SHA-256 of all that it says, in hexadecimal: a repeat has the same, other content has another."""
        facts = None if self.flight is None else [self.flight.facts(), self.flight.not_tenths]
        said = [self.kind, self.revision, facts, self.reason, self.made_by, self.priced_by]
        text = json.dumps(said, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
        return hashlib.sha256(text.encode()).hexdigest()


@dataclass(frozen=True, slots=True, kw_only=True)
class FiledBill:
    """A bill of the flight that stands in the tables. `entries`: wallet and amount, credit positive.

    elsewhere: other software billed the flight.
    """

    bill_id: UUID
    flight_id: str
    revision: int
    student: str
    billed_on: date
    occurred_at: datetime
    currency: str
    school_version: int
    entries: tuple[tuple[str, int], ...]
    elsewhere: bool = False

    @property
    def source(self) -> str:
        """The source of its journal."""
        return name_of(self.flight_id, self.revision)


@dataclass(frozen=True, slots=True, kw_only=True)
class History:
    """What is known of a flight before a revision of it is decided.

    fingerprints: of its decided revisions. refused: revisions that are dead letters, whatever they were.
    refused_flights: those of them that were `flight.completed`.
    """

    first: FiledBill | None = None
    in_force: FiledBill | None = None
    fingerprints: Mapping[int, str] = field(default_factory=dict)
    refused: frozenset[int] = frozenset()
    refused_flights: frozenset[int] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class Due:
    """The revision is the next one of its flight."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Waits:
    """It is not its turn. `missing`: the earliest revision that did not come; None: the flight itself."""

    missing: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class CancelledUnbilled:
    """A flight that was refused is cancelled: it never gets a bill of an earlier revision."""

    revision: Revision


RevisionResult = Bill | CancelledUnbilled | FlightRefusal | Repeat


def judge_turn(revision: Revision, history: History) -> Due | Waits | FlightRefusal | Repeat:
    """Say whether a revision is due, waits for an earlier one, or was decided before."""
    if len(revision.flight_id) > FLIGHT_ID_MAX:
        return refuse(revision, "identifier_too_long", f"its id is longer than {FLIGHT_ID_MAX} characters")
    decided = history.fingerprints.get(revision.revision)
    if decided is not None:
        return _decided(revision, same=decided == revision.fingerprint())
    last = max(history.fingerprints, default=None)
    if last is not None and revision.revision < last:
        return refuse(
            revision,
            "revision_passed",
            f"revision {last} is in force, which is later; send it as revision {last + 1}",
        )
    begin = last or max((r for r in history.refused_flights if r < revision.revision), default=None)
    if begin is None:
        # A cancellation as revision 1 is of a flight that was only dispatched: nothing comes before it.
        return Due() if revision.revision == 1 else Waits(missing=None)
    between = range(begin + 1, revision.revision)
    missing = next((r for r in between if r not in history.refused), None)
    return Due() if missing is None else Waits(missing=missing)


def _decided(revision: Revision, *, same: bool) -> FlightRefusal | Repeat:
    if same:
        return Repeat(flight=revision)
    return refuse(
        revision,
        "billed_with_other_content",
        f"revision {revision.revision} is billed with other content; send it under the next revision",
    )


def decide_revision(revision: Revision, history: History, book: Book) -> RevisionResult:
    """Price a revision that is due, whole. `book`: the one `priced_by` asks for.

    It is the first bill of a flight that has none. What other software billed is corrected by hand.
    """
    if history.first is not None and history.first.elsewhere:
        return refuse(
            revision,
            "billed_elsewhere",
            "other software billed it, and what it charged is not known here: ask for the difference by hand "
            "(hobbs adjustments amend)",
        )
    correction = Correction(
        kind=revision.kind,
        reason=revision.reason,
        made_by=revision.made_by,
        priced_by=revision.priced_by,
        corrects=history.first.bill_id if history.first else None,
    )
    if revision.flight is None:
        if history.in_force is None:
            return CancelledUnbilled(revision=revision)
        return _empty_bill(revision, history.in_force, correction)
    result = decide_bill(revision.flight, book)
    if isinstance(result, Bill):
        return replace(result, fingerprint=revision.fingerprint(), correction=correction)
    return _with_way_out(result, revision, history)


def is_by_first_bill(revision: Revision, history: History) -> bool:
    """Whether it is priced by the version of the book that priced the flight's first bill."""
    return history.first is not None and revision.priced_by == "bill"


def _empty_bill(revision: Revision, standing: FiledBill, correction: Correction) -> Bill:
    """The bill of a flight that did not take place: of the same day and student, without a line."""
    return Bill(
        flight=Flight(
            flight_id=revision.flight_id,
            revision=revision.revision,
            student=standing.student,
            given_date=standing.billed_on,
        ),
        fingerprint=revision.fingerprint(),
        billed_on=standing.billed_on,
        occurred_at=standing.occurred_at,
        currency=standing.currency,
        charge=0,
        margin=0,
        hours=Hours(billed=0, source="none"),
        lines=(),
        legs=(),
        flags=(),
        named=(),
        school_version=standing.school_version,
        correction=correction,
    )


_OF_THE_BOOK = frozenset(
    {"no_rate_in_force", "unknown_aircraft", "unknown_instructor", "unknown_owner", "unknown_student"}
)


def _with_way_out(refusal: FlightRefusal, revision: Revision, history: History) -> FlightRefusal:
    """Say of a card that is missing in which version of the book it is missing."""
    if history.first is None or refusal.reason not in _OF_THE_BOOK or revision.priced_by == "book":
        return refusal
    version = history.first.school_version
    return replace(
        refusal,
        sentence=f"{refusal.sentence}; a correction is priced by version {version} of the book, which priced "
        f"the flight's first bill; send revision {revision.revision + 1} with priced_by book for the newest",
    )
