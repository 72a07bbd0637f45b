"""Payees' accounts on a platform as Stripe makes them now: through API v2, with thin events."""

import json
from dataclasses import replace
from typing import Any

import pytest

from schemas.stripe_webhooks import StripeWebhook
from services.payouts.domain.accounts import AccountsApi
from services.payouts.domain.operations import Kind
from services.payouts.domain.refusals import advice
from services.payouts.stripe import client
from services.payouts.stripe.existing_accounts import adopt_accounts
from tests.integration.payouts.conftest import empty
from tests.integration.payouts.test_adoption import adoption
from tests.integration.payouts.test_decisions import asked, taken
from tests.integration.payouts.world import World
from tests.support.records import record


async def test_a_new_platform_pays_a_payee(world: World) -> None:
    """The whole thread: made through v2, onboarded, told by a thin event, paid."""
    world.control.fund(100_000)
    await world.configured("i1", email="i1@example.org")
    await world.work()
    [operation] = await world.operations("account")
    assert (operation.state, operation.params["api"]) == ("succeeded", "v2")
    account = await world.account_of("i1")
    await world.earned("i1", 700)
    world.control.onboard(account)
    await thin(world, "v2.core.account[requirements].updated", account)
    await world.work()
    assert world.paid() == [700]
    [payee] = await world.rows("SELECT ready, charges_enabled FROM payee")
    assert (payee.ready, payee.charges_enabled) == (True, True)


async def thin(world: World, kind: str, account: str) -> None:
    """A thin event of an account, as the gateway publishes it."""
    related = {"id": account, "type": "v2.core.account", "url": f"/v2/core/accounts/{account}"}
    body: dict[str, Any] = {
        "id": "evt_test_1",
        "object": "v2.core.event",
        "type": kind,
        "context": account,
        "related_object": related,
    }
    event = StripeWebhook(
        event_id="evt_test_1",
        event_type=kind,
        endpoint="connect",
        account=account,
        livemode=False,
        created_at=world.clock(),
        received_at=world.clock(),
        attested=True,
        body=json.dumps(body),
    )
    await world.handle(record("stripe.webhook", event, ce_id="evt_test_1", ce_source="stripe"))


async def test_after_the_setting_changed_the_account_is_ordered_with_the_other_api(world: World) -> None:
    world.accounts = replace(world.accounts, api=AccountsApi.V1)
    await world.configured("i1")
    await world.work()
    [refused] = await world.operations("account")
    assert (refused.state, refused.params["type"]) == ("refused", "express")
    assert "HOBBS_STRIPE_ACCOUNTS=v2" in advice(Kind.ACCOUNT, refused.reason, refused.sentence).todo

    world.accounts = replace(world.accounts, api=AccountsApi.V2)
    await world.configured("i1", payout_hold_hours=1)
    await world.work()
    assert [o.state for o in await world.operations("account")] == ["refused", "succeeded"]
    assert (await world.account_of("i1")).startswith("acct_")


async def test_a_platform_that_has_api_v1_still_makes_accounts_through_it(world: World) -> None:
    world.control.set(v1_accounts=True)
    world.accounts = replace(world.accounts, api=AccountsApi.V1)
    await world.payee("i1")
    [operation] = await world.operations("account")
    assert "api" not in operation.params


async def test_recipients_alone_need_stripes_approval(world: World) -> None:
    world.accounts = replace(world.accounts, recipient_alone=True)
    await world.configured("i1")
    await world.work()
    [refused] = await world.operations("account")
    assert (refused.state, refused.reason) == (
        "refused",
        "capability_not_available_without_other_capability",
    )
    assert "HOBBS_STRIPE_RECIPIENT_ALONE" in advice(Kind.ACCOUNT, refused.reason, refused.sentence).todo

    world.control.set(transfers_alone_approved=True)
    await world.configured("i1", payout_hold_hours=1)
    await world.work()
    account = await world.account_of("i1")
    world.control.onboard(account)
    world.clock.advance(minutes=1)
    await world.work()
    [payee] = await world.rows("SELECT ready, charges_enabled FROM payee")
    assert (payee.ready, payee.charges_enabled) == (True, False)


async def test_a_lost_answer_is_found_in_the_list_of_api_v2(world: World) -> None:
    """v1's list has no accounts of v2: the worst that Stripe's documentation allows."""
    world.control.add_fault("reset", when="after", path="/v2/core/accounts", count=1)
    await world.configured("i1")
    await world.once()
    world.clock.advance(hours=13)  # the key is no longer trusted: the account is looked up
    await world.once()
    [account] = world.control.state()["accounts"]
    assert await world.account_of("i1") == account["id"]
    assert [row.verdict for row in await world.rows("SELECT verdict FROM attempt ORDER BY started_at")] == [
        "unknown",
        "adopted",
    ]


async def test_every_page_of_the_list_is_read(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client, "PAGE", 2)
    world.control.add_fault("reset", when="after", path="/v2/core/accounts", count=1)
    await world.configured("i1")
    await world.once()
    for _ in range(4):  # younger ones, so that the account is on the last page
        await world.client._client.v2.core.accounts.create_async({"contact_email": "x@example.org"})
    world.clock.advance(hours=13)
    await world.once()
    assert await world.account_of("i1") == world.control.state()["accounts"][-1]["id"]


# Agreements


async def test_a_payee_abroad_is_under_the_recipient_agreement_and_gets_no_instant_payout(
    world: World,
) -> None:
    """docs.stripe.com/connect/service-agreement-types: no instant payouts, and transfers take 24 h more."""
    world.control.set(v1_accounts=True, transfers_alone_approved=True, settlement_currencies=["usd"])
    world.control.fund(100_000)
    world.accounts = replace(world.accounts, api=AccountsApi.V1)
    account = await world.payee("i1", country="NG", instant_payout=True)
    [operation] = await world.operations("account")
    assert operation.params["tos_acceptance"] == {"service_agreement": "recipient"}
    told = [n for n in await world.published("notification.requested") if n["kind"] == "payee_conflict"]
    assert [n["recipient"] for n in told] == ["finance"]
    await world.earned("i1", 700)
    await world.work()
    assert world.paid() == [700]
    assert await world.operations("instant_payout") == []
    [state] = world.control.state()["accounts"]
    assert (state["id"], state["balance"]["available"]) == (account, {"usd": 0})

    await world.configured("i1", country="NG", instant_payout=False)
    [row] = await world.rows("SELECT conflict FROM payouts_public.payee_accounts")
    assert row.conflict is None


async def test_a_country_that_api_v2_refuses_says_so_and_what_to_do(world: World) -> None:
    await world.configured("i1", country="JM")
    await world.work()
    [refused] = await world.operations("account")
    assert (refused.state, refused.reason) == ("refused", "capability_not_available_in_country")
    assert "stripe_transfers is not available in country JM" in refused.sentence
    assert "payees adopt" in advice(Kind.ACCOUNT, refused.reason, refused.sentence).todo


# Accounts that exist


async def given_account(world: World, **metadata: str) -> str:
    """An account that somebody made at Stripe, not Hobbs."""
    made = await world.client._client.v2.core.accounts.create_async(
        {
            "contact_email": "i1@example.org",
            "identity": {"country": "us"},
            "metadata": metadata,
            "configuration": {
                "merchant": {"capabilities": {"card_payments": {"requested": True}}},
                "recipient": {"capabilities": {"stripe_balance": {"stripe_transfers": {"requested": True}}}},
            },
        }
    )
    return str(made.id)


async def adopted(world: World, key: str, account: str) -> str | None:
    """Decide that an account is a payee's, and let the service read it; why it was not taken."""
    sent = asked("adopt", f"instructor:{key}", parameters={"account": account})
    answer = await taken(world, sent)
    if answer.outcome != "done":
        return answer.sentence
    await adopt_accounts(world.db, world.client, world.accounts.api, world.clock)
    [row] = await world.rows(
        "SELECT problem FROM payouts_public.account_adoptions WHERE id = :id", id=answer.decision_id
    )
    problem: str | None = row.problem
    return problem


async def test_an_existing_account_is_adopted_and_none_is_made(world: World) -> None:
    world.control.fund(100_000)
    account = await given_account(world)
    await world.configured("i1")  # its account is ordered, and not requested yet
    assert await adopted(world, "i1", account) is None
    world.control.onboard(account)
    await world.earned("i1", 700)
    await world.work()
    assert world.paid() == [700]
    assert await world.account_of("i1") == account
    assert len(world.control.state()["accounts"]) == 1
    assert [o.state for o in await world.operations("account")] == ["cancelled"]
    [shown] = world.control.state()["accounts"]
    assert shown["metadata"]["hobbs_payee"] == "instructor:i1"


async def test_an_adopted_account_is_found_after_a_restore(world: World, owner_url: str) -> None:
    account = await given_account(world)
    await world.configured("i1")
    assert await adopted(world, "i1", account) is None
    await empty(owner_url)
    restored = adoption(world)
    await restored.step()
    await world.configured("i1")
    await restored.step()
    await world.work()
    assert await world.account_of("i1") == account
    assert len(world.control.state()["accounts"]) == 1


async def test_an_account_of_somebody_else_is_not_adopted(world: World) -> None:
    theirs = await world.payee("i2")
    await world.configured("i1")
    assert await adopted(world, "i1", theirs) == f"{theirs} is the account of instructor:i2"
    foreign = await given_account(world, hobbs_payee="instructor:i3")
    assert await adopted(world, "i1", foreign) == (
        f"{foreign} belongs to instructor:i3: its metadata at Stripe says so"
    )
    assert "does not show acct_nobody" in str(await adopted(world, "i1", "acct_nobody"))
    assert "acct_…" in str(await adopted(world, "i1", "cus_1"))
    assert await adopted(world, "i2", foreign) == f"instructor:i2 has {theirs} already"
    await world.work()
    assert await world.account_of("i1") not in (theirs, foreign)


async def test_no_account_is_adopted_while_one_may_have_been_made(world: World) -> None:
    account = await given_account(world)
    await world.configured("i1")
    world.control.add_fault("timeout", when="after", path="/v2/core/accounts", count=1)
    await world.once()
    assert "a request for another account is due" in str(await adopted(world, "i1", account))
    await world.work()
    assert await world.account_of("i1") != account


async def test_links_lead_to_the_account_whichever_api_made_it(world: World) -> None:
    world.control.set(v1_accounts=True, transfers_alone_approved=True)
    v1 = await world.client._client.v1.accounts.create_async(
        {"type": "express", "capabilities": {"transfers": {"requested": True}}}
    )
    v2 = await given_account(world)
    for account in (v1.id, v2):
        for api in AccountsApi:
            link = await world.client.onboarding_link(
                account, return_url="http://127.0.0.1:9/a", refresh_url="http://127.0.0.1:9/b", api=api
            )
            assert (link.status, account in link.body["url"]) == (200, True)
        world.control.onboard(account)
        assert (await world.client.dashboard_link(account)).status == 200


async def test_a_link_is_asked_of_the_other_api_when_the_first_refuses(world: World) -> None:
    account = await given_account(world)
    world.control.add_fault("account_invalid", path="/v2/core/account_links")
    link = await world.client.onboarding_link(
        account, return_url="http://127.0.0.1:9/a", refresh_url="http://127.0.0.1:9/b", api=AccountsApi.V2
    )
    assert link.status == 200


async def test_a_platform_without_api_v2_is_compared_by_v1_alone(world: World) -> None:
    """A restricted key may lack the right, or the platform the API: then v2 made nothing for it."""
    world.control.add_fault("account_invalid", method="GET", path="/v2/core/accounts")
    restored = adoption(world)
    await restored.step()
    assert restored.compared
    world.control.clear_faults()
    world.control.add_fault("unauthorized", method="GET", path="/v2/core/accounts")
    refused = adoption(world)
    await refused.step()
    assert not refused.compared
