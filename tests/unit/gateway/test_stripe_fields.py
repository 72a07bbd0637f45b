"""What of Stripe's events goes no further than the process that received it: all that tells of people."""

import json
from datetime import UTC, datetime
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fleet.envelope import Record
from schemas.attestation import attest, is_attested
from schemas.stripe_fields import DEPTH_MAX, reduced
from services.gateway import wire
from services.payouts.wire.movements import movement
from services.receivables.wire.stripe_objects import stripe_event
from tests.support.records import record

NOW = datetime(2026, 5, 22, 12, tzinfo=UTC)
PLANTED = ("Wilhelmine Ottersberg", "wilhelmine@example.org", "Moor Lane 7", "4242", "0171 5550123")
NAME, EMAIL, STREET, LAST4, PHONE = PLANTED
PERSON = {"name": NAME, "email": EMAIL, "phone": PHONE, "address": {"line1": STREET}}
REFUND = {
    "id": "re_1",
    "object": "refund",
    "amount": 5_000,
    "currency": "usd",
    "created": 1_779_451_200,
    "charge": "ch_1",
    "status": "succeeded",
    "reason": NAME,
    "instructions_email": EMAIL,
    "destination_details": {"card": {"reference": LAST4}},
    "balance_transaction": {
        "id": "txn_2",
        "amount": -5_000,
        "fee": 0,
        "net": -5_000,
        "currency": "usd",
        "description": f"REFUND FOR {NAME}",
    },
}
CHARGE = {
    "id": "ch_1",
    "object": "charge",
    "amount": 40_000,
    "amount_captured": 40_000,
    "amount_refunded": 5_000,
    "captured": True,
    "currency": "usd",
    "created": 1_779_451_200,
    "status": "succeeded",
    "paid": True,
    "payment_intent": {"id": "pi_1", "object": "payment_intent", "receipt_email": EMAIL},
    "metadata": {"hobbs_student": "student-07", "nickname": NAME, "hobbs_nested": {"name": NAME}},
    "billing_details": PERSON,
    "shipping": PERSON,
    "receipt_email": EMAIL,
    "description": f"Lesson of {NAME}",
    "statement_descriptor": NAME,
    "customer": {"id": "cus_1", **PERSON},
    "payment_method_details": {"card": {"last4": LAST4}},
    "source": {"id": "card_1", "object": "card", **PERSON},
    "refunds": {"object": "list", "data": [REFUND]},
    "fraud_details": {"user_report": NAME},
}
EVENT: dict[str, Any] = {
    "id": "evt_1",
    "object": "event",
    "type": "charge.refunded",
    "livemode": False,
    "created": 1_779_451_200,
    "request": {"id": "req_1", "idempotency_key": NAME},
    "data": {"object": CHARGE, "previous_attributes": {"status": "pending", "receipt_email": EMAIL}},
}
INTENT = {
    "id": "pi_1",
    "object": "payment_intent",
    "amount": 40_000,
    "currency": "usd",
    "created": 1_779_451_200,
    "metadata": {"hobbs_student": "student-07"},
    "last_payment_error": {
        "code": "card_declined",
        "decline_code": "expired_card",
        "message": f"The card of {NAME} ending in {LAST4} has expired",
        "charge": "ch_2",
        "payment_method": {"billing_details": PERSON},
    },
}
ACCOUNT = {
    "id": "acct_1",
    "object": "account",
    "email": EMAIL,
    "individual": {"first_name": NAME, "address": {"line1": STREET}, "phone": PHONE},
    "external_accounts": {"data": [{"id": "ba_1", "account_holder_name": NAME, "last4": LAST4}]},
    "business_profile": {"name": NAME, "support_email": EMAIL},
    "metadata": {"hobbs_payee": "instructor:instructor-01", "note": NAME},
}


def delivered(event: dict[str, Any]) -> wire.ReadWebhook:
    body = json.dumps(event).encode()
    return wire.read_webhook(body, endpoint="platform", livemode=False, received_at=NOW)


def of_body(body: str) -> Record:
    said = delivered(EVENT).event.model_copy(update={"body": body})
    return record("stripe.webhook", said, ce_id="evt_1", ce_source="stripe")


@pytest.mark.parametrize(
    ("event_type", "thing"),
    [
        ("charge.refunded", CHARGE),
        ("payment_intent.payment_failed", INTENT),
        ("account.updated", ACCOUNT),
        ("customer.created", {"id": "cus_1", "object": "customer", **PERSON}),
        ("of.a.type.nobody.knows", {"id": "x_1", "object": "x", "anything": [PERSON]}),
    ],
)
def test_nothing_published_of_a_webhook_tells_of_a_person(event_type: str, thing: dict[str, Any]) -> None:
    webhook = delivered(EVENT | {"type": event_type, "data": {"object": thing}})
    published = webhook.event.model_dump_json()
    assert [word for word in PLANTED if word in published] == []
    assert json.loads(webhook.event.body)["data"]["object"]["id"] == thing["id"]


def test_what_money_needs_is_read_from_what_is_left_as_from_the_whole() -> None:
    left = stripe_event(of_body(delivered(EVENT).event.body), livemode=False)
    whole = stripe_event(of_body(json.dumps(EVENT)), livemode=False)
    assert (left.facts, left.odd) == (whole.facts, whole.odd)
    assert len(left.facts) == 2


def test_the_proof_is_of_what_is_published() -> None:
    keys = ("k" * 32,)
    published = attest(delivered(EVENT).event, keys)
    assert is_attested(published, keys)
    assert not is_attested(published.model_copy(update={"body": json.dumps(EVENT)}), keys)


@pytest.mark.parametrize(("kind", "kept"), [("charge", None), ("stripe_fee", "Billing fee")])
def test_of_a_row_of_the_balance_only_stripes_own_words_are_kept(kind: str, kept: str | None) -> None:
    row = {
        "id": "txn_1",
        "type": kind,
        "amount": 40_000,
        "fee": 0,
        "net": 40_000,
        "currency": "usd",
        "created": 1_779_451_200,
        "source": "ch_1",
        "description": kept or f"Lesson of {NAME}",
    }
    assert movement(row).description == kept


def test_a_document_that_is_nested_without_end_is_cut() -> None:
    deep: Any = {"id": "x"}
    for _ in range(900):
        deep = {"data": deep}
    assert orjson.dumps(reduced(deep)).count(b"data") == DEPTH_MAX + 1


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=10,
)


@given(thing=JSON)
def test_whatever_a_document_is_it_is_reduced_once(thing: Any) -> None:
    assert reduced(reduced(thing)) == reduced(thing)
