"""Payouts on connected accounts: automatic, standard, instant, failing.

Sources: docs.stripe.com/connect/manage-payout-schedule, docs.stripe.com/connect/instant-payouts,
docs.stripe.com/payouts/reconciliation, docs.stripe.com/api/payouts.
"""

import pytest
import stripe

from hobbs.local.stripe_sim.control import Control

DAY_S = 86_400


def pay_out(client: stripe.StripeClient, payee: str, amount: int, method: str = "standard") -> stripe.Payout:
    given = {"amount": amount, "currency": "usd", "method": method, "expand": ["balance_transaction"]}
    return client.v1.payouts.create(given, {"stripe_account": payee})  # type: ignore[arg-type]


def available(client: stripe.StripeClient, payee: str) -> int:
    return client.v1.balance.retrieve({}, {"stripe_account": payee}).available[0].amount


def test_an_instant_payout_costs_its_fee_on_top(
    client: stripe.StripeClient, control: Control, payee: str
) -> None:
    """One percent, at least 50 cents, by default: stripe.com/connect/pricing; the rate is a setting."""
    control.fund(20_000, account=payee)
    made = pay_out(client, payee, 10_000, "instant").to_dict()
    transaction = made["balance_transaction"]
    assert (transaction["type"], transaction["amount"], transaction["fee"]) == ("payout", -10_000, 100)
    assert transaction["net"] == -10_100
    assert transaction["source"] == made["id"]
    assert available(client, payee) == 9_900
    assert pay_out(client, payee, 1_000, "instant").to_dict()["balance_transaction"]["fee"] == 50


def test_an_instant_payout_needs_amount_and_fee(
    client: stripe.StripeClient, control: Control, payee: str
) -> None:
    """docs.stripe.com/connect/instant-payouts."""
    control.fund(10_000, account=payee)
    with pytest.raises(stripe.InvalidRequestError) as refused:
        pay_out(client, payee, 10_000, "instant")
    assert refused.value.code == "balance_insufficient"


def test_an_instant_payout_is_paid_within_the_hour(
    client: stripe.StripeClient, control: Control, payee: str
) -> None:
    """Typically within 30 minutes: docs.stripe.com/connect/instant-payouts."""
    control.fund(10_000, account=payee)
    made = pay_out(client, payee, 5_000, "instant")
    assert made.status == "in_transit"
    control.advance(3_600)
    assert client.v1.payouts.retrieve(made.id, {}, {"stripe_account": payee}).status == "paid"
    paid = control.events()[-1]
    assert (paid["type"], paid["account"], paid["data"]["object"]["id"]) == ("payout.paid", payee, made.id)


def test_the_schedule_sweeps_what_is_available_and_itemises_it(
    client: stripe.StripeClient, control: Control, payee: str
) -> None:
    """How Hobbs learns what is in the bank: payout.paid, its balance transactions, their sources."""
    control.fund(10_000)
    sent = [
        client.v1.transfers.create({"amount": amount, "currency": "usd", "destination": payee}).id
        for amount in (1_000, 2_500)
    ]
    control.advance(DAY_S + 1)
    payout = client.v1.payouts.list({}, {"stripe_account": payee}).data[0]
    assert (payout.amount, payout.automatic, payout.status) == (3_500, True, "pending")
    control.advance(2 * DAY_S)
    carried = client.v1.balance_transactions.list(
        {"payout": payout.id, "type": "payment", "expand": ["data.source"]}, {"stripe_account": payee}
    )
    assert sorted(item.to_dict()["source"]["source_transfer"] for item in carried.data) == sorted(sent)
    assert client.v1.payouts.retrieve(payout.id, {}, {"stripe_account": payee}).status == "paid"
    assert available(client, payee) == 0


def test_a_manual_payout_cannot_be_itemised(
    client: stripe.StripeClient, control: Control, payee: str
) -> None:
    """docs.stripe.com/api/balance_transactions/list: `payout` is "for automatic Stripe payouts only"."""
    control.fund(1_000, account=payee)
    made = pay_out(client, payee, 400)
    with pytest.raises(stripe.InvalidRequestError):
        client.v1.balance_transactions.list({"payout": made.id}, {"stripe_account": payee})


def test_a_manual_schedule_sweeps_nothing(client: stripe.StripeClient, control: Control) -> None:
    """docs.stripe.com/connect/manage-payout-schedule."""
    made = client.v1.accounts.create(
        {
            "type": "express",
            "capabilities": {"transfers": {"requested": True}},
            "settings": {"payouts": {"schedule": {"interval": "manual"}}},
        }
    )
    control.onboard(made.id)
    control.fund(1_000, account=made.id)
    control.advance(3 * DAY_S)
    assert available(client, made.id) == 1_000


def test_a_payout_the_bank_refuses_returns_the_money_and_stops_payouts(
    client: stripe.StripeClient, control: Control, payee: str
) -> None:
    """docs.stripe.com/payouts: payout.failed, the external account needs an update."""
    control.fund(5_000, account=payee)
    control.onboard(payee, "break_bank")
    control.advance(3 * DAY_S + 2)
    payout = client.v1.payouts.list({}, {"stripe_account": payee}).data[0]
    assert (payout.status, payout.failure_code) == ("failed", "account_closed")
    assert available(client, payee) == 5_000
    assert not client.v1.accounts.retrieve(payee).payouts_enabled
    types = [event["type"] for event in control.events()]
    assert types.count("payout.failed") == 1
    assert "payout.paid" not in types
    control.onboard(payee)
    control.advance(3 * DAY_S + 2)
    assert client.v1.payouts.list({}, {"stripe_account": payee}).data[0].status == "paid"


def test_a_payout_may_fail_after_it_was_paid(
    client: stripe.StripeClient, control: Control, payee: str
) -> None:
    """docs.stripe.com/api/payouts/object: "Some payouts that fail might initially show as paid"."""
    control.fund(5_000, account=payee)
    made = pay_out(client, payee, 5_000)
    control.advance(2 * DAY_S + 1)
    control.trigger("payout.failed", payout=made.id, code="no_account")
    types = [e["type"] for e in control.events() if e["data"]["object"].get("id") == made.id]
    assert types == ["payout.created", "payout.paid", "payout.failed"]


def test_payouts_need_an_account_that_may_pay_out(
    client: stripe.StripeClient, control: Control, payee: str
) -> None:
    """docs.stripe.com/error-codes#payouts-not-allowed."""
    control.fund(5_000, account=payee)
    control.onboard(payee, "pause_payouts")
    with pytest.raises(stripe.InvalidRequestError) as refused:
        pay_out(client, payee, 100)
    assert refused.value.code == "payouts_not_allowed"


def test_a_pending_payout_can_be_cancelled(client: stripe.StripeClient, control: Control, payee: str) -> None:
    """docs.stripe.com/api/payouts/cancel."""
    control.fund(5_000, account=payee)
    made = pay_out(client, payee, 2_000)
    assert client.v1.payouts.cancel(made.id, {}, {"stripe_account": payee}).status == "canceled"
    assert available(client, payee) == 5_000


def test_payout_effects_are_recorded_with_their_account(
    client: stripe.StripeClient, control: Control, payee: str
) -> None:
    control.fund(5_000, account=payee)
    made = pay_out(client, payee, 2_000)
    control.advance(DAY_S + 1)
    rows = [(row["kind"], row["account"], row["amount"]) for row in control.effects()]
    assert rows == [("payout", payee, 2_000), ("automatic_payout", payee, 3_000)]
    assert control.effects()[0]["object_id"] == made.id
