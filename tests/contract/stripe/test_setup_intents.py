"""Setup intents: saved, declined, authenticated, canceled, and what off-session payments make of it.

Sources: docs.stripe.com/payments/setupintents/lifecycle, docs.stripe.com/testing,
docs.stripe.com/api/setup_intents.
"""

from typing import Any, cast

import httpx
import pytest
import stripe

from hobbs.local.stripe_sim import single_use
from hobbs.local.stripe_sim.control import Control
from tests.contract.stripe.shapes import misfits
from tests.contract.stripe.test_payments import pay, types

Doc = dict[str, Any]
BACK = "https://school.example/cards?from=mail"


def customer(client: stripe.StripeClient) -> str:
    return str(client.v1.customers.create({"email": "s17@example.com"}).id)


def set_up(client: stripe.StripeClient, card: str, customer: str | None = None, **more: object) -> Doc:
    given = {"payment_method": card, "confirm": True, **more} | ({"customer": customer} if customer else {})
    intent: Doc = client.v1.setup_intents.create(given).to_dict()  # type: ignore[arg-type]
    return intent


def refused(error: stripe.StripeError) -> Doc:
    body = cast(Doc, error.json_body)
    return cast(Doc, body["error"])


@pytest.mark.parametrize(
    ("card", "code", "decline_code"),
    [
        ("pm_card_chargeDeclined", "card_declined", "generic_decline"),
        ("pm_card_chargeDeclinedInsufficientFunds", "card_declined", "insufficient_funds"),
        ("pm_card_visa_chargeDeclinedLostCard", "card_declined", "lost_card"),
        ("pm_card_chargeDeclinedExpiredCard", "expired_card", None),
        ("pm_card_chargeDeclinedIncorrectCvc", "incorrect_cvc", None),
    ],
)
def test_a_declining_card_is_not_set_up(
    client: stripe.StripeClient, control: Control, card: str, code: str, decline_code: str | None
) -> None:
    """docs.stripe.com/testing: the cards of "declined payments" cannot be attached to a customer."""
    owner = customer(client)
    with pytest.raises(stripe.CardError) as declined:
        set_up(client, card, owner)
    body = refused(declined.value)
    assert (declined.value.http_status, body["code"], body.get("decline_code")) == (402, code, decline_code)
    intent = client.v1.setup_intents.retrieve(body["setup_intent"]["id"]).to_dict()
    assert (intent["status"], intent["payment_method"]) == ("requires_payment_method", None)
    assert intent["last_setup_error"]["code"] == code
    assert types(control)[1:] == ["setup_intent.created", "setup_intent.setup_failed"]
    assert client.v1.payment_methods.list({"customer": owner}).data == []
    assert misfits(intent, "setup_intent") == []


@pytest.mark.parametrize(
    ("card", "decline_code", "advice"),
    [
        ("pm_card_chargeDeclinedInsufficientFunds", "insufficient_funds", "try_again_later"),
        ("pm_card_visa_chargeDeclinedVelocityLimitExceeded", "card_velocity_exceeded", "try_again_later"),
        ("pm_card_visa_chargeDeclinedStolenCard", "stolen_card", "do_not_try_again"),
        ("pm_card_chargeDeclinedExpiredCard", None, "confirm_card_data"),
        ("pm_card_radarBlock", "fraudulent", None),
    ],
)
def test_a_decline_says_whether_to_try_again(
    client: stripe.StripeClient, card: str, decline_code: str | None, advice: str | None
) -> None:
    """docs.stripe.com/declines: advice_code; which card gives which is from memory."""
    with pytest.raises(stripe.CardError) as declined:
        pay(client, card)
    body = refused(declined.value)
    charge = client.v1.charges.retrieve(body["charge"]).to_dict()
    assert (body.get("decline_code"), body.get("advice_code")) == (decline_code, advice)
    assert charge["outcome"]["advice_code"] == advice
    assert misfits(charge, "charge") == []


def test_a_saved_card_is_renewed_by_its_network_or_by_hand(
    client: stripe.StripeClient, control: Control
) -> None:
    """docs.stripe.com/api/events/types: payment_method.automatically_updated, payment_method.updated."""
    method = client.v1.payment_methods.attach("pm_card_visa", {"customer": customer(client)}).id
    control.trigger("payment_method.automatically_updated", payment_method=method, exp_year=2040)
    changed = control.events()[-1]["data"]
    assert changed["previous_attributes"] == {"card": {"exp_year": 2034}}
    assert changed["object"]["card"]["exp_year"] == 2040
    client.v1.payment_methods.update(method, {"card": {"exp_month": 1, "exp_year": 2041}})
    assert types(control)[-1] == "payment_method.updated"


def test_a_declined_setup_succeeds_with_another_card(client: stripe.StripeClient) -> None:
    """docs.stripe.com/payments/setupintents/lifecycle: requires_payment_method again."""
    owner = customer(client)
    with pytest.raises(stripe.CardError) as declined:
        set_up(client, "pm_card_chargeDeclined", owner)
    intent = refused(declined.value)["setup_intent"]["id"]
    done = client.v1.setup_intents.confirm(intent, {"payment_method": "pm_card_visa"}).to_dict()
    assert (done["status"], done["last_setup_error"]) == ("succeeded", None)
    attempts = client.v1.setup_attempts.list({"setup_intent": intent}).data
    assert [attempt.status for attempt in attempts] == ["succeeded", "failed"]
    assert [found for attempt in attempts for found in misfits(attempt.to_dict(), "setup_attempt")] == []


def test_attaching_a_declining_card_is_declined(client: stripe.StripeClient) -> None:
    """docs.stripe.com/testing: only 4000000000000341 attaches and declines afterwards."""
    owner = customer(client)
    with pytest.raises(stripe.CardError):
        client.v1.payment_methods.attach("pm_card_chargeDeclined", {"customer": owner})
    with pytest.raises(stripe.CardError):
        client.v1.customers.create({"payment_method": "pm_card_chargeDeclined"})
    saved = client.v1.payment_methods.attach("pm_card_chargeCustomerFail", {"customer": owner}).id
    with pytest.raises(stripe.CardError):
        pay(client, saved, customer=owner, off_session=True)


@pytest.mark.parametrize(
    ("outcome", "status", "event"),
    [
        ("complete", "succeeded", "setup_intent.succeeded"),
        ("fail", "requires_payment_method", "setup_intent.setup_failed"),
    ],
)
def test_a_card_with_3d_secure_waits_for_its_holder_on_the_banks_page(
    client: stripe.StripeClient, control: Control, outcome: str, status: str, event: str
) -> None:
    """docs.stripe.com/payments/3d-secure/authentication-flow: redirect_to_url and the query of return_url."""
    owner = customer(client)
    intent = set_up(client, "pm_card_threeDSecure2Required", owner, return_url=BACK)
    assert (intent["status"], intent["next_action"]["type"]) == ("requires_action", "redirect_to_url")
    assert misfits(intent, "setup_intent") == []
    page = intent["next_action"]["redirect_to_url"]["url"]
    shown = httpx.get(page)
    assert shown.status_code == 200
    assert "Complete" in shown.text
    assert "Fail" in shown.text
    answered = httpx.post(page, data={"outcome": outcome})
    assert answered.status_code == 303
    back = httpx.URL(answered.headers["location"])
    assert (back.host, back.params["from"], back.params["setup_intent"]) == (
        "school.example",
        "mail",
        intent["id"],
    )
    assert back.params["redirect_status"] == ("succeeded" if outcome == "complete" else "failed")
    assert client.v1.setup_intents.retrieve(intent["id"]).status == status
    assert "setup_intent.requires_action" in types(control)
    assert types(control)[-1] == event
    assert httpx.post(page, data={"outcome": "complete"}).status_code == 410


def test_without_a_return_url_the_sdk_is_asked_for(client: stripe.StripeClient, control: Control) -> None:
    """docs.stripe.com/api/setup_intents/object: next_action.type use_stripe_sdk."""
    intent = set_up(client, "pm_card_threeDSecure2Required")
    assert intent["next_action"]["type"] == "use_stripe_sdk"
    failed = control.trigger("setup_intent.authenticated", setup_intent=intent["id"], success=False)
    assert failed["last_setup_error"]["code"] == "setup_intent_authentication_failure"


def test_a_payment_is_authenticated_on_the_same_page(client: stripe.StripeClient) -> None:
    """docs.stripe.com/payments/3d-secure/authentication-flow; the page answered 401 once."""
    intent = pay(client, "pm_card_threeDSecure2Required", return_url=BACK).to_dict()
    page = intent["next_action"]["redirect_to_url"]["url"]
    assert "Complete" in httpx.get(page).text
    back = httpx.URL(httpx.post(page, data={"outcome": "complete"}).headers["location"])
    assert (back.params["payment_intent"], back.params["redirect_status"]) == (intent["id"], "succeeded")
    assert client.v1.payment_intents.retrieve(intent["id"]).status == "succeeded"
    assert httpx.get(page.replace("pi_", "pi_x")).status_code == 410


def test_a_payment_whose_authentication_fails_makes_no_charge(
    client: stripe.StripeClient, control: Control
) -> None:
    """docs.stripe.com/error-codes#payment-intent-authentication-failure; the wording is from memory."""
    intent = pay(client, "pm_card_threeDSecure2Required", return_url=BACK).to_dict()
    httpx.post(intent["next_action"]["redirect_to_url"]["url"], data={"outcome": "fail"})
    failed = client.v1.payment_intents.retrieve(intent["id"]).to_dict()
    assert (failed["status"], failed["latest_charge"]) == ("requires_payment_method", None)
    assert failed["last_payment_error"]["code"] == "payment_intent_authentication_failure"
    assert types(control)[-1] == "payment_intent.payment_failed"
    assert "charge.failed" not in types(control)
    assert misfits(failed, "payment_intent") == []


@pytest.mark.parametrize(
    ("card", "first", "after_setup"),
    [
        ("pm_card_authenticationRequiredOnSetup", "authentication_required", "succeeded"),
        ("pm_card_authenticationRequired", "authentication_required", "authentication_required"),
        ("pm_card_authenticationRequiredSetupForOffSession", "succeeded", "succeeded"),
        (
            "pm_card_authenticationRequiredChargeDeclinedInsufficientFunds",
            "authentication_required",
            "authentication_required",
        ),
    ],
)
def test_off_session_a_setup_spares_the_cards_that_honour_it(
    client: stripe.StripeClient, control: Control, card: str, first: str, after_setup: str
) -> None:
    """docs.stripe.com/testing: "authenticate unless set up", "always authenticate", "already set up"."""

    def charge(method: str) -> str:
        try:
            return pay(client, method, customer=owner, off_session=True).status
        except stripe.CardError as declined:
            return str(declined.code)

    owner = customer(client)
    assert charge(card) == first
    intent = set_up(client, card, owner)
    assert intent["status"] == "requires_action"
    control.trigger("setup_intent.authenticated", setup_intent=intent["id"])
    saved = client.v1.payment_methods.list({"customer": owner}).data[0].id
    assert charge(saved) == after_setup
    assert pay(client, saved, customer=owner).status == "requires_action"


def test_setup_intents_are_listed_and_canceled(client: stripe.StripeClient, control: Control) -> None:
    """docs.stripe.com/api/setup_intents/cancel: which states can be canceled."""
    owner = customer(client)
    waiting = set_up(client, "pm_card_threeDSecure2Required", owner)["id"]
    done = set_up(client, "pm_card_visa", owner)["id"]
    listed = client.v1.setup_intents.list({"customer": owner}).data
    assert [intent.id for intent in listed] == [done, waiting]
    gone = client.v1.setup_intents.cancel(waiting, {"cancellation_reason": "abandoned"})
    assert (gone.status, gone.cancellation_reason, gone.next_action) == ("canceled", "abandoned", None)
    assert types(control)[-1] == "setup_intent.canceled"
    with pytest.raises(stripe.InvalidRequestError) as unexpected:
        client.v1.setup_intents.cancel(done)
    assert unexpected.value.code == "setup_intent_unexpected_state"


def test_a_setup_intent_is_confirmed_with_the_method_it_was_made_with(client: stripe.StripeClient) -> None:
    """docs.stripe.com/payments/setupintents/lifecycle: requires_confirmation."""
    intent = client.v1.setup_intents.create({"payment_method": "pm_card_visa"})
    assert intent.status == "requires_confirmation"
    assert client.v1.setup_intents.confirm(intent.id).status == "succeeded"
    with pytest.raises(stripe.InvalidRequestError) as unexpected:
        client.v1.setup_intents.confirm(intent.id, {"payment_method": "pm_card_visa"})
    assert unexpected.value.code == "setup_intent_unexpected_state"


def test_a_method_without_a_customer_pays_once(client: stripe.StripeClient) -> None:
    """docs.stripe.com/api/payment_methods; the sentence is quoted by several public repositories."""
    method = client.v1.payment_methods.create({"type": "card", "card": {"token": "tok_visa"}}).id
    assert pay(client, method).status == "succeeded"
    with pytest.raises(stripe.InvalidRequestError) as again:
        pay(client, method)
    assert refused(again.value)["message"] == single_use.NOT_AGAIN
    with pytest.raises(stripe.InvalidRequestError) as attached:
        client.v1.payment_methods.attach(method, {"customer": customer(client)})
    assert "may not be used again" in refused(attached.value)["message"]


def test_a_detached_method_is_never_used_again(client: stripe.StripeClient) -> None:
    """docs.stripe.com/api/payment_methods/detach."""
    owner = customer(client)
    method = client.v1.payment_methods.attach("pm_card_visa", {"customer": owner}).id
    pay(client, method, customer=owner)
    assert pay(client, method, customer=owner).status == "succeeded"
    client.v1.payment_methods.detach(method)
    with pytest.raises(stripe.InvalidRequestError):
        pay(client, method)
