"""The books compared with Stripe, line by line: business dates, and what of their difference has which name.

\b
Examples:
  hobbs reconcile
  hobbs reconcile 2026-05-22 -o json
  hobbs reconcile list
  hobbs reconcile breaks
  hobbs reconcile show 17
  hobbs reconcile accept 17 --why "looked at Stripe: a reserve" --dry-run
  hobbs reconcile sign 2026-05-22 --why "every break has its reason"
  hobbs reconcile flights --now
  hobbs reconcile flights --by-aircraft
  hobbs reconcile explain 4 --why "ferried by the mechanic, log of 12 May"
"""

from collections.abc import Awaitable, Callable
from datetime import date
from typing import Annotated, Any, Final

import typer
from typer.core import TyperGroup

from fleet.database import Tx
from fleet.settings import Settings
from hobbs.shell.connections import reading, run, settings_or_exit
from hobbs.shell.decisions import Effects, Question, ask, decide
from hobbs.shell.lists import MostOption, SkipOption, part
from hobbs.shell.money_columns import readable, with_money
from hobbs.shell.output import EXIT_FINDINGS, Output, OutputOption, say, show_one, show_rows
from hobbs.shell.reasons import NeededWhyOption, WhoOption
from services.reserves.desk.reads import mismatches as mismatch_reads
from services.reserves.desk.reads import reconciliation as reads
from services.reserves.domain.breaks import Class

SERVICE: Final = "reserves"
CLOSINGS: Final = ("stripe_closing", "books_closing", "drift", "explained", "unexplained")
MONEY: Final = (
    *("stripe_opening", "stripe_moved", "books_opening", "books_moved"),
    *CLOSINGS,
    *("amount", "fee", "net", "cash"),
)
BREAK_COLUMNS: Final = (
    *("break", "class", "amount", "currency", "day", "state", "accepted_by", "sentence", "refused"),
)
MISMATCH_COLUMNS: Final = (
    *("mismatch", "kind", "day", "aircraft", "tenths", "amount", "currency", "state", "sentence", "reason"),
)
PARTS: Final = ("lines", "journals", "acceptances")
SIDES: Final = ("opening", "moved", "closing")


class DayByDefault(TyperGroup):
    """Takes what is no command's name as an argument of `day`."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        named = args[:1] and (args[0] in self.commands or args[0] == "--help")
        return super().parse_args(ctx, args if named else ["day", *args])


NumberArgument = Annotated[
    int, typer.Argument(metavar="BREAK", help="Its number, as `hobbs reconcile breaks` shows it.")
]

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


@app.command("breaks")
def breaks_command(
    closed: Annotated[bool, typer.Option("--closed", help="Also those that are over.")] = False,
    timing: Annotated[
        bool, typer.Option("--timing", help="Also halves whose other half is on its way.")
    ] = False,
    named: Annotated[Class | None, typer.Option("--class", help="Only of this class.")] = None,
    most: MostOption = None,
    skip: SkipOption = 0,
    output: OutputOption = Output.table,
) -> None:
    """List what of the difference has which name, the oldest first. Exit 1 when one is open."""
    shown = part(most, skip, output)
    found = _read(
        lambda tx: reads.breaks(
            tx,
            closed=closed,
            timing=timing,
            named=None if named is None else named.value,
            most=shown.asked,
            skip=skip,
        )
    )
    rows = shown.of(found, "breaks")
    columns = BREAK_COLUMNS if output is Output.table or not rows else None
    show_rows(with_money(rows, output, MONEY), output, columns=columns, right=MONEY)
    if any(row["closed_at"] is None and row["class"] != Class.TIMING for row in rows):
        raise typer.Exit(EXIT_FINDINGS)


@app.command("show")
def show_command(number: NumberArgument, output: OutputOption = Output.table) -> None:
    """Show a break: its rows of Stripe's and its journals, what is proposed, who accepted it."""
    found = _read(lambda tx: reads.one_break(tx, number))
    if found is None:
        say(f"there is no break {number}; `hobbs reconcile breaks` shows all")
        raise typer.Exit(EXIT_FINDINGS)
    if output is not Output.table:
        return show_one(found, output)
    show_one(readable({k: v for k, v in found.items() if k not in PARTS}, MONEY), output)
    for title in PARTS:
        if found[title]:
            show_rows(with_money(found[title], output, MONEY), output, title=title, right=MONEY)
    return None


@app.command("accept")
def accept_command(
    number: NumberArgument,
    why: NeededWhyOption,
    wallet: Annotated[
        str | None,
        typer.Option(help="The wallet whose money it is, instead of the one proposed: instructor:i-1."),
    ] = None,
    dry_run: Annotated[bool, typer.Option(help="Say what would happen and change nothing.")] = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    who: WhoOption = "",
) -> None:
    """Have done what is proposed for a break. Above the policy's amount two persons must accept."""
    question = Question(
        service=SERVICE,
        action="accept",
        object=str(number),
        who=who,
        why=why,
        parameters={} if wallet is None else {"wallet": wallet},
    )
    decide(question, dry_run=dry_run, yes=yes, prompt=f"accept {number}?", show=_show_proposals)


@app.command("sign")
def sign_command(
    business_date: Annotated[str, typer.Argument(metavar="DATE", help="A business date that is over.")],
    why: NeededWhyOption,
    dry_run: Annotated[bool, typer.Option(help="Say what would happen and change nothing.")] = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    who: WhoOption = "",
) -> None:
    """Sign a date off: it and all before it are frozen; what becomes known later counts on a later day."""
    question = Question(service=SERVICE, action="sign", object=business_date, who=who, why=why)
    decide(
        question,
        dry_run=dry_run,
        yes=yes,
        prompt=f"sign {business_date}?",
        show=lambda effects: show_rows(with_money(effects, Output.table, MONEY), right=MONEY),
    )


@app.command("flights")
def flights_command(
    now: Annotated[
        bool, typer.Option("--now", help="Compare before listing; it is done each night.")
    ] = False,
    by_aircraft: Annotated[
        bool, typer.Option("--by-aircraft", help="How often and how much, of each aircraft.")
    ] = False,
    every: Annotated[
        bool, typer.Option("--all", help="Also explained ones and those that are over.")
    ] = False,
    aircraft: Annotated[str | None, typer.Option(help="Only of this aircraft.")] = None,
    most: MostOption = None,
    skip: SkipOption = 0,
    output: OutputOption = Output.table,
    who: WhoOption = "",
) -> None:
    """List flights whose meters, bill, books and payees do not agree. Exit 1 when one is not explained."""
    if now:
        question = Question(service=SERVICE, action="match_flights", object="today", who=who, why="")
        answer = run(ask(settings_or_exit(Settings), question))
        say(answer.sentence)
        if answer.outcome != "done":
            raise typer.Exit(EXIT_FINDINGS)
    if by_aircraft:
        rows = _read(mismatch_reads.by_aircraft)
        return show_rows(with_money(rows, output, MONEY), output, right=("number", "open", "tenths", *MONEY))
    shown = part(most, skip, output)
    found = _read(
        lambda tx: mismatch_reads.mismatches(tx, every=every, aircraft=aircraft, most=shown.asked, skip=skip)
    )
    rows = shown.of(found, "mismatches")
    columns = MISMATCH_COLUMNS if output is Output.table or not rows else None
    show_rows(with_money(rows, output, MONEY), output, columns=columns, right=("tenths", *MONEY))
    if any(row["state"] == "open" for row in rows):
        raise typer.Exit(EXIT_FINDINGS)
    return None


@app.command("explain")
def explain_command(
    number: Annotated[
        int, typer.Argument(metavar="MISMATCH", help="Its number, as `hobbs reconcile flights` shows it.")
    ],
    why: NeededWhyOption,
    dry_run: Annotated[bool, typer.Option(help="Say what would happen and change nothing.")] = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    who: WhoOption = "",
) -> None:
    """Say why a flight's mismatch is as it should be. It asks again when its hours or money change."""
    question = Question(service=SERVICE, action="explain", object=str(number), who=who, why=why)
    decide(question, dry_run=dry_run, yes=yes, prompt=f"explain {number}?")


def _show_proposals(effects: Effects) -> None:
    rows = [
        {"break": effect["break"], "wallet": wallet, "amount": amount, "currency": effect["currency"]}
        for effect in effects
        for wallet, amount in effect["proposal"].get("entries", ())
    ]
    if rows:
        show_rows(with_money(rows, Output.table, MONEY), right=MONEY)


def _read(read: Callable[[Tx], Awaitable[Any]]) -> Any:
    async def once() -> Any:
        async with reading(settings_or_exit(Settings)) as database, database.transaction() as tx:
            return await read(tx)

    return run(once())
