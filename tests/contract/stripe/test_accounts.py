"""Connected accounts: created, ready, restricted and closed.

Sources: docs.stripe.com/connect/express-accounts, docs.stripe.com/connect/handling-api-verification,
docs.stripe.com/api/account_links, docs.stripe.com/connect/webhooks.
"""

import httpx
import pytest
import stripe

from hobbs.local.stripe_sim.control import Control
from tests.contract.stripe.conftest import Connect, new_payee


def test_a_new_account_can_do_nothing_and_says_what_is_due(client: stripe.StripeClient) -> None:
    """docs.stripe.com/connect/handling-api-verification."""
    account = client.v1.accounts.retrieve(new_payee(client)).to_dict()
    assert account["capabilities"] == {"transfers": "inactive"}
    assert {account[name] for name in ("charges_enabled", "payouts_enabled", "details_submitted")} == {False}
    assert account["requirements"]["disabled_reason"] == "requirements.past_due"
    assert "external_account" in account["requirements"]["currently_due"]


def test_onboarding_enables_the_account_and_tells_connect_endpoints(
    client: stripe.StripeClient, control: Control
) -> None:
    """docs.stripe.com/connect/express-accounts, docs.stripe.com/connect/webhooks."""
    made = new_payee(client)
    control.onboard(made)
    account = client.v1.accounts.retrieve(made).to_dict()
    assert account["capabilities"] == {"transfers": "active"}
    assert account["payouts_enabled"]
    assert account["requirements"]["disabled_reason"] is None
    event = control.events()[-1]
    assert (event["type"], event["account"]) == ("account.updated", made)
    assert event["data"]["previous_attributes"]["payouts_enabled"] is False


def test_submitted_but_unverified_is_pending(client: stripe.StripeClient, control: Control) -> None:
    """docs.stripe.com/connect/account-capabilities."""
    made = new_payee(client)
    control.onboard(made, "submit")
    account = client.v1.accounts.retrieve(made).to_dict()
    assert account["details_submitted"]
    assert account["capabilities"] == {"transfers": "pending"}
    assert account["requirements"]["disabled_reason"] == "requirements.pending_verification"


def test_a_restricted_account_receives_no_transfer_until_it_is_settled(
    client: stripe.StripeClient, control: Control, payee: str
) -> None:
    """docs.stripe.com/connect/handling-api-verification."""
    control.fund(5_000)
    control.onboard(payee, "restrict", currently_due=["individual.id_number"])
    given: stripe.params.TransferCreateParams = {"amount": 100, "currency": "usd", "destination": payee}
    with pytest.raises(stripe.InvalidRequestError) as refused:
        client.v1.transfers.create(given)
    assert refused.value.code == "insufficient_capabilities_for_transfer"
    control.onboard(payee)
    assert client.v1.transfers.create(given).amount == 100


def test_an_account_link_is_a_page_that_onboards_once(client: stripe.StripeClient) -> None:
    """Links expire after minutes and work once: docs.stripe.com/api/account_links."""
    made = new_payee(client)
    link = client.v1.account_links.create(
        {
            "account": made,
            "type": "account_onboarding",
            "refresh_url": "http://127.0.0.1:9/again",
            "return_url": "http://127.0.0.1:9/back",
        }
    )
    with httpx.Client(trust_env=False) as browser:
        assert "button" in browser.get(link.url).text
        assert browser.post(link.url).headers["location"].endswith("/back")
        assert browser.post(link.url).headers["location"].endswith("/again")
    assert client.v1.accounts.retrieve(made).payouts_enabled


def test_an_old_link_leads_to_its_refresh_url(client: stripe.StripeClient, control: Control) -> None:
    """docs.stripe.com/api/account_links/create: refresh_url."""
    made = new_payee(client)
    urls = {"refresh_url": "http://127.0.0.1:9/again", "return_url": "http://127.0.0.1:9/back"}
    link = client.v1.account_links.create({"account": made, "type": "account_onboarding", **urls})  # type: ignore[typeddict-item]
    control.advance(link.expires_at - link.created + 1)
    with httpx.Client(trust_env=False) as browser:
        assert browser.get(link.url).headers["location"].endswith("/again")
    assert not client.v1.accounts.retrieve(made).details_submitted


def test_a_dashboard_link_needs_finished_onboarding(client: stripe.StripeClient, control: Control) -> None:
    """docs.stripe.com/api/accounts/login_link."""
    made = new_payee(client)
    with pytest.raises(stripe.InvalidRequestError):
        client.v1.accounts.login_links.create(made)
    control.onboard(made)
    assert client.v1.accounts.login_links.create(made).url.startswith("http")


def test_a_closed_account_is_out_of_reach(client: stripe.StripeClient, control: Control, payee: str) -> None:
    """403 `account_invalid`: docs.stripe.com/error-codes#account-invalid."""
    control.fund(5_000)
    control.onboard(payee, "close")
    for attempt in (
        lambda: client.v1.accounts.retrieve(payee),
        lambda: client.v1.balance.retrieve({}, {"stripe_account": payee}),
    ):
        with pytest.raises(stripe.PermissionError) as refused:
            attempt()
        assert refused.value.http_status == 403
    with pytest.raises(stripe.InvalidRequestError) as missing:
        client.v1.transfers.create({"amount": 100, "currency": "usd", "destination": payee})
    assert missing.value.param == "destination"
    assert control.events()[-1]["type"] == "account.application.deauthorized"


def test_an_account_onboards_by_itself_after_the_delay_set(
    client: stripe.StripeClient, control: Control
) -> None:
    control.set(auto_onboard_after_s=3_600)
    made = new_payee(client)
    control.advance(3_500)
    assert not client.v1.accounts.retrieve(made).payouts_enabled
    control.advance(200)
    assert client.v1.accounts.retrieve(made).payouts_enabled


def test_accounts_are_found_by_listing(client: stripe.StripeClient) -> None:
    """docs.stripe.com/api/accounts/list."""
    made = [new_payee(client) for _ in range(3)]
    assert [account.id for account in client.v1.accounts.list({"limit": 2}).auto_paging_iter()] == made[::-1]


def test_a_key_that_is_not_ours_is_refused(connect: Connect) -> None:
    """docs.stripe.com/api/authentication, docs.stripe.com/api/errors: 401."""
    with pytest.raises(stripe.AuthenticationError) as refused:
        connect(key="sk_test_00abcdef0000").v1.balance.retrieve()
    assert refused.value.http_status == 401
    assert "abcdef" not in str(refused.value)
