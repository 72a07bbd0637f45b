"""The events Stripe is asked to send, as docs/operations/stripe.md tells operators to choose them.

Others would harm nothing; `payment.created`, once for each transfer, would double what the gateway takes.
"""

from typing import Final

from services.payouts.stripe.missed_events import TYPES
from services.payouts.stripe.webhooks import ACCOUNT_EVENTS, PAYOUT_EVENTS, PROVING, REVERSAL_EVENTS

EVENTS: Final = {
    "platform": sorted({*TYPES, *PROVING, *REVERSAL_EVENTS, "charge.failed", "topup.succeeded"}),
    "connect": sorted(ACCOUNT_EVENTS | PAYOUT_EVENTS),
}
