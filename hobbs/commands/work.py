"""`hobbs work SERVICE`. Every worker process starts here, so it imports only what a worker needs."""

from typing import Annotated

import typer
from pydantic import ValidationError

from hobbs.local import supervisor
from hobbs.shell.connections import wrong_settings
from hobbs.shell.output import EXIT_USAGE, say
from schemas.services import BY_NAME, SERVICES

app = typer.Typer(no_args_is_help=True)


@app.command("work")
def work(
    service: Annotated[str, typer.Argument(help=f"One of: {', '.join(SERVICES)}.")],
    processes: Annotated[
        int,
        typer.Option(min=1, max=64, envvar="HOBBS_WORK_PROCESSES", help="How many; one per core is enough."),
    ] = 1,
) -> None:
    """Run one service until SIGTERM or Ctrl-C; it drains and exits 0. Exit 1: a process died; 2: settings.

    With --processes, ports for /healthz count up from HOBBS_OPS_PORT. Nothing is restarted: that is for
    whoever started it.
    """
    if service not in SERVICES:
        raise typer.BadParameter(f"{service!r} is not one of {', '.join(SERVICES)}", param_hint="SERVICE")
    if processes > 1 and BY_NAME[service].http:
        raise typer.BadParameter(f"{service} owns one port: run more of it behind a load balancer")
    if processes > 1:
        raise typer.Exit(supervisor.work_in_processes(service, processes))
    try:
        supervisor.work_here(service)
    except ValidationError as error:
        for sentence in wrong_settings(error):
            say(f"{service}: {sentence}")
        raise typer.Exit(EXIT_USAGE) from None
