"""`hobbs kafka put-back`: Kafka was lost; what was sent to it goes to the new one, under the same ids."""

import asyncio
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Annotated, Final

import typer
from pydantic import SecretStr

from fleet.database import Database
from fleet.settings import Settings
from hobbs.put_back import sent_rows
from hobbs.put_back.sent_rows import NOTED_BY, NotPutBack, SentRows
from hobbs.replay import reading
from hobbs.shell.connections import Unreachable, run, settings_or_exit
from hobbs.shell.output import EXIT_FINDINGS, Output, OutputOption, agreed, say, show_rows
from hobbs.shell.reasons import NeededWhyOption, WhoOption

COLUMNS: Final = ("service", "rows", "since", "until", "bytes")


class OwnerSettings(Settings):
    """`owner_database_url` logs in as the database's owner, as for `hobbs migrate`: it sees every outbox."""

    owner_database_url: SecretStr


def put_back_command(
    why: NeededWhyOption,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show what is there; change nothing.")] = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    who: WhoOption = "",
    output: OutputOption = Output.table,
) -> None:
    """Put what the services had sent back into their outboxes, when Kafka was lost and is there anew, empty.

    Stop every service and the console before. When they start again, the rows are sent under the same ids,
    and whoever had handled an event drops the repeat. docs/operations/kafka.md has the whole way.
    Exit 1: refused, or Kafka was not lost; 2: usage.
    """
    run(_put_back(settings_or_exit(OwnerSettings), who, why, dry_run=dry_run, yes=yes, output=output))


async def _put_back(
    settings: OwnerSettings, who: str, why: str, *, dry_run: bool, yes: bool, output: Output
) -> None:
    database = Database(settings.owner_database_url.get_secret_value(), schema=NOTED_BY, pool_size=1)
    try:
        with one_sentence():
            async with reading.open_reader(settings) as reader, database.transaction() as tx:
                await sent_rows.refuse_unless_lost(tx, reader, settings.topic_prefix)
                _show(await sent_rows.logs(tx), output)
            if dry_run:
                return
            if not yes and not await asyncio.to_thread(agreed, "Put these rows back?"):
                raise typer.Exit(EXIT_FINDINGS)
            async with database.transaction() as tx:
                done = await sent_rows.put_back(tx, now=datetime.now(UTC), who=who, why=why)
    finally:
        await database.close()
    say(f"{sum(one.rows for one in done)} rows are put back; start every service and the console")


def _show(found: Sequence[SentRows], output: Output) -> None:
    show_rows([asdict(one) for one in found], output, columns=COLUMNS, right=["rows", "bytes"])
    for topic, publisher in sent_rows.not_in_a_log().items():
        say(f"not in these logs: {topic}; published again by {publisher}")


@contextmanager
def one_sentence() -> Iterator[None]:
    """What was refused, as a sentence and exit 1."""
    try:
        yield
    except NotPutBack as error:
        raise Unreachable(str(error)) from None
