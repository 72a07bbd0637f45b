"""`hobbs adjustments settle | claw-back | settlements`, logged in as the operator, through Kafka."""

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Protocol

import pytest
from typer.testing import CliRunner, Result

from fleet.database import Database
from hobbs.cli import assemble
from services.adjustments.desk.settlements import ACTIONS
from services.adjustments.handlers import take_posted
from tests.integration.adjustments.settle_stories import (
    ANNA,
    INES,
    given_posted,
    send,
    sent,
    settlements,
    where,
)
from tests.integration.adjustments.stories import NOW, posted, revised
from tests.support.databases import service_url
from tests.support.deciders import deciding

TODAY = NOW.date().isoformat()
WHY = ("--why", "agreed by phone", "--who", "bob")


class Hobbs(Protocol):
    async def __call__(self, *arguments: str, answer: str | None = None) -> Result: ...


@pytest.fixture
async def hobbs(database_url: str, kafka: str, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Hobbs]:
    """Run `hobbs adjustments ARGUMENTS…` beside a worker that takes its decisions, in a thread of its own."""
    async with deciding(kafka, database_url, {"adjustments": ACTIONS}) as prefix:
        monkeypatch.setenv("HOBBS_DATABASE_URL", service_url(database_url, "operator"))
        monkeypatch.setenv("HOBBS_KAFKA_BOOTSTRAP", kafka)
        monkeypatch.setenv("HOBBS_TOPIC_PREFIX", prefix)

        async def invoke(*arguments: str, answer: str | None = None) -> Result:
            command, words = assemble(["adjustments"]), ("adjustments", *arguments)
            result = await asyncio.to_thread(lambda: CliRunner().invoke(command, words, input=answer))
            if result.exception and not isinstance(result.exception, SystemExit):
                raise result.exception
            return result

        yield invoke


async def post_what_was_asked(db: Database) -> None:
    """Answer as the ledger does; the worker has published the requests already."""
    async with db.transaction() as tx:
        rows = await tx.all("SELECT id, wallet, amount FROM settlement WHERE state = 'asked'")
    entries = [{row.wallet: -row.amount, "external:bank": row.amount} for row in rows]
    records = [posted(f"settlement:{row.id}", of) for row, of in zip(rows, entries, strict=True)]
    await take_posted(db, records, clock=lambda: NOW)


async def test_a_person_sees_who_gets_and_owes_what_before_they_agree(db: Database, hobbs: Hobbs) -> None:
    await given_posted(db)
    dry = await hobbs("settle", "F1:2", "--method", "forgiven", *WHY, "--dry-run")
    assert dry.exit_code == 0, dry.stderr
    assert "who gets and owes what" in dry.stdout
    for shown in (
        "instructor:ines",
        "-17.50",
        "future_payout_offset is waiting",
        "forgiven is asked",
        "40.00",
    ):
        assert shown in dry.stdout
    assert "17.50 USD owed by instructor:ines is settled by forgiven" in dry.stderr

    no = await hobbs("settle", "F1:2", "--method", "forgiven", *WHY, answer="n\n")
    assert (no.exit_code, await settlements(db)) == (1, [("future_payout_offset", "waiting", -1_750)])
    yes = await hobbs("settle", "F1:2", "--method", "forgiven", *WHY, answer="y\n")
    assert yes.exit_code == 0, yes.stderr
    assert (await settlements(db))[-1] == ("forgiven", "asked", -1_750)


async def test_several_are_settled_at_once_and_a_refused_one_stops_no_other(
    db: Database, hobbs: Hobbs
) -> None:
    await given_posted(db, revised(), revised(flight="F2", made_by="bob"), revised(flight="F3"))
    done = await hobbs("settle", "F1:2", "F2:2", "F3:2", "--method", "written_off", *WHY, "--yes")
    assert (done.exit_code, "bob made this correction" in done.stderr) == (1, True)
    states_of = [(await settlements(db, name=name))[-1][:2] for name in ("F1:2", "F2:2", "F3:2")]
    written, waiting = ("written_off", "asked"), ("future_payout_offset", "waiting")
    assert states_of == [written, waiting, written]


async def test_a_cheque_for_a_part_is_kept_with_number_and_date(db: Database, hobbs: Hobbs) -> None:
    await given_posted(db)
    cheque = ("--method", "manual_check", "--number", "1042", "--paid-on", TODAY, "--wallet", INES)
    wrong = await hobbs("settle", "F1:2", *cheque, "--to-party", *WHY, "--yes")
    assert (wrong.exit_code, "it comes from them" in wrong.stderr) == (1, True)
    odd = await hobbs("settle", "F1:2", *cheque, "--amount", "10.001", *WHY, "--yes")
    assert odd.exit_code == 2
    done = await hobbs("settle", "F1:2", *cheque, "--from-party", "--amount", "10", *WHY, "--yes")
    assert done.exit_code == 0, done.stderr
    await post_what_was_asked(db)
    shown = json.loads((await hobbs("show", "F1:2", "-o", "json")).stdout)
    [paid] = [one for one in shown["settlements"] if one["method"] == "manual_check"]
    assert (paid["cheque_number"], paid["paid_on"], paid["amount"], paid["decided_by"], paid["state"]) == (
        "1042",
        TODAY,
        -1_000,
        "bob",
        "settled",
    )
    assert [step["who"] for step in shown["settlement_steps"] if step["method"] == "manual_check"] == [
        "bob",
        "hobbs",
    ]
    assert "manual_check" in (await hobbs("show", "F1:2")).stdout


async def test_what_is_open_is_listed_with_how_long_it_can_be_taken_back(db: Database, hobbs: Hobbs) -> None:
    await send(db, sent("flight:F1:1"))
    await given_posted(db)
    [row] = json.loads((await hobbs("settlements", "-o", "json")).stdout)
    assert (row["adjustment"], row["wallet"], row["amount"], row["method"], row["state"]) == (
        "F1:2",
        INES,
        -1_750,
        "future_payout_offset",
        "waiting",
    )
    assert row["clawback_until"] is not None
    assert "-17.50" in (await hobbs("settlements")).stdout
    assert json.loads((await hobbs("settlements", "--late", "-o", "json")).stdout) == []
    assert json.loads((await hobbs("settlements", "--wallet", ANNA, "-o", "json")).stdout) == []


async def test_a_claw_back_is_asked_of_payouts_once(db: Database, hobbs: Hobbs) -> None:
    await given_posted(db)
    closed = await hobbs("claw-back", "F1:2", *WHY, "--yes")
    assert (closed.exit_code, "nothing sent to it can be taken back" in closed.stderr) == (1, True)
    await send(db, sent("flight:F1:1"))
    done = await hobbs("claw-back", "F1:2", *WHY, "--yes")
    assert done.exit_code == 0, done.stderr
    assert "taken back at Stripe" in done.stderr
    again = await hobbs("claw-back", "F1:2", *WHY, "--yes")
    assert again.exit_code == 1
    assert await settlements(db) == [
        ("future_payout_offset", "replaced", -1_750),
        ("stripe_reversal", "asked", -1_750),
    ]
    assert await where(db) == {"F1:2": "settling"}
