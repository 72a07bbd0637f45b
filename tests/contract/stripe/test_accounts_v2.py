"""Connected accounts as new platforms make them: API v2, and what v1 still does for them.

Sources: docs.stripe.com/connect/accounts-v2, docs.stripe.com/api-v2-overview, the installed stripe library;
the refusals as public repositories quote them in August and September 2026.
"""

import json
from typing import Any

import httpx
import pytest
import stripe

from hobbs.local.stripe_sim import routes
from hobbs.local.stripe_sim.control import Control
from tests.contract.stripe.receiver import Receiver
from tests.support.stripe import StripeSim

Doc = dict[str, Any]

CARDS: Doc = {"merchant": {"capabilities": {"card_payments": {"requested": True}}}}
TRANSFERS: Doc = {
    "recipient": {"capabilities": {"stripe_balance": {"stripe_transfers": {"requested": True}}}}
}
EXPRESS: Doc = {
    "contact_email": "payee@example.org",
    "dashboard": "express",
    "identity": {"country": "us"},
    "defaults": {"responsibilities": {"fees_collector": "application", "losses_collector": "application"}},
    "configuration": CARDS | TRANSFERS,
}
EVERYTHING = ["configuration.merchant", "configuration.recipient", "defaults", "identity", "requirements"]


@pytest.fixture
def new_platform(control: Control) -> Control:
    """A platform as Stripe makes them now: no accounts through v1, no approval of transfers alone."""
    control.set(v1_accounts=False, transfers_alone_approved=False)
    return control


def made(client: stripe.StripeClient, **more: Any) -> Doc:
    account = client.v2.core.accounts.create({**EXPRESS, **more})  # type: ignore[arg-type]
    found: Doc = account.to_dict()
    return found


def refused(client: stripe.StripeClient, **more: Any) -> Doc:
    with pytest.raises(stripe.StripeError) as error:
        made(client, **more)
    assert isinstance(error.value.json_body, dict)
    told: Doc = error.value.json_body["error"]
    assert {"code", "message", "user_message"} <= set(told)
    return told


def test_v1_makes_no_account_for_a_new_platform(client: stripe.StripeClient, new_platform: Control) -> None:
    """docs.stripe.com/connect/accounts-v2/account-creation; the sentence as repositories quote it."""
    with pytest.raises(stripe.InvalidRequestError) as closed:
        client.v1.accounts.create({"type": "express", "capabilities": {"transfers": {"requested": True}}})
    assert closed.value.http_status == 400
    assert "POST /v2/core/accounts instead" in str(closed.value)
    assert "feat_accounts_v1_support" in str(closed.value)
    new_platform.set(v1_accounts=True)
    assert client.v1.accounts.create({"type": "express"}).id.startswith("acct_")


def test_v1_transfers_alone_need_approval(client: stripe.StripeClient, new_platform: Control) -> None:
    """The sentence: repositories of August and September 2026."""
    new_platform.set(v1_accounts=True)
    alone: Any = {"type": "express", "capabilities": {"transfers": {"requested": True}}}
    with pytest.raises(stripe.InvalidRequestError, match="Your platform needs approval"):
        client.v1.accounts.create(alone)
    both = {name: {"requested": True} for name in ("transfers", "card_payments")}
    assert client.v1.accounts.create(alone | {"capabilities": both}).capabilities


def test_v2_transfers_alone_need_approval(client: stripe.StripeClient, new_platform: Control) -> None:
    """github.com/stripe/openapi/issues/199; as repositories quote it."""
    told = refused(client, configuration=TRANSFERS)
    assert told["code"] == "capability_not_available_without_other_capability"
    assert told["param"].endswith("stripe_transfers")
    assert "configuration.merchant.capabilities.card_payments" in told["message"]
    new_platform.set(transfers_alone_approved=True)
    assert made(client, configuration=TRANSFERS)["applied_configurations"] == ["recipient"]


@pytest.mark.parametrize(
    ("given", "code"),
    [
        ({"identity": {}}, "identity_country_required"),
        ({"identity": {"country": "jm"}}, "capability_not_available_in_country"),
        (
            {"defaults": {"responsibilities": {"fees_collector": "stripe", "losses_collector": "stripe"}}},
            "account_controller_express_dash_without_application_losses_or_fees",
        ),
        ({"configuration": {"recipient": {"capabilities": {"bank_accounts": {}}}}}, "invalid_fields"),
        ({"colour": "red"}, "invalid_fields"),
        ({"include": ["everything"]}, "invalid_fields"),
    ],
)
def test_v2_refuses_with_a_code(
    client: stripe.StripeClient, new_platform: Control, given: Doc, code: str
) -> None:
    """Codes: docs.stripe.com/api/v2/core/accounts/create and repositories of 2026 that quote them."""
    assert refused(client, **given)["code"] == code
    assert new_platform.state()["accounts"] == []


def test_what_is_not_included_is_null(client: stripe.StripeClient, new_platform: Control) -> None:
    """docs.stripe.com/api-v2-overview."""
    account = made(client)
    assert (account["object"], account["livemode"], account["closed"]) == ("v2.core.account", False, False)
    assert account["created"].endswith("Z")
    assert {account[name] for name in ("configuration", "defaults", "identity", "requirements")} == {None}
    whole = client.v2.core.accounts.retrieve(account["id"], {"include": EVERYTHING}).to_dict()  # type: ignore[arg-type]
    assert whole["identity"]["country"] == "us"
    balance = whole["configuration"]["recipient"]["capabilities"]["stripe_balance"]
    assert balance["stripe_transfers"]["status"] == "restricted"
    assert whole["configuration"]["customer"] is None
    assert {entry["awaiting_action_from"] for entry in whole["requirements"]["entries"]} == {"user"}


def test_an_account_of_v2_is_onboarded_seen_and_paid_by_v1(
    client: stripe.StripeClient, new_platform: Control
) -> None:
    """docs.stripe.com/connect/accounts-v2: interoperable with most v1 APIs."""
    new_platform.fund(5_000)
    account = made(client)["id"]
    link = client.v2.core.account_links.create(
        {
            "account": account,
            "use_case": {
                "type": "account_onboarding",
                "account_onboarding": {
                    "refresh_url": "http://127.0.0.1:9/a",
                    "return_url": "http://127.0.0.1:9/b",
                },
            },
        }
    )
    assert link.expires_at.endswith("Z")
    with httpx.Client(trust_env=False) as browser:
        assert browser.post(link.url).headers["location"].endswith("/b")
    shown = client.v1.accounts.retrieve(account)
    assert (shown.charges_enabled, shown.payouts_enabled, shown.details_submitted) == (True, True, True)
    paid = client.v1.transfers.create({"amount": 100, "currency": "usd", "destination": account})
    assert paid.destination == account
    assert client.v1.accounts.login_links.create(account).url.startswith("http")


def test_transfers_alone_never_enable_charges(client: stripe.StripeClient, new_platform: Control) -> None:
    """docs.stripe.com/connect/account-capabilities: charges need card_payments."""
    new_platform.set(transfers_alone_approved=True)
    account = made(client, configuration=TRANSFERS)["id"]
    new_platform.onboard(account)
    shown = client.v1.accounts.retrieve(account)
    assert (shown.charges_enabled, shown.payouts_enabled) == (False, True)


def test_pages_follow_one_another_by_token(client: stripe.StripeClient, new_platform: Control) -> None:
    """docs.stripe.com/api-v2-overview: next_page_url. Each API lists its own accounts here: the worst."""
    ids = [made(client)["id"] for _ in range(5)]
    page = client.v2.core.accounts.list({"limit": 2})
    assert page.next_page_url is not None
    assert page.next_page_url.startswith("/v2/core/accounts?")
    assert [account.id for account in page.auto_paging_iter()] == ids[::-1]
    assert client.v1.accounts.list().data == []
    recipients = client.v2.core.accounts.list({"applied_configurations": ["customer"]})
    assert (recipients.data, recipients.next_page_url) == ([], None)


def test_updates_keep_other_metadata_and_the_country(
    client: stripe.StripeClient, new_platform: Control
) -> None:
    """docs.stripe.com/api/v2/core/accounts/update."""
    account = made(client, metadata={"a": "1"})["id"]
    given: Any = {"metadata": {"b": "2"}, "contact_email": "b@example.org"}
    changed = client.v2.core.accounts.update(account, given).to_dict()
    assert (changed["metadata"], changed["contact_email"]) == ({"a": "1", "b": "2"}, "b@example.org")
    with pytest.raises(stripe.StripeError):
        client.v2.core.accounts.update(account, {"identity": {"country": "de"}})


def test_a_closed_account_is_seen_but_not_paid(client: stripe.StripeClient, new_platform: Control) -> None:
    """docs.stripe.com/api/v2/core/accounts/close: every configuration has to be named."""
    new_platform.fund(5_000)
    account = made(client)["id"]
    new_platform.onboard(account)
    client.v1.transfers.create({"amount": 100, "currency": "usd", "destination": account})
    everything: Any = {"applied_configurations": ["merchant", "recipient"]}
    with pytest.raises(stripe.StripeError, match="balance"):
        client.v2.core.accounts.close(account, everything)
    new_platform.fund(-100, account=account)
    with pytest.raises(stripe.StripeError, match="applied_configurations"):
        client.v2.core.accounts.close(account, {"applied_configurations": ["recipient"]})
    assert client.v2.core.accounts.close(account, everything).closed
    assert client.v2.core.accounts.retrieve(account).closed
    assert client.v2.core.accounts.list().data == []
    with pytest.raises(stripe.InvalidRequestError):
        client.v1.transfers.create({"amount": 100, "currency": "usd", "destination": account})


# Idempotency: docs.stripe.com/api/idempotent_requests, docs.stripe.com/api-v2-overview


def test_v2_replays_a_success_for_thirty_days(client: stripe.StripeClient, new_platform: Control) -> None:
    options: Any = {"idempotency_key": "k1"}
    first = client.v2.core.accounts.create(EXPRESS, options)  # type: ignore[arg-type]
    new_platform.advance(29 * 86_400)
    assert client.v2.core.accounts.create(EXPRESS, options).id == first.id  # type: ignore[arg-type]
    new_platform.advance(2 * 86_400)
    assert client.v2.core.accounts.create(EXPRESS, options).id != first.id  # type: ignore[arg-type]


def test_v2_executes_a_failed_request_again(client: stripe.StripeClient, new_platform: Control) -> None:
    """In v1 the refusal would be replayed for a day."""
    options: Any = {"idempotency_key": "k1"}
    alone: Any = EXPRESS | {"configuration": TRANSFERS}
    with pytest.raises(stripe.StripeError):
        client.v2.core.accounts.create(alone, options)
    new_platform.set(transfers_alone_approved=True)
    assert client.v2.core.accounts.create(alone, options).id.startswith("acct_")


@pytest.mark.parametrize(("when", "accounts"), [("before", 1), ("after", 1)])
def test_after_a_server_error_v2_has_made_one_account(
    client: stripe.StripeClient, new_platform: Control, when: str, accounts: int
) -> None:
    new_platform.add_fault("server_error", when=when, path="/v2/core/accounts", nth=1)
    options: Any = {"idempotency_key": "k1"}
    with pytest.raises(stripe.APIError):
        client.v2.core.accounts.create(EXPRESS, options)  # type: ignore[arg-type]
    client.v2.core.accounts.create(EXPRESS, options)  # type: ignore[arg-type]
    assert len(new_platform.state()["accounts"]) == accounts


def test_v2_wants_json_and_a_version(stripe_sim: StripeSim, new_platform: Control) -> None:
    """docs.stripe.com/api-v2-overview."""
    with httpx.Client(base_url=stripe_sim.api_base, auth=(stripe_sim.secret_key, ""), trust_env=False) as web:
        version = {"Stripe-Version": str(stripe.api_version)}
        assert web.post("/v2/core/accounts", json=EXPRESS).status_code == 400
        assert web.post("/v2/core/accounts", data={"a": "1"}, headers=version).status_code == 400
        assert web.post("/v2/core/accounts", content=b"{", headers=version).status_code == 400
        assert web.post("/v2/core/accounts", json=EXPRESS, headers=version).status_code == 200


# Events: docs.stripe.com/event-destinations


def test_accounts_of_v2_are_told_of_by_thin_events_only(
    client: stripe.StripeClient, new_platform: Control, receiver: Receiver
) -> None:
    """account.updated does not come for them: repositories of 2026. The library reads the notification."""
    destination = client.v2.core.event_destinations.create(
        {
            "name": "gateway",
            "type": "webhook_endpoint",
            "webhook_endpoint": {"url": receiver.url},
            "event_payload": "thin",
            "events_from": ["@accounts"],
            "enabled_events": ["v2.core.account[requirements].updated"],
            "include": ["webhook_endpoint.signing_secret"],
        }
    )
    assert destination.webhook_endpoint is not None
    secret = str(destination.webhook_endpoint.signing_secret)
    new_platform.add_endpoint(receiver.url, connect=True)
    account = made(client)["id"]
    new_platform.onboard(account)
    [delivery] = receiver.wait_for(1)
    notice = client.parse_event_notification(delivery.body, delivery.signature, secret)
    assert (notice.type, notice.livemode) == ("v2.core.account[requirements].updated", False)
    body = json.loads(delivery.body)
    assert body["related_object"] == {
        "id": account,
        "type": "v2.core.account",
        "url": f"/v2/core/accounts/{account}",
    }
    assert body["context"] == account
    assert client.v2.core.events.retrieve(notice.id).type == notice.type
    assert new_platform.events() == []


def test_v1_events_of_v2_accounts_can_be_switched_on(
    client: stripe.StripeClient, new_platform: Control
) -> None:
    new_platform.set(v2_accounts_send_v1_events=True)
    account = made(client)["id"]
    new_platform.onboard(account)
    told = [(event["type"], event["account"]) for event in new_platform.events()]
    assert ("account.updated", account) in told
    assert ("capability.updated", account) in told


# Agreements: docs.stripe.com/connect/service-agreement-types


def abroad(client: stripe.StripeClient, **more: Any) -> str:
    given: Any = {"type": "express", "country": "NG", "capabilities": {"transfers": {"requested": True}}}
    return client.v1.accounts.create(given | more).id


RECIPIENT: Doc = {"tos_acceptance": {"service_agreement": "recipient"}}


def test_transfers_abroad_need_the_recipient_agreement(client: stripe.StripeClient, control: Control) -> None:
    """github.com/Layr-Labs/d-inference/pull/498: accounts abroad under the full agreement receive nothing."""
    control.set(settlement_currencies=["usd"])
    control.fund(5_000)
    full, recipient = abroad(client), abroad(client, **RECIPIENT)
    for account in (full, recipient):
        control.onboard(account)
    with pytest.raises(stripe.InvalidRequestError, match="outside of your platform's region"):
        client.v1.transfers.create({"amount": 100, "currency": "usd", "destination": full})
    client.v1.transfers.create({"amount": 100, "currency": "usd", "destination": recipient})


def test_transfers_to_recipients_take_a_day_more(client: stripe.StripeClient, control: Control) -> None:
    control.set(settlement_currencies=["usd"])
    control.fund(5_000)
    account = abroad(client, **RECIPIENT)
    control.onboard(account)
    client.v1.transfers.create({"amount": 1_000, "currency": "usd", "destination": account})
    theirs: Any = {"stripe_account": account}
    balance = client.v1.balance.retrieve({}, theirs)
    assert (balance.available[0].amount, balance.pending[0].amount) == (0, 1_000)
    with pytest.raises(stripe.InvalidRequestError):
        client.v1.payouts.create({"amount": 500, "currency": "usd", "method": "instant"}, theirs)
    control.advance(24 * 3600 + 1)
    with pytest.raises(stripe.InvalidRequestError, match="Instant"):
        client.v1.payouts.create({"amount": 500, "currency": "usd", "method": "instant"}, theirs)


def test_recipients_at_home_or_with_cards_are_refused(client: stripe.StripeClient, control: Control) -> None:
    with pytest.raises(stripe.InvalidRequestError, match="recipient ToS agreement"):
        abroad(client, country="US", **RECIPIENT)
    cards = {"capabilities": {name: {"requested": True} for name in ("transfers", "card_payments")}}
    with pytest.raises(stripe.InvalidRequestError, match="card_payments"):
        abroad(client, **cards, **RECIPIENT)


def test_every_endpoint_of_v2_takes_the_parameters_of_the_installed_library() -> None:
    for method, path, name, _ in routes.V2_TABLE:
        found = routes.find(method, path.replace("{id}", "acct_1"))
        assert found is not None
        with pytest.raises(Exception, match="unknown parameter: colour"):
            found[0].check({"colour": "red"})
        assert name.startswith("v2.core.")
