"""What moved on the school's Stripe balance: rows that the books do not explain, and the balance beside them.

\b
Examples:
  hobbs transfers movements list
  hobbs transfers movements balance
  hobbs transfers movements close txn_1Nx --reason "a reserve; it ends in March"
"""

from typing import Annotated, Any, Final

import typer

from fleet.settings import Settings
from hobbs.shell.connections import reading, run, settings_or_exit
from hobbs.shell.decisions import Question, decide
from hobbs.shell.lists import MostOption, SkipOption, part
from hobbs.shell.money_columns import with_money
from hobbs.shell.output import EXIT_FINDINGS, Output, OutputOption, say, show_rows
from hobbs.shell.reasons import WhoOption, needed
from services.ledger.desk.reads import balances, recompute
from services.payouts.desk import reads
from services.payouts.domain.movements import EXTERNAL_STRIPE

MONEY: Final = ("amount", "fee", "net")
COLUMNS: Final = ("transaction_id", "made_at", "type", "net", "currency", "standing", "sentence", "closed_by")
CASH: Final = (
    "stripe",
    "books",
    "difference",
    "not_listed",
    "not_booked",
    "unexplained",
    "by_people",
    "before",
)

app = typer.Typer(no_args_is_help=True, help=__doc__, rich_markup_mode=None)


@app.command("list")
def list_command(
    every: Annotated[bool, typer.Option("--all", help="Every row, not only what is unexplained.")] = False,
    closed: Annotated[bool, typer.Option("--closed", help="Also those that a person closed.")] = False,
    most: MostOption = None,
    skip: SkipOption = 0,
    output: OutputOption = Output.table,
) -> None:
    """List rows that the books do not explain, newest first. Exit 1 when one is open."""
    shown = part(most, skip, output)

    async def read() -> Any:
        async with reading(settings_or_exit(Settings)) as database, database.transaction() as tx:
            return await reads.list_movements(tx, every=every, closed=closed, most=shown.asked, skip=skip)

    rows = shown.of(run(read()), "movements")
    columns = COLUMNS if output is Output.table or not rows else None
    show_rows(with_money(rows, output, MONEY), output, columns=columns, right=MONEY)
    if any(row["standing"] == "unexplained" and row["closed_at"] is None for row in rows):
        raise typer.Exit(EXIT_FINDINGS)


@app.command("close")
def close_command(
    transaction_id: Annotated[
        str, typer.Argument(metavar="ID", help="As `hobbs transfers movements list` shows it.")
    ],
    reason: Annotated[
        str, typer.Option(help="Why; it stays with the row.", prompt="Reason", callback=needed)
    ],
    dry_run: Annotated[bool, typer.Option(help="Say what would happen and change nothing.")] = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    who: WhoOption = "",
) -> None:
    """Close a row that you looked at in Stripe's dashboard, and for which you posted what is missing."""
    question = Question(
        service="payouts",
        action="close_movement",
        object=transaction_id,
        who=who,
        why=reason,
        parameters={},
    )
    decide(question, dry_run=dry_run, yes=yes, prompt=f"close {transaction_id}?")


@app.command("balance")
def balance_command(output: OutputOption = Output.table) -> None:
    """Compare the books' cash at Stripe with what Stripe holds by its rows. Exit 1 when money is unexplained.

    The difference, Stripe less books, is the sum of the columns after it: journals whose row is not listed
    yet, rows whose journal is not posted yet, rows unexplained, what people closed and posted, and what
    differed before rows were listed.
    """
    listing, rows = run(_compare())
    if listing["opened_at"] is None:
        say("Stripe's rows are not listed yet: payouts does it within an hour of its first start")
        raise typer.Exit(EXIT_FINDINGS)
    say(
        f"rows since {listing['opened_at']:%Y-%m-%d %H:%M} UTC, the newest of "
        f"{listing['listed_until']:%Y-%m-%d %H:%M:%S} UTC"
    )
    columns = ("currency", *CASH)
    show_rows(with_money(rows, output, CASH), output, columns=columns, right=CASH)
    if any(row["unexplained"] or row["by_people"] for row in rows):
        raise typer.Exit(EXIT_FINDINGS)


async def _compare() -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """What Stripe holds and the ledger says, in one snapshot, for each currency of either."""
    async with reading(settings_or_exit(Settings)) as database, database.transaction() as tx:
        await recompute.begin_snapshot(tx)
        listing, stripe = await reads.movement_listing(tx), await reads.cash_at_stripe(tx)
        posted = await balances.list_balances(tx, wallet=EXTERNAL_STRIPE)
    books = {wallet.currency: -wallet.balance for wallet in posted}
    known = {row["currency"]: row for row in stripe}
    return listing, [compared(c, known.get(c, {}), books.get(c, 0)) for c in sorted({*known, *books})]


def compared(currency: str, stripe: dict[str, Any], books: int) -> dict[str, Any]:
    """One currency's row: `before` is what no row and no journal since the opening explains."""
    parts = {
        name: int(stripe.get(name, 0)) for name in ("not_listed", "not_booked", "unexplained", "by_people")
    }
    held = int(stripe.get("stripe", 0))
    before = held - books - sum(parts.values())
    return {
        "currency": currency,
        "stripe": held,
        "books": books,
        "difference": held - books,
        **parts,
        "before": before,
    }
