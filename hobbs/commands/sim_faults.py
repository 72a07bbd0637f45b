"""`hobbs sim fault` and `hobbs sim clock`: what breaks, and what time it is."""

import re
from typing import Annotated, Final

import typer

from hobbs.commands.sim_connection import PairsOption, UrlOption, instant, pairs, simulator
from hobbs.shell.output import EXIT_USAGE, Output, OutputOption, say, show_one, show_rows

fault_app = typer.Typer(no_args_is_help=True, help="Break requests on demand: add, list, clear.")
clock_app = typer.Typer(no_args_is_help=True, help="The simulator's clock, which only moves forward.")
SECONDS: Final = {"s": 1, "m": 60, "h": 3_600, "d": 86_400}


@fault_app.command("add")
def add_fault(
    kind: Annotated[
        str,
        typer.Argument(
            help="timeout, reset, slow, conflict, rate_limit, lock_timeout, server_error, unavailable, …"
        ),
    ],
    when: Annotated[str, typer.Option(help="before or after the effect.")] = "before",
    method: Annotated[str, typer.Option()] = "POST",
    path: Annotated[str, typer.Option(help="A pattern such as /v1/transfers or /v1/transfers/*.")] = "*",
    nth: Annotated[int | None, typer.Option(min=1, help="Fire at the nth match.")] = None,
    probability: Annotated[float | None, typer.Option(min=0, max=1)] = None,
    seed: Annotated[int, typer.Option()] = 0,
    count: Annotated[int | None, typer.Option(min=1, help="Fire at most so often.")] = None,
    details: PairsOption = None,
    url: UrlOption = None,
    output: OutputOption = Output.table,
) -> None:
    """Break matching requests.

    \b
    Examples:
      hobbs sim fault add timeout --when after --path /v1/transfers --nth 3
      hobbs sim fault add server_error --when after --probability 0.05 --seed 7
      hobbs sim fault add slow --set delay_s=8 --path "/v1/accounts/*"
      hobbs sim fault add refuse --path "/v*/accounts" --set code=country_unsupported --set message="…"
    """
    scope: dict[str, object] = {"when": when, "method": method, "path": path, "nth": nth}
    scope |= {"probability": probability, "seed": seed, "count": count, **pairs(details)}
    with simulator(url) as control:
        show_one(control.add_fault(kind, **scope), output)


@fault_app.command("list")
def list_faults(url: UrlOption = None, output: OutputOption = Output.table) -> None:
    """List the faults in force, how often each was considered and fired."""
    with simulator(url) as control:
        show_rows(control.faults(), output)


@fault_app.command("clear")
def clear_faults(
    fault: Annotated[str | None, typer.Argument(help="flt_…; all when left out.")] = None,
    url: UrlOption = None,
) -> None:
    """Remove one fault, or all of them."""
    with simulator(url) as control:
        control.clear_faults(fault)


@clock_app.command("show")
def show_clock(url: UrlOption = None, output: OutputOption = Output.table) -> None:
    """Show the simulator's time and how far it is ahead."""
    with simulator(url) as control:
        found = control.state()
    show_one({"now": instant(found["now"]), "ahead_s": found["clock_offset_s"]}, output)


@clock_app.command("advance")
def advance_clock(
    by: Annotated[str, typer.Argument(help="Such as 90s, 30m, 25h or 3d.")],
    url: UrlOption = None,
    output: OutputOption = Output.table,
) -> None:
    """Move the clock forward; payouts arrive, funds become available, idempotency keys are pruned.

    Example: hobbs sim clock advance 25h
    """
    matched = re.fullmatch(r"(\d+(?:\.\d+)?)([smhd])", by)
    if not matched:
        say(f"{by!r} is not a time such as 90s, 30m, 25h or 3d")
        raise typer.Exit(EXIT_USAGE)
    with simulator(url) as control:
        moved = control.advance(float(matched[1]) * SECONDS[matched[2]])
    show_one({"now": instant(moved["now"]), "jobs_done": moved["jobs_done"]}, output)
