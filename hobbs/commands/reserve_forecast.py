"""Look ahead: which transfers the reserve lets go when, and how much is short until when."""

from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any, Final

import typer

from fleet.money import format_minor, parse_minor
from hobbs.commands.queries import read_snapshot
from hobbs.commands.reserve_picture import drawn
from hobbs.shell.money_columns import with_money
from hobbs.shell.output import EXIT_FINDINGS, Output, OutputOption, say, show_one, show_rows
from services.reserves.desk import reads
from services.reserves.desk.reads.forecast import Looked, WhatIf

WEEKDAYS: Final = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
PAST: Final = ("free", "free_error", "sent", "sent_error", "payments", "payments_error")
MOVED: Final = ("came", "expected", "sent", "free", "waiting", "short")


def forecast_command(
    without_payments: Annotated[
        bool, typer.Option("--without-payments", help="As if no card paid any more.")
    ] = False,
    top_up: Annotated[str, typer.Option(help="As if so much were paid in, such as 500.00; with --on.")] = "",
    on: Annotated[
        datetime | None, typer.Option(formats=["%Y-%m-%d"], help="The date of the top-up, at noon there.")
    ] = None,
    by_hour: Annotated[
        bool, typer.Option("--hours", help="Each hour in which something moves, instead of the transfers.")
    ] = False,
    past: Annotated[
        bool, typer.Option("--past", help="What was forecast of each day as it began, and what came.")
    ] = False,
    picture: Annotated[Path | None, typer.Option(help="Draw it, as SVG, into this file.")] = None,
    output: OutputOption = Output.table,
) -> None:
    """Say what can be sent in the next 14 days, in which order, and what is short. Exit 1 when something is.

    Counted are the balance, what is pending, transfers that are held for the reserve or by their hold period,
    what payees on a schedule have earned by now, and, as a pattern, the median of like weekdays of card
    payments.
    """
    if bool(top_up) != (on is not None):
        raise typer.BadParameter("a top-up is of an amount and on a date: --top-up 500.00 --on 2026-05-22")
    if past:
        return _show_past(output)
    looked = _look(without_payments, top_up, on)
    if looked is None:
        say("the school's book keeps no reserve, or its balance was never read: nothing is known ahead")
        raise typer.Exit(EXIT_FINDINGS)
    if picture is not None:
        picture.write_text(drawn(looked))
    if output is Output.json:
        show_one(_whole(looked), output)
    elif by_hour:
        rows = [asdict(hour) | {"currency": looked.currency} for hour in looked.ahead.hours]
        rows = [row for n, row in enumerate(rows) if not n or row["came"] or row["expected"] or row["sent"]]
        show_rows(with_money(rows, output, MOVED), output, columns=("at", *MOVED), right=MOVED)
    else:
        rows = [_run(run, looked) for run in looked.ahead.runs]
        show_rows(with_money(rows, output, ("amount", "short")), output, right=("amount", "short"))
    if output is Output.table:
        _tell(looked)
    if looked.ahead.top_up:
        raise typer.Exit(EXIT_FINDINGS)


def _show_past(output: Output) -> None:
    """The last 30 days of which something was forecast; what came above the forecast is positive."""
    rows = read_snapshot(reads.forecast.past)
    show_rows(with_money(rows, output, PAST), output, right=PAST)
    if not rows and output is Output.table:
        say("nothing was forecast yet: reserves does it as each day begins, once the school keeps a reserve")


def _look(without_payments: bool, top_up: str, on: datetime | None) -> Looked | None:
    now = datetime.now(UTC)
    stands = read_snapshot(lambda tx: reads.reserve.stands(tx, now))
    if not stands:
        return None
    try:
        amount = parse_minor(top_up, stands[0]["currency"]) if top_up else 0
    except ValueError as error:
        raise typer.BadParameter(str(error)) from None
    asked = WhatIf(without_payments=without_payments, top_up=amount, on=None if on is None else on.date())
    return read_snapshot(lambda tx: reads.forecast.look_ahead(tx, now, asked))


def _run(run: Any, looked: Looked) -> dict[str, Any]:
    return {
        "transfer": run.due.name,
        "wallet": run.due.wallet,
        "amount": run.due.amount,
        "currency": looked.currency,
        "due_at": run.due.at,
        "goes_at": run.at,
        "short": run.short,
    }


def _whole(looked: Looked) -> dict[str, Any]:
    ahead = looked.ahead
    return {
        "currency": looked.currency,
        "read_at": looked.read_at,
        "free": looked.free,
        "minimum": looked.minimum,
        "hours_to_shortfall": ahead.hours_to_shortfall,
        "top_up": ahead.top_up,
        "top_up_by": ahead.top_up_by,
        "runs": [_run(run, looked) for run in ahead.runs],
        "shortages": [asdict(one) for one in ahead.shortages],
        "hours": [asdict(hour) for hour in ahead.hours],
        "card_payments_by_weekday": {WEEKDAYS[day - 1]: amount for day, amount in looked.usual.items()},
        "card_payments_can_be_sent_after_hours": round(looked.after.total_seconds() / 3600, 1),
        "waits_for_something_else": looked.others,
        "waits_for_something_else_amount": looked.others_amount,
    }


def _tell(looked: Looked) -> None:
    def money(amount: int) -> str:
        return f"{format_minor(amount, looked.currency)} {looked.currency}"

    for one in looked.ahead.shortages:
        until = "for all the days looked at" if one.until is None else f"until {_local(one.until, looked)}"
        say(f"short from {_local(one.since, looked)} {until}: {money(one.most)} at most")
    if looked.ahead.top_up_by is not None:
        say(
            f"{money(looked.ahead.top_up)} paid in by {_local(looked.ahead.top_up_by, looked)} lets "
            "everything go when it is due"
        )
    weekdays = ", ".join(
        f"{WEEKDAYS[day - 1]} {format_minor(amount, looked.currency)}"
        for day, amount in sorted(looked.usual.items())
    )
    say(f"cards are taken to pay the median of like weekdays ({weekdays}): a pattern, no promise")
    if looked.others:
        say(
            f"not counted: {looked.others} transfers of {money(looked.others_amount)} wait for something else"
        )


def _local(at: datetime, looked: Looked) -> str:
    return f"{at.astimezone(looked.zone):%a %Y-%m-%d %H:%M}"
