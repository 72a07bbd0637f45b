"""Dispatched flights: who is cleared, who is refused, and what becomes of the hold."""

import asyncio
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from fleet.database import Database
from fleet.envelope import Record
from schemas.dispatches import FlightDispatched
from schemas.topics import TOPICS
from services.billing.handlers import bill_flights, cancel_flights, estimate_flights
from services.ledger.handlers import change_holds, expire_holds, post_journals
from services.receivables import handlers
from tests.conftest import OpenDatabase
from tests.integration.billing.given import cancelled, completed, rows
from tests.integration.ops.conftest import Hobbs
from tests.integration.receivables.credits import a_school, book, owes
from tests.support.records import record

DEPARTS = datetime.now(UTC).replace(microsecond=0) + timedelta(hours=1)
HOUR = 165_00 + 924  # of N364MA, and its tax
HELD = 19_167  # with ten percent more, rounded up
RECEIVABLES = "receivables"
Handler = Callable[[Database, Sequence[Record]], Awaitable[Any]]
ROUTES: Mapping[str, tuple[str, Handler]] = {
    "flight.dispatched": ("billing", estimate_flights),
    "flight.completed": ("billing", bill_flights),
    "flight.cancelled": ("billing", cancel_flights),
    "flight.estimated": ("receivables", handlers.take_estimates),
    "hold.changed": ("receivables", handlers.take_changed_holds),
    "hold.refused": ("receivables", handlers.take_refused_holds),
    "hold.requested": ("ledger", change_holds),
    "journal.requested": ("ledger", post_journals),
}


class School:
    """Billing, receivables and the ledger, with Kafka played by hand: what one stages the others read."""

    routes: Mapping[str, tuple[str, Handler]] = ROUTES

    def __init__(self, open_db: OpenDatabase, receivables: Database) -> None:
        self.db = {
            service: open_db(service) for service in sorted({name for name, _ in self.routes.values()})
        } | {RECEIVABLES: receivables}
        self._read: dict[str, int] = {}

    async def say(self, *records: Record) -> None:
        """Hand records to their reader, each a batch of its own, and go on until all is quiet."""
        for one in records:
            service, handle = self.routes[one.topic]
            await handle(self.db[service], [one])
        await self.settle({self.routes[one.topic][0] for one in records})

    async def settle(self, services: Collection[str] = ()) -> None:
        """Go on with what these services staged, or all, until nothing is left."""
        heard = set(services or self.db)
        while batch := [one for service in sorted(heard) for one in await self._staged(service)]:
            heard = set()
            for one in batch:
                service, handle = self.routes[one.topic]
                await handle(self.db[service], [one])
                heard.add(service)

    async def _staged(self, service: str) -> list[Record]:
        found = await rows(
            self.db[service],
            "SELECT id, topic, convert_from(key, 'UTF8') AS key, value, event_id FROM outbox "
            "WHERE id > :after ORDER BY id",
            after=self._read.get(service, 0),
        )
        if found:
            self._read[service] = found[-1]["id"]
        return [
            record(
                row["topic"], TOPICS[row["topic"]].model.model_validate_json(row["value"]), key=row["key"],
                ce_id=row["event_id"],
            )
            for row in found
            if row["topic"] in self.routes
        ]  # fmt: skip

    async def end(self) -> None:
        """The timer that sees flights end, and what follows."""
        await handlers.end_flights(self.db["receivables"])
        await self.settle(["receivables"])

    async def answers(self) -> list[tuple[str, int, str]]:
        """Flight, revision, and cleared or the reason of the refusal, in order."""
        found = await rows(
            self.db["receivables"],
            "SELECT topic, convert_from(value, 'UTF8')::jsonb AS body FROM outbox "
            "WHERE topic LIKE 'dispatch.%' ORDER BY id",
        )
        return [
            (row["body"]["flight_id"], row["body"]["revision"], row["body"].get("reason", "cleared"))
            for row in found
        ]

    async def pending(self, student: str = "anna") -> int:
        found = await rows(
            self.db["ledger"],
            "SELECT pending FROM ledger_public.wallets WHERE address = :wallet",
            wallet=f"student:{student}",
        )
        return int(found[0]["pending"]) if found else 0

    async def states(self) -> list[str]:
        found = await rows(self.db["receivables"], "SELECT state FROM dispatch ORDER BY flight_id, revision")
        return [row["state"] for row in found]


def dispatched(flight_id: str = "D1", revision: int = 1, hours: str = "1.0", **changes: Any) -> Record:
    event = FlightDispatched.model_validate(
        {
            "flight_id": flight_id,
            "revision": revision,
            "departs_at": DEPARTS,
            "aircraft": "N364MA",
            "student": "anna",
            "flight_hours": hours,
        }
        | changes
    )
    return record("flight.dispatched", event, key=flight_id)


def flown(flight_id: str = "D1", hours: str = "1.0") -> Record:
    alone = {"instructor": None, "dual_hours": "0", "ground_hours": "0", "student": "anna"}
    meters = {"hobbs_out": None, "hobbs_in": None, "flight_hours": hours}
    return completed(flight_id=flight_id, **alone, **meters)


def called_off(flight_id: str = "D1") -> Record:
    return cancelled(1, flight_id=flight_id)


@pytest.fixture
async def school(db: Database, open_db: OpenDatabase) -> School:
    """The school of billing's tests, with a limit of 500.00."""
    await handlers.follow_book(db, [a_school(limit=50_000)])
    return School(open_db, db)


async def test_a_flight_within_the_limit_is_cleared_and_held_with_the_margin(school: School) -> None:
    await school.say(dispatched())
    assert await school.answers() == [("D1", 1, "cleared")]
    assert await school.pending() == HELD == -(-HOUR * 110 // 100)


async def test_a_flight_beyond_the_limit_is_refused_with_the_shortfall_and_ways(school: School) -> None:
    await school.say(dispatched(hours="3.0"))
    assert await school.answers() == [("D1", 1, "limit_exceeded")]
    assert await school.pending() == 0
    [told] = await rows(
        school.db["receivables"],
        "SELECT convert_from(value, 'UTF8')::jsonb AS body FROM outbox WHERE topic = 'dispatch.refused'",
    )
    assert told["body"]["shortfall"] == -(-3 * HOUR * 110 // 100) - 50_000
    assert told["body"]["ways"]


async def test_two_dispatches_do_not_both_use_the_last_of_a_limit(school: School) -> None:
    for one in (dispatched("D1", hours="2.0"), dispatched("D2", hours="2.0")):
        await estimate_flights(school.db["billing"], [one])
    await school.settle()
    assert sorted(reason for _, _, reason in await school.answers()) == ["cleared", "limit_exceeded"]
    assert await school.pending() == -(-2 * HOUR * 110 // 100)


async def test_dispatched_again_changes_the_hold_and_takes_only_the_difference(school: School) -> None:
    await school.say(dispatched(hours="2.0"), dispatched(revision=2, hours="2.5"))
    assert await school.answers() == [("D1", 1, "cleared"), ("D1", 2, "cleared")]
    assert await school.pending() == -(-5 * HOUR * 110 // 200)
    assert await school.states() == ["closed", "cleared"]


async def test_a_refused_change_leaves_what_was_cleared(school: School) -> None:
    await school.say(dispatched(), dispatched(revision=2, hours="4.0"))
    assert await school.answers() == [("D1", 1, "cleared"), ("D1", 2, "limit_exceeded")]
    assert await school.pending() == HELD
    assert await school.states() == ["cleared", "refused"]


async def test_an_earlier_dispatch_that_comes_late_is_refused_and_changes_nothing_else(
    school: School,
) -> None:
    """Each dispatch has its answer, in whatever order they are read."""
    late = dispatched(revision=1, hours="2.0")
    await school.say(dispatched(revision=2))
    await school.say(late, late)
    assert sorted(await school.answers()) == [("D1", 1, "dispatched_again"), ("D1", 2, "cleared")]
    assert await school.pending() == HELD
    assert await school.states() == ["refused", "cleared"]


async def test_a_cancelled_flight_gives_its_hold_back(school: School) -> None:
    await school.say(dispatched(), called_off())
    await school.end()
    assert (await school.pending(), await school.states()) == (0, ["closed"])


async def test_a_flown_flight_is_billed_and_then_its_hold_is_void(school: School) -> None:
    await owes(school.db["ledger"], 30_000)
    await school.say(dispatched())
    await school.say(flown(hours="9.0"))
    assert await school.pending() == HELD  # both count until the timer looks: the safe side
    await school.end()
    assert (await school.pending(), await school.states()) == (0, ["closed"])
    [wallet] = await rows(
        school.db["ledger"], "SELECT balance FROM ledger_public.wallets WHERE address = 'student:anna'"
    )
    assert wallet["balance"] == -30_000 - 9 * HOUR  # owed, whatever the limit is


@pytest.mark.parametrize("first", [flown(), called_off()], ids=["flown", "cancelled"])
async def test_a_dispatch_that_comes_after_the_end_holds_nothing(school: School, first: Record) -> None:
    await school.say(first, dispatched())
    await school.end()
    assert (await school.pending(), await school.states()) == (0, ["closed"])


async def test_after_the_end_is_known_a_dispatch_is_refused(school: School) -> None:
    await school.say(dispatched(), called_off())
    await school.end()
    await school.say(dispatched(revision=2))
    assert (await school.answers())[-1] == ("D1", 2, "flight_has_ended")


async def test_a_hold_that_nobody_ends_expires(school: School) -> None:
    almost_over = (
        datetime.now(UTC) - timedelta(hours=25) + timedelta(seconds=3)
    )  # hold_hours is 24, planned is 1
    await school.say(dispatched(departs_at=almost_over))
    assert await school.states() == ["cleared"]
    for _ in range(50):
        if await expire_holds(school.db["ledger"]):
            break
        await asyncio.sleep(0.1)
    await school.settle()
    assert (await school.pending(), await school.states()) == (0, ["closed"])


async def test_a_dispatch_of_days_ago_holds_nothing_and_says_why(school: School) -> None:
    departed = datetime.now(UTC) - timedelta(days=3)
    await school.say(dispatched(departs_at=departed))
    assert await school.answers() == [("D1", 1, "over_already")]
    letters = [await rows(db, "SELECT topic FROM dead_letter") for db in school.db.values()]
    assert letters == [[]] * len(letters)  # nobody has to look at it
    await school.say(dispatched(revision=2))
    assert await school.answers() == [("D1", 1, "over_already"), ("D1", 2, "cleared")]


async def test_what_cannot_be_priced_is_refused_with_billings_reason(school: School) -> None:
    await school.say(dispatched(aircraft="N1"))
    assert await school.answers() == [("D1", 1, "unknown_aircraft")]


async def test_frozen_credit_clears_nothing(school: School) -> None:
    frozen = ("credit_limit", "anna", "2026-01-01", {"limit": 90_000, "frozen": True})
    await handlers.follow_book(school.db["receivables"], [book(2, frozen)])
    await school.say(dispatched())
    assert (await school.answers(), await school.pending()) == ([("D1", 1, "frozen")], 0)


async def test_the_same_again_under_other_event_ids_changes_nothing(school: School) -> None:
    await school.say(dispatched(), dispatched())
    again: Sequence[Record] = [dispatched()]
    await school.say(*again)
    assert await school.answers() == [("D1", 1, "cleared")]
    assert await school.pending() == HELD


async def test_a_kind_of_flight_has_a_lower_limit(db: Database, open_db: OpenDatabase, hobbs: Hobbs) -> None:
    await handlers.follow_book(db, [a_school(limit=100_000, limit_solo=HELD - 1)])
    school = School(open_db, db)
    await school.say(dispatched(), dispatched("D2", instructor="instructor-01", dual_hours="1.0"))
    assert [answer[2] for answer in await school.answers()] == ["limit_exceeded", "cleared"]
    planned = ("credit", "check", "anna", "--aircraft", "N364MA", "--hours", "1.0")
    assert "limit_exceeded" in (await hobbs(*planned)).stdout
    assert (await hobbs(*planned, "--instructor", "instructor-01")).exit_code == 0
    checked = "SELECT reason FROM receivables_public.credit_check('anna', 1, current_date, :activity)"
    for activity, reason in (("solo", "limit_exceeded"), ("dual", None), (None, None)):
        assert await rows(db, checked, activity=activity) == [{"reason": reason}]
