"""What each Stripe event tells of a charge, by the object it carries."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from fleet.envelope import Record
from fleet.inbox import Unreadable
from schemas.payments import ChargeSettled
from schemas.stripe_webhooks import StripeWebhook
from services.receivables.domain.charges import (
    DisputeOutcome,
    DisputeReported,
    PaymentSucceeded,
    RefundReported,
)
from services.receivables.wire.stripe_objects import (
    Kind,
    WebhookRead,
    charge_settled,
    kind_of,
    stripe_event,
)

AT = datetime(2026, 5, 22, 12, tzinfo=UTC)
UNIX = int(AT.timestamp())
CHARGE: dict[str, Any] = {
    "id": "ch_1",
    "created": UNIX,
    "currency": "usd",
    "amount": 100,
    "status": "succeeded",
    "payment_intent": "pi_1",
    "metadata": {"hobbs_student": "anna"},
}
INTENT: dict[str, Any] = CHARGE | {"id": "pi_1", "latest_charge": "ch_1"}
REFUND: dict[str, Any] = {
    "id": "re_1",
    "created": UNIX,
    "currency": "usd",
    "amount": 40,
    "charge": "ch_1",
    "status": "succeeded",
    "balance_transaction": "txn_1",
}
DISPUTE: dict[str, Any] = {
    "id": "du_1",
    "created": UNIX,
    "currency": "usd",
    "amount": 100,
    "charge": "ch_1",
    "status": "needs_response",
}


def record_of(value: bytes, topic: str = "stripe.webhook") -> Record:
    return Record(topic=topic, partition=0, offset=0, key=None, value=value, headers={}, timestamp=AT)


def webhook_of(event_type: str, body: str, **changed: Any) -> StripeWebhook:
    known = {
        "event_id": "evt_1",
        "event_type": event_type,
        "endpoint": "platform",
        "livemode": False,
        "created_at": AT,
        "received_at": AT,
        "attested": True,
        "body": body,
    }
    return StripeWebhook.model_validate(known | changed)


def seen(event_type: str, subject: Any) -> WebhookRead:
    body = json.dumps({"data": {"object": subject}})
    return stripe_event(record_of(webhook_of(event_type, body).model_dump_json().encode()), livemode=False)


def fact_of(event_type: str, subject: Any) -> Any:
    (fact,) = seen(event_type, subject).facts
    return fact


@pytest.mark.parametrize(
    "event_type", ["charge.succeeded", "charge.updated", "charge.captured", "charge.refunded"]
)
def test_any_word_of_a_captured_charge_tells_of_its_payment(event_type: str) -> None:
    fact = fact_of(event_type, CHARGE)
    assert isinstance(fact, PaymentSucceeded)
    assert (fact.charge_id, fact.student, fact.payment.amount) == ("ch_1", "anna", 100)
    assert (fact.payment.currency, fact.payment.received_at) == ("USD", AT)


def test_a_payment_intent_and_its_charge_tell_the_same_payment() -> None:
    by_intent, by_charge = fact_of("payment_intent.succeeded", INTENT), fact_of("charge.succeeded", CHARGE)
    assert by_intent == by_charge


@pytest.mark.parametrize("latest", ["ch_1", {"id": "ch_1", "object": "charge"}])
def test_an_expanded_object_is_read_as_its_id(latest: object) -> None:
    assert fact_of("payment_intent.succeeded", INTENT | {"latest_charge": latest}).charge_id == "ch_1"


def test_a_partly_captured_charge_brings_what_was_captured() -> None:
    assert fact_of("charge.captured", CHARGE | {"amount_captured": 60}).payment.amount == 60
    assert fact_of("payment_intent.succeeded", INTENT | {"amount_received": 60}).payment.amount == 60


@pytest.mark.parametrize(
    "changed",
    [{"status": "pending"}, {"status": "failed"}, {"captured": False}, {"amount_captured": 0}, {"amount": 0}],
)
def test_a_charge_that_took_no_money_tells_nothing(changed: dict[str, Any]) -> None:
    assert seen("charge.updated", CHARGE | changed).facts == ()


@pytest.mark.parametrize("status", ["succeeded", None])
def test_a_release_of_what_was_never_captured_is_no_refund(status: str | None) -> None:
    assert seen("refund.created", REFUND | {"status": status, "balance_transaction": None}).facts == ()


@pytest.mark.parametrize("status", ["pending", "requires_action"])
def test_a_refund_that_waits_for_the_balance_is_known_and_moved_nothing(status: str) -> None:
    """docs.stripe.com/refunds: pending, without a balance transaction, until the balance covers it."""
    fact = fact_of("refund.created", REFUND | {"status": status, "balance_transaction": None})
    assert (fact.refund.moved, fact.refund.failed) == (False, False)


def test_a_refund_that_waited_is_dated_when_it_moved() -> None:
    later = datetime(2026, 6, 3, 9, tzinfo=UTC)
    body = json.dumps({"data": {"object": REFUND, "previous_attributes": {"status": "pending"}}})
    webhook = webhook_of("refund.updated", body, created_at=later)
    (fact,) = stripe_event(record_of(webhook.model_dump_json().encode()), livemode=False).facts
    assert isinstance(fact, RefundReported)
    assert (fact.refund.at, fact.refund.moved) == (later, True)


def test_what_was_never_captured_is_not_refunded() -> None:
    partly = {"amount": 100, "amount_captured": 60, "amount_refunded": 40}
    assert fact_of("charge.captured", CHARGE | partly).refunded == 0
    assert fact_of("charge.refunded", CHARGE | partly | {"amount_refunded": 55}).refunded == 15


def test_refunds_listed_inside_a_charge_are_told_too() -> None:
    inside = {"refunds": {"data": [REFUND | {"charge": None}]}}
    payment, refund = seen("charge.refunded", CHARGE | inside).facts
    assert isinstance(payment, PaymentSucceeded)
    assert isinstance(refund, RefundReported)
    assert refund.charge_id == "ch_1"


@pytest.mark.parametrize(
    ("changed", "moved", "failed"),
    [
        ({}, True, False),
        ({"status": "pending"}, True, False),
        ({"status": "requires_action"}, True, False),
        ({"status": "a status of next year"}, True, False),
        ({"status": "failed"}, False, True),
        ({"status": "canceled", "balance_transaction": None}, False, True),
    ],
)
def test_a_refund_moves_money_when_stripe_took_it_off_the_balance(
    changed: dict[str, Any], moved: bool, failed: bool
) -> None:
    refund = fact_of("refund.updated", REFUND | changed).refund
    assert (refund.moved, refund.failed) == (moved, failed)


@pytest.mark.parametrize(
    ("changed", "withdrawn", "outcome"),
    [
        ({}, True, None),
        ({"status": "under_review"}, True, None),
        ({"status": "warning_needs_response"}, False, None),
        ({"status": "warning_closed"}, False, None),
        ({"status": "prevented"}, False, None),
        ({"status": "warning_under_review", "balance_transactions": [{"id": "txn_1", "fee": 0}]}, True, None),
        ({"status": "won"}, True, DisputeOutcome.WON),
        ({"status": "lost"}, True, DisputeOutcome.LOST),
    ],
)
def test_an_inquiry_takes_no_money_and_a_dispute_does(
    changed: dict[str, Any], withdrawn: bool, outcome: DisputeOutcome | None
) -> None:
    fact = fact_of("charge.dispute.updated", DISPUTE | changed)
    assert isinstance(fact, DisputeReported)
    assert (fact.dispute.withdrawn, fact.dispute.outcome) == (withdrawn, outcome)
    assert (fact.dispute.closed_at is None) is (outcome is None)


def test_each_fee_of_a_dispute_is_known_by_its_transaction() -> None:
    taken, given_back = {"id": "txn_1", "fee": 1500}, {"id": "txn_2", "fee": -1500}
    dispute = fact_of(
        "charge.dispute.closed", DISPUTE | {"balance_transactions": [taken, given_back]}
    ).dispute
    assert dispute.fees == {"txn_1": 1500, "txn_2": -1500}


TAKEN: dict[str, Any] = {"id": "txn_1", "amount": -100, "fee": 15, "net": -115, "currency": "usd"}


def part(**changed: Any) -> dict[str, Any]:
    moved = TAKEN | changed
    return moved | {"net": moved["amount"] - moved["fee"]}


@pytest.mark.parametrize(
    ("transactions", "status", "fees"),
    [
        ([TAKEN], "needs_response", {"txn_1": 15}),
        ([part(amount=-60), part(id="txn_2", amount=-40, fee=0)], "lost", {"txn_1": 15, "txn_2": 0}),
        ([TAKEN, part(id="txn_2", amount=100, fee=-15)], "won", {"txn_1": 15, "txn_2": -15}),
        ([TAKEN, part(id="txn_2", amount=0, fee=20)], "under_review", {"txn_1": 15, "txn_2": 20}),
        ([TAKEN | {"currency": "USD"}], "under_review", {"txn_1": 15}),
    ],
)
def test_balance_transactions_that_add_up_to_a_dispute_are_believed(
    transactions: list[dict[str, Any]], status: str, fees: dict[str, int]
) -> None:
    told = DISPUTE | {"status": status, "balance_transactions": transactions}
    fact = fact_of("charge.dispute.updated", told)
    assert (fact.dispute.withdrawn, fact.dispute.fees) == (True, fees)


@pytest.mark.parametrize(
    ("transactions", "status", "reason"),
    [
        ([TAKEN | {"currency": "eur"}], "needs_response", "other_currency"),
        ([TAKEN, part(id="txn_2", amount=0, currency="eur")], "lost", "other_currency"),
        ([part(amount=-99)], "needs_response", "dispute_does_not_add_up"),
        ([part(amount=100)], "needs_response", "dispute_does_not_add_up"),
        ([part(amount=0)], "needs_response", "dispute_does_not_add_up"),
        ([TAKEN, part(id="txn_2", amount=-15, fee=0)], "lost", "dispute_does_not_add_up"),
        ([TAKEN, part(id="txn_2", amount=50)], "won", "dispute_does_not_add_up"),
        ([TAKEN, part(id="txn_2", amount=100)], "lost", "dispute_does_not_add_up"),
        ([TAKEN, TAKEN], "lost", "dispute_does_not_add_up"),
        ([TAKEN | {"net": -100}], "needs_response", "transaction_does_not_add_up"),
        ([TAKEN | {"fee": None}], "needs_response", "stripe_object_unreadable"),
        ([TAKEN | {"amount": "x"}], "needs_response", "stripe_object_unreadable"),
        ([None], "needs_response", "stripe_object_unreadable"),
        ([TAKEN | {"currency": ["usd"]}], "needs_response", "stripe_object_unreadable"),
    ],
)
def test_a_dispute_whose_balance_transactions_do_not_add_up_is_refused(
    transactions: list[Any], status: str, reason: str
) -> None:
    with pytest.raises(Unreadable) as refusal:
        seen("charge.dispute.updated", DISPUTE | {"status": status, "balance_transactions": transactions})
    assert refusal.value.reason == reason


@pytest.mark.parametrize(
    "transaction",
    [
        {"id": "txn_1", "amount": -40, "fee": 0, "net": -40, "currency": "eur"},
        {"id": "txn_1", "amount": -41, "fee": 0, "net": -41, "currency": "usd"},
        {"id": "txn_1", "amount": 40, "fee": 0, "net": 40, "currency": "usd"},
        {"id": "txn_1", "amount": -40, "fee": 5, "net": -45, "currency": "usd"},
    ],
)
def test_a_refund_whose_balance_transaction_says_otherwise_is_refused(transaction: dict[str, Any]) -> None:
    with pytest.raises(Unreadable):
        seen("refund.updated", REFUND | {"balance_transaction": transaction})
    good = transaction | {"amount": -40, "fee": 0, "net": -40, "currency": "usd"}
    assert fact_of("refund.updated", REFUND | {"balance_transaction": good}).refund.moved


@pytest.mark.parametrize(
    "refund", [None, "re_1", {}, REFUND | {"amount": None}, REFUND | {"amount": -5}, REFUND | {"currency": 5}]
)
def test_an_odd_refund_inside_a_charge_keeps_neither_its_payment_nor_other_refunds_back(refund: Any) -> None:
    inside = {"refunds": {"data": [refund, REFUND | {"id": "re_2"}]}}
    told = seen("charge.refunded", CHARGE | inside)
    assert [type(fact) for fact in told.facts] == [PaymentSucceeded, RefundReported]
    assert [problem.reason for problem in told.odd] == ["stripe_object_unreadable"]


@pytest.mark.parametrize("refunds", [None, [], "none", {"data": None}, {"data": {}}])
def test_a_charge_without_a_list_of_refunds_tells_its_payment(refunds: Any) -> None:
    assert len(seen("charge.succeeded", CHARGE | {"refunds": refunds}).facts) == 1


@pytest.mark.parametrize("metadata", [None, [], "", 5])
def test_metadata_that_is_no_map_names_nobody(metadata: Any) -> None:
    assert fact_of("charge.succeeded", CHARGE | {"metadata": metadata}).student is None


@pytest.mark.parametrize(
    "changed", [{"amount_captured": -5}, {"amount_captured": 101}, {"amount_refunded": -1}]
)
def test_a_charge_whose_amounts_contradict_each_other_is_refused(changed: dict[str, Any]) -> None:
    with pytest.raises(Unreadable):
        seen("charge.succeeded", CHARGE | changed)


def test_amounts_of_stripe_become_minor_units_of_the_books() -> None:
    ugx = {"currency": "ugx", "amount": 123_400}
    assert fact_of("charge.succeeded", CHARGE | ugx).payment.amount == 1234
    assert fact_of("payment_intent.succeeded", INTENT | ugx).payment.amount == 1234
    assert fact_of("refund.updated", REFUND | ugx).refund.amount == 1234
    moved = {"id": "txn_1", "amount": -123_400, "fee": 5000, "net": -128_400, "currency": "ugx"}
    disputed = fact_of("charge.dispute.created", DISPUTE | ugx | {"balance_transactions": [moved]}).dispute
    assert (disputed.amount, disputed.fees) == (1234, {"txn_1": 50})
    with pytest.raises(Unreadable, match="more decimals"):
        seen("charge.succeeded", CHARGE | {"currency": "isk", "amount": 1050})


def test_a_failure_is_told_in_stripes_codes_never_in_its_words() -> None:
    error = {
        "code": "card_declined",
        "decline_code": "lost_card",
        "message": "Your card 4242",
        "charge": "ch_0",
    }
    failure = seen("payment_intent.payment_failed", INTENT | {"last_payment_error": error}).failure
    assert failure is not None
    assert (failure.code, failure.attempt, failure.student) == ("lost_card", "ch_0", "anna")
    odd = INTENT | {"last_payment_error": {"code": "Your card 4242"}, "latest_charge": None}
    unnamed = seen("payment_intent.payment_failed", odd).failure
    assert unnamed is not None
    assert (unnamed.code, unnamed.attempt) == ("unknown", "evt_1")


@pytest.mark.parametrize(
    ("event_type", "changed", "kind"),
    [
        ("charge.succeeded", {}, Kind.HANDLED),
        ("charge.succeeded", {"endpoint": "connect", "account": "acct_1"}, Kind.ELSEWHERE),
        ("payout.paid", {}, Kind.ELSEWHERE),
        ("payment_intent.created", {}, Kind.NOTHING_TO_DO),
        ("charge.teleported", {}, Kind.UNKNOWN),
        ("issuing_card.created", {}, Kind.UNKNOWN),
    ],
)
def test_every_webhook_is_sorted(event_type: str, changed: dict[str, Any], kind: Kind) -> None:
    assert kind_of(webhook_of(event_type, "{}", **changed)) is kind


@pytest.mark.parametrize("body", ["[]", "{}", '{"data": null}', '{"data": {"object": []}}', "nonsense", ""])
def test_a_handled_event_about_nothing_is_unreadable(body: str) -> None:
    value = webhook_of("charge.succeeded", body).model_dump_json().encode()
    with pytest.raises(Unreadable, match=r"data\.object"):
        stripe_event(record_of(value), livemode=False)


def test_a_fee_that_does_not_add_up_is_unreadable() -> None:
    settled = ChargeSettled(
        charge_id="ch_1",
        balance_transaction_id="txn_1",
        gross=100,
        fee=3,
        net=97,
        currency="USD",
        available_at=AT,
    )
    assert charge_settled(record_of(settled.model_dump_json().encode(), "charge.settled")).fee.amount == 3
    for wrong in ({"net": 96}, {"fee": -3, "net": 103}):
        value = settled.model_copy(update=wrong).model_dump_json().encode()
        with pytest.raises(Unreadable, match="net"):
            charge_settled(record_of(value, "charge.settled"))


OLD_INTENT: dict[str, Any] = {name: value for name, value in INTENT.items() if name != "latest_charge"}


@pytest.mark.parametrize("status", ["succeeded", "paid"])
def test_an_intent_of_an_old_api_version_carries_its_charges(status: str) -> None:
    failed = CHARGE | {"id": "ch_0", "status": "failed", "captured": False}
    inside = {name: value for name, value in CHARGE.items() if name not in ("metadata", "payment_intent")}
    charges = {"object": "list", "data": [inside | {"status": status}, failed]}
    [fact] = seen("payment_intent.succeeded", OLD_INTENT | {"charges": charges}).facts
    assert isinstance(fact, PaymentSucceeded)
    assert (fact.charge_id, fact.student, fact.payment.amount) == ("ch_1", "anna", 100)
    assert fact.payment.payment_intent_id == "pi_1"


@pytest.mark.parametrize("charges", [None, {"data": []}, {"data": [CHARGE | {"status": "failed"}]}])
def test_an_intent_that_succeeded_by_no_charge_is_seen(charges: dict[str, Any] | None) -> None:
    with pytest.raises(Unreadable) as refused:
        seen("payment_intent.succeeded", OLD_INTENT | {"charges": charges})
    assert refused.value.reason == "payment_without_charge"


def test_a_charge_that_is_only_called_paid_is_a_payment() -> None:
    old = {name: value for name, value in CHARGE.items() if name != "status"} | {"paid": True}
    [fact] = seen("charge.succeeded", old).facts
    assert isinstance(fact, PaymentSucceeded)
