"""Who is paid when: readiness, holds, schedules, minimum amounts, offsets."""

from datetime import UTC, date, datetime, timedelta
from functools import partial
from zoneinfo import ZoneInfo

import pytest

from fleet.envelope import uuid7
from fleet.isolate import isolate
from schemas.school import SchoolChange
from services.payouts import deciding, handlers, store
from services.payouts.settings import PayoutsSettings
from services.payouts.steps import payments
from services.payouts.stripe import links
from services.payouts.stripe.links import answer_links
from tests.integration.payouts.world import World
from tests.support.books import keep_books
from tests.support.databases import run_statement
from tests.support.payouts import unhurried
from tests.support.stripe import StripeSim


async def test_money_of_a_payee_nobody_configured_is_kept_and_paid_once_it_is_ready(world: World) -> None:
    world.control.fund(100_000)
    await world.earned("late", 700)
    [transfer] = await world.transfers()
    assert (transfer.state, transfer.reason) == ("held", "payee_unknown")

    await world.configured("late")
    [transfer] = await world.transfers()
    assert (transfer.state, transfer.reason) == ("held", "account_missing")

    await world.work()
    [transfer] = await world.transfers()
    assert (transfer.state, transfer.reason) == ("held", "payee_not_ready")

    account = await world.account_of("late")
    world.control.onboard(account)
    await world.webhook("account.updated", {"id": account, "object": "account"}, account=account)
    await world.work()
    assert world.paid() == [700]


async def test_an_account_is_made_once_for_each_payee(world: World) -> None:
    await world.configured("i1")
    await world.configured("i1", payout_hold_hours=2)
    await world.work()
    assert len(await world.operations("account")) == 1
    assert len(world.control.state()["accounts"]) == 1


async def test_a_lost_answer_to_an_account_s_creation_makes_no_second_account(world: World) -> None:
    world.control.add_fault("reset", when="after", path="/v2/core/accounts", nth=1)
    await world.configured("i1")
    await world.work()
    assert len(world.control.state()["accounts"]) == 1
    assert (await world.account_of("i1")).startswith("acct_")


async def test_a_payee_that_stops_being_ready_keeps_its_money_with_the_reason(world: World) -> None:
    world.control.fund(100_000)
    account = await world.payee("i1")
    await world.earned("i1", 700)
    world.control.onboard(account, "restrict", disabled_reason="requirements.past_due")
    await world.webhook("account.updated", {"id": account, "object": "account"}, account=account)
    await world.rereader().step()
    [transfer] = await world.transfers()
    assert (transfer.state, transfer.reason) == ("held", "payee_not_ready")
    [payee] = await world.rows("SELECT disabled_reason, requirements FROM payee")
    assert payee.disabled_reason == "requirements.past_due"
    assert world.paid() == []

    world.control.onboard(account)
    world.clock.advance(minutes=1)  # the webhook was lost: the account is read again anyway
    await world.work()
    assert world.paid() == [700]


async def test_people_hear_once_why_money_is_held(world: World) -> None:
    await world.configured("i1")
    await world.work()
    await world.earned("i1", 100, 200, 300)
    told = [n for n in await world.published("notification.requested") if n["kind"] == "onboarding_needed"]
    assert len(told) == 2  # the account is there; money is waiting


async def test_a_hold_period_keeps_a_transfer_until_it_is_over(world: World) -> None:
    world.control.fund(100_000)
    await world.payee("i1", payout_hold_hours=24)
    await world.earned("i1", 700)
    [transfer] = await world.transfers()
    assert (transfer.state, transfer.reason) == ("held", "hold_period")
    world.clock.advance(hours=23)
    await end_holds(world)
    assert await world.states() == ["held"]
    world.clock.advance(hours=2)
    await end_holds(world)
    await world.work()
    assert world.paid() == [700]


async def end_holds(world: World) -> None:
    await deciding.end_holds(world.db, clock=world.clock)


async def test_small_amounts_wait_until_they_reach_the_minimum_together(world: World) -> None:
    world.control.fund(100_000)
    await world.payee("i1", payout_minimum=1000)
    await world.earned("i1", 400, 500)
    assert await world.states() == []
    await world.earned("i1", 100)
    await world.work()
    assert world.paid() == [1000]


async def test_what_a_payee_owes_comes_off_what_is_paid_next(world: World) -> None:
    world.control.fund(100_000)
    await world.payee("i1")
    await world.journal("instructor:i1", -300, event_type="adjustment")
    await world.earned("i1", 200)
    assert await world.states() == [], "200 does not cover the 300 that are owed"
    await world.earned("i1", 1000)
    await world.work()
    assert world.paid() == [900]


async def test_an_offset_that_arrives_while_money_is_held_is_taken_off_it(world: World) -> None:
    world.control.fund(100_000)
    await world.earned("i1", 1000, 50)
    await world.journal("instructor:i1", -300, event_type="adjustment")
    await world.payee("i1")
    await world.work()
    assert sorted(world.paid()) == [50, 700]
    assert sorted(await world.states()) == ["cancelled", "sent", "sent"]
    await world.rows("SELECT 1 AS x")


async def test_journals_that_pay_nobody_are_passed_over(world: World) -> None:
    await world.payee("i1")
    await world.journal("instructor:i1", -500, event_type="transfer")
    await world.journal("platform:school", 500)
    assert await world.rows("SELECT * FROM payable") == []


async def test_daily_payees_get_one_transfer_for_the_day(world: World) -> None:
    world.control.fund(100_000)
    await world.payee("i1", payout_schedule="daily")
    await world.earned("i1", 100, 200, 300)
    assert await world.states() == []
    today = datetime.now(UTC).date()
    await deciding.close_date(world.db, today)
    await deciding.close_date(world.db, today)
    await world.work()
    assert world.paid() == [600]
    [transfer] = await world.transfers()
    assert transfer.cause == f"daily:{today}"


async def test_weekly_payees_are_paid_when_the_week_is_over(world: World) -> None:
    world.control.fund(100_000)
    await world.payee("i1", payout_schedule="weekly")
    await world.earned("i1", 100, 200)
    sunday = date(2026, 11, 29)
    await deciding.close_date(world.db, sunday)
    assert await world.states() == []
    await deciding.close_date(world.db, sunday + timedelta(days=1))
    await world.work()
    assert world.paid() == [300]


async def test_each_business_date_of_the_school_is_closed_once(world: World) -> None:
    """The date turns at the school's own closing hour, wherever the worker runs."""
    world.control.fund(100_000)
    await school_in(world, "Pacific/Auckland")
    await world.payee("i1", payout_schedule="daily")
    await world.earned("i1", 100)
    for _ in range(2):
        await deciding.close_periods(world.db, at=datetime.min.time(), lease_s=300.0)
    [timer] = await world.rows("SELECT last_run FROM timer WHERE name = 'close_period'")
    assert timer.last_run == datetime.now(ZoneInfo("Pacific/Auckland")).date()
    assert len(await world.transfers()) == 1


async def school_in(world: World, zone: str) -> None:
    world.version += 1
    change = SchoolChange(
        kind="school",
        key="school",
        effective_from=date(1900, 1, 1),
        new={"name": "A school", "time_zone": zone, "currency": "USD"},
    )
    await world.configure([change])


async def test_a_card_that_is_withdrawn_stops_the_payee_s_money(world: World) -> None:
    await world.payee("i1")
    world.version += 1
    gone = SchoolChange(kind="instructor", key="i1", effective_from=date(2020, 1, 1), new=None)
    await world.configure([gone])
    await world.earned("i1", 100)
    [transfer] = await world.transfers()
    assert (transfer.state, transfer.reason) == ("held", "payee_removed")


async def test_a_later_card_waits_for_its_day(world: World) -> None:
    await world.payee("i1")
    tomorrow = datetime.now(UTC).date() + timedelta(days=1)
    world.version += 1
    new = {"flight_per_hour": 4500, "ground_per_hour": 4000, "payout_schedule": "daily"}
    later = SchoolChange(kind="instructor", key="i1", effective_from=tomorrow, new=new)
    await world.configure([later])
    assert [r.schedule for r in await world.rows("SELECT schedule FROM payee")] == ["per_flight"]
    await deciding.close_date(world.db, tomorrow)
    assert [r.schedule for r in await world.rows("SELECT schedule FROM payee")] == ["daily"]


# What no program of ours may do, and an owner can: an account is written once.
ANOTHER_ACCOUNT = """
    ALTER TABLE payouts.payee DISABLE TRIGGER payee_keeps_the_account;
    UPDATE payouts.payee SET ready = true, stripe_account = 'acct_other';
    ALTER TABLE payouts.payee ENABLE ALWAYS TRIGGER payee_keeps_the_account
"""


async def test_money_earned_for_another_account_waits_for_a_person(world: World, owner_url: str) -> None:
    world.control.fund(100_000)
    await world.payee("i1")
    await world.rows("UPDATE payee SET ready = false RETURNING wallet")
    await world.earned("i1", 700)
    await run_statement(owner_url, ANOTHER_ACCOUNT)
    async with world.db.transaction() as tx:
        await payments.pay(tx, ["instructor:i1"], world.clock())
    [transfer] = await world.transfers()
    assert (transfer.state, transfer.reason) == ("held", "account_changed")


async def test_a_negative_balance_at_stripe_would_swallow_the_money(world: World) -> None:
    world.control.fund(100_000)
    account = await world.payee("i1")
    world.control.fund(-500, account=account)
    await world.webhook("account.updated", {"id": account, "object": "account"}, account=account)
    await world.work()
    await world.earned("i1", 700)
    [transfer] = await world.transfers()
    assert (transfer.state, transfer.reason) == ("held", "account_negative")
    world.control.fund(500, account=account)
    world.clock.advance(minutes=1)
    await world.work()
    assert world.paid() == [700]


@pytest.mark.parametrize("kind", ["onboarding", "dashboard"])
async def test_links_are_made_for_whoever_asks_at_the_command_line(
    world: World, stripe_sim: StripeSim, kind: str
) -> None:
    await world.payee("i1")
    asked = uuid7()
    async with world.db.transaction() as tx:
        await store.links.request(tx, asked, "instructor:i1", kind, world.clock())
    settings = PayoutsSettings.model_construct(
        stripe_onboarding_return_url="https://example.com/a",
        stripe_onboarding_refresh_url="https://example.com/b",
    )
    assert await answer_links(world.db, world.client, unhurried(), settings, world.clock) == 1
    [link] = await world.rows("SELECT url, problem FROM link_request")
    assert link.url.startswith(stripe_sim.api_base)
    assert await links.answer_links(world.db, world.client, unhurried(), settings, world.clock) == 0


async def test_a_period_closed_twice_pays_what_came_in_between_with_the_next(world: World) -> None:
    """The worker may die between the transfers and the timer that says the date is done."""
    world.control.fund(100_000)
    await world.payee("i1", payout_schedule="daily")
    await world.earned("i1", 100)
    today = datetime.now(UTC).date()
    await deciding.close_date(world.db, today)
    await world.earned("i1", 50)
    await deciding.close_date(world.db, today)
    assert [t.amount for t in await world.transfers()] == [100]
    await deciding.close_date(world.db, today + timedelta(days=1))
    assert sorted(t.amount for t in await world.transfers()) == [50, 100]


async def test_an_account_stripe_refused_is_asked_for_anew_when_the_card_changes(world: World) -> None:
    world.control.add_fault("account_invalid", path="/v2/core/accounts", nth=1)
    await world.configured("i1")
    await world.work()
    assert [o.state for o in await world.operations("account")] == ["refused"]
    await world.configured("i1", email="i1@example.org")
    await world.work()
    assert [o.state for o in await world.operations("account")] == ["refused", "succeeded"]


async def test_a_journal_nobody_foresaw_is_buried_alone(world: World) -> None:
    await world.payee("i1")
    too_long = world.posted("instructor:" + "x" * 110, 100)
    batch = [world.posted("instructor:i1", 100), too_long, world.posted("instructor:i1", 200)]
    await keep_books(world.ledger, batch[0], batch[2])
    await isolate(world.db, partial(handlers.record_payables, world.db), batch)
    assert sorted(t.amount for t in await world.transfers()) == [100, 200]
    [letter] = await world.rows("SELECT reason FROM dead_letter")
    assert letter.reason == "payee_id_too_long"


@pytest.mark.parametrize(
    ("disabled_reason", "reason"),
    [
        ("rejected.fraud", "account_rejected"),
        ("under_review", "account_under_review"),
        ("platform_paused", "account_paused"),
    ],
)
async def test_finance_hears_why_stripe_disabled_an_account_and_the_payee_is_not_sent_to_onboarding(
    world: World, disabled_reason: str, reason: str
) -> None:
    account = await world.payee("i1")
    before = len(await world.published("notification.requested"))
    world.control.onboard(account, "restrict", disabled_reason=disabled_reason)
    await world.webhook("account.updated", {"id": account, "object": "account"}, account=account)
    await world.work()
    told = (await world.published("notification.requested"))[before:]
    assert "finance" in [n["recipient_kind"] for n in told], "finance hears although no money waits"
    await world.earned("i1", 700)
    [transfer] = await world.transfers()
    assert (transfer.state, transfer.reason) == ("held", reason)
    told = (await world.published("notification.requested"))[before:]
    assert [n["recipient_kind"] for n in told].count("finance") == 1, "once"
    assert "onboarding_needed" not in [n["kind"] for n in told]


async def test_a_disconnected_account_is_told_to_finance_and_paid_once_it_is_connected_again(
    world: World,
) -> None:
    world.control.fund(100_000)
    account = await world.payee("i1")
    await world.earned("i1", 700)
    world.control.onboard(account, "close")
    await world.webhook(
        "account.application.deauthorized", {"id": "ca_1", "object": "application"}, account=account
    )
    await world.rereader().step()
    [transfer] = await world.transfers()
    assert (transfer.state, transfer.reason) == ("held", "account_disconnected")
    told = [n for n in await world.published("notification.requested") if n["kind"] == "transfer_held"]
    assert [n["facts"]["disabled_reason"] for n in told] == ["disconnected"]
    world.control.trigger("object.changed", object=account, without=["_closed"])
    world.control.onboard(account)
    world.clock.advance(minutes=1)
    await world.work()
    assert world.paid() == [700]
