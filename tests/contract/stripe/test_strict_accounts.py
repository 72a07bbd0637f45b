"""Connected accounts that end, and what Stripe tells of their parts. Each test names its source."""

from typing import Any

import pytest
import stripe

from hobbs.local.stripe_sim.control import Control
from tests.contract.stripe.conftest import new_payee
from tests.contract.stripe.shapes import misfits

Doc = dict[str, Any]


def told(control: Control, account: str) -> list[str]:
    return [event["type"] for event in control.events() if event.get("account") == account]


@pytest.mark.parametrize("amount", [5_000, -5_000])
def test_an_account_that_holds_or_owes_money_is_not_deleted(
    client: stripe.StripeClient, control: Control, payee: str, amount: int
) -> None:
    """docs.stripe.com/api/accounts/delete (live mode's rule); the sentence: gitlab.com/minds/engine 798."""
    control.fund(amount, account=payee)
    with pytest.raises(stripe.InvalidRequestError, match=r"Currencies with non-zero balances: usd\."):
        client.v1.accounts.delete(payee)
    control.fund(-amount, account=payee)
    assert client.v1.accounts.delete(payee).deleted


def test_pending_money_keeps_an_account_too(
    client: stripe.StripeClient, control: Control, payee: str
) -> None:
    """docs.stripe.com/api/accounts/delete: "when all balances are zero"."""
    charge = control.trigger("payment_intent.succeeded")["latest_charge"]
    client.v1.transfers.create(
        {"amount": 500, "currency": "usd", "destination": payee, "source_transaction": charge}
    )
    with pytest.raises(stripe.InvalidRequestError):
        client.v1.accounts.delete(payee)


def test_nothing_is_reversed_from_an_account_that_is_gone(
    client: stripe.StripeClient, control: Control, payee: str
) -> None:
    """From memory."""
    control.fund(10_000)
    made = client.v1.transfers.create({"amount": 1_000, "currency": "usd", "destination": payee})
    client.v1.payouts.create({"amount": 1_000, "currency": "usd"}, {"stripe_account": payee})
    client.v1.accounts.delete(payee)
    with pytest.raises(stripe.InvalidRequestError) as refused:
        client.v1.transfers.reversals.create(made.id)
    assert (refused.value.code, refused.value.param) == ("resource_missing", "destination")
    assert [row["kind"] for row in control.effects()] == ["transfer", "payout"]


def test_one_onboarding_tells_of_its_parts(client: stripe.StripeClient, control: Control) -> None:
    """docs.stripe.com/api/events/types; which of them one onboarding causes is from memory."""
    made = new_payee(client)
    assert told(control, made) == ["account.application.authorized"]
    control.onboard(made)
    assert told(control, made)[1:] == [
        "capability.updated",
        "person.created",
        "account.external_account.created",
        "account.updated",
    ]
    control.onboard(made, "restrict")
    assert told(control, made)[5:] == ["capability.updated", "account.updated"]
    restricted = control.events()[-2]["data"]
    assert (restricted["object"]["id"], restricted["object"]["status"]) == ("transfers", "inactive")
    assert restricted["previous_attributes"] == {"status": "active"}


def test_a_bank_that_refuses_a_payout_is_told_as_errored(
    client: stripe.StripeClient, control: Control, payee: str
) -> None:
    """docs.stripe.com/api/external_account_bank_accounts/object: status errored after a failed payout."""
    control.fund(5_000, account=payee)
    given: Doc = {"amount": 1_000, "currency": "usd"}
    payout = client.v1.payouts.create(given, {"stripe_account": payee})  # type: ignore[arg-type]
    control.trigger("payout.failed", payout=payout.id)
    assert told(control, payee)[-2:] == ["account.external_account.updated", "account.updated"]
    [bank] = client.v1.accounts.retrieve(payee).to_dict()["external_accounts"]["data"]
    assert bank["status"] == "errored"
    control.onboard(payee)
    [bank] = client.v1.accounts.retrieve(payee).to_dict()["external_accounts"]["data"]
    assert bank["status"] == "new"


def test_the_platforms_own_account_has_stripes_shape(client: stripe.StripeClient) -> None:
    """Stripe's OpenAPI description (shapes.json)."""
    assert misfits(client.v1.accounts.retrieve_current().to_dict(), "account") == []


def test_an_individual_belongs_to_its_account(client: stripe.StripeClient) -> None:
    """Stripe's OpenAPI description: a person has account and created."""
    given: Doc = {"type": "express", "individual": {"first_name": "Anna"}}
    made = client.v1.accounts.create(given).to_dict()  # type: ignore[arg-type]
    assert made["individual"]["account"] == made["id"]
    assert made["individual"]["created"] == made["created"]
    assert misfits(made, "account") == []


def test_a_dispute_names_its_network_and_how_evidence_was_sent(
    client: stripe.StripeClient, control: Control
) -> None:
    """Dispute.PaymentMethodDetails.Card and Dispute.EvidenceDetails in the installed library."""
    dispute = control.trigger("charge.dispute.created")
    assert dispute["payment_method_details"]["card"]["network"] == "visa"
    assert dispute["evidence_details"]["submission_method"] == "not_submitted"
    answered = client.v1.disputes.update(dispute["id"], {"evidence": {"uncategorized_text": "a lesson"}})
    assert answered.to_dict()["evidence_details"]["submission_method"] == "manual"
