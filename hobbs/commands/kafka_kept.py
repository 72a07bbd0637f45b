"""`hobbs kafka keep` and `hobbs kafka fill`: topics that are kept for ever, in files and back."""

from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Final

import typer

from fleet.database import Database
from fleet.settings import Settings
from hobbs.commands.kafka_put_back import OwnerSettings, one_sentence
from hobbs.put_back import kept_files
from hobbs.put_back.kept_files import KeptTopic
from hobbs.put_back.sent_rows import NOTED_BY
from hobbs.shell.connections import run, settings_or_exit
from hobbs.shell.output import Output, OutputOption, show_rows

COLUMNS: Final = ("topic", "records")
Folder = Annotated[Path, typer.Argument(help="Of `hobbs kafka keep`: a file of each topic for each run.")]


def keep_command(folder: Folder, output: OutputOption = Output.table) -> None:
    """Write what came on topics that are kept for ever since the last time to files.

    Every night, beside the backup of Postgres. Killed, it has kept nothing of this run; the next one has all.
    Exit 1: Kafka has less than the folder.
    """
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    run(_keep(settings_or_exit(Settings), folder, output))


def fill_command(folder: Folder, output: OutputOption = Output.table) -> None:
    """Write these files into the empty topics of a new Kafka, before `hobbs kafka put-back`.

    Kafka's user is the brokers' administrator: it writes every topic and moves every group. Stop every
    service and the console before. Killed in the middle, make the topics anew and begin again.
    Exit 1: refused, nothing or only records of whole topics were written.
    """
    run(_fill(settings_or_exit(OwnerSettings), folder, output))


async def _keep(settings: Settings, folder: Path, output: Output) -> None:
    with one_sentence():
        done = await kept_files.keep(settings, folder)
    _show(done, output)


async def _fill(settings: OwnerSettings, folder: Path, output: Output) -> None:
    database = Database(settings.owner_database_url.get_secret_value(), schema=NOTED_BY, pool_size=1)
    try:
        with one_sentence():
            async with database.transaction() as tx:
                done = await kept_files.fill(tx, settings, folder)
    finally:
        await database.close()
    _show(done, output)


def _show(done: list[KeptTopic], output: Output) -> None:
    show_rows([asdict(one) for one in done], output, columns=COLUMNS, right=["records"])
