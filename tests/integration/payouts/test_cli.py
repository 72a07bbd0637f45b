"""`hobbs transfers`, logged in as the operator: what it shows, what it changes, what it refuses."""

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import date, timedelta
from typing import Any, Protocol
from uuid import UUID, uuid4

import pytest
from aiokafka import AIOKafkaConsumer, TopicPartition
from typer.testing import CliRunner, Result

from fleet.settings import Settings
from hobbs.cli import assemble
from hobbs.doctor.findings import State
from hobbs.doctor.movements import examine_movements
from hobbs.shell import decisions
from schemas.school import SchoolChange
from services.payouts.desk.decisions import ACTIONS
from services.payouts.domain.accounts import AccountsApi
from services.payouts.settings import PayoutsSettings
from services.payouts.stripe.existing_accounts import adopt_accounts
from services.payouts.stripe.links import answer_links
from tests.integration.payouts.test_accounts_v2 import given_account
from tests.integration.payouts.world import World
from tests.support.databases import service_url
from tests.support.deciders import deciding
from tests.support.payouts import unhurried


class Hobbs(Protocol):
    async def __call__(self, *arguments: str, answer: str | None = None) -> Result: ...


@pytest.fixture(scope="module")
async def prefix(kafka: str, payouts_database: str) -> AsyncIterator[str]:
    """A payouts worker that takes decisions; the topic prefix it listens under."""
    async with deciding(kafka, payouts_database, {"payouts": ACTIONS}) as prefix:
        yield prefix


@pytest.fixture
def hobbs(owner_url: str, kafka: str, prefix: str, monkeypatch: pytest.MonkeyPatch) -> Hobbs:
    """Run `hobbs transfers ARGUMENTS…`, in a thread because a command has its own event loop."""
    monkeypatch.setenv("HOBBS_DATABASE_URL", service_url(owner_url, "operator"))
    monkeypatch.setenv("HOBBS_KAFKA_BOOTSTRAP", kafka)
    monkeypatch.setenv("HOBBS_TOPIC_PREFIX", prefix)

    async def invoke(*arguments: str, answer: str | None = None) -> Result:
        command, words = assemble(["transfers"]), ("transfers", *arguments)
        result = await asyncio.to_thread(lambda: CliRunner().invoke(command, words, input=answer))
        if result.exception and not isinstance(result.exception, SystemExit):
            raise result.exception
        return result

    return invoke


async def given_held(world: World) -> UUID:
    """A transfer in its hold period."""
    world.control.fund(100_000)
    await world.payee("i1", payout_hold_hours=24)
    await world.earned("i1", 8750)
    return await only(world)


async def only(world: World) -> UUID:
    [transfer] = await world.transfers()
    return UUID(str(transfer.id))


async def test_a_list_shows_money_for_people_and_minor_units_for_programs(world: World, hobbs: Hobbs) -> None:
    await given_held(world)
    table = await hobbs("list")
    assert table.exit_code == 0
    assert "87.50" in table.stdout
    [row] = json.loads((await hobbs("list", "-o", "json")).stdout)
    assert (row["amount"], row["state"], row["reason"]) == (8750, "held", "hold_period")
    lines = (await hobbs("list", "-o", "csv")).stdout.splitlines()
    assert len(lines) == 2
    assert json.loads((await hobbs("list", "--state", "sent", "-o", "json")).stdout) == []
    await world.payee("i2", payout_hold_hours=24)
    await world.earned("i2", 100)
    cut = await hobbs("list", "--most", "1", "-o", "csv")
    assert (len(cut.stdout.splitlines()), "only the first 1 transfers" in cut.stderr) == (2, True)
    assert len(json.loads((await hobbs("list", "--payee", "instructor:i1", "-o", "json")).stdout)) == 1


async def test_one_transfer_is_shown_with_its_history_attempts_and_payables(
    world: World, hobbs: Hobbs
) -> None:
    world.control.fund(100_000)
    await world.payee("i1")
    await world.earned("i1", 8750)
    await world.work()
    shown: dict[str, Any] = json.loads((await hobbs("show", str(await only(world)), "-o", "json")).stdout)
    assert [h["to_state"] for h in shown["history"]] == ["pending", "sending", "sent"]
    assert [a["verdict"] for a in shown["attempts"]] == ["done"]
    assert [p["amount"] for p in shown["payables"]] == [8750]
    table = await hobbs("show", str(await only(world)))
    assert "history" in table.stdout
    assert (await hobbs("show", str(uuid4()))).exit_code == 1


async def test_release_sends_what_a_hold_period_keeps(world: World, hobbs: Hobbs) -> None:
    transfer = str(await given_held(world))
    dry = await hobbs("release", transfer, "--reason", "asked for", "--dry-run")
    assert dry.exit_code == 0
    assert await world.states() == ["held"]
    refused = await hobbs("release", transfer, "--reason", "asked for", answer="n\n")
    assert refused.exit_code == 1
    assert await world.states() == ["held"]
    done = await hobbs("release", transfer, "--reason", "asked for", "--who", "ann", answer="y\n")
    assert done.exit_code == 0
    await world.work()
    assert world.paid() == [8750]
    history = await world.rows("SELECT actor, sentence FROM transfer_history WHERE actor <> 'payouts'")
    assert [(h.actor, h.sentence) for h in history] == [("operator:ann", "released: asked for")]


async def test_release_refuses_what_only_the_payee_can_end(world: World, hobbs: Hobbs) -> None:
    await world.configured("i1")
    await world.work()
    await world.earned("i1", 100)
    done = await hobbs("release", str(await only(world)), "--reason", "x", "--yes")
    assert done.exit_code == 1
    assert "onboarding" in done.stderr
    assert await world.states() == ["held"]


async def test_retry_sends_a_refused_transfer_as_a_new_generation(world: World, hobbs: Hobbs) -> None:
    world.control.fund(100_000)
    account = await world.payee("i1")
    await world.earned("i1", 8750)
    world.control.add_fault("account_invalid", path="/v1/transfers", nth=1)
    await world.once()
    transfer = str(await only(world))
    assert await world.states() == ["refused"]
    too_early = await hobbs("retry", transfer, "--reason", "x", "--yes")
    assert too_early.exit_code == 1  # the account is in doubt until it was read again
    await world.rows("UPDATE payee SET ready = true WHERE stripe_account = :a RETURNING wallet", a=account)
    done = await hobbs("retry", transfer, "--reason", "bank mended", "--yes")
    assert done.exit_code == 0, done.stderr
    await world.work()
    assert world.paid() == [8750]


async def test_retry_looks_a_parked_transfer_up_before_anything_is_sent(world: World, hobbs: Hobbs) -> None:
    world.control.fund(100_000)
    await world.payee("i1")
    await world.earned("i1", 8750)
    await world.park("after")
    done = await hobbs("retry", str(await only(world)), "--reason", "Stripe is back", "--yes")
    assert done.exit_code == 0
    await world.work()
    assert await world.states() == ["sent"]
    assert world.paid() == [8750]


async def test_retry_of_what_a_person_checked_is_sent_under_a_new_key(world: World, hobbs: Hobbs) -> None:
    world.control.fund(100_000)
    await world.payee("i1")
    await world.earned("i1", 8750)
    await world.park("before")
    done = await hobbs("retry", str(await only(world)), "--reason", "not there", "--checked", "--yes")
    assert done.exit_code == 0
    await world.work()
    assert world.paid() == [8750]
    assert (await world.operations())[0].generation == 2


async def test_unpark_decides_on_an_account_that_blocks_its_payee(world: World, hobbs: Hobbs) -> None:
    world.control.add_fault("server_error", when="after", path="/v2/core/accounts", count=3)
    world.control.add_fault("unavailable", method="GET", path="/v2/core/accounts")
    world.policy = replace(world.policy, lookup_gap=timedelta(milliseconds=1), lookups_max=1)
    await world.configured("i1")
    await world.work()
    assert [o.state for o in await world.operations("account")] == ["parked"]
    world.control.clear_faults()
    done = await hobbs("payees", "unpark", "i1", "--reason", "Stripe is back", "--yes")
    assert done.exit_code == 0, done.stderr
    await world.work()
    assert [o.state for o in await world.operations("account")] == ["succeeded"]
    assert len(world.control.state()["accounts"]) == 1
    assert (await hobbs("payees", "unpark", "i1", "--reason", "x", "--yes")).exit_code == 1


async def test_cancel_gives_up_what_was_not_sent(world: World, hobbs: Hobbs) -> None:
    transfer = str(await given_held(world))
    done = await hobbs("cancel", transfer, "--reason", "paid in cash", "--yes")
    assert done.exit_code == 0
    world.clock.advance(days=2)
    await world.work()
    assert await world.states() == ["cancelled"]
    assert world.paid() == []


async def test_cancel_refuses_what_was_sent_and_what_nobody_checked(world: World, hobbs: Hobbs) -> None:
    world.control.fund(100_000)
    await world.payee("i1")
    await world.earned("i1", 8750)
    await world.park("after")
    parked = str(await only(world))
    assert (await hobbs("cancel", parked, "--reason", "x", "--yes")).exit_code == 1
    assert await world.states() == ["parked"]
    assert (await hobbs("cancel", str(uuid4()), "--reason", "x", "--yes")).exit_code == 1


async def test_payees_are_listed_with_what_keeps_them(world: World, hobbs: Hobbs) -> None:
    await world.payee("i1")
    assert (await hobbs("payees", "list")).exit_code == 0
    await world.configured("i2")
    await world.work()
    found = await hobbs("payees", "list", "-o", "json")
    assert found.exit_code == 1
    by_wallet = {row["wallet"]: row for row in json.loads(found.stdout)}
    assert by_wallet["instructor:i1"]["status"] == "ready"
    assert by_wallet["instructor:i2"]["status"] == "requirements.past_due"
    assert "external_account" in by_wallet["instructor:i2"]["requirements"]


async def test_who_left_the_school_is_listed_only_while_money_of_theirs_is_left(
    world: World, hobbs: Hobbs
) -> None:
    world.control.fund(100_000)
    await world.payees("i1", "i2", "i3", "i4")
    await world.earned("i2", 8750)  # paid
    await world.work()
    await world.configured("i3", payout_hold_hours=24)
    await world.earned("i3", 5000)  # held
    world.version += 1
    await world.configure(
        [
            SchoolChange(kind="instructor", key=key, effective_from=date(2020, 1, 1), new=None)
            for key in ("i1", "i2", "i3")
        ]
    )
    await world.earned("i4", 100)
    await world.work()
    left = json.loads((await hobbs("payees", "list", "-o", "json")).stdout)
    assert [(row["wallet"], row["status"]) for row in left] == [
        ("instructor:i3", "removed"),
        ("instructor:i4", "ready"),
    ]
    everybody = json.loads((await hobbs("payees", "list", "--all", "-o", "json")).stdout)
    assert [row["wallet"] for row in everybody] == [f"instructor:i{n}" for n in range(1, 5)]


async def test_odd_objects_are_listed_until_a_person_closes_them(world: World, hobbs: Hobbs) -> None:
    account = await world.payee("i1")
    debit = world.control.trigger("payout.debited", account=account, amount=5)
    world.control.trigger("object.changed", object=debit["id"], fields={"status": "in_review"})
    await world.webhook("account.updated", {"id": account, "object": "account"}, account=account)
    await world.work()
    found = await hobbs("odd", "list", "-o", "json")
    assert found.exit_code == 1
    [row] = json.loads(found.stdout)
    assert (row["object_id"], "in_review" in row["sentence"]) == (debit["id"], True)
    closed = await hobbs("odd", "close", debit["id"], "--reason", "seen at Stripe", "--yes")
    assert closed.exit_code == 0, closed.output
    assert (await hobbs("odd", "list")).exit_code == 0
    await world.webhook("account.updated", {"id": account, "object": "account"}, account=account)
    await world.work()
    assert (await hobbs("odd", "list")).exit_code == 0, "it looks as it did when it was closed"


async def test_movements_are_listed_compared_and_closed_by_a_person(world: World, hobbs: Hobbs) -> None:
    assert (await hobbs("movements", "balance")).exit_code == 1, "Stripe was not asked yet"
    await world.movements().run()
    row = world.control.trigger("balance.moved", type="reserve_hold", amount=-5_000)
    await world.movements().run()
    found = await hobbs("movements", "list", "-o", "json")
    assert found.exit_code == 1
    [shown] = json.loads(found.stdout)
    assert (shown["transaction_id"], shown["net"], "reserve" in shown["sentence"]) == (
        row["id"],
        -5_000,
        True,
    )
    compared = await hobbs("movements", "balance", "-o", "json")
    assert compared.exit_code == 1
    [dollars] = json.loads(compared.stdout)
    assert (dollars["stripe"], dollars["books"], dollars["unexplained"]) == (-5_000, 0, -5_000)
    [finding] = await examine_movements(Settings())
    assert finding.state is State.warning
    closed = await hobbs("movements", "close", row["id"], "--reason", "until March", "--yes")
    assert closed.exit_code == 0, closed.output
    assert (await hobbs("movements", "list")).exit_code == 0
    [finding] = await examine_movements(Settings())
    assert finding.state is State.ok


async def given_answered_links(world: World, service: asyncio.Event) -> None:
    """Make links as the service's loop does, until the event is set."""
    settings = PayoutsSettings.model_construct(
        stripe_onboarding_return_url="https://example.com/a",
        stripe_onboarding_refresh_url="https://example.com/b",
    )
    while not service.is_set():
        await answer_links(world.db, world.client, unhurried(), settings, world.clock)
        await asyncio.sleep(0.05)


async def test_a_link_is_made_by_the_service_and_its_url_is_in_no_topic(
    world: World, hobbs: Hobbs, prefix: str, kafka: str
) -> None:
    await world.configured("i1")
    await world.work()
    over = asyncio.Event()
    serving = asyncio.create_task(given_answered_links(world, over))
    made = await hobbs("payees", "link", "i1", "-o", "json")
    over.set()
    await serving
    assert made.exit_code == 0, made.stderr
    link = json.loads(made.stdout)
    assert link["url"].startswith("http")
    published = await everything_in(kafka, prefix, "decision.taken", "decision.requested")
    assert any(b"a link to Stripe's onboarding is made for instructor:i1" in value for value in published)
    assert not any(link["url"].encode() in value for value in published)
    assert (await hobbs("payees", "link", "nobody")).exit_code == 2


async def everything_in(kafka: str, prefix: str, *topics: str) -> list[bytes]:
    """The values of all records in topics of one partition."""
    consumer = AIOKafkaConsumer(bootstrap_servers=kafka, enable_auto_commit=False)
    await consumer.start()
    try:
        places = [TopicPartition(prefix + topic, 0) for topic in topics]
        consumer.assign(places)
        await consumer.seek_to_beginning(*places)
        ends = await consumer.end_offsets(places)
        values: list[bytes] = []
        for place in places:
            while await consumer.position(place) < ends[place]:
                read = await consumer.getmany(place, timeout_ms=1000)
                values += [record.value for record in read.get(place, ())]
        return values
    finally:
        await consumer.stop()


async def test_no_link_is_made_while_stripe_has_no_account_of_the_payee(world: World, hobbs: Hobbs) -> None:
    await world.configured("i1")
    over = asyncio.Event()
    serving = asyncio.create_task(given_answered_links(world, over))
    refused = await hobbs("payees", "link", "i1")
    over.set()
    await serving
    assert refused.exit_code == 1
    assert "no link for instructor:i1: the payee has no Stripe account yet" in refused.stderr


async def test_a_payouts_worker_that_is_away_is_said_and_nothing_changes(
    world: World, hobbs: Hobbs, monkeypatch: pytest.MonkeyPatch
) -> None:
    transfer = str(await given_held(world))
    monkeypatch.setenv("HOBBS_TOPIC_PREFIX", "nobody.")
    monkeypatch.setattr(decisions, "ANSWER_WITHIN_S", 2.0)
    away = await hobbs("release", transfer, "--reason", "x", "--yes")
    assert away.exit_code == 1
    assert "decisions" in away.stderr or "did not answer" in away.stderr
    assert await world.states() == ["held"]


async def given_read_accounts(world: World, service: asyncio.Event) -> None:
    """Read named accounts as the service's loop does, until the event is set."""
    while not service.is_set():
        await adopt_accounts(world.db, world.client, AccountsApi.V2, world.clock)
        await asyncio.sleep(0.05)


async def test_an_existing_account_is_adopted_by_its_id(world: World, hobbs: Hobbs) -> None:
    account = await given_account(world)
    await world.configured("i1")
    over = asyncio.Event()
    serving = asyncio.create_task(given_read_accounts(world, over))
    words = ("payees", "adopt", "i1")
    previewed = await hobbs(*words, account, "--reason", "had one", "--dry-run")
    assert "is read from Stripe and taken for instructor:i1" in previewed.stderr
    missing = await hobbs(*words, "acct_nobody", "--reason", "had one", "--yes")
    assert (missing.exit_code, "not taken: Stripe does not show acct_nobody" in missing.stderr) == (1, True)
    done = await hobbs(*words, account, "--reason", "had one", "--yes")
    over.set()
    await serving
    assert (done.exit_code, f"{account} is the account of instructor:i1" in done.stderr) == (0, True)
    assert await world.account_of("i1") == account
