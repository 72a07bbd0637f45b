"""`hobbs demo`: 98 real flights become bills, journals and transfers, and the books are checked.

Everything runs for real on this machine; only Stripe is simulated.
"""

import asyncio
from pathlib import Path

from hobbs.demo.closing import CLOSING_TABLES, compare_the_day, keep_a_reserve
from hobbs.demo.correction import correct_a_flight
from hobbs.demo.credit import CREDIT_TABLES, fly_on_credit, read_credit
from hobbs.demo.figures import Figures
from hobbs.demo.progress import Watcher, watching
from hobbs.demo.report import Table, read_tables, show_tables
from hobbs.demo.story import Story
from hobbs.demo.verdict import Verdict, check_books, nothing_changed, show_verdicts
from hobbs.local.running_fleet import RunningFleet, running_fleet


def run_demo(folder: Path, started: float, *, apart: bool = False) -> bool:
    """Run all steps with data in `folder`; True when every check holds."""
    with (
        watching(started=started) as watcher,
        running_fleet(folder, keep=False, tell=watcher.say, apart=apart) as running,
    ):
        tables, verdicts = asyncio.run(tell_story(running, watcher))
        watcher.say("stopping")
    show_tables(tables)
    show_verdicts(verdicts)
    return all(verdict.holds for verdict in verdicts)


async def tell_story(running: RunningFleet, watcher: Watcher) -> tuple[list[Table], list[Verdict]]:
    async with Figures(running.fleet) as figures:
        story = Story(running.fleet, figures, watcher, running.require_running)
        await story.open_school()
        await story.fly()
        await story.pay()
        await correct_a_flight(running.fleet, figures, story, watcher)
        tables = await read_tables(figures)
        before = await figures.fingerprint()
        await story.fly_again()
        after = await figures.fingerprint()
        await fly_on_credit(running.fleet, figures, story, watcher)
        credit = await read_credit(figures)
        tables += await read_tables(figures, CREDIT_TABLES)
        await keep_a_reserve(running.fleet, figures, story, watcher)
        compared = await compare_the_day(running.fleet, figures, story, watcher)
        tables += await read_tables(figures, CLOSING_TABLES)
        books = await check_books(running.fleet, figures)
        return tables, [*books, nothing_changed(before, after), credit, compared]
