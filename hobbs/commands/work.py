"""`hobbs work SERVICE…`. Every worker process starts here, so it imports only what a worker needs."""

from collections.abc import Iterator, Sequence
from typing import Annotated

import typer
from pydantic import ValidationError

from fleet.settings import WrongSettings
from fleet.shadows import WrongDatabase
from hobbs.local import supervisor
from hobbs.shell.connections import wrong_settings
from hobbs.shell.output import EXIT_USAGE, say
from schemas.services import ALL, BY_NAME, SERVICES, TOGETHER
from schemas.shadow import SHADOW

app = typer.Typer(no_args_is_help=True)

HELP = (
    f"One or several of: {', '.join(SERVICES)}; or {ALL}, which is all that serve no HTTP; or {SHADOW}, "
    "which is a shadow's and moves no money."
)


@app.command("work")
def work(
    services: Annotated[list[str], typer.Argument(metavar="SERVICE…", help=HELP)],
    processes: Annotated[
        int,
        typer.Option(min=1, max=64, envvar="HOBBS_WORK_PROCESSES", help="How many; one per core is enough."),
    ] = 1,
    key_behind_http: Annotated[
        bool,
        typer.Option("--key-behind-http", help="Let Stripe's key share a process with what serves HTTP."),
    ] = False,
) -> None:
    """Run services until SIGTERM or Ctrl-C; they drain and exit 0. Exit 1: a process died; 2: settings.

    Several share the process: each reads its own HOBBS_<SERVICE>_DATABASE_URL, and one that dies is started
    again in it. With --processes, ports for /healthz count up from HOBBS_OPS_PORT. No process is restarted:
    that is for whoever started it.
    """
    if services == [SHADOW]:
        _shadow(processes)
        return
    chosen = list(_chosen(services))
    if processes > 1 and (with_port := [name for name in chosen if BY_NAME[name].http]):
        raise typer.BadParameter(f"{with_port[0]} owns one port: run more of it behind a load balancer")
    if not key_behind_http:
        _keep_apart(chosen)
    if processes > 1:
        raise typer.Exit(supervisor.work_in_processes(chosen, processes))
    try:
        supervisor.work_here(chosen)
    except ValidationError as error:
        _tell(chosen[0], wrong_settings(error))
    except WrongSettings as wrong:
        _tell(wrong.service, wrong_settings(wrong.error, wrong.service))


def _shadow(processes: int) -> None:
    from hobbs.shadow import work  # a worker imports only what it needs

    if processes > 1:
        raise typer.Exit(supervisor.work_in_processes([SHADOW], processes))
    try:
        supervisor.run_here(lambda: work.work)
    except WrongSettings as wrong:
        _tell(wrong.service, wrong_settings(wrong.error, wrong.service))
    except (work.Refused, WrongDatabase) as refused:
        _tell(SHADOW, [str(refused)])


def _chosen(words: Sequence[str]) -> Iterator[str]:
    """The services named, each once, in the registry's order."""
    named = {name for word in words for name in word.split(",")}
    if unknown := sorted(named - {ALL, *SERVICES}):
        raise typer.BadParameter(
            f"{unknown[0]!r} is not one of {', '.join([ALL, *SERVICES])}", param_hint="SERVICE"
        )
    return (name for name in SERVICES if name in named or (ALL in named and name in TOGETHER))


def _keep_apart(chosen: Sequence[str]) -> None:
    keys = [name for name in chosen if BY_NAME[name].stripe_key]
    doors = [name for name in chosen if BY_NAME[name].http]
    if keys and doors:
        raise typer.BadParameter(
            f"{keys[0]} holds Stripe's key and {doors[0]} answers the internet: who breaks into one process "
            f"has both. Run {doors[0]} in a process of its own, or say --key-behind-http"
        )


def _tell(service: str, sentences: Sequence[str]) -> None:
    for sentence in sentences:
        say(f"{service}: {sentence}")
    raise typer.Exit(EXIT_USAGE)
