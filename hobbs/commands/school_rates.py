"""Changes of rates: one person proposes other amounts for a card, and another approves or rejects them."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Annotated, Any, Final

import typer

from fleet.money import parse_minor
from fleet.settings import Settings
from hobbs.commands.queries import read
from hobbs.school.book import read_book
from hobbs.school.difference import from_text, settings_text, value_text
from hobbs.shell.connections import run, settings_or_exit
from hobbs.shell.decisions import decide_about
from hobbs.shell.output import Output, OutputOption, show_rows
from hobbs.shell.reasons import NeededWhyOption, WhoOption, WhyOption
from schemas.school import amounts_of
from services.billing.desk.reads import proposals
from services.billing.domain.proposals import KINDS, ProposalState

app = typer.Typer(no_args_is_help=True, help=__doc__)

SEPARATOR: Final = "="

CardKindArgument = Annotated[str, typer.Argument(metavar="KIND", help=f"{', '.join(KINDS)}.")]
CardKeyArgument = Annotated[
    str, typer.Argument(metavar="KEY", help="A tail, an instructor's id, or default.")
]
ProposalArgument = Annotated[str, typer.Argument(metavar="ID", help="As `hobbs school rates list` shows it.")]
DryRunOption = Annotated[bool, typer.Option(help="Show what would be decided and change nothing.")]
YesOption = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")]


@app.command("list")
def list_command(
    kind: Annotated[str | None, typer.Option(help=f"Only of this kind: {', '.join(KINDS)}.")] = None,
    history: Annotated[bool, typer.Option("--all", help="Also what was approved or rejected.")] = False,
    output: OutputOption = Output.table,
) -> None:
    """List proposed changes of rates, newest first: what waits for another person."""
    state = None if history else ProposalState.WAITING
    rows = read(lambda tx: proposals.listed(tx, kind=kind, state=state))
    if output is Output.table and rows:
        currency = run(read_book(settings_or_exit(Settings))).currency()
        rows = [_row(one, currency) for one in rows]
    show_rows(rows, output)


@app.command("propose")
def propose_command(
    kind: CardKindArgument,
    key: CardKeyArgument,
    amounts: Annotated[
        list[str], typer.Argument(metavar="SETTING=AMOUNT", help="Such as rate_per_hour=175.00.")
    ],
    since: Annotated[datetime, typer.Option("--from", formats=["%Y-%m-%d"], help="The first day of it.")],
    why: NeededWhyOption,
    dry_run: DryRunOption = False,
    yes: YesOption = False,
    who: WhoOption = "",
) -> None:
    """Propose other amounts for an aircraft, an instructor or a kind of line, from a day on.

    Nothing is priced by them before another person approves. What they would have done to a month's flights
    is on the console's page of the card.
    """
    currency = run(read_book(settings_or_exit(Settings))).currency()
    told = {"effective_from": since.date().isoformat(), "amounts": _amounts(kind, amounts, currency)}

    def show(effects: Sequence[Mapping[str, Any]]) -> None:
        _show_effects(effects, currency)

    decide_about(
        *("billing", "propose_rates", f"{kind}/{key}", who, why),
        dry_run=dry_run,
        yes=yes,
        parameters=told,
        show=show,
    )


@app.command("approve")
def approve_command(
    proposal: ProposalArgument,
    why: WhyOption = "",
    dry_run: DryRunOption = False,
    yes: YesOption = False,
    who: WhoOption = "",
) -> None:
    """Approve what somebody else proposed: the book has a version more, and flights are priced by it."""
    currency = run(read_book(settings_or_exit(Settings))).currency()

    def show(effects: Sequence[Mapping[str, Any]]) -> None:
        _show_effects(effects, currency)

    decide_about("billing", "approve_rates", proposal, who, why, dry_run=dry_run, yes=yes, show=show)


@app.command("reject")
def reject_command(
    proposal: ProposalArgument,
    why: NeededWhyOption,
    dry_run: DryRunOption = False,
    yes: YesOption = False,
    who: WhoOption = "",
) -> None:
    """Leave the book as it is; whoever proposed it takes it back like this."""
    decide_about("billing", "reject_rates", proposal, who, why, dry_run=dry_run, yes=yes)


def _amounts(kind: str, told: Sequence[str], currency: str) -> dict[str, int]:
    """The amounts of `SETTING=AMOUNT`, in minor units. Raises BadParameter with what can be said."""
    found = dict[str, int]()
    known = sorted(amounts_of(kind)) if kind in KINDS else []
    if not known:
        raise typer.BadParameter(f"one of {', '.join(KINDS)}", param_hint="KIND")
    for one in told:
        name, separator, text = one.partition(SEPARATOR)
        if not separator or name not in known:
            raise typer.BadParameter(
                f"{one}: write SETTING=AMOUNT; the settings of {kind} are {', '.join(known)}"
            )
        try:
            found[name] = parse_minor(text, currency)
        except ValueError as error:
            raise typer.BadParameter(f"{one}: {error}") from None
    return found


def _show_effects(effects: Sequence[Mapping[str, Any]], currency: str) -> None:
    rows = [
        {"setting": one["setting"], **{side: _text(one, side, currency) for side in ("before", "after")}}
        for one in effects
    ]
    show_rows(rows, right=("before", "after"))


def _text(effect: Mapping[str, Any], side: str, currency: str) -> str:
    value = effect.get(side)
    return "" if value is None else value_text(str(effect["setting"]), value, currency)


def _row(one: Mapping[str, Any], currency: str) -> dict[str, Any]:
    return {
        "id": one["id"],
        "card": f"{one['kind']} {one['key']}",
        "from": from_text(one["effective_from"]),
        "settings": settings_text(one["old"], one["new"], currency),
        "proposed_by": one["proposed_by"],
        "why": one["why"],
        "state": one["state"],
        "decided_by": one["decided_by"],
    }
