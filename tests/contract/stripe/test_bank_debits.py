"""Bank debits (ACH): verified, processing for days, paid, failed, returned.

Sources: docs.stripe.com/payments/ach-direct-debit and …/accept-a-payment (test accounts, microdeposits),
support.stripe.com/questions/respond-to-or-contest-an-ach-direct-debit-dispute-as-a-merchant.
"""

from typing import Any

import pytest
import stripe

from hobbs.local.stripe_sim import ach
from hobbs.local.stripe_sim.control import Control
from tests.contract.stripe.shapes import misfits
from tests.contract.stripe.test_payments import balance, pay, types

Doc = dict[str, Any]
DAY_S = 86_400
ACCEPTED = {
    "customer_acceptance": {"type": "online", "online": {"ip_address": "192.0.2.7", "user_agent": "test"}}
}


def saved(client: stripe.StripeClient, token: str = "pm_usBankAccount_success") -> tuple[str, str]:
    """A customer and their verified bank account with a mandate."""
    owner = client.v1.customers.create({"name": "Jenny Rosen"}).id
    given = {"customer": owner, "payment_method": token, "confirm": True, "mandate_data": ACCEPTED}
    intent = client.v1.setup_intents.create(given).to_dict()  # type: ignore[arg-type]
    assert intent["next_action"]["type"] == "verify_with_microdeposits"
    done = client.v1.setup_intents.verify_microdeposits(intent["id"], {"amounts": [32, 45]}).to_dict()
    assert done["status"] == "succeeded"
    return owner, str(done["payment_method"])


def debit(client: stripe.StripeClient, token: str = "pm_usBankAccount_success", amount: int = 40_000) -> Doc:
    owner, method = saved(client, token)
    return pay(client, method, amount, customer=owner, off_session=True).to_dict()


def shaped(control: Control) -> list[str]:
    wrong = []
    for event in control.events():
        carried = event["data"]["object"]
        wrong += [f"{event['type']}: {found}" for found in misfits(carried, carried["object"])]
    return wrong


def test_a_debit_is_processing_for_days_and_then_paid(client: stripe.StripeClient, control: Control) -> None:
    """docs.stripe.com/payments/ach-direct-debit (4 business days), stripe.com/pricing (0.8 %, max. 5.00)."""
    intent = debit(client)
    assert (intent["status"], intent["amount_received"]) == ("processing", 0)
    charge = client.v1.charges.retrieve(intent["latest_charge"]).to_dict()
    assert (charge["status"], charge["paid"], charge["id"][:3]) == ("pending", False, "py_")
    assert balance(client) == (0, 39_680)
    assert control.effects() == []
    control.advance(3 * DAY_S)
    assert client.v1.payment_intents.retrieve(intent["id"]).status == "processing"
    control.advance(2 * DAY_S)
    assert client.v1.payment_intents.retrieve(intent["id"]).status == "succeeded"
    assert balance(client) == (39_680, 0)
    rows = client.v1.balance_transactions.list().data
    assert [(row.type, row.fee) for row in rows] == [("payment", 320)]
    assert [row["amount"] for row in control.effects(kind="charge")] == [40_000]
    happened = [type for type in types(control) if type.startswith(("charge.", "payment_intent."))]
    assert happened == [
        "payment_intent.created",
        "charge.pending",
        "payment_intent.processing",
        "charge.succeeded",
        "payment_intent.succeeded",
    ]
    assert shaped(control) == []


@pytest.mark.parametrize(
    ("token", "code"),
    [
        ("pm_usBankAccount_accountClosed", "account_closed"),
        ("pm_usBankAccount_noAccount", "no_account"),
        ("pm_usBankAccount_insufficientFunds", "insufficient_funds"),
        ("pm_usBankAccount_debitNotAuthorized", "debit_not_authorized"),
    ],
)
def test_a_debit_fails_days_later_and_its_credit_is_taken_back(
    client: stripe.StripeClient, control: Control, token: str, code: str
) -> None:
    """…/accept-a-payment, test account numbers; docs.stripe.com/api/charges: failure_balance_transaction."""
    intent = debit(client, token)
    assert intent["status"] == "processing"
    control.advance(5 * DAY_S)
    failed = client.v1.payment_intents.retrieve(intent["id"]).to_dict()
    assert (failed["status"], failed["payment_method"]) == ("requires_payment_method", None)
    assert failed["last_payment_error"]["code"] == code
    charge = client.v1.charges.retrieve(intent["latest_charge"]).to_dict()
    assert (charge["status"], charge["failure_code"]) == ("failed", code)
    assert charge["failure_message"] == ach.FAILURES[code]
    back = client.v1.balance_transactions.retrieve(charge["failure_balance_transaction"])
    assert (back.type, back.net, back.reporting_category) == (
        "payment_failure_refund",
        -39_680,
        "charge_failure",
    )
    assert balance(client) == (0, 0)
    assert [t for t in types(control) if t.endswith("failed")] == [
        "charge.failed",
        "payment_intent.payment_failed",
    ]
    assert control.effects() == []
    assert shaped(control) == []


def test_a_returned_debit_is_a_dispute_that_is_lost_and_ends_its_mandate(
    client: stripe.StripeClient, control: Control
) -> None:
    """support.stripe.com/questions/respond-to-or-contest-an-ach-direct-debit-dispute-as-a-merchant."""
    owner, method = saved(client, "pm_usBankAccount_dispute")
    intent = pay(client, method, customer=owner, off_session=True).to_dict()
    control.advance(6 * DAY_S)
    dispute = client.v1.disputes.list({"payment_intent": intent["id"]}).data[0]
    assert (dispute.status, dispute.amount) == ("lost", 40_000)
    assert balance(client) == (39_680 - 40_000 - 1_500, 0)
    charge = client.v1.charges.retrieve(intent["latest_charge"]).to_dict()
    mandate = charge["payment_method_details"]["us_bank_account"]["mandate"]
    assert client.v1.mandates.retrieve(mandate).status == "inactive"
    assert "mandate.updated" in types(control)
    with pytest.raises(stripe.InvalidRequestError) as refused:
        pay(client, method, customer=owner, off_session=True)
    assert refused.value.code == "payment_intent_mandate_invalid"
    assert shaped(control) == []


def test_a_debit_can_be_returned_by_a_trigger(client: stripe.StripeClient, control: Control) -> None:
    """The same source: a failure after success is a dispute."""
    intent = debit(client)
    control.advance(5 * DAY_S)
    doc = control.trigger("bank_debit.returned", charge=intent["latest_charge"], reason="insufficient_funds")
    assert (doc["status"], doc["reason"]) == ("lost", "insufficient_funds")


def test_a_debit_returned_for_want_of_money_may_be_tried_again(
    client: stripe.StripeClient, control: Control
) -> None:
    """Who had no money took no consent back: the mandate stands."""
    owner, method = saved(client, "pm_usBankAccount_success")
    intent = pay(client, method, customer=owner, off_session=True).to_dict()
    control.advance(5 * DAY_S)
    control.trigger("bank_debit.returned", charge=intent["latest_charge"], reason="insufficient_funds")
    assert pay(client, method, customer=owner, off_session=True).status == "processing"


def test_a_debit_that_never_ends_can_be_canceled(client: stripe.StripeClient, control: Control) -> None:
    """…/accept-a-payment: 000000000009 stays in processing, for testing cancellation."""
    intent = debit(client, "pm_usBankAccount_processing")
    control.advance(30 * DAY_S)
    assert client.v1.payment_intents.retrieve(intent["id"]).status == "processing"
    assert client.v1.payment_intents.cancel(intent["id"]).status == "canceled"
    assert balance(client) == (0, 0)


def test_a_payment_of_an_unverified_account_waits_for_microdeposits(
    client: stripe.StripeClient, control: Control
) -> None:
    """…/accept-a-payment, microdeposit amounts and descriptor codes."""
    intent = pay(client, "pm_usBankAccount_success", mandate_data=ACCEPTED).to_dict()
    assert intent["status"] == "requires_action"
    assert misfits(intent, "payment_intent") == []
    with pytest.raises(stripe.InvalidRequestError) as wrong:
        client.v1.payment_intents.verify_microdeposits(intent["id"], {"amounts": [1, 2]})
    assert wrong.value.code == "payment_method_microdeposit_verification_amounts_mismatch"
    verified = client.v1.payment_intents.verify_microdeposits(intent["id"], {"descriptor_code": "SM11AA"})
    assert verified.status == "processing"


def test_too_many_guesses_end_the_attempt(client: stripe.StripeClient, control: Control) -> None:
    """…/accept-a-payment: 10 and 11 simulate exceeding the number of attempts."""
    intent = pay(client, "pm_usBankAccount_success", mandate_data=ACCEPTED)
    failed = client.v1.payment_intents.verify_microdeposits(intent.id, {"amounts": [10, 11]})
    assert failed.status == "requires_payment_method"


def test_a_debit_needs_a_mandate_and_dollars(client: stripe.StripeClient, control: Control) -> None:
    """docs.stripe.com/error-codes#payment-intent-mandate-invalid; ACH is for dollars only."""
    control.set(settlement_currencies=["eur"])
    with pytest.raises(stripe.InvalidRequestError) as without:
        pay(client, "pm_usBankAccount_success")
    assert without.value.code == "payment_intent_mandate_invalid"
    with pytest.raises(stripe.InvalidRequestError) as euros:
        pay(client, "pm_usBankAccount_success", currency="eur", mandate_data=ACCEPTED)
    assert euros.value.code == "payment_intent_incompatible_payment_method"


def test_a_mandate_says_what_was_accepted(client: stripe.StripeClient, control: Control) -> None:
    """docs.stripe.com/api/mandates: once for a payment, many times for a setup."""
    owner, method = saved(client)
    setup = client.v1.setup_intents.list({"customer": owner}).data[0].to_dict()
    many = client.v1.mandates.retrieve(setup["mandate"]).to_dict()
    assert (many["type"], many["payment_method"], many["status"]) == ("multi_use", method, "active")
    intent = pay(client, method, customer=owner, mandate_data=ACCEPTED).to_dict()
    charge = client.v1.charges.retrieve(intent["latest_charge"]).to_dict()
    once = client.v1.mandates.retrieve(
        charge["payment_method_details"]["us_bank_account"]["mandate"]
    ).to_dict()
    assert (once["type"], once["single_use"]) == ("single_use", {"amount": 40_000, "currency": "usd"})
    assert [*misfits(many, "mandate"), *misfits(once, "mandate")] == []


def test_only_test_accounts_are_taken(client: stripe.StripeClient) -> None:
    """docs.stripe.com/payments/ach-direct-debit/accept-a-payment."""
    given = {
        "type": "us_bank_account",
        "billing_details": {"name": "Jenny Rosen"},
        "us_bank_account": {
            "account_number": "000222222227",
            "routing_number": "110000000",
            "account_holder_type": "individual",
        },
    }
    method = client.v1.payment_methods.create(given).to_dict()  # type: ignore[arg-type]
    assert (method["type"], method["us_bank_account"]["last4"]) == ("us_bank_account", "2227")
    assert misfits(method, "payment_method") == []
    given["us_bank_account"] = {"account_number": "123456789012", "routing_number": "110000000"}
    with pytest.raises(stripe.InvalidRequestError) as refused:
        client.v1.payment_methods.create(given)  # type: ignore[arg-type]
    assert refused.value.code == "account_number_invalid"


def test_a_transfer_may_take_its_money_from_a_pending_debit(
    client: stripe.StripeClient, control: Control, payee: str
) -> None:
    """docs.stripe.com/connect/separate-charges-and-transfers: asynchronous methods and source_transaction."""
    intent = debit(client)
    transfer = client.v1.transfers.create(
        {
            "amount": 30_000,
            "currency": "usd",
            "destination": payee,
            "source_transaction": intent["latest_charge"],
        }
    )
    assert transfer.source_transaction == intent["latest_charge"]


def test_a_debit_that_was_paid_fails_after_all(client: stripe.StripeClient, control: Control) -> None:
    """docs.stripe.com/api/charges/object: failure_balance_transaction: the credit and its fee go."""
    intent = debit(client)
    control.advance(5 * DAY_S)
    assert balance(client) == (39_680, 0)
    control.trigger("bank_debit.failed_late", charge=intent["latest_charge"], code="account_closed")
    charge = client.v1.charges.retrieve(intent["latest_charge"]).to_dict()
    assert (charge["status"], charge["paid"], charge["failure_code"]) == ("failed", False, "account_closed")
    assert charge["failure_balance_transaction"]
    assert balance(client) == (0, 0)
    assert types(control)[-2:] == ["charge.failed", "payment_intent.payment_failed"]
    assert shaped(control) == []
    assert [effect["kind"] for effect in control.effects()] == ["charge", "payment_failure"]
