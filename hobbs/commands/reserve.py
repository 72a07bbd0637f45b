"""The school's reserve at Stripe: how it stands, what must stay, what waits for it.

\b
Examples:
  hobbs reserve
  hobbs reserve --explain
  hobbs reserve -o json
  hobbs reserve backfill --since 2026-01-01
"""

from datetime import UTC, datetime
from typing import Annotated, Any, Final

import typer

from fleet.settings import Settings
from hobbs.commands.reserve_backfill import backfill_command
from hobbs.shell.connections import reading, run, settings_or_exit
from hobbs.shell.money_columns import with_money
from hobbs.shell.output import EXIT_FINDINGS, Output, OutputOption, say, show_rows
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
    rows = run(_stands())
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


async def _stands() -> list[dict[str, Any]]:
    async with reading(settings_or_exit(Settings)) as database, database.transaction() as tx:
        return await reads.reserve.stands(tx, datetime.now(UTC))


app.command("backfill")(backfill_command)
