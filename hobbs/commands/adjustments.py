"""Corrections of flights that are billed: what each changes for whom, and who must approve it.

\b
Examples:
  hobbs adjustments list --needs-approval
  hobbs adjustments show F123:2
  hobbs adjustments approve F123:2 F124:3 --dry-run
  hobbs adjustments reject F123:2 --why "the meter was read again: it was right"
  hobbs adjustments amend OLD-17 --amount student:student-01=-12.50 --why "the log says 1.3"
  hobbs adjustments makers
  hobbs adjustments settlements --late
  hobbs adjustments settle F123:2 --method forgiven --why "our mistake"
  hobbs adjustments claw-back F123:2 --why "paid twice" --dry-run
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Annotated, Any, Final

import typer

from fleet.database import Tx
from fleet.money import parse_minor
from fleet.settings import Settings
from hobbs.commands import adjustments_settle
from hobbs.shell.connections import reading, run, settings_or_exit
from hobbs.shell.decisions import Effects, Question
from hobbs.shell.lists import MostOption, SkipOption, part
from hobbs.shell.money_columns import readable, with_money
from hobbs.shell.output import EXIT_FINDINGS, Output, OutputOption, say, show_one, show_rows
from hobbs.shell.reasons import NeededWhyOption, WhoOption, WhyOption
from hobbs.shell.several_decisions import decide_several
from services.adjustments.desk import reads
from services.adjustments.domain.adjustments import State
from services.billing.desk import reads as book

SERVICE: Final = "adjustments"
MONEY: Final = (
    *("largest", "before", "after", "difference", "moved", "moved_in_month"),
    *("could_be_taken_back", "limit", "amount", "left"),
)
COLUMNS: Final = ("adjustment", "state", "largest", "currency", "made_by", "reason", "changed_at", "sentence")
QUEUE_COLUMNS: Final = (
    *("adjustment", "largest", "currency", "needs", "approvals", "made_by", "moved_in_month"),
    *("waits", "expires_in", "clawback_closes_in", "could_be_taken_back", "recovered_about", "reason"),
)
PARTY_COLUMNS: Final = ("adjustment", "wallet", "before", "after", "difference", "currency")
PARTS: Final = (
    *("parties", "settlements", "forgotten", "approvals", "history", "settlement_steps"),
    *("computations", "next_flights"),
)

app = typer.Typer(no_args_is_help=True, help=__doc__, rich_markup_mode=None)
app.add_typer(adjustments_settle.app)  # its commands stand beside these

NamesArgument = Annotated[
    list[str], typer.Argument(metavar="ID…", help="Each as <flight>:<revision>, such as F123:2.")
]
NameArgument = Annotated[
    str, typer.Argument(metavar="ID", help="<flight>:<revision>, as `hobbs adjustments list` shows it.")
]
DryRunOption = Annotated[bool, typer.Option(help="Say what would happen and change nothing.")]
YesOption = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")]


@app.command("list")
def list_command(
    state: Annotated[list[State] | None, typer.Option(help="Only these states; repeat for several.")] = None,
    flight: Annotated[str | None, typer.Option(help="Only of this flight.")] = None,
    maker: Annotated[str | None, typer.Option(help="Only what this person corrected.")] = None,
    wallet: Annotated[
        str | None, typer.Option(help="Only what changes this wallet, such as instructor:instructor-01.")
    ] = None,
    needs_approval: Annotated[
        bool, typer.Option("--needs-approval", help="What waits for a person, the oldest first.")
    ] = False,
    most: MostOption = None,
    skip: SkipOption = 0,
    output: OutputOption = Output.table,
) -> None:
    """List adjustments, newest first; with --needs-approval what waits, how long, and what is lost by it.

    recovered_about: when it would be taken off the payees' payments: an estimate from their mean payouts.
    """
    shown = part(most, skip, output)
    if needs_approval:
        if state or flight or maker or wallet:
            raise typer.BadParameter("--needs-approval lists the whole queue: it goes with no other filter")
        rows = shown.of(_read(lambda tx: reads.queue(tx, most=shown.asked, skip=skip)), "adjustments")
        return _show_queue(rows, output)
    states = [str(one) for one in state] if state else None
    found = _read(
        lambda tx: reads.adjustments(
            tx, states=states, flight=flight, made_by=maker, wallet=wallet, most=shown.asked, skip=skip
        )
    )
    rows = shown.of(found, "adjustments")
    columns = COLUMNS if output is Output.table or not rows else None
    show_rows(with_money(rows, output, MONEY), output, columns=columns, right=MONEY)
    return None


@app.command("show")
def show_command(name: NameArgument, output: OutputOption = Output.table) -> None:
    """Show one adjustment: each party before and after, both computations, approvals and history."""
    found = _read(lambda tx: reads.whole(tx, name))
    if found is None:
        say(f"there is no adjustment {name}; `hobbs adjustments list` shows all")
        raise typer.Exit(EXIT_FINDINGS)
    if output is not Output.table:
        return show_one(found, output)
    show_one(readable({k: v for k, v in found.items() if k not in PARTS}, MONEY), output)
    for title in PARTS:
        if found[title]:
            rows = with_money(
                found[title], output, MONEY, currency=found["currency"] if title == "parties" else None
            )
            show_rows(_in_hours(rows), output, title=title.replace("_", " "), right=(*MONEY, "out"))
    return None


def _in_hours(rows: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Meters and hours as people read them: 23603 tenths are 2360.3. What has a currency is an amount."""
    shown = []
    for row in rows:
        if "out_tenths" in row:
            shown.append(
                {"out" if k == "out_tenths" else k: v for k, v in row.items()}
                | {"out": _hours(row["out_tenths"])}
            )
        elif "what" in row and "currency" not in row:
            shown.append({**row, "before": _hours(row["before"]), "after": _hours(row["after"])})
        else:
            shown.append(dict(row))
    return shown


def _hours(value: Any) -> Any:
    return f"{value // 10}.{value % 10}" if isinstance(value, int) else value


@app.command("approve")
def approve_command(
    names: NamesArgument,
    why: WhyOption = "",
    dry_run: DryRunOption = False,
    yes: YesOption = False,
    who: WhoOption = "",
) -> None:
    """Approve adjustments, after a table of who gets and owes what. Nobody approves what they made.

    One that failed at the ledger is asked for again; that needs a reason.
    """
    _decide("approve", names, why, dry_run=dry_run, yes=yes, who=who)


@app.command("reject")
def reject_command(
    names: NamesArgument,
    why: NeededWhyOption,
    dry_run: DryRunOption = False,
    yes: YesOption = False,
    who: WhoOption = "",
) -> None:
    """Reject adjustments that wait, or that the ledger refused: nothing moves."""
    _decide("reject", names, why, dry_run=dry_run, yes=yes, who=who, show=show_rejected)


@app.command("amend")
def amend_command(
    flight: Annotated[str, typer.Argument(metavar="FLIGHT", help="One that other software billed.")],
    why: NeededWhyOption,
    amount: Annotated[
        list[str], typer.Option(metavar="WALLET=AMOUNT", help="Negative: is owed more. Repeat for several.")
    ],
    dry_run: DryRunOption = False,
    yes: YesOption = False,
    who: WhoOption = "",
) -> None:
    """Propose amounts by hand for a flight that was billed elsewhere. Another person approves them.

    The school takes what is left. What still waits of the flight is superseded.
    """
    currency = _read(book.whole_book).currency()
    amounts: dict[str, int] = {}
    for told in amount:
        wallet, _, value = told.rpartition("=")
        try:
            amounts[wallet] = parse_minor(value, currency)
        except ValueError as error:
            raise typer.BadParameter(f"{told}: {error}", param_hint="--amount") from None
    question = Question(
        service=SERVICE, action="amend", object=flight, who=who, why=why, parameters={"amounts": amounts}
    )
    decide_several([question], dry_run=dry_run, yes=yes, prompt=f"propose for {flight}?", show=show_parties)


@app.command("makers")
def makers_command(
    maker: Annotated[str | None, typer.Option(help="Only what this person corrected.")] = None,
    just_under: Annotated[
        bool,
        typer.Option(
            "--just-under",
            help="Instead: adjustments just under the limit of an approval, or of a second one.",
        ),
    ] = False,
    output: OutputOption = Output.table,
) -> None:
    """What each person's corrections moved for each payee in 30 days, in absolute amounts, the most first."""
    read = reads.just_under if just_under else reads.makers
    rows = _read(lambda tx: read(tx, made_by=maker))
    show_rows(with_money(rows, output, MONEY), output, right=MONEY)


def show_parties(effects: Effects, title: str = "who gets and owes what") -> None:
    """Who gets and owes what, before the person is asked."""
    rows = with_money(effects, Output.table, MONEY)
    show_rows(rows, Output.table, columns=PARTY_COLUMNS, title=title, right=MONEY)


def show_rejected(effects: Effects) -> None:
    """What each party would have got or owed."""
    show_parties(effects, "what is not posted")


def _decide(
    action: str,
    names: Sequence[str],
    why: str,
    *,
    dry_run: bool,
    yes: bool,
    who: str,
    show: Callable[[Effects], None] = show_parties,
) -> None:
    chosen = list(dict.fromkeys(names))
    questions = [Question(service=SERVICE, action=action, object=name, who=who, why=why) for name in chosen]
    what = chosen[0] if len(chosen) == 1 else f"{len(chosen)} adjustments"
    decide_several(questions, dry_run=dry_run, yes=yes, prompt=f"{action} {what}?", show=show)


def _show_queue(rows: Sequence[Mapping[str, Any]], output: Output) -> None:
    now = datetime.now(UTC)
    timed = [
        {
            **row,
            "approvals": f"{row['approvals']} of {row['approvals_needed']}",
            "needs": " ".join(row["needs"]),
            "waits": _span(row["waiting_since"], now),
            "expires_in": _span(now, row["expires_at"]),
            "clawback_closes_in": _span(now, row["clawback_until"]),
        }
        for row in rows
    ]
    columns = QUEUE_COLUMNS if output is Output.table or not rows else None
    show_rows(
        with_money(timed if output is Output.table else rows, output, MONEY),
        output,
        columns=columns,
        right=MONEY,
    )


def _span(begin: datetime | None, end: datetime | None) -> str | None:
    """How long from one instant to another, in its two largest units: 3 d 4 h, 5 h 20 min."""
    if begin is None or end is None:
        return None
    minutes = max(0, int((end - begin).total_seconds()) // 60)
    days, hours = minutes // 1440, minutes // 60
    return f"{days} d {hours % 24} h" if days else f"{hours} h {minutes % 60} min"


def _read(question: Callable[[Tx], Awaitable[Any]]) -> Any:
    settings = settings_or_exit(Settings)

    async def read() -> Any:
        async with reading(settings) as database, database.transaction() as tx:
            return await question(tx)

    return run(read())
