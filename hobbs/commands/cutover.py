"""Before a school cuts over: each item is met, or missing with the command that mends it.

\b
Examples:
  hobbs cutover check
  hobbs cutover check --days 14 --shadow-log shadow.jsonl --restore-log restore.jsonl -o json

It reads, and changes nothing: it can be run every night.
"""

import asyncio
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import Annotated, Final

import typer
from aiokafka.errors import KafkaError

from fleet.settings import Settings
from fleet.zones import time_zone
from hobbs.commands.queries import read
from hobbs.cutover import restores
from hobbs.cutover.items import MISSING, Evidence, read_items
from hobbs.cutover.webhooks import missing_kinds
from hobbs.replay.reading import Unread
from hobbs.replay.span import NoSpan
from hobbs.shadow import log
from hobbs.shell.connections import settings_or_exit
from hobbs.shell.output import EXIT_FINDINGS, EXIT_USAGE, Output, OutputOption, say, show_rows
from services.billing.desk import reads as billing

COLUMNS: Final = ("item", "state", "found", "way_out")

app = typer.Typer(no_args_is_help=True, help=__doc__, rich_markup_mode=None)


@app.callback()
def _group() -> None:
    """Keeps `check` a word of its own, although there is no other yet."""


@app.command("check")
def check_command(
    days: Annotated[int, typer.Option(min=1, max=366, help="So many business dates without drift.")] = 14,
    shadow_log: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Where hobbs shadow noted its runs and signature.")
    ] = None,
    restore_log: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Where hobbs restore check noted its runs.")
    ] = None,
    output: OutputOption = Output.table,
) -> None:
    """Walk the list. Exit 0: every item is met; 1: something is missing.

    Read are published views, both logs, and of Kafka which kinds of webhooks came in --days.
    """
    evidence = Evidence(
        signature=None if shadow_log is None else _signature(shadow_log),
        restored_at=None if restore_log is None else _restored_at(restore_log),
        webhooks_missing=_webhooks_missing(settings_or_exit(Settings), days),
    )
    zone = time_zone(read(billing.whole_book).time_zone())
    now = datetime.now(zone)
    items = read(lambda tx: read_items(tx, days=days, now=now, today=now.date(), evidence=evidence))
    show_rows([asdict(item) for item in items], output, columns=COLUMNS)
    if missing := [item.item for item in items if item.state == MISSING]:
        say(f"{len(missing)} of {len(items)} are missing")
        raise typer.Exit(EXIT_FINDINGS)


def _webhooks_missing(settings: Settings, days: int) -> list[str] | str:
    """Kafka that is away leaves one item missing, and the others are said all the same."""
    try:
        return asyncio.run(missing_kinds(settings, days=days))
    except (KafkaError, OSError, NoSpan, Unread) as error:
        return f"Kafka could not be read: {error or type(error).__name__}"


def _signature(file: Path) -> str | None:
    try:
        found = log.last_signature(file)
    except (OSError, log.LogUnreadable) as error:
        say(f"{file}: {error}")
        raise typer.Exit(EXIT_USAGE) from None
    return None if found is None else f"{found['at'][:10]} by {found['who']}"


def _restored_at(file: Path) -> datetime | None:
    try:
        return restores.last_agreed(file)
    except (OSError, ValueError) as error:
        say(f"{file}: {error}")
        raise typer.Exit(EXIT_USAGE) from None
