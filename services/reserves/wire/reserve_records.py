"""Records in: the ledger's journals, readings of the balance, the school's book."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from typing import Any

from fleet.admitted import Admitted
from fleet.envelope import Record
from fleet.inbox import read
from fleet.zones import local_date
from schemas.journals import JournalPosted
from schemas.school import ReserveCard, SchoolAccepted
from schemas.stripe_balance import StripeBalanceRead
from services.reserves.domain.health import Balance
from services.reserves.domain.positions import Taken


@dataclass(frozen=True, slots=True, kw_only=True)
class BookRead:
    """A version of the book: policies by day (None: withdrawn), and what the school's card says."""

    version: int
    school: tuple[str, str] | None
    cards: tuple[tuple[date, dict[str, Any] | None], ...]


def policies(accepted: Iterable[Admitted[SchoolAccepted]]) -> list[BookRead]:
    """The policies on the reserve in versions of the book, with time zone and currency where named."""
    return [_book_read(one.event) for one in accepted]


def _book_read(event: SchoolAccepted) -> BookRead:
    schools = event.schools()
    cards = tuple(
        (
            change.effective_from,
            None if change.new is None else ReserveCard.model_validate(change.new).model_dump(),
        )
        for change in event.changes
        if change.kind == "reserve"
    )
    school = (schools[-1].time_zone, schools[-1].currency) if schools else None
    return BookRead(version=event.version, school=school, cards=cards)


def taken(posted: Iterable[Admitted[JournalPosted]], zone: str) -> list[Taken]:
    """What journals put on wallets, by the school's calendar."""
    return [
        Taken(
            journal_id=one.event.journal_id,
            event_type=one.event.event_type,
            currency=one.event.currency,
            day=local_date(one.event.occurred_at, zone),
            entries=tuple((entry.wallet, entry.amount) for entry in one.event.entries),
        )
        for one in posted
    ]


def balance_read(record: Record) -> StripeBalanceRead:
    return read(record, StripeBalanceRead)


def balances(event: StripeBalanceRead) -> list[Balance]:
    """A reading of the balance, by currency."""
    return [Balance(number=event.number, read_at=event.read_at, **dict(one)) for one in event.held]
