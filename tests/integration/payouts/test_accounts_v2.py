"""Payees' accounts on a platform as Stripe makes them now: through API v2, with thin events."""

import json
from dataclasses import replace
from typing import Any

import pytest

from schemas.stripe_webhooks import StripeWebhook
from services.payouts.domain.accounts import AccountsApi
from services.payouts.stripe import client
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
    assert "HOBBS_STRIPE_ACCOUNTS=v2" in refused.sentence

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
    assert "HOBBS_STRIPE_RECIPIENT_ALONE" in refused.sentence

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
