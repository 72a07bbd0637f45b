"""`hobbs check`: ask every invariant of the books, or verify the ledger's hash chain."""

from typing import Annotated, Any

import typer

from fleet.invariants import Outcome
from fleet.revisions import services
from fleet.settings import Settings
from hobbs.check import invariants
from hobbs.check.chain import check_chain, noted_head
from hobbs.shell.connections import run, settings_or_exit
from hobbs.shell.output import EXIT_FINDINGS, Output, OutputOption, say, show_rows

app = typer.Typer(no_args_is_help=True)


@app.command("check")
def check(
    service: Annotated[
        list[str] | None, typer.Option("--service", "-s", help="Only this service's; may be repeated.")
    ] = None,
    chain: Annotated[bool, typer.Option("--chain", help="Only verify the ledger's hash chain.")] = False,
    head: Annotated[
        str | None, typer.Option(metavar="POSITION:HASH", help="With --chain: a head kept elsewhere.")
    ] = None,
    output: OutputOption = Output.table,
) -> None:
    """Ask every invariant of the books; exit 1 when one is broken, with the rows that break it."""
    known = [*services(), invariants.ACROSS]
    for name in service or []:
        if name not in known:
            raise typer.BadParameter(f"{name!r} is not one of {', '.join(known)}", param_hint="--service")
    if chain and service:
        raise typer.BadParameter("the chain is the ledger's: leave --service out", param_hint="--chain")
    if head is not None and not chain:
        raise typer.BadParameter("is looked at with --chain only", param_hint="--head")
    if chain:
        outcomes = [run(check_chain(settings_or_exit(Settings), noted_head(head)))]
    else:
        outcomes = run(invariants.check_invariants(settings_or_exit(Settings), service or []))
    show_outcomes(outcomes, output)
    broken = sum(not outcome.holds for outcome in outcomes)
    if broken:
        say(f"{broken} of {len(outcomes)} invariants do not hold: see docs/operations/README.md")
        raise typer.Exit(EXIT_FINDINGS)
    say(f"all {len(outcomes)} invariants hold")


def show_outcomes(outcomes: list[Outcome], output: Output = Output.table) -> None:
    """Write one row per invariant; as a table, with the first rows of a broken one below it."""
    rows = [_outcome_row(outcome) for outcome in outcomes]
    if output is not Output.table:
        show_rows(rows, output)
        return
    show_rows(rows, output, columns=["service", "invariant", "state", "rows", "sentence"], right=["rows"])
    for outcome in outcomes:
        if outcome.examples:
            shown = f"{len(outcome.examples)} of {outcome.rows} rows"
            show_rows(outcome.examples, output, title=f"{outcome.invariant.name}: {shown}")


def _outcome_row(outcome: Outcome) -> dict[str, Any]:
    state = "holds" if outcome.holds else "BROKEN" if outcome.failure is None else "NOT ASKED"
    return {
        "service": outcome.invariant.service,
        "invariant": outcome.invariant.name,
        "state": state,
        "rows": outcome.rows,
        "sentence": outcome.failure or outcome.invariant.sentence,
        "seconds": round(outcome.seconds, 3),
        "examples": outcome.examples,
    }
