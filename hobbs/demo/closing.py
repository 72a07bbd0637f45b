"""The demo's end: the school keeps a reserve, and the day is compared with Stripe row by row."""

import asyncio
from contextlib import suppress
from functools import partial
from typing import Final

from hobbs.demo.credit import BOOK
from hobbs.demo.figures import Figures, Row
from hobbs.demo.progress import Watcher
from hobbs.demo.school import CommandFailed, apply_school, run_hobbs, school_with
from hobbs.demo.story import Stalled, Story
from hobbs.demo.verdict import Verdict
from hobbs.local.fleet_processes import Fleet

RESERVE: Final = "250.00"
_JUDGED: Final = "SELECT health FROM reserves_public.reserve WHERE health <> 'unknown'"
_DAY: Final = "SELECT currency, drift, unexplained, breaks_open FROM reserves_public.days"

CLOSING_TABLES: Final = {
    "The reserve at Stripe": """
        SELECT term.what, term.amount FROM reserves_public.reserve,
            LATERAL (VALUES ('free at Stripe', free), ('must stay', minimum),
                            ('above it: ' || health || ', the gate is ' || gate, free - minimum)
                ) AS term (what, amount)
    """,
    "Today, compared with Stripe row by row": """
        SELECT side.of AS side, side.opening, side.moved, side.closing FROM reserves_public.days,
            LATERAL (VALUES ('Stripe', stripe_opening, stripe_moved, stripe_closing),
                            ('the books', books_opening, books_moved, books_closing),
                            ('drift', NULL, NULL, drift)) AS side (of, opening, moved, closing)
    """,
}


async def keep_a_reserve(fleet: Fleet, figures: Figures, story: Story, watcher: Watcher) -> None:
    """Apply the school with a reserve, and wait until the balance is read and judged."""
    watcher.say(f"the school keeps {RESERVE} at Stripe from now on")
    file = school_with(fleet.folder, f"{BOOK}\n[[reserve]]\nminimum = {RESERVE}\n")
    await asyncio.to_thread(apply_school, fleet, file)

    async def judged() -> bool:
        return bool(await figures.rows(_JUDGED))

    await story.until(judged, "reserves that nobody judged")
    await story.settle()


async def compare_the_day(fleet: Fleet, figures: Figures, story: Story, watcher: Watcher) -> Verdict:
    """Compare today until every row of Stripe's balance is listed and has its journal."""
    watcher.say("comparing the day with Stripe, row by row")
    with suppress(Stalled):  # rows are listed every few seconds; what is off then is in the verdict
        await story.until(partial(_compared, fleet), "rows that do not agree")
    days = await figures.rows(_DAY)
    rows = (await figures.rows("SELECT count(*) AS n FROM reserves_public.stripe_lines"))[0]["n"]
    return Verdict(
        name="reserves: every row of Stripe's balance has its journal, and the closing balances are equal",
        holds=bool(days and rows) and not any(_is_off(day) for day in days),
        detail=f"{rows} rows; {[dict(day) for day in days]}",
    )


async def _compared(fleet: Fleet) -> bool:
    try:
        await asyncio.to_thread(run_hobbs, fleet, "reconcile", "day", "today")
    except CommandFailed:
        return False
    return True


def _is_off(day: Row) -> bool:
    return bool(day["drift"] or day["unexplained"] or day["breaks_open"])
