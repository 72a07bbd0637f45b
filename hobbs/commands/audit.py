"""`hobbs audit export`: every decision of people, of every service, from topics that are kept for ever."""

from datetime import UTC, datetime, timedelta
from typing import Annotated

import typer

from fleet.decisions import REQUESTED, TAKEN
from fleet.settings import Settings
from hobbs.replay import decided, reading
from hobbs.replay.reading import Choice
from hobbs.replay.span import BEGINNING, NOW, Edge, NoSpan, edge, parts
from hobbs.shell.connections import run, settings_or_exit
from hobbs.shell.output import Output, OutputOption, show_rows

ASKED_BEFORE = timedelta(days=1)  # a decision is valid for seconds: nobody's answer comes later than this

app = typer.Typer(no_args_is_help=True, help="What people decided, for whoever audits.")


@app.callback()
def audit() -> None:
    """What people decided, for whoever audits."""


@app.command("export")
def export_command(
    begin: Annotated[str, typer.Option("--from", help="A time such as 2026-11-01T00:00Z, or `beginning`.")],
    end: Annotated[str, typer.Option("--to", help="A time, or `now`.")],
    output: OutputOption = Output.csv,
) -> None:
    """Write each decision that was done or refused: who, by which login, when, why, what it changed.

    From decision.requested and decision.taken; -o json for JSON. Previews are left out.
    """
    try:
        edges = edge(begin, "--from", BEGINNING), edge(end, "--to", NOW)
    except NoSpan as error:
        raise typer.BadParameter(str(error)) from error
    if isinstance(edges[0], int) or isinstance(edges[1], int):
        raise typer.BadParameter("--from and --to are times here, and no offsets")
    try:
        rows = run(_decided(settings_or_exit(Settings), *edges))
    except NoSpan as error:
        raise typer.BadParameter(str(error)) from error
    show_rows(rows, output, columns=decided.COLUMNS)


async def _decided(settings: Settings, begin: Edge, end: Edge) -> list[dict[str, object]]:
    asked_from = begin - ASKED_BEFORE if isinstance(begin, datetime) else begin
    now = datetime.now(UTC)
    async with reading.open_reader(settings) as reader:
        found = []
        for topic, first in ((REQUESTED, asked_from), (TAKEN, begin)):
            span = await parts(reader, settings.topic_prefix + topic, first, end, partition=None, now=now)
            records = reading.of_topic(reader, topic, span, Choice())
            found.append([body async for body in decided.bodies(records)] if span else [])
    return decided.rows(*found)
