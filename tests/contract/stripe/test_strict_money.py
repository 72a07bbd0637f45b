"""Where money at Stripe is stricter than it is convenient: what a platform meets only with real balances.

Refunds without a balance, reserves for what accounts owe, authorizations that are given back, currencies,
instant payouts. Each test names its source.
"""

from typing import Any, cast

import pytest
import stripe

from hobbs.local.stripe_sim import currencies
from hobbs.local.stripe_sim.control import Control, SimulatorRefused

DAY_S = 86_400
Doc = dict[str, Any]


def pay(client: stripe.StripeClient, amount: int = 10_000, **more: object) -> Doc:
    given = {"amount": amount, "currency": "usd", "payment_method": "pm_card_visa", "confirm": True, **more}
    return client.v1.payment_intents.create(given).to_dict()  # type: ignore[arg-type]


def charge_of(client: stripe.StripeClient, intent: Doc) -> Doc:
    return client.v1.charges.retrieve(intent["latest_charge"], {"expand": ["refunds"]}).to_dict()


def error_of(refused: pytest.ExceptionInfo[stripe.StripeError]) -> Doc:
    return cast(Doc, cast(Doc, refused.value.json_body)["error"])


def told(control: Control, after: int = 0) -> list[str]:
    return [event["type"] for event in control.events(after=after)]


def last(control: Control) -> int:
    return int(control.events()[-1]["cursor"])


# Refunds


def test_a_refund_without_a_balance_is_pending_and_moves_nothing(
    client: stripe.StripeClient, control: Control
) -> None:
    """docs.stripe.com/refunds: available balance only, held as pending; changelog 2025-04-30: the reason."""
    intent = pay(client)  # its money is pending for two days
    control.advance(1)
    refund = client.v1.refunds.create({"payment_intent": intent["id"], "amount": 4_000}).to_dict()
    assert (refund["status"], refund["pending_reason"]) == ("pending", "insufficient_funds")
    assert refund["balance_transaction"] is None
    assert charge_of(client, intent)["amount_refunded"] == 4_000
    assert [row["kind"] for row in control.effects()] == ["charge"]
    assert client.v1.balance.retrieve().available[0].amount == 0
    assert "refund.created" in told(control)


def test_a_pending_refund_completes_once_the_balance_covers_it_the_oldest_first(
    client: stripe.StripeClient, control: Control
) -> None:
    """docs.stripe.com/refunds; that it is told by refund.updated is from memory."""
    first, second = (
        client.v1.refunds.create({"payment_intent": pay(client)["id"], "amount": amount})
        for amount in (4_000, 1_000)
    )
    control.fund(3_999)
    control.advance(1)
    assert client.v1.refunds.retrieve(second.id).status == "pending"  # it waits for the older one
    before = last(control)
    control.fund(1)
    control.advance(1)
    paid = client.v1.refunds.retrieve(first.id, {"expand": ["balance_transaction"]}).to_dict()
    assert (paid["status"], paid.get("pending_reason")) == ("succeeded", None)
    assert paid["balance_transaction"]["net"] == -4_000
    assert told(control, before) == ["refund.updated", "charge.refund.updated"]
    updated = control.events(after=before)[0]["data"]
    assert updated["previous_attributes"]["status"] == "pending"
    assert client.v1.refunds.retrieve(second.id).status == "pending"
    control.advance(3 * DAY_S)  # the payments' own money arrives
    assert client.v1.refunds.retrieve(second.id).status == "succeeded"


# Authorizations


def test_a_cancelled_authorization_is_told_as_refunded(client: stripe.StripeClient, control: Control) -> None:
    """docs.stripe.com/api/payment_intents/cancel; woocommerce-gateway-stripe 1081, WooPayments 11130."""
    intent = pay(client, capture_method="manual")
    before = last(control)
    client.v1.payment_intents.cancel(intent["id"])
    charge = charge_of(client, intent)
    assert (charge["captured"], charge["refunded"], charge["amount_refunded"]) == (False, True, 10_000)
    [released] = charge["refunds"]["data"]
    assert (released["status"], released["balance_transaction"]) == ("succeeded", None)
    assert told(control, before) == ["charge.refunded", "refund.created", "payment_intent.canceled"]
    assert control.effects() == []


def test_the_rest_of_a_partial_capture_is_told_as_refunded(
    client: stripe.StripeClient, control: Control
) -> None:
    """woocommerce-gateway-stripe 1073, solidus_stripe 268; that an event tells of it is from memory."""
    intent = pay(client, capture_method="manual")
    client.v1.payment_intents.capture(intent["id"], {"amount_to_capture": 6_000})
    charge = charge_of(client, intent)
    assert (charge["amount_captured"], charge["amount_refunded"], charge["refunded"]) == (6_000, 4_000, False)
    assert [one["amount"] for one in charge["refunds"]["data"]] == [4_000]
    assert "charge.refunded" in told(control)
    control.advance(3 * DAY_S)
    client.v1.refunds.create({"payment_intent": intent["id"], "amount": 1_000})
    with pytest.raises(stripe.InvalidRequestError):
        client.v1.refunds.create({"payment_intent": intent["id"], "amount": 5_001})
    client.v1.refunds.create({"payment_intent": intent["id"], "amount": 4_000})
    control.fund(1_000)
    client.v1.refunds.create({"payment_intent": intent["id"]})
    assert charge_of(client, intent)["refunded"]
    assert sum(row["amount"] for row in control.effects(kind="refund")) == 6_000


def test_an_authorization_expires_after_seven_days(client: stripe.StripeClient, control: Control) -> None:
    """docs.stripe.com/payments/place-a-hold-on-a-payment-method; docs.stripe.com/api/events/types."""
    intent, kept = pay(client, capture_method="manual"), pay(client, capture_method="manual")
    client.v1.payment_intents.capture(kept["id"])
    before = last(control)
    control.advance(7 * DAY_S + 1)
    assert client.v1.payment_intents.retrieve(intent["id"]).status == "canceled"
    assert client.v1.payment_intents.retrieve(kept["id"]).status == "succeeded"
    types = told(control, before)
    assert [name for name in types if name != "balance.available" and name != "charge.updated"] == [
        "charge.expired",
        "refund.created",
        "payment_intent.canceled",
    ]
    [released] = charge_of(client, intent)["refunds"]["data"]
    assert released["reason"] == "expired_uncaptured_charge"


def test_an_authorization_is_cancelled_not_refunded(client: stripe.StripeClient) -> None:
    """The sentence: woocommerce-gateway-stripe/issues/1081."""
    intent = pay(client, capture_method="manual")
    with pytest.raises(stripe.InvalidRequestError, match="uncaptured Charge was created by a PaymentIntent"):
        client.v1.refunds.create({"charge": intent["latest_charge"]})


# Reserves


def test_what_an_account_owes_is_reserved_from_the_platform(
    client: stripe.StripeClient, control: Control, payee: str
) -> None:
    """support.stripe.com: reserves-for-connect-platforms-and-connected-accounts, connect-reserves-faq."""
    control.fund(3_000)
    control.fund(-5_000, account=payee)
    balance = client.v1.balance.retrieve().to_dict()
    assert balance["connect_reserved"] == [{"amount": 5_000, "currency": "usd"}]
    assert balance["available"][0]["amount"] == -2_000  # drawn into the negative
    [row] = client.v1.balance_transactions.list({"type": "reserve_transaction"}).data
    assert (row.amount, row.net, row.reporting_category) == (-5_000, -5_000, "connect_reserved_funds")
    control.fund(5_000)
    client.v1.transfers.create({"amount": 2_000, "currency": "usd", "destination": payee})
    assert client.v1.balance.retrieve().to_dict()["connect_reserved"][0]["amount"] == 3_000
    control.fund(9_000, account=payee)
    rows = client.v1.balance_transactions.list({"type": "reserve_transaction"}).data
    assert [row.net for row in rows] == [3_000, 2_000, -5_000]
    assert client.v1.balance.retrieve().to_dict()["connect_reserved"][0]["amount"] == 0


# Currencies


def test_a_currency_that_stripe_does_not_know_is_refused(client: stripe.StripeClient, payee: str) -> None:
    """The sentence and param as quoted in public repositories (request logs of 2024)."""
    for attempt in (
        lambda: pay(client, currency="zzz"),
        lambda: client.v1.transfers.create({"amount": 5_000, "currency": "zzz", "destination": payee}),
        lambda: client.v1.payouts.create({"amount": 5_000, "currency": "zzz"}),
        lambda: client.v1.topups.create({"amount": 5_000, "currency": "zzz"}),
    ):
        with pytest.raises(stripe.InvalidRequestError) as refused:
            attempt()
        error = error_of(refused)
        start = "Invalid currency: zzz. Stripe currently supports these currencies: usd, aed, afn"
        assert error["message"].startswith(start)
        assert (error["param"], "code" in error) == ("currency", False)


@pytest.mark.parametrize(("currency", "least"), sorted(currencies.CHARGE_MIN.items()))
def test_a_charge_below_its_currencys_minimum_is_refused(
    client: stripe.StripeClient, control: Control, currency: str, least: int
) -> None:
    """docs.stripe.com/currencies#minimum-and-maximum-charge-amounts."""
    control.set(settlement_currencies=[currency])
    step = currencies.step_of(currency)
    with pytest.raises(stripe.InvalidRequestError) as refused:
        pay(client, least - step, currency=currency)
    assert (refused.value.code, refused.value.param) == ("amount_too_small", "amount")
    assert pay(client, least, currency=currency)["status"] == "succeeded"


@pytest.mark.parametrize(
    ("currency", "amount", "sentence"),
    [
        ("usd", 49, "Amount must be at least $0.50 usd"),
        ("jpy", 49, "Amount must be at least ¥50 jpy"),
        ("mxn", 500, "Amount must be at least $10.00 mxn"),
    ],
)
def test_the_minimum_is_named_in_its_currency(
    client: stripe.StripeClient, control: Control, currency: str, amount: int, sentence: str
) -> None:
    """The sentences for USD and JPY are quoted in public repositories."""
    control.set(settlement_currencies=[currency])
    with pytest.raises(stripe.InvalidRequestError) as refused:
        pay(client, amount, currency=currency)
    assert error_of(refused)["message"] == sentence


@pytest.mark.parametrize(("currency", "amount"), [("kwd", 5_005), ("isk", 10_050), ("ugx", 500_010)])
def test_decimals_that_stripe_does_not_take_are_refused(
    client: stripe.StripeClient, control: Control, currency: str, amount: int
) -> None:
    """docs.stripe.com/currencies: three-decimal currencies in tens; ISK and UGX in hundreds."""
    control.set(settlement_currencies=[currency])
    with pytest.raises(stripe.InvalidRequestError) as refused:
        pay(client, amount, currency=currency)
    assert refused.value.param == "amount"


def test_a_charge_in_another_currency_settles_in_the_accounts_own(
    client: stripe.StripeClient, control: Control
) -> None:
    """docs.stripe.com/payments/currencies/settlement-payouts; docs.stripe.com/currencies (the minimum)."""
    control.set(exchange_rates={"eur/usd": "1.10", "mxn/usd": "0.05"}, charge_transaction_after_s=0)
    charge = charge_of(client, pay(client, 10_000, currency="eur"))
    settled = client.v1.balance_transactions.retrieve(charge["balance_transaction"]).to_dict()
    assert (settled["currency"], settled["amount"], settled["fee"]) == ("usd", 11_000, 349)
    assert settled["exchange_rate"] == 1.1
    with pytest.raises(stripe.InvalidRequestError) as refused:
        pay(client, 500, currency="mxn")
    assert error_of(refused)["message"] == (
        "Amount must convert to at least 50 cents. $5.00 converts to approximately $0.25."
    )


def test_a_conversion_without_a_rate_is_refused_as_not_simulated(
    client: stripe.StripeClient, control: Control, payee: str
) -> None:
    """Not Stripe's answer: Stripe converts. The refusal says which setting to give."""
    with pytest.raises(stripe.InvalidRequestError, match="does not simulate converting EUR"):
        pay(client, currency="eur")
    control.fund(10_000, currency="eur")  # the platform holds euros, the account does not
    with pytest.raises(stripe.InvalidRequestError, match="settlement_currencies"):
        client.v1.transfers.create({"amount": 5_000, "currency": "eur", "destination": payee})
    with pytest.raises(SimulatorRefused, match="exchange_rates"):
        control.fund(1, currency="eur", account=payee) and control.trigger(
            "payment_intent.succeeded", currency="gbp"
        )


def test_a_transfer_arrives_in_the_accounts_currency(client: stripe.StripeClient, control: Control) -> None:
    """docs.stripe.com/connect/currencies: conversion at the destination; its default_currency by country."""
    german = client.v1.accounts.create(
        {"type": "express", "country": "DE", "capabilities": {"transfers": {"requested": True}}}
    )
    assert german.default_currency == "eur"
    control.onboard(german.id)
    control.set(exchange_rates={"usd/eur": "0.9"})
    control.fund(10_000)
    made = client.v1.transfers.create({"amount": 1_000, "currency": "usd", "destination": german.id})
    [arrived] = client.v1.balance_transactions.list({}, {"stripe_account": german.id}).data
    assert (arrived.currency, arrived.amount, arrived.exchange_rate) == ("eur", 900, 0.9)
    client.v1.transfers.reversals.create(made.id)
    theirs = client.v1.balance.retrieve({}, {"stripe_account": german.id})
    assert [(one.currency, one.amount) for one in theirs.available] == [("eur", 0)]
    assert client.v1.balance.retrieve().available[0].amount == 10_000


# Instant payouts


def pay_out(client: stripe.StripeClient, account: str, amount: int, **more: Any) -> stripe.Payout:
    given = {"amount": amount, "currency": "usd", "method": "instant", **more}
    return client.v1.payouts.create(given, {"stripe_account": account})  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("amount", "more", "code", "param"),
    [
        (49, {}, "amount_too_small", "amount"),
        (999_901, {}, "amount_too_large", "amount"),
        (1_000, {"destination": "ba_unknown"}, "resource_missing", "destination"),
        (1_000, {"destination": "ba_unknown", "method": "standard"}, "resource_missing", "destination"),
        (1_000, {"currency": "eur", "method": "standard"}, None, "currency"),
        (1_000, {"currency": "huf"}, "instant_payouts_currency_disabled", "currency"),
    ],
)
def test_a_payout_that_stripe_does_not_make_is_refused(
    client: stripe.StripeClient,
    control: Control,
    payee: str,
    amount: int,
    more: Doc,
    code: str | None,
    param: str,
) -> None:
    """docs.stripe.com/error-codes; the bounds (0.50 to 9,999.00) and their codes are from memory.

    The sentence about external accounts in a currency is quoted in public repositories.
    """
    control.fund(2_000_000, account=payee)
    if more.get("currency") == "huf":
        control.set(settlement_currencies=["huf"])
    with pytest.raises(stripe.InvalidRequestError) as refused:
        pay_out(client, payee, amount, **more)
    assert (refused.value.code, refused.value.param) == (code, param)
    assert control.effects() == []


def test_a_destination_that_is_not_eligible_gets_no_instant_payout(
    client: stripe.StripeClient, control: Control, payee: str
) -> None:
    """docs.stripe.com/connect/instant-payouts: available_payout_methods; the full service agreement."""
    control.fund(50_000, account=payee)
    account = client.v1.accounts.retrieve(payee).to_dict()
    [bank] = account["external_accounts"]["data"]
    assert pay_out(client, payee, 1_000, destination=bank["id"]).destination == bank["id"]
    only_standard = {"data": [bank | {"available_payout_methods": ["standard"]}]}
    fields = {"external_accounts": account["external_accounts"] | only_standard}
    for changed in (fields, {"tos_acceptance": {"service_agreement": "recipient"}}):
        control.trigger("object.changed", object=payee, fields=changed)
        with pytest.raises(stripe.InvalidRequestError) as refused:
            pay_out(client, payee, 1_000)
        assert refused.value.code == "instant_payouts_unsupported"
        control.trigger(
            "object.changed",
            object=payee,
            fields={name: account[name] for name in ("external_accounts", "tos_acceptance")},
        )
    assert pay_out(client, payee, 1_000, method="standard").method == "standard"


def test_instant_payouts_of_all_accounts_share_one_volume_a_day(
    client: stripe.StripeClient, control: Control, payee: str
) -> None:
    """docs.stripe.com/connect/instant-payouts: 5,000 USD a day at first, anew at midnight Central time."""
    control.fund(900_000, account=payee)
    pay_out(client, payee, 400_000)
    with pytest.raises(stripe.InvalidRequestError) as refused:
        pay_out(client, payee, 100_001)
    assert refused.value.code == "instant_payouts_limit_exceeded"
    assert pay_out(client, payee, 100_000).amount == 100_000
    control.advance(DAY_S)
    control.fund(900_000, account=payee)
    assert pay_out(client, payee, 100_001).amount == 100_001
