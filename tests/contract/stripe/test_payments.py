"""Card payments, refunds and disputes.

Sources: docs.stripe.com/payments/paymentintents/lifecycle, docs.stripe.com/testing, docs.stripe.com/refunds,
docs.stripe.com/disputes/how-disputes-work, docs.stripe.com/payments/payment-intents/asynchronous-capture.
"""

from typing import Any, cast

import pytest
import stripe

from hobbs.local.stripe_sim.control import Control

DAY_S = 86_400


def pay(
    client: stripe.StripeClient, card: str = "pm_card_visa", amount: int = 40_000, **more: object
) -> stripe.PaymentIntent:
    given = {"amount": amount, "currency": "usd", "payment_method": card, "confirm": True, **more}
    return client.v1.payment_intents.create(given)  # type: ignore[arg-type]


def balance(client: stripe.StripeClient) -> tuple[int, int]:
    found = client.v1.balance.retrieve()
    return found.available[0].amount, found.pending[0].amount


def types(control: Control) -> list[str]:
    return [event["type"] for event in control.events()]


def test_a_payment_costs_its_fee_and_settles_two_days_later(
    client: stripe.StripeClient, control: Control
) -> None:
    """2.9 % + 30 cents: stripe.com/pricing. 400.00 costs 11.90, as in the design's worked example."""
    intent = pay(client, metadata={"hobbs_student": "S17"})
    assert (intent.status, intent.amount_received) == ("succeeded", 40_000)
    control.advance(1)
    charge = client.v1.charges.retrieve(
        str(intent.latest_charge), {"expand": ["balance_transaction"]}
    ).to_dict()
    transaction = charge["balance_transaction"]
    assert (transaction["amount"], transaction["fee"], transaction["net"]) == (40_000, 1_190, 38_810)
    assert transaction["available_on"] - transaction["created"] in range(2 * DAY_S - 2, 2 * DAY_S + 1)
    assert charge["metadata"] == {"hobbs_student": "S17"}
    assert balance(client) == (0, 38_810)
    control.advance(2 * DAY_S)
    assert balance(client) == (38_810, 0)


@pytest.mark.parametrize(("amount", "fee"), [(50, 31), (500, 45), (1_050, 60), (9_999, 320), (40_000, 1_190)])
def test_the_percentage_is_rounded_half_up_once(
    client: stripe.StripeClient, control: Control, amount: int, fee: int
) -> None:
    """2.9 % of 5.00 is 14.5 cents, so 15: Stripe rounds the percentage to a cent; stripe.com/pricing."""
    control.set(charge_transaction_after_s=0)
    control.trigger("payment_intent.succeeded", amount=amount)
    assert client.v1.balance_transactions.list().data[0].fee == fee


def test_the_fee_is_known_only_after_charge_updated(client: stripe.StripeClient, control: Control) -> None:
    """docs.stripe.com/payments/payment-intents/asynchronous-capture: balance_transaction is null at first."""
    control.set(charge_transaction_after_s=60)
    intent = pay(client)
    assert client.v1.charges.retrieve(str(intent.latest_charge)).balance_transaction is None
    control.advance(61)
    events = [event for event in control.events() if event["type"].startswith("charge.")]
    assert [event["type"] for event in events] == ["charge.succeeded", "charge.updated"]
    assert events[0]["data"]["object"]["balance_transaction"] is None
    assert events[1]["data"]["previous_attributes"] == {"balance_transaction": None}
    assert events[1]["data"]["object"]["balance_transaction"].startswith("txn_")


@pytest.mark.parametrize(
    ("card", "code", "decline_code"),
    [
        ("pm_card_chargeDeclined", "card_declined", "generic_decline"),
        ("pm_card_chargeDeclinedInsufficientFunds", "card_declined", "insufficient_funds"),
        ("pm_card_chargeDeclinedExpiredCard", "expired_card", None),
        ("pm_card_chargeDeclinedProcessingError", "processing_error", None),
    ],
)
def test_a_declined_card_answers_402_and_leaves_a_failed_charge(
    client: stripe.StripeClient, control: Control, card: str, code: str, decline_code: str | None
) -> None:
    """docs.stripe.com/testing, docs.stripe.com/declines/codes."""
    with pytest.raises(stripe.CardError) as declined:
        pay(client, card)
    body = cast(dict[str, Any], declined.value.json_body)["error"]
    assert (declined.value.http_status, body["code"], body.get("decline_code")) == (402, code, decline_code)
    assert body["payment_intent"]["status"] == "requires_payment_method"
    assert types(control) == ["payment_intent.created", "charge.failed", "payment_intent.payment_failed"]
    assert balance(client) == (0, 0)
    assert control.effects() == []


def test_a_declined_intent_succeeds_with_another_card(client: stripe.StripeClient) -> None:
    """docs.stripe.com/payments/paymentintents/lifecycle."""
    with pytest.raises(stripe.CardError) as declined:
        pay(client, "pm_card_chargeDeclined")
    intent = cast(dict[str, Any], declined.value.json_body)["error"]["payment_intent"]["id"]
    assert client.v1.payment_intents.confirm(intent, {"payment_method": "pm_card_visa"}).status == "succeeded"


@pytest.mark.parametrize(("success", "status"), [(True, "succeeded"), (False, "requires_payment_method")])
def test_a_card_that_wants_authentication_waits_for_its_holder(
    client: stripe.StripeClient, control: Control, success: bool, status: str
) -> None:
    """docs.stripe.com/payments/3d-secure."""
    intent = pay(client, "pm_card_threeDSecure2Required")
    assert intent.status == "requires_action"
    assert intent.next_action is not None
    control.trigger("payment_intent.authenticated", payment_intent=intent.id, success=success)
    assert client.v1.payment_intents.retrieve(intent.id).status == status


def test_off_session_a_card_that_wants_authentication_is_declined(client: stripe.StripeClient) -> None:
    """docs.stripe.com/declines/codes: authentication_required."""
    with pytest.raises(stripe.CardError) as declined:
        pay(client, "pm_card_authenticationRequired", off_session=True)
    assert declined.value.code == "authentication_required"


def test_bypass_pending_is_available_at_once(client: stripe.StripeClient, control: Control) -> None:
    """docs.stripe.com/testing."""
    pay(client, "pm_card_bypassPending")
    control.advance(1)
    assert balance(client) == (38_810, 0)


def test_manual_capture_takes_the_money_later(client: stripe.StripeClient, control: Control) -> None:
    """docs.stripe.com/payments/place-a-hold-on-a-payment-method."""
    intent = pay(client, capture_method="manual")
    assert (intent.status, intent.amount_capturable) == ("requires_capture", 40_000)
    assert control.effects() == []
    captured = client.v1.payment_intents.capture(intent.id, {"amount_to_capture": 30_000})
    assert (captured.status, captured.amount_received) == ("succeeded", 30_000)
    assert [effect["amount"] for effect in control.effects()] == [30_000]


def test_a_succeeded_intent_is_not_confirmed_again(client: stripe.StripeClient) -> None:
    """docs.stripe.com/error-codes#payment-intent-unexpected-state."""
    intent = pay(client)
    with pytest.raises(stripe.InvalidRequestError) as refused:
        client.v1.payment_intents.confirm(intent.id)
    assert refused.value.code == "payment_intent_unexpected_state"


def test_a_customers_saved_card_is_charged_off_session(client: stripe.StripeClient) -> None:
    """docs.stripe.com/payments/save-and-reuse."""
    customer = client.v1.customers.create({"email": "s17@example.com"})
    setup = client.v1.setup_intents.create(
        {"customer": customer.id, "payment_method": "pm_card_visa", "confirm": True}
    )
    saved = client.v1.payment_methods.list({"customer": customer.id}).data
    assert [method.id for method in saved] == [setup.payment_method]
    intent = pay(client, saved[0].id, customer=customer.id, off_session=True)
    assert (intent.status, intent.customer) == ("succeeded", customer.id)
    client.v1.payment_methods.detach(saved[0].id)
    assert client.v1.customers.payment_methods.list(customer.id).data == []


def test_refunds_are_bounded_and_keep_the_fee(client: stripe.StripeClient, control: Control) -> None:
    """docs.stripe.com/refunds, docs.stripe.com/error-codes#charge-already-refunded."""
    control.fund(320)
    intent = pay(client, "pm_card_bypassPending", 10_000)
    assert client.v1.refunds.create({"payment_intent": intent.id, "amount": 4_000}).status == "succeeded"
    with pytest.raises(stripe.InvalidRequestError):
        client.v1.refunds.create({"payment_intent": intent.id, "amount": 6_001})
    client.v1.refunds.create({"charge": str(intent.latest_charge)})
    with pytest.raises(stripe.InvalidRequestError) as refused:
        client.v1.refunds.create({"charge": str(intent.latest_charge)})
    assert refused.value.code == "charge_already_refunded"
    assert balance(client) == (0, 0)
    assert [e["amount"] for e in control.effects(kind="refund")] == [4_000, 6_000]
    assert types(control).count("charge.refunded") == 2


def test_a_refund_the_bank_returns_fails_later(client: stripe.StripeClient, control: Control) -> None:
    """docs.stripe.com/testing: pm_card_refundFail."""
    control.fund(40_000)
    intent = pay(client, "pm_card_refundFail")
    refund = client.v1.refunds.create({"payment_intent": intent.id})
    assert refund.status == "succeeded"
    control.advance(2)
    assert client.v1.refunds.retrieve(refund.id).status == "failed"
    assert "refund.failed" in types(control)


@pytest.mark.parametrize(
    ("evidence", "status", "net", "returned"),
    [
        ("winning_evidence", "won", 8_180, False),
        ("winning_evidence", "won", 9_680, True),  # by contract
        ("losing_evidence", "lost", -3_320, False),
    ],
)
def test_a_dispute_takes_the_money_until_it_is_won_and_keeps_its_fee(
    client: stripe.StripeClient, control: Control, evidence: str, status: str, net: int, returned: bool
) -> None:
    """docs.stripe.com/testing; 15.00 a dispute in the United States, and 15.00 for countering it."""
    control.set(dispute_fee_returned=returned)
    pay(client, "pm_card_createDispute", 10_000)
    control.advance(1)
    dispute = client.v1.disputes.list().data[0]
    assert (dispute.status, dispute.amount) == ("needs_response", 10_000)
    withdrawn = dispute.to_dict()["balance_transactions"][0]
    assert (withdrawn["type"], withdrawn["reporting_category"]) == ("adjustment", "dispute")
    assert (withdrawn["net"], withdrawn["source"]) == (-11_500, dispute.id)
    client.v1.disputes.update(dispute.id, {"evidence": {"uncategorized_text": evidence}})
    assert client.v1.disputes.retrieve(dispute.id).status == status
    control.advance(2 * DAY_S)
    assert balance(client) == (net, 0)
    assert types(control)[-2:] in (["charge.dispute.closed", "balance.available"], ["balance.available"] * 2)


def test_countering_a_dispute_costs_a_row_of_its_own_that_a_win_returns(
    client: stripe.StripeClient, control: Control
) -> None:
    """stripe.com/pricing, June 2025: dispute received fee kept, dispute countered fee returned when won."""
    dispute = control.trigger("charge.dispute.created", amount=700)
    client.v1.disputes.update(dispute["id"], {"evidence": {"product_description": "a"}, "submit": False})
    assert _fees(client) == []
    for _ in range(2):
        client.v1.disputes.update(dispute["id"], {"evidence": {"product_description": "a"}, "submit": True})
    assert _fees(client) == [-1_500]
    control.trigger("charge.dispute.closed", dispute=dispute["id"], won=True)
    assert _fees(client) == [1_500, -1_500]
    assert client.v1.disputes.retrieve(dispute["id"]).to_dict()["balance_transactions"][-1]["fee"] == 0


def _fees(client: stripe.StripeClient) -> list[int]:
    return [row.net for row in client.v1.balance_transactions.list({"type": "stripe_fee"}).data]


def test_an_inquiry_moves_no_money(client: stripe.StripeClient, control: Control) -> None:
    """docs.stripe.com/disputes/how-disputes-work."""
    pay(client, "pm_card_createDisputeInquiry")
    control.advance(1)
    assert client.v1.disputes.list().data[0].status == "warning_needs_response"
    assert control.effects(kind="dispute") == []


def test_a_top_up_is_available_money(client: stripe.StripeClient, control: Control) -> None:
    """docs.stripe.com/connect/top-ups."""
    client.v1.topups.create({"amount": 5_000, "currency": "usd", "description": "float"})
    assert balance(client) == (5_000, 0)
    assert client.v1.balance_transactions.list().data[0].type == "topup"


def test_triggers_go_the_same_way_as_the_api(client: stripe.StripeClient, control: Control) -> None:
    control.fund(1_000)
    paid = control.trigger("payment_intent.succeeded", amount=12_345, student="S9")
    assert client.v1.payment_intents.retrieve(paid["id"]).amount_received == 12_345
    failed = control.trigger("payment_intent.payment_failed", amount=500)
    assert failed["status"] == "requires_payment_method"
    refund = control.trigger("charge.refunded", charge=paid["latest_charge"], refund=345)
    assert client.v1.refunds.retrieve(refund["id"]).amount == 345
    dispute = control.trigger("charge.dispute.created", amount=700)
    assert client.v1.disputes.retrieve(dispute["id"]).amount == 700
    assert [row["kind"] for row in control.effects()] == ["charge", "refund", "charge", "dispute"]
