"""The journals that services post: their event types, and how their sources begin.

They are not for people to post (docs/decisions/0165): the ledger refuses them by hand, in the command line
and in SQL (`service_of_journal` in services/ledger/functions/by_hand.sql). Whoever adds a type to a service
adds it here; a test compares this with what the services publish.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class JournalType:
    """Journals of `event_type`, with sources `<prefix>:…`, that only `service` asks the ledger for.

    at_stripe: they record what happened at Stripe, which no other journal changes. undone_by: the command
    that takes back what they stand for, and posts the opposite itself.
    """

    event_type: str
    prefix: str
    service: str
    at_stripe: bool = False
    undone_by: str | None = None


NOTES = "hobbs payments revert-note"
REGISTERED = (
    JournalType(event_type="flight", prefix="flight", service="billing"),
    JournalType(event_type="adjustment", prefix="adjustment", service="adjustments"),
    JournalType(event_type="settlement", prefix="settlement", service="adjustments"),
    JournalType(event_type="transfer", prefix="transfer", service="payouts", at_stripe=True),
    JournalType(event_type="reversal", prefix="reversal", service="payouts", at_stripe=True),
    JournalType(event_type="instant_fee", prefix="instant-fee", service="payouts", at_stripe=True),
    JournalType(event_type="stripe_account_fee", prefix="stripe", service="payouts", at_stripe=True),
    JournalType(event_type="stripe_payout", prefix="stripe", service="payouts", at_stripe=True),
    JournalType(event_type="stripe_topup", prefix="stripe", service="payouts", at_stripe=True),
    JournalType(event_type="payment", prefix="charge", service="receivables", at_stripe=True),
    JournalType(event_type="payment_failed", prefix="payment-failed", service="receivables", at_stripe=True),
    JournalType(event_type="stripe_fee", prefix="charge-fee", service="receivables", at_stripe=True),
    JournalType(event_type="allocation", prefix="allocation", service="receivables"),
    JournalType(event_type="payment_moved", prefix="payment-moved", service="receivables"),
    JournalType(event_type="refund", prefix="refund", service="receivables", at_stripe=True),
    JournalType(event_type="refund_failed", prefix="refund-failed", service="receivables", at_stripe=True),
    JournalType(event_type="dispute", prefix="dispute", service="receivables", at_stripe=True),
    JournalType(event_type="dispute_fee", prefix="dispute-fee", service="receivables", at_stripe=True),
    JournalType(event_type="dispute_won", prefix="dispute-won", service="receivables", at_stripe=True),
    JournalType(event_type="dispute_lost", prefix="dispute-lost", service="receivables", at_stripe=True),
    JournalType(
        event_type="payment_recorded",
        prefix="recorded",
        service="receivables",
        undone_by="hobbs payments revert",
    ),
    JournalType(event_type="payment_reverted", prefix="recorded-reverted", service="receivables"),
    JournalType(
        event_type="cheque_cleared",
        prefix="recorded-cleared",
        service="receivables",
        undone_by="hobbs payments bounce",
    ),
    JournalType(event_type="cheque_bounced", prefix="recorded-bounced", service="receivables"),
    JournalType(
        event_type="bank_deposit",
        prefix="bank-deposit",
        service="receivables",
        undone_by="hobbs payments revert-deposit",
    ),
    JournalType(event_type="bank_deposit_reverted", prefix="bank-deposit-reverted", service="receivables"),
    JournalType(event_type="refund_paid_out", prefix="paid-out", service="receivables", undone_by=NOTES),
    JournalType(event_type="credit_note", prefix="credit-note", service="receivables", undone_by=NOTES),
    JournalType(event_type="write_off", prefix="write-off", service="receivables", undone_by=NOTES),
    JournalType(event_type="cheque_fee", prefix="cheque-fee", service="receivables", undone_by=NOTES),
    JournalType(event_type="note_reverted", prefix="note-reverted", service="receivables"),
    JournalType(event_type="stripe_reconciliation", prefix="stripe", service="reserves"),
    JournalType(event_type="revert", prefix="revert", service="ledger"),
    JournalType(event_type="hold", prefix="hold", service="ledger"),
    JournalType(event_type="opening", prefix="opening", service="ledger"),
)
_PUBLISHERS = {(one.event_type, one.prefix): one.service for one in REGISTERED}
_OWNERS = {name: one for one in reversed(REGISTERED) for name in (one.event_type, one.prefix)}


def service_of_journal(event_type: str, source: str) -> str | None:
    """Which service posts such journals; None: no service, so people may.

    Capital letters make no difference: FLIGHT:F1 would be read as a flight's.
    """
    for name in (event_type, source.partition(":")[0]):
        if owner := _OWNERS.get(name.strip(" ").lower()):
            return owner.service
    return None


def publisher_of_journal(event_type: str, source: str) -> str | None:
    """Which service alone asks for journals of this type and source together; None: nobody does."""
    return _PUBLISHERS.get((event_type, source.partition(":")[0]))


def happened_at_stripe(event_type: str) -> bool:
    """Whether journals of this type record what happened at Stripe."""
    return any(one.event_type == event_type and one.at_stripe for one in REGISTERED)


def undone_by(event_type: str) -> str | None:
    """The command that takes back what such a journal stands for; None: its revert is all there is."""
    return next((one.undone_by for one in REGISTERED if one.event_type == event_type), None)
