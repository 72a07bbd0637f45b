"""How payees' accounts are made: the API, the capabilities, the agreement, and the way out of a refusal."""

from dataclasses import replace

import orjson
import pytest

from schemas.stripe_webhooks import StripeWebhook
from services.payouts.domain.accounts import (
    AccountPolicy,
    AccountsApi,
    Agreement,
    account_request,
    agreement_of,
    api_of,
    at_stripe,
    conflict,
)
from services.payouts.domain.answers import StripeAnswer, StripeVerdict
from services.payouts.domain.existing_accounts import AdoptionRequest, foreign, is_account_id, marks
from services.payouts.domain.odd_objects import OddField
from services.payouts.domain.operations import Kind, State
from services.payouts.domain.orders import order_account
from services.payouts.domain.outcomes import decide_outcome
from services.payouts.domain.refusals import advice
from services.payouts.wire.fields import moment
from services.payouts.wire.records import stripe_webhook
from services.payouts.wire.stripe_objects import account_status
from tests.support.records import record
from tests.unit.payouts.test_operations import NOW, OPERATION, POLICY
from tests.unit.payouts.test_orders import ID, TRACE

NEW = AccountPolicy(api=AccountsApi.V2, country="US", recipient_alone=False)
APPROVED = AccountPolicy(api=AccountsApi.V2, country="US", recipient_alone=True)
OLD = AccountPolicy(api=AccountsApi.V1, country="US", recipient_alone=False)


def test_a_new_platform_asks_api_v2_for_transfers_and_card_payments() -> None:
    asked = account_request(NEW, country="US")
    assert asked == {
        "api": "v2",
        "identity": {"country": "us"},
        "dashboard": "express",
        "configuration": {
            "recipient": {"capabilities": {"stripe_balance": {"stripe_transfers": {"requested": True}}}},
            "merchant": {"capabilities": {"card_payments": {"requested": True}}},
        },
        "defaults": {
            "responsibilities": {"fees_collector": "application", "losses_collector": "application"}
        },
    }
    assert "api" not in at_stripe(asked, None)


@pytest.mark.parametrize(("policy", "named"), [(NEW, "contact_email"), (OLD, "email")])
def test_an_address_is_added_when_it_is_sent_and_is_in_nothing_that_is_kept(
    policy: AccountPolicy, named: str
) -> None:
    kept = account_request(policy, country="US")
    assert at_stripe(kept, "a@example.org") == at_stripe(kept, None) | {named: "a@example.org"}
    assert not {"email", "contact_email"} & kept.keys()


def test_an_approved_platform_asks_for_transfers_alone() -> None:
    assert set(account_request(APPROVED, country="US")["configuration"]) == {"recipient"}
    v1 = account_request(AccountPolicy(api=AccountsApi.V1, country="US", recipient_alone=True), country="US")
    assert set(v1["capabilities"]) == {"transfers"}


def test_parameters_decided_before_api_v2_are_for_v1() -> None:
    assert api_of({"type": "express", "country": "US"}) is AccountsApi.V1
    assert api_of(account_request(OLD, country="US")) is AccountsApi.V1
    assert api_of(account_request(NEW, country="US")) is AccountsApi.V2


def test_after_a_refusal_the_next_order_is_another_operation_with_the_present_settings() -> None:
    first = order_account(OLD, wallet="instructor:i1", country="US", trace=TRACE)
    second = order_account(NEW, wallet="instructor:i1", country="US", trace=TRACE, refused=1)
    assert (first.cause, second.cause) == ("instructor:i1", "instructor:i1#2")
    assert first.id != second.id
    assert (api_of(first.params), api_of(second.params)) == (AccountsApi.V1, AccountsApi.V2)


@pytest.mark.parametrize(
    ("country", "platform", "agreement"),
    [
        ("US", "US", Agreement.FULL),
        ("DE", "US", Agreement.FULL),
        ("US", "GB", Agreement.FULL),
        ("CH", "CA", Agreement.FULL),
        ("JP", "JP", Agreement.FULL),
        ("JP", "US", Agreement.RECIPIENT),
        ("US", "JP", Agreement.RECIPIENT),
        ("NG", "US", Agreement.RECIPIENT),
        ("MX", "DE", Agreement.RECIPIENT),
    ],
)
def test_agreements_follow_the_countries(country: str, platform: str, agreement: Agreement) -> None:
    """docs.stripe.com/connect/service-agreement-types, docs.stripe.com/connect/cross-border-payouts."""
    assert agreement_of(country, platform) is agreement


def test_the_recipient_agreement_excludes_card_payments() -> None:
    asked = account_request(OLD, country="NG")
    assert asked["tos_acceptance"] == {"service_agreement": "recipient"}
    assert set(asked["capabilities"]) == {"transfers"}
    assert "tos_acceptance" not in account_request(OLD, country="DE")
    assert set(account_request(NEW, country="NG")["configuration"]) == {"recipient"}


def test_only_instant_choice_under_the_recipient_agreement_is_a_conflict() -> None:
    assert conflict(Agreement.FULL, instant=True) is None
    assert conflict(Agreement.RECIPIENT, instant=False) is None
    assert "instant_payout" in str(conflict(Agreement.RECIPIENT, instant=True))


ASKED = AdoptionRequest(id=ID, wallet="instructor:i1", stripe_account="acct_1")


def test_an_account_that_names_another_payee_is_foreign() -> None:
    assert foreign(ASKED, {"metadata": {"hobbs_payee": "instructor:i2"}}) is not None
    assert foreign(ASKED, {"metadata": {"hobbs_payee": "instructor:i1"}}) is None
    assert foreign(ASKED, {"metadata": None}) is None


def test_only_the_metadata_that_is_missing_is_written() -> None:
    assert set(marks(ASKED, {"metadata": {}})) == {"hobbs_payee", "hobbs_operation_id"}
    assert marks(ASKED, {"metadata": {"hobbs_payee": "instructor:i1", "hobbs_operation_id": "x"}}) == {}


@pytest.mark.parametrize(
    ("text", "fits"),
    [("acct_1a", True), ("acct_", False), ("cus_1", False), ("acct_1/../x", False), (None, False)],
)
def test_ids_of_accounts_look_like_stripes(text: object, fits: bool) -> None:
    assert is_account_id(text) is fits


def test_an_account_is_ready_without_being_able_to_charge() -> None:
    shown = {"capabilities": {"transfers": "active"}, "payouts_enabled": True, "charges_enabled": False}
    status = account_status(shown, None, "acct_1")
    assert (status.ready, status.charges_enabled, status.agreement) == (True, False, Agreement.FULL)
    abroad = account_status(shown | {"tos_acceptance": {"service_agreement": "recipient"}}, None, "acct_1")
    assert abroad.agreement is Agreement.RECIPIENT


def test_times_are_read_as_either_api_writes_them() -> None:
    assert moment({"created": 1_790_000_000}) == moment({"created": "2026-09-21T14:13:20.000Z"})
    for odd in ("yesterday", "2026-09-21T12:53:20", "1026-09-21T12:53:20Z", None, True):
        with pytest.raises(OddField):
            moment({"created": odd})


def test_a_thin_event_is_read_by_what_it_is_about() -> None:
    body = {
        "id": "evt_1",
        "object": "v2.core.event",
        "type": "v2.core.account[requirements].updated",
        "related_object": {"id": "acct_1", "type": "v2.core.account", "url": "/v2/core/accounts/acct_1"},
    }
    event = StripeWebhook(
        event_id="evt_1",
        event_type=str(body["type"]),
        endpoint="connect",
        account="acct_1",
        livemode=False,
        created_at=NOW,
        received_at=NOW,
        attested=True,
        body=orjson.dumps(body).decode(),
    )
    read = stripe_webhook(record("stripe.webhook", event, ce_id="evt_1", ce_source="stripe"), livemode=False)
    assert read.thing == {"id": "acct_1", "object": "v2.core.account"}


def test_a_key_that_may_not_make_accounts_stops_no_transfer() -> None:
    account = replace(OPERATION, kind=Kind.ACCOUNT, params={"api": "v2"}, amount=None, currency=None)
    forbidden = StripeAnswer(
        status=403, body={"error": {"message": "The key does not have the required permissions."}}
    )
    refused = decide_outcome(account, forbidden, NOW, POLICY)
    assert (refused.state, refused.verdict) == (State.REFUSED, StripeVerdict.REFUSED)
    told = advice(Kind.ACCOUNT, str(refused.reason), str(refused.sentence))
    assert "write access to Connect accounts" in told.todo
    assert decide_outcome(OPERATION, forbidden, NOW, POLICY).verdict is StripeVerdict.MISCONFIGURED
    unknown_key = replace(forbidden, status=401)
    assert decide_outcome(account, unknown_key, NOW, POLICY).verdict is StripeVerdict.MISCONFIGURED
