"""`hobbs school` as an operator types it, on a real broker and a real database."""

import asyncio
import json
import os
import subprocess
import sys
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from aiokafka import AIOKafkaConsumer, TopicPartition

from fleet.database import Database
from fleet.decisions import REQUESTED, TAKEN
from fleet.envelope import Record, uuid7
from fleet.inbox import admit
from fleet.kafka_client import TopicPlan, create_topics
from fleet.settings import Settings
from services.billing import wire
from services.billing.desk.decisions import ACTIONS
from services.payouts.handlers import configure_payees
from services.receivables.handlers import follow_book as follow_credit
from services.reserves.handlers import follow_book
from tests.conftest import OpenDatabase
from tests.integration.billing.given import completed, given_billed
from tests.support.databases import service_url
from tests.support.deciders import deciding
from tests.support.payouts import SETTINGS
from tests.support.records import record

ROOT = Path(__file__).resolve().parents[3]
WITHIN_S = 30


@dataclass(frozen=True, slots=True, kw_only=True)
class Done:
    """How a command ended."""

    code: int
    out: str
    err: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Desk:
    """An operator's environment and school.toml; `billing` is billing's own database."""

    environment: dict[str, str]
    billing: Database
    file: Path

    def write(self, text: str) -> None:
        self.file.write_text(text)

    async def hobbs(self, *arguments: str) -> Done:
        done = await asyncio.to_thread(
            subprocess.run,
            [sys.executable, "-m", "hobbs", "school", *arguments],
            cwd=ROOT,
            env=os.environ | self.environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
        return Done(code=done.returncode, out=done.stdout, err=done.stderr)

    async def version(self, least: int) -> int:
        """The book's version, once it is at least this one."""
        async with asyncio.timeout(WITHIN_S):
            while True:
                async with self.billing.transaction() as tx:
                    version: int = (await tx.one("SELECT version FROM book")).version
                if version >= least:
                    return version
                await asyncio.sleep(0.05)

    async def accepted(self) -> list[Record]:
        """What billing told of the book."""
        async with self.billing.transaction() as tx:
            rows = await tx.all(
                "SELECT value, raw_headers FROM outbox WHERE topic = 'school.accepted' UNION ALL "
                "SELECT value, raw_headers FROM outbox_sent WHERE topic = 'school.accepted'"
            )
        return [record("school.accepted", bytes(row.value), headers=row.raw_headers) for row in rows]

    async def asked(self) -> int:
        """How many decisions were asked for."""
        place = TopicPartition(self.environment["HOBBS_TOPIC_PREFIX"] + REQUESTED, 0)
        async with AIOKafkaConsumer(bootstrap_servers=self.environment["HOBBS_KAFKA_BOOTSTRAP"]) as consumer:
            return int((await consumer.end_offsets([place]))[place])


def _desk(kafka: str, database_url: str, prefix: str, billing: Database, file: Path) -> Desk:
    environment = {
        "HOBBS_DATABASE_URL": service_url(database_url, "operator"),
        "HOBBS_KAFKA_BOOTSTRAP": kafka,
        "HOBBS_TOPIC_PREFIX": prefix,
    }
    return Desk(environment=environment, billing=billing, file=file)


@pytest.fixture
async def desk(kafka: str, database_url: str, open_db: OpenDatabase, school: Path) -> AsyncIterator[Desk]:
    """Billing takes decisions."""
    async with deciding(kafka, database_url, {"billing": ACTIONS}) as prefix:
        yield _desk(kafka, database_url, prefix, open_db("billing"), school)


@pytest.fixture
async def unanswered(kafka: str, database_url: str, open_db: OpenDatabase, school: Path) -> Desk:
    """Nobody takes decisions."""
    prefix = f"t{uuid7().hex[-8:]}."
    settings = Settings(database_url=database_url, kafka_bootstrap=kafka, topic_prefix=prefix)
    plans = [TopicPlan(name=name, partitions=1, retention_ms=-1) for name in (REQUESTED, TAKEN)]
    await create_topics(settings, plans)
    return _desk(kafka, database_url, prefix, open_db("billing"), school)


SCHOOL = """\
[school]
name = "S"
time_zone = "America/New_York"
currency = "USD"

[[tax]]
line = "rental"
percent = 5.6

[[student]]
id = "student-01"

[[instructor]]
id = "instructor-01"
flight_per_hour = 45
ground_per_hour = 40

[[student_rate]]
flight_per_hour = 70
ground_per_hour = 60

[[aircraft]]
tail = "N364MA"
model = "owned"
meter = "hobbs"
rate_per_hour = 165.00
"""


@pytest.fixture
def school(tmp_path: Path) -> Path:
    file = tmp_path / "school.toml"
    file.write_text(SCHOOL)
    return file


LEFT = ("--yes", "--who", "finance", "--why", "because", "--no-wait")
APPLY = (*LEFT[:-1], "--timeout", "20")


async def test_a_school_is_applied_once_and_the_history_tells_who_and_why(desk: Desk, school: Path) -> None:
    done = await desk.hobbs("apply", str(school), *LEFT)
    assert done.code == 0, done.err
    assert "asked for version 1" in done.err
    assert await desk.version(1) == 1
    again = await desk.hobbs("apply", str(school), *LEFT)
    assert (again.code, again.out) == (0, "")
    assert "nothing to change; the book is at version 1" in again.err

    desk.write(SCHOOL.replace("165.00", "170.50"))
    assert (await desk.hobbs("diff", str(school))).code == 1
    done = await desk.hobbs("apply", str(school), *LEFT)
    assert "rate_per_hour 165.00 -> 170.50" in done.out
    assert await desk.version(2) == 2
    told = json.loads((await desk.hobbs("history", "aircraft", "N364MA", "-o", "json")).out)
    assert [(row["version"], row["who"], row["why"]) for row in told] == [
        (1, "finance", "because"),
        (2, "finance", "because"),
    ]
    assert told[1]["old"]["rate_per_hour"] == 16500
    assert told[1]["new"]["rate_per_hour"] == 17050
    shown = json.loads((await desk.hobbs("show", "aircraft", "-o", "json")).out)
    assert [row["document"]["rate_per_hour"] for row in shown] == [17050]


async def test_a_dry_run_asks_for_nothing_and_a_change_needs_a_reason(desk: Desk, school: Path) -> None:
    dry = await desk.hobbs("apply", str(school), "--dry-run")
    assert (dry.code, "aircraft N364MA" in dry.out) == (0, True)
    assert "nothing was asked for" in dry.err
    for given in (("--yes",), (), ("--why", " "), ("--why", "x" * 2001), ("--why", "x", "--who", "y" * 101)):
        wrong = await desk.hobbs("apply", str(school), *given)
        assert (wrong.code, wrong.out) == (2, "")  # said before the difference
    unasked = await desk.hobbs("apply", str(school), "--why", "because")
    assert unasked.code == 1
    assert await desk.asked() == 0


async def test_a_wrong_file_is_named_line_by_line_and_changes_nothing(desk: Desk, school: Path) -> None:
    desk.write(SCHOOL.replace("165.00", "165.001").replace("5.6", "x"))
    done = await desk.hobbs("apply", str(school), *APPLY)
    assert done.code == 1
    assert f"{school}:8: not TOML" in done.err
    desk.write(SCHOOL.replace("165.00", "165.001").replace("5.6", "101"))
    done = await desk.hobbs("apply", str(school), *APPLY)
    assert [line.split(": ")[0] for line in done.err.splitlines()] == [f"{school}:8", f"{school}:26"]
    assert await desk.asked() == 0


async def test_a_change_behind_bills_says_that_they_stay(desk: Desk, school: Path) -> None:
    await desk.hobbs("apply", str(school), *LEFT)
    await desk.version(1)
    await given_billed(desk.billing, completed())
    desk.write(SCHOOL.replace("165.00", "170.50"))
    done = await desk.hobbs("apply", str(school), "--dry-run")
    assert "aircraft N364MA from the beginning: 1 bills from that day on stay as they are" in done.err


async def test_waiting_names_the_services_that_do_not_follow(desk: Desk, school: Path) -> None:
    done = await desk.hobbs("apply", str(school), *LEFT[:-1], "--timeout", "5")
    assert done.code == 1
    waiting_for = "payouts, adjustments, reserves, receivables"
    assert f"the book is at version 1, but {waiting_for} has not read it" in done.err


async def test_a_billing_that_does_not_answer_is_named(unanswered: Desk, school: Path) -> None:
    done = await unanswered.hobbs("apply", str(school), *LEFT[:-1], "--timeout", "0.3")
    assert (done.code, "the billing service did not answer" in done.err) == (1, True)


async def test_what_billing_refuses_is_told_with_its_sentence(desk: Desk, school: Path) -> None:
    await desk.hobbs("apply", str(school), *LEFT)
    await desk.version(1)
    await given_billed(desk.billing, completed())
    desk.write(SCHOOL.replace('"USD"', '"EUR"'))
    done = await desk.hobbs("apply", str(school), *APPLY)
    assert done.code == 1
    assert "refused by billing: there are bills in USD" in done.err


async def test_waiting_ends_when_the_others_have_what_billing_accepted(
    desk: Desk, school: Path, open_db: OpenDatabase
) -> None:
    waiting = asyncio.create_task(desk.hobbs("apply", str(school), *APPLY))
    await desk.version(1)
    [accepted] = await desk.accepted()
    assert not waiting.done()
    await configure_payees(open_db("payouts"), [accepted], accounts=SETTINGS.accounts)
    async with open_db("adjustments").transaction() as tx:
        assert await admit(tx, [accepted], wire.events.school_configured)  # all that the waiting looks at
    await follow_book(open_db("reserves"), [accepted])
    await follow_credit(open_db("receivables"), [accepted])
    done = await waiting
    assert (done.code, done.err.splitlines()[-1]) == (0, "the book is at version 1")


async def test_a_book_of_hundreds_of_cards_is_several_versions(desk: Desk, school: Path) -> None:
    more = "".join(f'\n[[student]]\nid = "more-{n:04d}"\n' for n in range(450))
    desk.write(SCHOOL + more)
    done = await desk.hobbs("apply", str(school), *LEFT[:-1], "--timeout", "10")
    assert "the book is at version 3, but" in done.err, "nobody follows here"
    assert (
        "nothing to change; the book is at version 3" in (await desk.hobbs("apply", str(school), *LEFT)).err
    )
