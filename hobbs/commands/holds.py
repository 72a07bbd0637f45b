"""Holds: amounts kept on a wallet until they are posted (captured), voided (released) or expire.

\b
Examples:
  hobbs holds student:student-01
  hobbs holds place checkride student:student-01 400 --until 2026-06-01T12:00:00Z --why "checkride on Friday"
  hobbs holds show checkride
  hobbs holds post checkride platform:school --amount 361.51 --why "flown"
  hobbs holds void checkride --why "weather"

Placing, posting and voiding are decided by the ledger, after a preview; the amounts are minor units in JSON
and CSV, and the currency's own decimals in tables.
"""

from dataclasses import asdict
from typing import Annotated, Any, Final

import typer

from hobbs.commands.queries import CurrencyOption, amount_of, currency_or_new, instant_of, read
from hobbs.shell.decisions import Effects, Question, decide
from hobbs.shell.list_group import ListByDefault
from hobbs.shell.lists import MostOption, SkipOption, part
from hobbs.shell.money_columns import readable, with_money
from hobbs.shell.output import EXIT_FINDINGS, Output, OutputOption, say, show_one, show_rows
from hobbs.shell.reasons import NeededWhyOption, WhoOption
from services.ledger.desk import reads
from services.ledger.desk.reads.holds import Hold
from services.payouts.desk import consequences as payees

MONEY: Final = ("amount", "posted_amount", "pending", "available_after")
EFFECT_COLUMNS: Final = ("wallet", "currency", "amount", "pending", "available_after")
HOLD_STATES: Final = ("open", "posted", "voided", "expired", "any")

app = typer.Typer(cls=ListByDefault, help=__doc__, rich_markup_mode=None)

HoldArgument = Annotated[str, typer.Argument(metavar="HOLD", help="Its name.")]
DryRunOption = Annotated[bool, typer.Option("--dry-run", help="Show what would happen; change nothing.")]
YesOption = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")]


@app.command("list")
def list_command(
    wallet: Annotated[str | None, typer.Argument(help="Only on this wallet.")] = None,
    state: Annotated[str, typer.Option(help="open, posted, voided, expired, or any.")] = "open",
    most: MostOption = None,
    skip: SkipOption = 0,
    output: OutputOption = Output.table,
) -> None:
    """List open holds, or closed ones; newest first."""
    if state not in HOLD_STATES:
        raise typer.BadParameter(f"{state!r} is not one of {', '.join(HOLD_STATES)}", param_hint="--state")
    chosen, shown = None if state == "any" else state, part(most, skip, output)
    rows = read(
        lambda tx: reads.holds.list_holds(tx, wallet=wallet, state=chosen, most=shown.asked, skip=skip)
    )
    listed = with_money([asdict(row) for row in shown.of(rows, "holds")], output, MONEY)
    show_rows(listed, output, columns=list(Hold.__dataclass_fields__), right=MONEY)


@app.command("show")
def show_command(hold: HoldArgument, output: OutputOption = Output.table) -> None:
    """Show one hold: what it keeps, until when, and how it was closed. Exit 1: there is none of this name."""
    found = asdict(_hold_or_exit(hold))
    show_one(readable(found, MONEY) if output is Output.table else found, output)


@app.command("place")
def place_command(
    hold: HoldArgument,
    wallet: Annotated[str, typer.Argument(help="Where it is kept, such as student:student-01.")],
    amount: Annotated[str, typer.Argument(metavar="AMOUNT", help="Such as 400 or 361.51.")],
    until: Annotated[
        str, typer.Option(metavar="INSTANT", help="When it expires, such as 2026-06-01T12:00:00Z.")
    ],
    why: NeededWhyOption,
    currency: CurrencyOption = None,
    who: WhoOption = "",
    dry_run: DryRunOption = False,
    yes: YesOption = False,
    output: OutputOption = Output.table,
) -> None:
    """Keep an amount on a wallet. Exit 1: a limit does not leave it, or it is refused for another reason."""
    expires_at = instant_of(until, "--until")
    chosen = currency_or_new(wallet, currency)
    kept = {"wallet": wallet, "currency": chosen, "amount": amount_of(amount, chosen)}
    question = _question("place_hold", hold, who, why, **kept, expires_at=expires_at.isoformat())
    _decide(question, f"Place hold {hold}?", dry_run=dry_run, yes=yes, output=output)


@app.command("post")
def post_command(
    hold: HoldArgument,
    to: Annotated[str, typer.Argument(metavar="WALLET", help="Where it goes, such as platform:school.")],
    why: NeededWhyOption,
    amount: Annotated[
        str | None, typer.Option(metavar="AMOUNT", help="A part of it; the rest is available again.")
    ] = None,
    occurred_at: Annotated[
        str | None, typer.Option(metavar="INSTANT", help="When what it records happened; default: now.")
    ] = None,
    who: WhoOption = "",
    dry_run: DryRunOption = False,
    yes: YesOption = False,
    output: OutputOption = Output.table,
) -> None:
    """Post (capture) a hold, or a part of it, to a wallet: the journal hold:HOLD. Exit 1: it is refused."""
    happened = None if occurred_at is None else instant_of(occurred_at, "--occurred-at").isoformat()
    placed = _hold_or_exit(hold)
    moved = placed.amount if amount is None else amount_of(amount, placed.currency)
    question = _question("post_hold", hold, who, why, to_wallet=to, amount=moved, occurred_at=happened)
    moves = {(placed.wallet, placed.currency): -moved, (to, placed.currency): moved}
    for consequence in payees.of_a_journal_by_hand(moves):
        say(consequence)
    _decide(question, f"Post hold {hold}?", dry_run=dry_run, yes=yes, output=output)


@app.command("void")
def void_command(
    hold: HoldArgument,
    why: NeededWhyOption,
    who: WhoOption = "",
    dry_run: DryRunOption = False,
    yes: YesOption = False,
    output: OutputOption = Output.table,
) -> None:
    """Void (release) a hold: what it keeps is available again. Exit 1: it is refused."""
    question = _question("void_hold", hold, who, why)
    _decide(question, f"Void hold {hold}?", dry_run=dry_run, yes=yes, output=output)


def _hold_or_exit(name: str) -> Hold:
    found = read(lambda tx: reads.holds.list_holds(tx, hold=name, state=None))
    if not found:
        say(f"there is no hold {name!r}; `hobbs holds list --state any` lists all")
        raise typer.Exit(EXIT_FINDINGS)
    return found[0]


def _question(action: str, hold: str, who: str, why: str, **parameters: Any) -> Question:
    return Question(service="ledger", action=action, object=hold, who=who, why=why, parameters=parameters)


def _decide(question: Question, prompt: str, *, dry_run: bool, yes: bool, output: Output) -> None:
    def show(effects: Effects) -> None:
        show_rows(with_money(effects, output, MONEY), output, columns=EFFECT_COLUMNS, right=MONEY)

    decide(question, dry_run=dry_run, yes=yes, prompt=prompt, show=show)
