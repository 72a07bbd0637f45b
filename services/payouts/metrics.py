"""Prometheus metrics of the payouts service."""

from fleet import metrics
from services.payouts.domain import charges, refunds
from services.payouts.domain.answers import StripeVerdict
from services.payouts.domain.clawbacks import Reason
from services.payouts.domain.endpoints import Endpoint
from services.payouts.domain.operations import STOPPED as STOPPED_STATES
from services.payouts.domain.operations import Kind, State
from services.payouts.domain.outcomes import EffectVerdict
from services.payouts.domain.transfers import HoldReason, TransferState

CALLS = metrics.counter(
    "payouts_stripe_calls_total",
    "Calls to Stripe by kind and what the answer proved",
    {"kind": Kind, "verdict": (*StripeVerdict, *EffectVerdict)},
)
CALL_SECONDS = metrics.histogram(
    "payouts_stripe_call_seconds",
    "Time from request to answer at Stripe",
    {"kind": Kind},
    buckets=(0.025, 0.05, 0.1, 0.2, 0.3, 0.5, 1, 2.5, 5, 10, 20),
)
IN_FLIGHT = metrics.gauge("payouts_operations_in_flight", "Operations this process has claimed")
PACER_RATE = metrics.gauge("payouts_stripe_rate_per_second", "Calls per second the pacer allows now")
READS = metrics.counter(
    "payouts_stripe_reads_total",
    "Reads from Stripe by endpoint, whatever the answer",
    {"endpoint": [endpoint for endpoint in Endpoint if endpoint.startswith("GET ")]},
)
READS_PER_TRANSACTION = metrics.gauge(
    "payouts_stripe_reads_per_transaction",
    "Reads from Stripe for each charge settled in the last 30 days, of all processes",
)
ALLOWANCE_USED = metrics.gauge(
    "payouts_stripe_read_allowance_used",
    "Reads of the last 30 days as a share of what Stripe allows: 500 a charge, at least 10,000",
)
STRETCH = metrics.gauge(
    "payouts_stripe_read_stretch", "How many times longer the loops wait because the allowance is scarce"
)
LEASES_LOST = metrics.counter(
    "payouts_leases_lost_total", "Answers dropped because another relay owns the operation"
)
STOPPED = metrics.gauge("payouts_relay_stopped", "1 while Stripe refuses our key and nothing may be sent")
STATES = metrics.gauge("payouts_transfers", "Transfers by state", {"state": TransferState})
HELD = metrics.gauge("payouts_transfers_held", "Held transfers by reason", {"reason": HoldReason})
GATED = metrics.counter(
    "payouts_reserve_transfers_total",
    "Transfers let out or held while the school keeps a reserve",
    {"did": ("let_out", "held")},
)
OPERATIONS = metrics.gauge(
    "payouts_operations", "Operations by kind and state", {"kind": Kind, "state": State}
)
STOPPED_OPERATIONS = metrics.gauge(
    "payouts_operations_stopped",
    "Refused and parked operations that nobody dealt with",
    {"kind": Kind, "state": STOPPED_STATES},
)
OLDEST_DUE = metrics.gauge(
    "payouts_oldest_due_operation_age_seconds", "How long the oldest due operation has waited"
)
WEBHOOKS = metrics.counter(
    "payouts_webhooks_total",
    "Webhooks by type; known: whether a rule acts on it",
    {"type": metrics.UNKNOWN, "known": ("yes", "no")},
)
WEBHOOK_SECONDS = metrics.histogram(
    "payouts_webhook_seconds",
    "From the gateway's receipt of a webhook to its effect here",
    buckets=(0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300),
)
INVARIANT_BREACHES = metrics.counter(
    "payouts_invariant_breaches_total",
    "Effects at Stripe that must never happen",
    {"what": ("idempotency_error", "outcome_refused", "second_effect", "effect_differs")},
)
FOUND_EFFECTS = metrics.gauge(
    "payouts_found_effects", "What Stripe made, this database does not know, and is not adopted yet"
)
ODD_OBJECTS_SEEN = metrics.counter(
    "payouts_odd_objects_seen_total", "Objects of Stripe's that could not be read, each counted once"
)
ODD_OBJECTS = metrics.gauge(
    "payouts_odd_objects", "Objects of Stripe's that could not be read and wait for a person"
)
EVENTS_RECOVERED = metrics.counter(
    "payouts_events_recovered_total", "Events published because Stripe did not deliver them in time"
)
LISTING_AGE = metrics.gauge(
    "payouts_event_listing_age_seconds", "How long ago Stripe's events were last listed to the end"
)
MOVEMENTS = metrics.counter(
    "payouts_movements_seen_total",
    "Rows of the school's Stripe balance, each counted once, by where they stood when they were read",
    {"standing": ("waiting", "explained", "unexplained")},
)
MOVEMENTS_UNEXPLAINED = metrics.gauge(
    "payouts_movements_unexplained", "Rows of the school's Stripe balance that the books do not explain"
)
MOVEMENTS_AGE = metrics.gauge(
    "payouts_movement_listing_age_seconds",
    "How long ago the rows of the school's Stripe balance were last listed to the end",
)
CLAWBACK_STATES = ("waiting", "claimed", "reversing")
CLAWBACKS = metrics.gauge(
    "payouts_clawbacks", "Requests to take money back that are not answered", {"state": CLAWBACK_STATES}
)
CLAWBACK_AGE = metrics.gauge(
    "payouts_clawback_age_seconds",
    "How long ago the oldest request to take money back came that is not answered",
    {"state": CLAWBACK_STATES},
)
REFUND_STATES = ("looking", "refunding")
REFUNDS = metrics.gauge(
    "payouts_refunds", "Requests to refund students' cards that are not answered", {"state": REFUND_STATES}
)
REFUND_AGE = metrics.gauge(
    "payouts_refund_age_seconds",
    "How long ago the oldest request to refund a card came that is not answered",
    {"state": REFUND_STATES},
)
REFUNDS_SETTLED = metrics.counter(
    "payouts_refunds_settled_total",
    "Requests to refund students' cards by what they were answered",
    {"reason": refunds.Reason},
)
CLAWBACKS_SETTLED = metrics.counter(
    "payouts_clawbacks_settled_total",
    "Requests to take money back by what they were answered",
    {"reason": Reason},
)
CHARGES_ANSWERED = metrics.counter(
    "payouts_charges_answered_total",
    "Charges of students' saved payment methods by what became of them",
    {"outcome": charges.Outcome},
)
CHARGE_AGE = metrics.gauge(
    "payouts_charge_age_seconds",
    "How long ago the oldest charge of a saved payment method was asked for that is not answered",
)
PEOPLE = metrics.gauge(
    "payouts_people", "Wallets of people, by whether they were erased", {"erased": ("no", "yes")}
)
