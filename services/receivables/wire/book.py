"""The school's book as credit follows it: the policy, students' own limits, time zone and currency."""

from collections.abc import Iterable
from dataclasses import dataclass

from fleet.admitted import Admitted
from fleet.envelope import Record
from fleet.inbox import read
from schemas.credit_cards import CreditCard, CreditLimitCard
from schemas.school import SchoolAccepted, SchoolChange
from services.receivables.domain.credit import LimitCard, PolicyCard


@dataclass(frozen=True, slots=True, kw_only=True)
class BookRead:
    """What a version of the book says of credit; `school`: zone and currency where it names them."""

    version: int
    school: tuple[str, str] | None
    policies: tuple[PolicyCard, ...]
    limits: tuple[LimitCard, ...]


def school_accepted(record: Record) -> SchoolAccepted:
    return read(record, SchoolAccepted)


def versions(accepted: Iterable[Admitted[SchoolAccepted]]) -> list[BookRead]:
    """What these versions of the book say of credit."""
    return [_book_read(one.event) for one in accepted]


def _book_read(event: SchoolAccepted) -> BookRead:
    schools = event.schools()
    return BookRead(
        version=event.version,
        school=(schools[-1].time_zone, schools[-1].currency) if schools else None,
        policies=tuple(_policy(event.version, c) for c in event.changes if c.kind == "credit"),
        limits=tuple(_limit(event.version, c) for c in event.changes if c.kind == "credit_limit"),
    )


def _policy(version: int, change: SchoolChange) -> PolicyCard:
    policy = None if change.new is None else CreditCard.model_validate(change.new).model_dump()
    return PolicyCard(effective_from=change.effective_from, version=version, policy=policy)


def _limit(version: int, change: SchoolChange) -> LimitCard:
    card = CreditLimitCard.model_validate(change.new or {})
    return LimitCard(
        student=change.key,
        effective_from=change.effective_from,
        version=version,
        withdrawn=change.new is None,
        amount=card.limit,
        until=card.until,
        frozen=card.frozen,
    )
