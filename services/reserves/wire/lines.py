"""Records in: rows of Stripe's balance, journals that move its cash, transfers that were sent."""

from collections.abc import Iterable, Sequence
from typing import Final

from fleet.admitted import Admitted
from fleet.envelope import Record
from fleet.inbox import read
from schemas.journal_types import happened_at_stripe
from schemas.journals import JournalPosted, JournalRefused
from schemas.refunds import RefundSettled
from schemas.school import SchoolAccepted
from schemas.stripe_balance import StripeTransaction
from schemas.transfers import TransferSent
from services.reserves.domain.lines import EXTERNAL_STRIPE, BookLine, StripeLine

_CASH: Final = f'"{EXTERNAL_STRIPE}"'.encode()
_ASKED_FOR: Final = (b"stripe:", b"revert:")


def stripe_transaction(record: Record) -> StripeLine:
    """Read `stripe.transaction`."""
    event = read(record, StripeTransaction)
    return StripeLine(
        transaction_id=event.transaction_id,
        version=event.version,
        type=event.type,
        category=event.category or event.type,
        balance_type=event.balance_type,
        amount=event.amount,
        fee=event.fee,
        net=event.net,
        currency=event.currency,
        source_id=event.source_id,
        made_at=event.made_at,
        available_at=event.available_at,
        expected=tuple(dict.fromkeys(event.expected)),
        is_before=event.standing == "before",
        noted_at=event.noted_at,
    )


def of_cash(batch: Sequence[Record]) -> list[Record]:
    """Of the ledger's journals, those that name Stripe's cash; there are many times as many others."""
    return [record for record in batch if record.value is None or _CASH in record.value]


def journal_posted(record: Record) -> JournalPosted:
    """Read `journal.posted`."""
    return read(record, JournalPosted)


def book_lines(admitted: Iterable[Admitted[JournalPosted]]) -> list[BookLine]:
    """The journals that move Stripe's cash in the books."""
    return [line for one in admitted if (line := _book_line(one.event)) is not None]


def _book_line(event: JournalPosted) -> BookLine | None:
    ours = [entry for entry in event.entries if entry.wallet == EXTERNAL_STRIPE]
    if not ours:
        return None
    return BookLine(
        journal_id=event.journal_id,
        source=event.source,
        event_type=event.event_type,
        currency=event.currency,
        amount=sum(entry.amount for entry in ours),
        at_stripe=happened_at_stripe(event.event_type),
        parties=tuple(sorted({entry.wallet for entry in event.entries} - {EXTERNAL_STRIPE})),
        occurred_at=event.occurred_at,
        recorded_at=event.recorded_at,
        version=max(entry.version for entry in ours),
    )


def transfer_sent(record: Record) -> TransferSent:
    """Read `transfer.sent`."""
    return read(record, TransferSent)


def school_accepted(record: Record) -> SchoolAccepted:
    """Read `school.accepted`."""
    return read(record, SchoolAccepted)


def of_reconciliation(batch: Sequence[Record]) -> list[Record]:
    """Refusals that may be of what somebody accepted: of rows of Stripe's, and of reverts; keyed by source.

    What has no source as its key is taken too: it is read, and buried when it is no answer of the ledger.
    """
    return [one for one in batch if one.key is None or b":" not in one.key or one.key.startswith(_ASKED_FOR)]


def journal_refused(record: Record) -> JournalRefused:
    """Read `journal.refused`."""
    return read(record, JournalRefused)


def refund_settled(record: Record) -> RefundSettled:
    """Read `refund.settled`."""
    return read(record, RefundSettled)
