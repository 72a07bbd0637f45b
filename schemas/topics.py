"""The one table of topics: name, model, key, owner, consumers, retention."""

from dataclasses import dataclass

from schemas.adjustments import AdjustmentChanged
from schemas.charges import ChargeAnswered, ChargeRequested
from schemas.contacts import ContactChanged
from schemas.credit import CreditLevelChanged
from schemas.dead_letters import DeadLettered, Redriven
from schemas.decisions import DecisionRequested, DecisionTaken
from schemas.dispatches import DispatchCleared, DispatchRefused, FlightDispatched, FlightEstimated
from schemas.dunning import DunningRequested
from schemas.fields import Event
from schemas.flights import FlightBilled, FlightCancelled, FlightCompleted, FlightCorrected, FlightRevised
from schemas.holds import HoldChanged, HoldRefused, HoldRequested, LimitChanged, LimitRequested
from schemas.journals import GroupRequested, JournalPosted, JournalRefused, JournalRequested, RevertRequested
from schemas.monitors import BalanceCrossed
from schemas.notifications import NotificationRequested
from schemas.payments import ChargeSettled, PaymentReceived
from schemas.refunds import RefundRequested, RefundSettled
from schemas.reserves import ReconciliationCompleted, ReserveChanged, ReserveGate
from schemas.reversals import ReversalRequested, ReversalSettled
from schemas.school import SchoolAccepted, SchoolConfigured
from schemas.services import CONSOLE, DECIDE, OPERATOR, SCHEDULING, SERVICES
from schemas.stripe_balance import StripeBalanceRead, StripeTransaction
from schemas.stripe_webhooks import StripeWebhook
from schemas.transfers import PayoutSettled, TransferParked, TransferRefused, TransferReversed, TransferSent

FLIGHTS_ALSO_FROM = ("gateway", OPERATOR)  # schedulers that publish over HTTP, and files of flights
CORRECTED_BY = "billing"  # tells a refused flight again with the facts that a person corrected
FOREVER = -1
DAY_MS = 86_400_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Topic:
    """One Kafka topic. `key` names the field (or fields) whose order the partition keeps.

    `also_from`: publishers besides the owner. `copied_by`: who keeps a copy of every record, and buries none.
    `measured_by`: who asks how far it goes, and reads no record. Who is not named may not (kafka_rights.py).
    `only_answered_by`: consumers that answer each record and keep no row of it.
    `personal`: it holds contact data: it is kept shortly, and its dead letters have no content.
    """

    name: str
    model: type[Event]
    key: str
    owner: str
    consumers: tuple[str, ...] = ()
    also_from: tuple[str, ...] = ()
    copied_by: tuple[str, ...] = ()
    measured_by: tuple[str, ...] = ()
    only_answered_by: tuple[str, ...] = ()
    personal: bool = False
    partitions: int = 12
    retention_ms: int = 30 * DAY_MS


_TOPICS = (
    Topic(
        name="flight.completed",
        model=FlightCompleted,
        key="flight_id",
        owner=SCHEDULING,
        also_from=(*FLIGHTS_ALSO_FROM, CORRECTED_BY),
        consumers=("billing",),
        measured_by=("receivables",),
        retention_ms=FOREVER,
    ),
    Topic(
        name="flight.corrected",
        model=FlightCorrected,
        key="flight_id",
        owner=SCHEDULING,
        also_from=(*FLIGHTS_ALSO_FROM, CORRECTED_BY),
        consumers=("billing",),
        retention_ms=FOREVER,
    ),
    Topic(
        name="flight.cancelled",
        model=FlightCancelled,
        key="flight_id",
        owner=SCHEDULING,
        also_from=FLIGHTS_ALSO_FROM,
        consumers=("billing",),
        retention_ms=FOREVER,
    ),
    Topic(
        name="flight.dispatched",
        model=FlightDispatched,
        key="flight_id",
        owner=SCHEDULING,
        also_from=FLIGHTS_ALSO_FROM,
        consumers=("billing",),
        only_answered_by=("billing",),
    ),
    Topic(
        name="flight.estimated",
        model=FlightEstimated,
        key="flight_id",
        owner="billing",
        consumers=("receivables",),
    ),
    Topic(name="dispatch.cleared", model=DispatchCleared, key="flight_id", owner="receivables"),
    Topic(name="dispatch.refused", model=DispatchRefused, key="flight_id", owner="receivables"),
    Topic(
        name="dunning.requested",
        model=DunningRequested,
        key="student",
        owner="receivables",
        consumers=("payouts",),
    ),
    Topic(name="credit.level_changed", model=CreditLevelChanged, key="student", owner="receivables"),
    Topic(name="flight.billed", model=FlightBilled, key="flight_id", owner="billing"),
    Topic(
        name="flight.revised",
        model=FlightRevised,
        key="flight_id",
        owner="billing",
        consumers=("adjustments",),
        retention_ms=FOREVER,
    ),
    Topic(
        name="adjustment.changed",
        model=AdjustmentChanged,
        key="flight_id",
        owner="adjustments",
    ),
    Topic(
        name="reversal.requested",
        model=ReversalRequested,
        key="wallet",
        owner="adjustments",
        consumers=("payouts",),
        retention_ms=FOREVER,
    ),
    Topic(
        name="reversal.settled",
        model=ReversalSettled,
        key="wallet",
        owner="payouts",
        consumers=("adjustments",),
        retention_ms=FOREVER,
    ),
    Topic(
        name="refund.requested",
        model=RefundRequested,
        key="wallet",
        owner="adjustments",
        also_from=("receivables",),
        consumers=("payouts",),
        retention_ms=FOREVER,
    ),
    Topic(
        name="refund.settled",
        model=RefundSettled,
        key="wallet",
        owner="payouts",
        consumers=("adjustments", "receivables", "reserves"),
        retention_ms=FOREVER,
    ),
    Topic(
        name="charge.requested",
        model=ChargeRequested,
        key="wallet",
        owner="receivables",
        consumers=("payouts",),
        retention_ms=FOREVER,
    ),
    Topic(
        name="charge.answered",
        model=ChargeAnswered,
        key="wallet",
        owner="payouts",
        consumers=("receivables",),
        retention_ms=FOREVER,
    ),
    Topic(
        name="school.configured",
        model=SchoolConfigured,
        key="school",
        owner="billing",  # people decide on the book there (docs/decisions/0332)
        consumers=("billing",),
        measured_by=("receivables",),
        partitions=1,
        retention_ms=FOREVER,
    ),
    Topic(
        name="school.accepted",
        model=SchoolAccepted,
        key="school",
        owner="billing",
        consumers=("payouts", "adjustments", "reserves", "receivables"),
        partitions=1,
        retention_ms=FOREVER,
    ),
    Topic(
        name="contact.changed",
        model=ContactChanged,
        key="wallet",
        owner="billing",  # once, what its book held before decision 0314
        also_from=(OPERATOR,),
        consumers=("payouts",),
        personal=True,
        retention_ms=7 * DAY_MS,
    ),
    Topic(
        name="journal.requested",
        model=JournalRequested,
        key="source",
        owner="billing",
        also_from=("payouts", "receivables", "adjustments", "reserves"),
        consumers=("ledger",),
        measured_by=("payouts",),
    ),
    Topic(
        name="journal.posted",
        model=JournalPosted,
        key="source",
        owner="ledger",
        consumers=("payouts", "adjustments", "reserves", "receivables"),
        retention_ms=FOREVER,
    ),
    Topic(
        name="journal.refused",
        model=JournalRefused,
        key="source",
        owner="ledger",
        consumers=("adjustments", "reserves"),
    ),
    Topic(
        name="revert.requested",
        model=RevertRequested,
        key="reverts",
        owner="reserves",
        consumers=("ledger",),
        measured_by=("payouts", "receivables"),
    ),
    Topic(
        name="group.requested",
        model=GroupRequested,
        key="group",
        owner=OPERATOR,  # no service of ours asks; one that does is named here
        consumers=("ledger",),
        measured_by=("payouts", "receivables"),
    ),
    Topic(
        name="hold.requested",
        model=HoldRequested,
        key="hold",
        owner="receivables",  # people decide on holds (docs/decisions/0185)
        consumers=("ledger",),
        measured_by=("payouts",),
    ),
    Topic(name="hold.changed", model=HoldChanged, key="hold", owner="ledger", consumers=("receivables",)),
    Topic(name="hold.refused", model=HoldRefused, key="hold", owner="ledger", consumers=("receivables",)),
    Topic(
        name="limit.requested",
        model=LimitRequested,
        key="wallet",
        owner=OPERATOR,  # no service of ours asks; one that does is named here
        consumers=("ledger",),
    ),
    Topic(name="limit.changed", model=LimitChanged, key="wallet", owner="ledger"),
    Topic(name="balance.crossed", model=BalanceCrossed, key="wallet", owner="ledger"),
    Topic(
        name="transfer.sent",
        model=TransferSent,
        key="transfer_id",
        owner="payouts",
        consumers=("adjustments", "reserves"),
        retention_ms=FOREVER,
    ),
    Topic(name="transfer.refused", model=TransferRefused, key="transfer_id", owner="payouts"),
    Topic(name="transfer.parked", model=TransferParked, key="transfer_id", owner="payouts"),
    Topic(name="transfer.reversed", model=TransferReversed, key="transfer_id", owner="payouts"),
    Topic(name="payout.settled", model=PayoutSettled, key="stripe_account", owner="payouts"),
    Topic(
        name="payment.received",
        model=PaymentReceived,
        key="charge_id",
        owner="receivables",
        consumers=("payouts",),
        retention_ms=FOREVER,
    ),
    Topic(
        name="charge.settled",
        model=ChargeSettled,
        key="charge_id",
        owner="payouts",
        consumers=("receivables",),
    ),
    Topic(
        name="stripe.webhook",
        model=StripeWebhook,
        key="the Stripe object's id",
        owner="gateway",
        also_from=("payouts",),  # events that Stripe never delivered
        consumers=("payouts", "receivables"),
        retention_ms=FOREVER,
    ),
    Topic(
        name="stripe.transaction",
        model=StripeTransaction,
        key="transaction_id",
        owner="payouts",
        consumers=("reserves",),
        retention_ms=FOREVER,
    ),
    Topic(
        name="stripe.balance",
        model=StripeBalanceRead,
        key="balance",
        owner="payouts",
        consumers=("reserves",),
        partitions=1,
    ),
    Topic(
        name="reserve.gate",
        model=ReserveGate,
        key="currency",
        owner="reserves",
        consumers=("payouts",),
        partitions=1,
    ),
    Topic(name="reserve.changed", model=ReserveChanged, key="currency", owner="reserves", partitions=1),
    Topic(
        name="reconciliation.completed",
        model=ReconciliationCompleted,
        key="business_date",
        owner="reserves",
        partitions=1,
        retention_ms=FOREVER,
    ),
    Topic(
        name="notification.requested",
        model=NotificationRequested,
        key="recipient",
        owner="payouts",
        also_from=("receivables", "adjustments"),
    ),
    Topic(
        name="decision.requested",
        model=DecisionRequested,
        key="<service>/<object>",
        owner=OPERATOR,
        also_from=(CONSOLE,),
        consumers=SERVICES,
        copied_by=(CONSOLE,),
        partitions=1,
        retention_ms=FOREVER,
    ),
    Topic(
        name="decision.taken",
        model=DecisionTaken,
        key="<service>/<object>",
        owner=CONSOLE,
        also_from=SERVICES,
        copied_by=(CONSOLE,),
        partitions=1,
        retention_ms=FOREVER,
    ),
    *(
        Topic(
            name=f"{service}.dead",
            model=DeadLettered,
            key="dead_letter_id",
            owner=service,
            partitions=1,
            retention_ms=FOREVER,
        )
        for service in DECIDE
    ),
    *(
        Topic(
            name=f"{service}.redrive",
            model=Redriven,
            key="as the record had it",
            owner=service,
            consumers=(service,),
            partitions=1,
        )
        for service in DECIDE
    ),
)

TOPICS: dict[str, Topic] = {topic.name: topic for topic in _TOPICS}
