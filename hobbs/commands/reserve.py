"""The school's reserve at Stripe: how it stands, what must stay, what waits for it.

\b
Examples:
  hobbs reserve
  hobbs reserve --explain
  hobbs reserve -o json
  hobbs reserve alerts
  hobbs reserve acknowledge 12 --why "the bank sends 5,000.00 tomorrow"
  hobbs reserve open 500.00 --hours 4 --why "payday; the top-up comes at noon"
  hobbs reserve backfill --since 2026-01-01
  hobbs reserve forecast --top-up 500.00 --on 2026-05-22
"""

from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, Final

import typer

from fleet.money import parse_minor
from hobbs.commands.queries import read, read_snapshot
from hobbs.commands.reserve_backfill import backfill_command
from hobbs.commands.reserve_forecast import forecast_command
from hobbs.shell.decisions import decide_about
from hobbs.shell.money_columns import with_money
from hobbs.shell.output import EXIT_FINDINGS, Output, OutputOption, say, show_rows
from hobbs.shell.reasons import NeededWhyOption, WhoOption
from services.reserves.desk import reads
from services.reserves.domain.health import HEALTHY

MONEY: Final = ("free", "minimum", "room", "held_amount")
COLUMNS: Final = (
    "currency",
    "health",
    "health_since",
    "gate",
    "free",
    "minimum",
    "room",
    "held",
    "held_amount",
    "read_at",
)

ALERT_COLUMNS: Final = (
    "id",
    "currency",
    "kind",
    "severity",
    "raised_at",
    "acknowledged_by",
    "note",
    "resolved_at",
    "sentence",
)

DryRunOption = Annotated[bool, typer.Option("--dry-run", help="Say what would happen; change nothing.")]
YesOption = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")]
OpeningArgument = Annotated[
    str, typer.Argument(metavar="OPENING", help="Its id, as `hobbs reserve openings` shows it.")
]

app = typer.Typer(help=__doc__, rich_markup_mode=None)


@app.callback(invoke_without_command=True)
def reserve_command(
    context: typer.Context,
    explain: Annotated[bool, typer.Option("--explain", help="Each term of the sum.")] = False,
    output: OutputOption = Output.table,
) -> None:
    """Show how the reserve stands. Exit 1 unless it is healthy.

    free: what can be sent now. minimum: what must stay. room: what payouts may still let out. held: transfers
    that wait for the reserve.
    """
    if context.invoked_subcommand is not None:
        return
    rows = _stands()
    if not rows:
        say("the school's book keeps no reserve: every transfer is sent as soon as it is due")
    columns = None if output is Output.json or not rows else COLUMNS
    show_rows(with_money(rows, output, MONEY), output, columns=columns, right=(*MONEY, "held"))
    if output is Output.table:
        _show_sentences(rows, explain)
    if any(row["health"] != HEALTHY for row in rows):
        raise typer.Exit(EXIT_FINDINGS)


def _show_sentences(rows: list[dict[str, Any]], explain: bool) -> None:
    for row in rows:
        if explain:
            terms = [{**term, "currency": row["currency"]} for term in row["terms"]]
            columns = ("name", "amount", "counts")
            show_rows(with_money(terms, Output.table, ("amount",)), columns=columns, right=("amount",))
        say(row["sentence"])


def _stands() -> list[dict[str, Any]]:
    return read_snapshot(lambda tx: reads.reserve.stands(tx, datetime.now(UTC)))


@app.command("alerts")
def alerts_command(
    every: Annotated[bool, typer.Option("--all", help="Also those that are over.")] = False,
    output: OutputOption = Output.table,
) -> None:
    """List alerts of the reserve that stand, newest first. Exit 1 when one is not acknowledged."""
    rows = read(lambda tx: reads.alerts.list_alerts(tx, every=every))
    columns = None if output is not Output.table or not rows else ALERT_COLUMNS
    show_rows(rows, output, columns=columns)
    if any(row["resolved_at"] is None and row["acknowledged_at"] is None for row in rows):
        raise typer.Exit(EXIT_FINDINGS)


@app.command("acknowledge")
def acknowledge_command(
    alert: Annotated[int, typer.Argument(help="Its number, as `hobbs reserve alerts` shows it.")],
    why: NeededWhyOption,
    dry_run: DryRunOption = False,
    yes: YesOption = False,
    who: WhoOption = "",
) -> None:
    """Say that you know of an alert; the note stays with it. It ends by itself."""
    decide_about("reserves", "acknowledge_alert", str(alert), who, why, dry_run=dry_run, yes=yes)


@app.command("openings")
def openings_command(output: OutputOption = Output.table) -> None:
    """List who opened the gate, by how much, until when and why; newest first."""
    rows = read(reads.alerts.list_openings)
    show_rows(with_money(rows, output, ("amount",)), output, right=("amount",))


@app.command("open")
def open_command(
    amount: Annotated[str, typer.Argument(help="How much less may stay, such as 500.00.")],
    why: NeededWhyOption,
    hours: Annotated[float, typer.Option(help="For how long.", min=0.1, max=168.0)] = 4.0,
    dry_run: DryRunOption = False,
    yes: YesOption = False,
    who: WhoOption = "",
) -> None:
    """Open the gate by an amount for a time. Above the policy's limit a second person has to approve."""
    rows = _stands()
    if not rows:
        say("the school's book keeps no reserve: there is no gate to open")
        raise typer.Exit(EXIT_FINDINGS)
    currency = rows[0]["currency"]
    try:
        units = parse_minor(amount, currency)
    except ValueError as error:
        raise typer.BadParameter(str(error)) from None
    until = (datetime.now(UTC) + timedelta(hours=hours)).replace(microsecond=0)
    asked = {"amount": units, "until": until.isoformat()}
    decide_about("reserves", "open_gate", currency, who, why, dry_run=dry_run, yes=yes, parameters=asked)


@app.command("approve")
def approve_command(
    opening: OpeningArgument,
    dry_run: DryRunOption = False,
    yes: YesOption = False,
    who: WhoOption = "",
) -> None:
    """Agree to an opening that somebody else asked for."""
    decide_about("reserves", "approve_opening", opening, who, "", dry_run=dry_run, yes=yes)


@app.command("close")
def close_command(
    opening: OpeningArgument,
    dry_run: DryRunOption = False,
    yes: YesOption = False,
    who: WhoOption = "",
) -> None:
    """End an opening before its time."""
    decide_about("reserves", "close_opening", opening, who, "", dry_run=dry_run, yes=yes)


app.command("backfill")(backfill_command)
app.command("forecast")(forecast_command)
