"""Monitors: thresholds on balances. Each crossing publishes balance.crossed: beyond the threshold, and back.

\b
Examples:
  hobbs monitors set "cash is low" external:stripe --above -5000 --watches posted --recovers-at -8000
  hobbs monitors set "student-01 is low" student:student-01 --below 500 --recovers-at 600
  hobbs monitors list --beyond
  hobbs monitors crossings --wallet student:student-01
  hobbs monitors remove "student-01 is low"
"""

from collections.abc import Sequence
from dataclasses import asdict
from typing import Annotated, Any, Final, get_args

import typer

from fleet.money import format_minor
from hobbs.commands.queries import CurrencyOption, amount_of, currency_or_new, decide, read
from hobbs.shell.lists import MostOption, SkipOption, part
from hobbs.shell.money_columns import with_money
from hobbs.shell.names import refuse_named
from hobbs.shell.output import EXIT_FINDINGS, Output, OutputOption, agreed, say, show_rows
from hobbs.shell.reasons import WhyOption
from services.ledger.desk import decisions, reads
from services.ledger.domain.holds import RefusedCommand
from services.ledger.domain.monitors import (
    Comparison,
    Crossing,
    Monitor,
    MonitorChange,
    MonitorCommand,
    Watches,
    with_what_stands,
)

MONEY: Final = ("threshold", "recovers_at", "balance")
COUNTS: Final = ("crossings", "nr", "version")

app = typer.Typer(no_args_is_help=True, help=__doc__, rich_markup_mode=None)

NameArgument = Annotated[str, typer.Argument(metavar="MONITOR", help="Its name.")]
WalletOption = Annotated[str | None, typer.Option(help="Only on this wallet.")]
DryRunOption = Annotated[bool, typer.Option("--dry-run", help="Show what would be set; change nothing.")]
YesOption = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")]
ThresholdOption = Annotated[str | None, typer.Option(metavar="AMOUNT", help="Such as 500 or -120.50.")]


@app.command("list")
def list_command(
    wallet: WalletOption = None,
    beyond: Annotated[bool, typer.Option("--beyond", help="Only those beyond their threshold.")] = False,
    output: OutputOption = Output.table,
) -> None:
    """List monitors, the balance that each watches, and whether that is beyond the threshold."""
    _show(
        read(lambda tx: reads.monitors.list_monitors(tx, wallet=wallet, only_beyond=beyond)), output, Monitor
    )


@app.command("crossings")
def crossings_command(
    monitor: Annotated[str | None, typer.Option(help="Only of this monitor.")] = None,
    wallet: WalletOption = None,
    most: MostOption = None,
    skip: SkipOption = 0,
    output: OutputOption = Output.table,
) -> None:
    """Show the newest crossings and what caused them, those of removed monitors too; the newest last."""
    shown = part(most, skip, output)
    rows = read(
        lambda tx: reads.monitors.list_crossings(
            tx, monitor=monitor, wallet=wallet, most=shown.asked, skip=skip
        )
    )
    _show(shown.of(rows[::-1], "crossings")[::-1], output, Crossing)


@app.command("set")
def set_command(
    monitor: NameArgument,
    wallet: Annotated[str, typer.Argument(help="Its address, such as student:student-01.")],
    below: ThresholdOption = None,
    at_most: ThresholdOption = None,
    above: ThresholdOption = None,
    at_least: ThresholdOption = None,
    recovers_at: Annotated[
        str | None,
        typer.Option(
            metavar="AMOUNT", help="Where the balance is back; unless told as before, at first the threshold."
        ),
    ] = None,
    watches: Annotated[Watches, typer.Option(help="Which of the wallet's balances.")] = "available",
    currency: CurrencyOption = None,
    memo: Annotated[
        str | None,
        typer.Option(help="Published with each crossing: what is to be done. As before unless told."),
    ] = None,
    dry_run: DryRunOption = False,
    yes: YesOption = False,
    output: OutputOption = Output.table,
) -> None:
    """Set a monitor, or change its threshold; what is not said stays as it was. Exit 1: it is refused.

    A balance that is beyond the threshold already is a crossing at once.
    """
    given = dict(zip(get_args(Comparison), (below, at_most, above, at_least), strict=True))
    comparison, threshold = _one_of(given)
    chosen = currency_or_new(wallet, currency)
    command = MonitorCommand(
        monitor=monitor,
        wallet=wallet,
        currency=chosen,
        watches=watches,
        comparison=comparison,
        threshold=amount_of(threshold, chosen),
        recovers_at=None if recovers_at is None else amount_of(recovers_at, chosen),
    )
    refuse_named(memo)
    found = read(lambda tx: reads.monitors.list_monitors(tx, monitor=monitor))
    command = with_what_stands(command, found[0] if found else None, memo=memo)
    if dry_run or not yes:
        preview = _or_exit(decide(lambda tx: decisions.preview_monitor(tx, command)))
        if dry_run:
            _show([preview.monitor], output, Monitor)
            say("dry run, nothing changed")
            return
        _agree(f"{_sentence(preview.monitor)}. Set it?")
    done = _or_exit(decide(lambda tx: decisions.set_monitor(tx, command)))
    _show([done.monitor], output, Monitor)
    say(f"{monitor}: is set so already" if done.repeated else f"{monitor}: set")


@app.command("remove")
def remove_command(
    monitor: NameArgument,
    why: WhyOption = "",
    dry_run: DryRunOption = False,
    yes: YesOption = False,
    output: OutputOption = Output.table,
) -> None:
    """Remove a monitor; its crossings stay. Exit 1: there is none of this name."""
    refuse_named(why)
    found = read(lambda tx: reads.monitors.list_monitors(tx, monitor=monitor))
    _show(found, output, Monitor)
    if dry_run and found:
        say("dry run, nothing changed")
        return
    if found and not yes:
        _agree(f"{_sentence(found[0])}. Remove it?")
    if not decide(lambda tx: decisions.remove_monitor(tx, monitor, why)):
        say(f"there is no monitor {monitor!r}; `hobbs monitors list` shows all")
        raise typer.Exit(EXIT_FINDINGS)
    say(f"{monitor}: removed")


def _one_of(given: dict[Comparison, str | None]) -> tuple[Comparison, str]:
    named = [(comparison, amount) for comparison, amount in given.items() if amount is not None]
    if len(named) != 1:
        raise typer.BadParameter("say one of --below, --at-most, --above, --at-least")
    return named[0]


def _or_exit(change: MonitorChange | RefusedCommand) -> MonitorChange:
    if isinstance(change, RefusedCommand):
        say(change.sentence)
        raise typer.Exit(EXIT_FINDINGS)
    return change


def _agree(question: str) -> None:
    if not agreed(question):
        say("nothing changed")
        raise typer.Exit(EXIT_FINDINGS)


def _sentence(one: Monitor) -> str:
    """A monitor in words: `low: tells when the available balance of … is below 500.00 USD …`."""
    back = f", and back at {format_minor(one.recovers_at, one.currency)}"
    return (
        f"{one.monitor}: tells when the {one.watches} balance of {one.wallet} is "
        f"{one.comparison.replace('_', ' ')} {format_minor(one.threshold, one.currency)} {one.currency}"
        f"{back if one.recovers_at != one.threshold else ''}; now it is "
        f"{format_minor(one.balance, one.currency)}, {'beyond' if one.beyond else 'not beyond'}"
    )


def _show(rows: Sequence[Monitor | Crossing], output: Output, kind: type[Any]) -> None:
    shown = with_money([asdict(row) for row in rows], output, MONEY)
    show_rows(shown, output, columns=list(kind.__dataclass_fields__), right=[*MONEY, *COUNTS])
