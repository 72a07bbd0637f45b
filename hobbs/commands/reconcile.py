"""The books compared with Stripe, line by line: business dates, and what of their difference has which name.

\b
Examples:
  hobbs reconcile
  hobbs reconcile 2026-05-22 -o json
  hobbs reconcile list
"""

from collections.abc import Awaitable, Callable
from datetime import date
from typing import Annotated, Any, Final

import typer
from typer.core import TyperGroup

from fleet.database import Tx
from fleet.settings import Settings
from hobbs.shell.connections import reading, run, settings_or_exit
from hobbs.shell.decisions import Question, ask
from hobbs.shell.lists import MostOption, SkipOption, part
from hobbs.shell.money_columns import with_money
from hobbs.shell.output import EXIT_FINDINGS, Output, OutputOption, say, show_rows
from hobbs.shell.reasons import WhoOption
from services.reserves.desk.reads import reconciliation as reads

SERVICE: Final = "reserves"
CLOSINGS: Final = ("stripe_closing", "books_closing", "drift", "explained", "unexplained")
MONEY: Final = (
    *("stripe_opening", "stripe_moved", "books_opening", "books_moved"),
    *CLOSINGS,
    *("amount", "fee", "net"),
)
SIDES: Final = ("opening", "moved", "closing")


class DayByDefault(TyperGroup):
    """Takes what is no command's name as an argument of `day`."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        named = args[:1] and (args[0] in self.commands or args[0] == "--help")
        return super().parse_args(ctx, args if named else ["day", *args])


app = typer.Typer(cls=DayByDefault, help=__doc__, rich_markup_mode=None)


@app.command("day")
def day_command(
    business_date: Annotated[
        str, typer.Argument(metavar="DATE", help="The school's business date; today unless told.")
    ] = "today",
    output: OutputOption = Output.table,
    who: WhoOption = "",
) -> None:
    """Compare a date now, and show both sides of it. Exit 1 when money is unexplained or a break is open."""
    question = Question(service=SERVICE, action="reconcile", object=business_date, who=who, why="")
    answer = run(ask(settings_or_exit(Settings), question))
    say(answer.sentence)
    if answer.outcome != "done":
        raise typer.Exit(EXIT_FINDINGS)
    if not answer.effects:
        return
    [compared] = {effect["business_date"] for effect in answer.effects}
    rows = _read(lambda tx: reads.day(tx, date.fromisoformat(compared)))
    show_day(rows, output)
    if any(row["unexplained"] or row["breaks_open"] for row in rows):
        raise typer.Exit(EXIT_FINDINGS)


def show_day(rows: list[dict[str, Any]], output: Output) -> None:
    """Write a date's comparison: the two sides, what moved on each, what is left."""
    if output is not Output.table:
        return show_rows(rows, output)
    for row in rows:
        sides = [
            {"side": side, "currency": row["currency"]}
            | {name: row[f"{side}_{name}"] for name in SIDES}
            | {"as of": row[f"{side}_as_of"]}
            for side in ("stripe", "books")
        ]
        show_rows(
            with_money(sides, output, SIDES),
            output,
            title=f"{row['business_date']}, run {row['run']}",
            right=SIDES,
        )
        moved = [{**one, "currency": row["currency"]} for one in row["movements"]]
        right = ("number", "amount", "fee", "net")
        show_rows(with_money(moved, output, MONEY), output, title="what moved", right=right)
        left = [
            {name: row[name] for name in ("currency", "drift", "explained", "unexplained", "breaks_open")}
        ]
        show_rows(
            with_money(left, output, MONEY), output, title="the difference", right=(*CLOSINGS, "breaks_open")
        )
    return None


@app.command("list")
def list_command(most: MostOption = None, skip: SkipOption = 0, output: OutputOption = Output.table) -> None:
    """List the dates that were compared, newest first."""
    shown = part(most, skip, output)
    rows = shown.of(_read(lambda tx: reads.days(tx, most=shown.asked, skip=skip)), "dates")
    show_rows(with_money(rows, output, MONEY), output, right=MONEY)


def _read(read: Callable[[Tx], Awaitable[Any]]) -> Any:
    async def once() -> Any:
        async with reading(settings_or_exit(Settings)) as database, database.transaction() as tx:
            return await read(tx)

    return run(once())
