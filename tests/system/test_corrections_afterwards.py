"""Corrections that come late: into a period that is closed by then, and after the rates have changed."""

import asyncio
import tomllib
from collections import Counter
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

from hobbs.demo.figures import Figures
from hobbs.demo.money import Cashier
from hobbs.demo.school import SCHOOL_FILE, apply_school, run_hobbs
from hobbs.demo.story import Story
from hobbs.demo.verdict import check_books
from hobbs.local.running_fleet import RunningFleet
from tests.support.corrections import (
    approve_everything,
    correction,
    lesson,
    publish_in_order,
    states,
    wallets_at_the_end,
)
from tests.support.fleets import Silent
from tests.system.test_corrections import PAID_IN, by_flights

NOW = datetime.now(UTC)
CLOSED_UNTIL = NOW.replace(hour=0, minute=0, second=0, microsecond=0) - timedelta(days=20)
OLD = lesson("l-old", date=f"{NOW - timedelta(days=40):%Y-%m-%d}")
BY_BILL, BY_BOOK, KEPT = lesson("l-bill"), lesson("l-book"), lesson("l-kept")
SHORTER = {"hobbs_in": "1000.9", "flight_hours": "0.9", "dual_hours": "0.9"}
AT_OLD_RATES = [KEPT, OLD, correction(OLD, 2, **SHORTER), BY_BILL, correction(BY_BILL, 2, **SHORTER)]
AT_NEW_RATES = [BY_BOOK, correction(BY_BOOK, 2, priced_by="book", **SHORTER)]


async def test_a_closed_period_and_new_rates_leave_what_the_last_records_say(
    fleet: RunningFleet, figures: Figures, tmp_path: Path
) -> None:
    """By the bill's version of the book unless the correction asks for today's, to the cent."""
    before, file = SCHOOL_FILE.read_text(encoding="utf-8"), tmp_path / "school.toml"
    after = before.replace("flight_per_hour = 70.00", "flight_per_hour = 81.50")
    after = after.replace("flight_per_hour = 45.00", "flight_per_hour = 52.25")
    story = Story(fleet.fleet, figures, Silent(), fleet.require_running)
    await story.open_school()
    await story.onboard()
    await asyncio.to_thread(Cashier(fleet.fleet).pay_in, "student-01", [PAID_IN])
    await publish_in_order(fleet.fleet, [OLD, BY_BILL, BY_BOOK, KEPT])
    await story.settle()
    instant = CLOSED_UNTIL.isoformat()
    await asyncio.to_thread(run_hobbs, fleet.fleet, "close", instant, "--why", "the month is over", "--yes")
    file.write_text(after, encoding="utf-8")
    await asyncio.to_thread(apply_school, fleet.fleet, file)

    corrections = [record for record in (*AT_OLD_RATES, *AT_NEW_RATES) if record[1]["revision"] == 2]
    await publish_in_order(fleet.fleet, corrections)
    await story.settle()
    assert await approve_everything(fleet.fleet, figures) >= 1, "the old flight waits for a person"
    await story.settle()

    assert set((await states(figures)).values()) <= {"settled", "settling"}
    wanted = Counter(wallets_at_the_end(_book(before), AT_OLD_RATES))
    wanted.update(wallets_at_the_end(_book(after), AT_NEW_RATES))
    assert wanted != Counter(wallets_at_the_end(_book(before), [*AT_OLD_RATES, *AT_NEW_RATES]))
    assert await by_flights(figures) == {w: a for w, a in wanted.items() if a}
    [late] = await figures.rows(_LATE)
    assert (late["source"], late["occurred_at"]) == ("adjustment:l-old:2", CLOSED_UNTIL)
    assert [verdict for verdict in await check_books(fleet.fleet, figures) if not verdict.holds] == []


def _book(text: str) -> dict[str, object]:
    return tomllib.loads(text, parse_float=Decimal)


_LATE = "SELECT source, occurred_at FROM ledger_public.late_journals"
