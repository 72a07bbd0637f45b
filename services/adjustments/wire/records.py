"""Records in: revisions of flights, the ledger's answers, the school's book, what payouts tells."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from fleet.admitted import Admitted
from fleet.envelope import Record
from fleet.inbox import Unreadable, read
from schemas.flights import BilledEntry, FlightRevised
from schemas.journals import JournalPosted, JournalRefused
from schemas.refunds import RefundSettled
from schemas.reversals import ReversalSettled
from schemas.school import AdjustmentsCard, SchoolAccepted
from schemas.transfers import TransferSent
from services.adjustments.domain.adjustments import PREFIX
from services.adjustments.domain.flights import FirstBill, Revision
from services.adjustments.domain.journals import PostedJournal, RefusedJournal
from services.adjustments.domain.recoveries import Lost, Won

SOURCE_CHARS_MAX = 100  # of a journal's source, as the ledger takes it
SETTLEMENT_PREFIX = "settlement:"
RETURNED_PREFIX = "refund-failed:"  # receivables' journals of refunds that banks sent back
LOST_PREFIX, WON_PREFIX = "dispute-lost:", "dispute-won:"  # receivables' journals of disputes that ended
_OURS = tuple(
    prefix.encode() for prefix in (PREFIX, SETTLEMENT_PREFIX, RETURNED_PREFIX, LOST_PREFIX, WON_PREFIX)
)
_SOURCES = b'"sources":'
_PAID_OURS = f'"{PREFIX}'.encode()


def flight_revised(record: Record) -> Revision:
    """Read `flight.revised`. Raises Unreadable when its amounts do not add up or name a wallet twice."""
    event = read(record, FlightRevised)
    revision = Revision(
        flight_id=event.flight_id,
        revision=event.revision,
        kind=event.kind,
        bill_id=event.bill_id,
        first=FirstBill(
            currency=event.currency,
            source=event.first_source,
            entries=_amounts(event.first_entries, "first_entries"),
        ),
        entries=_amounts(event.entries, "entries"),
        student_before=event.student_before,
        student=event.student,
        flown_on=event.flown_on,
        occurred_at=event.occurred_at,
        priced_by=event.priced_by,
        reason=event.reason,
        made_by=event.made_by,
    )
    if len(PREFIX + revision.name) > SOURCE_CHARS_MAX:
        raise Unreadable(
            "flight_id_too_long", f"the source of its journal has over {SOURCE_CHARS_MAX} characters"
        )
    return revision


def _amounts(entries: Sequence[BilledEntry], name: str) -> dict[str, int]:
    amounts = {entry.wallet: entry.amount for entry in entries if entry.amount}
    if len({entry.wallet for entry in entries}) < len(entries):
        raise Unreadable("wallet_named_twice", f"{name} name a wallet twice")
    if total := sum(amounts.values()):
        raise Unreadable("not_balanced", f"{name} sum to {total}, not zero")
    return dict(sorted(amounts.items()))


def ours(batch: Sequence[Record]) -> list[Record]:
    """Of the ledger's answers, those about this service's journals, settlements, and disputes that ended.

    The key is the source.

    There are millions of others, which cost no row in the inbox. What has no source as its key is taken too:
    it is read, and buried when it is no answer of the ledger.
    """
    return [record for record in batch if not _of_another(record.key)]


def _of_another(key: bytes | None) -> bool:
    return key is not None and b":" in key and not key.startswith(_OURS)


def paying_ours(batch: Sequence[Record]) -> list[Record]:
    """Of the transfers sent, those that may name an adjustment's journal; and what is no transfer at all."""
    return [record for record in batch if not _paid_others(record.value)]


def _paid_others(value: bytes | None) -> bool:
    return value is not None and _SOURCES in value and _PAID_OURS not in value


def journal_posted(record: Record) -> JournalPosted:
    """Read `journal.posted`."""
    return read(record, JournalPosted)


def posted_journal(event: JournalPosted) -> PostedJournal:
    """What the ledger posted of an adjustment; a wallet's entries in one amount."""
    amounts: dict[str, int] = {}
    for entry in event.entries:
        amounts[entry.wallet] = amounts.get(entry.wallet, 0) + entry.amount
    return PostedJournal(
        source=event.source,
        journal_id=event.journal_id,
        currency=event.currency,
        entries={wallet: amount for wallet, amount in sorted(amounts.items()) if amount},
        recorded_at=event.recorded_at,
    )


def ended_disputes(posted: Sequence[Admitted[JournalPosted]]) -> list[Admitted[Lost | Won]]:
    """The disputes whose end receivables' journals book, when a student's account bears it."""
    return [
        Admitted(end, one.record, one.event_key, one.cause)
        for one in posted
        if (end := _ended_dispute(one.event)) is not None
    ]


def _ended_dispute(event: JournalPosted) -> Lost | Won | None:
    if event.source.startswith(WON_PREFIX):
        return Won(dispute_id=event.source.removeprefix(WON_PREFIX), occurred_at=event.occurred_at)
    owing = [entry for entry in event.entries if entry.amount < 0 and entry.wallet.startswith("student:")]
    if not event.source.startswith(LOST_PREFIX) or not owing:
        return None
    return Lost(
        dispute_id=event.source.removeprefix(LOST_PREFIX),
        student=owing[0].wallet,
        currency=event.currency,
        amount=-owing[0].amount,
        version=owing[0].version,
        occurred_at=event.occurred_at,
    )


def journal_refused(record: Record) -> JournalRefused:
    """Read `journal.refused`."""
    return read(record, JournalRefused)


def refused_journal(event: JournalRefused) -> RefusedJournal:
    return RefusedJournal(source=event.source, reason=event.reason, sentence=event.sentence)


def is_of_adjustment(source: str) -> bool:
    return source.startswith(PREFIX)


@dataclass(frozen=True, slots=True, kw_only=True)
class BookRead:
    """What this service follows of a version of the school's book.

    cards: first day and settings of each policy card, None for a withdrawn one. time_zone: when it is named.
    """

    version: int
    time_zone: str | None
    cards: tuple[tuple[date, dict[str, Any] | None], ...]


def school_accepted(record: Record) -> BookRead:
    """Read `school.accepted`: the policy cards, and the time zone when it names one."""
    event = read(record, SchoolAccepted)
    schools = event.schools()
    cards = tuple(
        (
            change.effective_from,
            None if change.new is None else AdjustmentsCard.model_validate(change.new).model_dump(),
        )
        for change in event.changes
        if change.kind == "adjustments"
    )
    return BookRead(version=event.version, time_zone=schools[-1].time_zone if schools else None, cards=cards)


def transfer_sent(record: Record) -> TransferSent:
    """Read `transfer.sent`."""
    return read(record, TransferSent)


def reversal_settled(record: Record) -> ReversalSettled:
    """Read `reversal.settled`."""
    return read(record, ReversalSettled)


def refund_settled(record: Record) -> RefundSettled:
    """Read `refund.settled`."""
    return read(record, RefundSettled)
