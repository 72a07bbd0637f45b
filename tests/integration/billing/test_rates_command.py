"""`hobbs school rates`, logged in as the operator, through Kafka: one proposes, another approves."""

import asyncio
import json

import pytest
from typer.testing import CliRunner, Result

from hobbs.cli import assemble
from services.billing.desk.decisions import ACTIONS
from services.billing.desk.reads import whole_book
from tests.conftest import OpenDatabase
from tests.integration.billing.given import given_school
from tests.support.databases import service_url
from tests.support.deciders import deciding

WHY = ("--why", "fuel", "--yes")
DEARER = ("propose", "aircraft", "N364MA", "rate_per_hour=175.00", "--from", "2026-06-01", *WHY)


async def hobbs(*arguments: str) -> Result:
    """Run `hobbs school rates ARGUMENTS…` in a thread of its own."""
    command, words = assemble(["school"]), ("school", "rates", *arguments)
    result = await asyncio.to_thread(lambda: CliRunner().invoke(command, words))
    if result.exception and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result


async def test_rates_are_changed_by_two_people_from_the_command_line(
    database_url: str, kafka: str, open_db: OpenDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    await given_school(open_db("billing"))
    async with deciding(kafka, database_url, {"billing": ACTIONS}) as prefix:
        monkeypatch.setenv("HOBBS_DATABASE_URL", service_url(database_url, "operator"))
        monkeypatch.setenv("HOBBS_KAFKA_BOOTSTRAP", kafka)
        monkeypatch.setenv("HOBBS_TOPIC_PREFIX", prefix)

        wrong = await hobbs("propose", "aircraft", "N364MA", "rate=175", "--from", "2026-06-01", *WHY)
        assert (wrong.exit_code, "rate_per_hour" in wrong.stderr) == (2, True)
        asked = await hobbs(*DEARER, "--who", "paula")
        assert asked.exit_code == 0, asked.stderr
        assert "175.00" in asked.stdout
        [waits] = json.loads((await hobbs("list", "-o", "json")).stdout)
        assert (waits["proposed_by"], waits["new"]["rate_per_hour"]) == ("paula", 17500)
        table = (await hobbs("list")).stdout
        assert "165.00 -> 175.00" in table

        own = await hobbs("approve", waits["id"], "--yes", "--who", "paula")
        assert (own.exit_code, "somebody else" in own.stderr) == (1, True)
        assert (await hobbs("approve", waits["id"], "--yes", "--who", "bea")).exit_code == 0
        again = await hobbs("reject", waits["id"], *WHY, "--who", "ann")
        assert (again.exit_code, "approved already" in again.stderr) == (1, True)
        assert json.loads((await hobbs("list", "-o", "json")).stdout) == []
        [decided] = json.loads((await hobbs("list", "--all", "-o", "json")).stdout)
        assert (decided["state"], decided["decided_by"], decided["version"]) == ("approved", "bea", 2)
    async with open_db("billing").transaction() as tx:
        assert (await whole_book(tx)).version == 2
