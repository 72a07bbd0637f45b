"""Every topic that a service consumes, with a way to make its events."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import partial
from uuid import UUID

from fleet.dead_letters import OF_PLACE, OF_TOPIC
from fleet.decisions import REQUESTED
from fleet.envelope import Record, uuid7
from fleet.redrives import topic_of
from schemas.charges import ChargeAnswered, ChargeRequested
from schemas.contacts import ContactChanged
from schemas.decisions import DecisionRequested, Who
from schemas.dispatches import FlightDispatched, FlightEstimated
from schemas.dunning import DunningRequested
from schemas.holds import HoldChanged, HoldRefused
from schemas.payments import PaymentReceived
from schemas.refunds import RefundRequested
from schemas.reversals import ReversalRequested
from schemas.services import SERVICES
from tests.integration.adjustments.settle_stories import refund, reversal, sent
from tests.integration.adjustments.stories import policy, posted, refused, revised
from tests.integration.billing.given import CHANGES, cancelled, completed, configured, corrected
from tests.integration.ledger.books import requested
from tests.integration.ledger.test_holds import hold, limit
from tests.integration.ledger.test_reverts_and_groups import group, undo
from tests.integration.promises.test_one_commit import owed, taught
from tests.integration.receivables.stories import charge, settled, webhook
from tests.support.records import record
from tests.support.reserves import balance_read, gate, row_shown

NOW = datetime.now(UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class Consumed:
    """A topic of a service, its nth event, and what must have happened before."""

    service: str
    topic: str
    event: Callable[[int], Record]
    before: Callable[[], list[tuple[str, list[Record]]]] = list
    in_the_books: bool = False  # the ledger has posted what its events announce

    def __str__(self) -> str:
        return f"{self.service}-{self.topic}"


def a_school() -> list[tuple[str, list[Record]]]:
    return [("school.configured", [configured(1, CHANGES)])]


def dispatch(nth: int) -> Record:
    event = FlightDispatched(
        flight_id=f"D{nth}", departs_at=NOW, student="student-01", aircraft="N364MA", flight_hours=Decimal(1)
    )
    return record("flight.dispatched", event, key=event.flight_id)


def estimate(nth: int) -> Record:
    """An estimate of 100.00 for the nth flight."""
    event = FlightEstimated(
        flight_id=f"D{nth}", revision=1, student="student-01", ends_at=NOW, currency="USD", estimate=10_000
    )
    return record("flight.estimated", event, key=event.flight_id)


def three_estimates() -> list[tuple[str, list[Record]]]:
    return [("flight.estimated", [estimate(n) for n in (1, 2, 3)])]


def hold_answer(nth: int) -> Record:
    """The ledger placed what the nth estimate asked for."""
    event = HoldChanged(
        hold=f"dispatch:D{nth}:1",
        state="open",
        wallet="student:student-01",
        currency="USD",
        amount=11_000,
        expires_at=NOW,
        changed_at=NOW,
        posted_balance=0,
        pending_balance=11_000,
        available_balance=-11_000,
    )
    return record("hold.changed", event, key=event.hold)


def hold_refusal(nth: int) -> Record:
    event = HoldRefused(
        hold=f"dispatch:D{nth}:1", action="place", reason="limit_exceeded", sentence="too little", shortfall=1
    )
    return record("hold.refused", event, key=event.hold)


def three_journals() -> list[tuple[str, list[Record]]]:
    return [("journal.requested", [requested(f"flight:F{n}:1") for n in (1, 2, 3)])]


def decided(service: str, nth: int) -> Record:
    """A decision that is refused, and answered."""
    now = datetime.now(UTC)
    event = DecisionRequested(
        decision_id=uuid7(),
        service=service,
        action="nothing anybody knows",
        object=f"object {nth}",
        who=Who(name="ann", roles=["operator"], channel="test"),
        why="",
        requested_at=now,
        valid_until=now + timedelta(minutes=1),
    )
    return record(REQUESTED, event, key=f"{service}/object {nth}", ce_id=event.decision_id)


def redriven(service: str, nth: int) -> Record:
    """The same, sent to its service again."""
    asked = decided(service, nth)
    place = {OF_TOPIC: REQUESTED, OF_PLACE: f"{asked.partition}:{asked.offset}"}
    return asked._replace(topic=topic_of(service), headers={**asked.headers, **place})


def take_back(nth: int) -> Record:
    """A request for what a payee owes, of a journal that was not read yet."""
    event = ReversalRequested(
        settlement_id=UUID(int=nth),
        wallet="instructor:i",
        currency="USD",
        amount=100,
        source=f"adjustment:F{nth}:2",
    )
    return record("reversal.requested", event, key=event.wallet)


def give_back(nth: int) -> Record:
    """A request to refund a student who paid nothing by card."""
    event = RefundRequested(
        settlement_id=UUID(int=nth),
        wallet="student:anna",
        currency="USD",
        amount=100,
        source=f"adjustment:F{nth}:2",
    )
    return record("refund.requested", event, key=event.wallet)


def charge_a_card(nth: int) -> Record:
    """A request to charge a saved card."""
    event = ChargeRequested(
        request_id=UUID(int=nth),
        wallet="student:anna",
        currency="USD",
        amount=100,
        cause=f"flight:F{nth}:1",
        customer="cus_1",
        payment_method="pm_1",
        method_type="card",
        decided_at=datetime.now(UTC),
    )
    return record("charge.requested", event, key=event.wallet)


def overdue(nth: int) -> Record:
    """A request for what is overdue of another student each time."""
    event = DunningRequested.model_validate(
        {
            "student": f"s-{nth}",
            "run": 1,
            "step": "reminder",
            "action": "remind",
            "currency": "USD",
            "total": 100 * nth + 100,
            "oldest_due": "2026-05-22",
            "days_overdue": 3,
            "bills": [],
            "bills_in_all": 1,
            "sentence": "please pay it",
            "requested_at": datetime.now(UTC),
            "link": UUID(int=nth),
        }
    )
    return record("dunning.requested", event, key=event.student)


def stated(nth: int) -> Record:
    """What the school's book says of the nth student."""
    event = ContactChanged(wallet=f"student:s{nth}", full_name=f"Student {nth}", stated_at=NOW)
    return record("contact.changed", event, key=event.wallet)


def card_charged(nth: int) -> Record:
    """What became of a charge that a restored database does not know."""
    event = ChargeAnswered(
        request_id=UUID(int=nth),
        wallet="student:anna",
        currency="USD",
        amount=100,
        cause=f"flight:F{nth}:1",
        outcome="succeeded",
        payment_intent=f"pi_{nth}",
        charge=f"ch_{nth}",
        sentence="1.00 USD was charged",
        answered_at=datetime.now(UTC),
    )
    return record("charge.answered", event, key=event.wallet)


def paid_by_card(nth: int) -> Record:
    event = PaymentReceived(
        charge_id=f"ch_{nth}", student="anna", amount=100, currency="USD", received_at=datetime.now(UTC)
    )
    return record("payment.received", event, key=event.charge_id)


CONSUMED = [
    Consumed(
        service="billing",
        topic="school.configured",
        event=lambda n: configured(n, [CHANGES[1]]),
        before=a_school,
    ),
    Consumed(
        service="billing",
        topic="flight.completed",
        event=lambda n: completed(flight_id=f"F{n}"),
        before=a_school,
    ),
    Consumed(service="ledger", topic="journal.requested", event=lambda n: requested(f"flight:F{n}:1")),
    Consumed(
        service="ledger",
        topic="revert.requested",
        event=lambda n: undo(f"flight:F{n}:1"),
        before=three_journals,
    ),
    Consumed(
        service="ledger",
        topic="group.requested",
        event=lambda n: group(requested(f"a:{n}"), requested(f"b:{n}"), name=f"move:{n}"),
    ),
    Consumed(service="ledger", topic="hold.requested", event=lambda n: hold(name=f"flight:F{n}")),
    Consumed(service="ledger", topic="limit.requested", event=lambda n: limit(0, wallet=f"student:s-{n}")),
    Consumed(service="payouts", topic="journal.posted", event=owed, in_the_books=True),
    Consumed(service="payouts", topic="school.accepted", event=taught),
    Consumed(
        service="payouts",
        topic="stripe.webhook",
        event=lambda n: webhook("account.updated", {"id": f"acct_{n}", "object": "account"}),
    ),
    Consumed(
        service="receivables",
        topic="stripe.webhook",
        event=lambda n: webhook("charge.succeeded", charge(f"ch_{n}")),
    ),
    Consumed(service="receivables", topic="charge.settled", event=lambda n: settled(f"ch_{n}")),
    Consumed(service="receivables", topic="school.accepted", event=taught),
    Consumed(service="billing", topic="flight.dispatched", event=dispatch, before=a_school),
    Consumed(service="receivables", topic="flight.estimated", event=estimate),
    Consumed(service="receivables", topic="journal.posted", event=owed, in_the_books=True),
    Consumed(service="receivables", topic="hold.changed", event=hold_answer, before=three_estimates),
    Consumed(service="receivables", topic="hold.refused", event=hold_refusal, before=three_estimates),
    Consumed(
        service="billing",
        topic="flight.corrected",
        event=lambda n: corrected(flight_id=f"F{n}"),
        before=a_school,
    ),
    Consumed(
        service="billing",
        topic="flight.cancelled",
        event=lambda n: cancelled(flight_id=f"F{n}"),
        before=a_school,
    ),
    Consumed(service="payouts", topic="reversal.requested", event=lambda n: take_back(n)),
    Consumed(service="payouts", topic="refund.requested", event=give_back),
    Consumed(service="payouts", topic="payment.received", event=paid_by_card),
    Consumed(service="payouts", topic="charge.requested", event=charge_a_card),
    Consumed(service="payouts", topic="dunning.requested", event=overdue),
    Consumed(service="payouts", topic="contact.changed", event=stated),
    Consumed(service="receivables", topic="charge.answered", event=card_charged),
    Consumed(service="receivables", topic="refund.settled", event=lambda n: refund(UUID(int=n), 4_000)),
    Consumed(service="adjustments", topic="flight.revised", event=lambda n: revised(flight=f"F{n}")),
    Consumed(
        service="adjustments",
        topic="journal.posted",
        event=lambda n: posted(f"adjustment:F{n}:2", {"student:anna": 100, "platform:school": -100}),
    ),
    Consumed(service="adjustments", topic="journal.refused", event=lambda n: refused(f"adjustment:F{n}:2")),
    Consumed(service="adjustments", topic="school.accepted", event=lambda n: policy(n, approve_above=n)),
    Consumed(
        service="adjustments",
        topic="transfer.sent",
        event=lambda n: sent(f"adjustment:F{n}:2", transfer=f"T{n}"),
    ),
    Consumed(service="payouts", topic="reserve.gate", event=gate),
    Consumed(service="reserves", topic="school.accepted", event=taught),
    Consumed(service="reserves", topic="journal.posted", event=owed),
    Consumed(service="reserves", topic="journal.refused", event=lambda n: refused(f"stripe:txn_{n}")),
    Consumed(service="reserves", topic="refund.settled", event=lambda n: refund(UUID(int=n), 4_000)),
    Consumed(service="reserves", topic="transfer.sent", event=lambda n: sent("a", transfer=f"T{n}")),
    Consumed(service="reserves", topic="stripe.balance", event=lambda n: balance_read(n, 100)),
    Consumed(service="reserves", topic="stripe.transaction", event=row_shown),
    Consumed(service="adjustments", topic="reversal.settled", event=lambda n: reversal(UUID(int=n), 1_750)),
    Consumed(service="adjustments", topic="refund.settled", event=lambda n: refund(UUID(int=n), 4_000)),
]
CONSUMED += [Consumed(service=name, topic=REQUESTED, event=partial(decided, name)) for name in SERVICES]
CONSUMED += [Consumed(service=name, topic=topic_of(name), event=partial(redriven, name)) for name in SERVICES]
