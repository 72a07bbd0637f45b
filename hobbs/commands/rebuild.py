"""`hobbs rebuild`: a service's tables anew from topics, beside the live ones, and then in their place."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Annotated, Any, Final

import typer
from pydantic import SecretStr, ValidationError
from sqlalchemy.ext.asyncio import AsyncEngine

from fleet.beside import BEFORE, REBUILT, twin
from fleet.settings import Settings
from hobbs.rebuild import making, schemas
from hobbs.rebuild.comparison import TABLES_NOT_COMPARED, Compared
from hobbs.rebuild.making import Made, NotMade
from hobbs.rebuild.schemas import NotSwapped, TimesOf
from hobbs.rebuild.sources import Sources, all_sources, sources_of
from hobbs.replay import service as replayed
from hobbs.replay.reading import Unread
from hobbs.shell.connections import Unreachable, run, settings_or_exit, wrong_settings
from hobbs.shell.output import EXIT_FINDINGS, EXIT_USAGE, Output, OutputOption, agreed, say, show_rows
from hobbs.shell.reasons import WhoOption, WhyOption
from schemas.services import SERVICES

app = typer.Typer(no_args_is_help=False)

WHICH: Final = ("service", "can", "topics", "against")
TABLES: Final = ("table", "live", "rebuilt", "same", "differing", "newer", "digest", "not_compared")


class RebuildSettings(Settings):
    """`owner_database_url` logs in as the database's owner, as for `hobbs migrate`: it makes schemas."""

    owner_database_url: SecretStr


@app.command("rebuild")
def rebuild_command(
    service: Annotated[str | None, typer.Argument(help="Whose tables; without it: which can be.")] = None,
    anew: Annotated[bool, typer.Option("--anew", help="Drop what was made, and begin again.")] = False,
    swap: Annotated[
        bool, typer.Option("--swap", help="Put what was made in the live tables' place.")
    ] = False,
    although_different: Annotated[
        bool, typer.Option(help="Swap although rows differ: the live ones are wrong.")
    ] = False,
    drop: Annotated[bool, typer.Option("--drop", help="Drop what was made, and what was replaced.")] = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    why: WhyOption = "",
    who: WhoOption = "",
    output: OutputOption = Output.table,
) -> None:
    """Make a service's tables anew from topics that are kept for ever, and compare them with the live ones.

    \\b
    Examples:
      hobbs rebuild
      hobbs rebuild billing
      hobbs rebuild billing --swap --why "bills of October were changed by hand"
      hobbs rebuild billing --drop

    They are made in a schema beside, by the service's own handlers; nothing is published, and no group is
    joined. Killed, it goes on where it was. Exit 1: rows differ, or it is refused; 2: usage.
    """
    if service is None and (anew or swap or although_different or drop):
        raise typer.BadParameter("name the service whose tables are meant")
    if drop and (anew or swap or although_different):
        raise typer.BadParameter("--drop throws away what was made and what was replaced: it stands alone")
    if although_different and not swap:
        raise typer.BadParameter("--although-different is of --swap")
    if service is None:
        _show_which(output)
        return
    sources = _possible(service)
    if swap and not why:
        raise typer.BadParameter("say why: --why; it stays with the schema")
    settings = settings_or_exit(RebuildSettings)
    if drop:
        run(_drop(settings, service))
        return
    differing = run(_make(settings, sources, anew=anew, output=output))
    if not swap:
        if differing:
            raise typer.Exit(EXIT_FINDINGS)
        return
    if not yes and not agreed(f"Put the tables that were made in the place of {service}'s?"):
        raise typer.Exit(EXIT_FINDINGS)
    said = f"made anew, and swapped in by {who} at {datetime.now(UTC).isoformat(timespec='seconds')}: {why}"
    run(_swap(settings, sources, said, although_different=although_different, output=output))


def _possible(service: str) -> Sources:
    if service not in SERVICES:
        raise typer.BadParameter(f"{service!r} is not one of {', '.join(SERVICES)}")
    sources = sources_of(service)
    refused = "; ".join(sources.against) or replayed.refused(service, sources.topics[0])
    if refused:
        say(f"{service} cannot be made anew: {refused}")
        raise typer.Exit(EXIT_USAGE)
    return sources


def _show_which(output: Output) -> None:
    rows = [
        {
            "service": one.service,
            "can": "no" if one.against else "yes",
            "topics": ", ".join(one.topics),
            "against": "; ".join(one.against),
        }
        for one in all_sources()
    ]
    show_rows(rows, output, columns=WHICH)


async def _make(settings: RebuildSettings, sources: Sources, *, anew: bool, output: Output) -> int:
    """Make or go on, compare, and say so; how many rows differ."""
    service, began = sources.service, datetime.now(UTC)
    with _one_sentence():
        async with schemas.owner_of(settings.owner_database_url.get_secret_value()) as engine:
            await _beside(engine, service, anew=anew)
        _say_made(service, await making.make(settings, sources))
        compared = await making.compared(settings, service, since=began)
    return _show(compared, output)


async def _beside(engine: AsyncEngine, service: str, *, anew: bool) -> None:
    if anew:
        await schemas.drop(engine, service, REBUILT)
    if twin(service) not in await schemas.schemas_there(engine, service):
        await schemas.make(engine, service)
    elif not schemas.is_of_this_release(service, await schemas.revision_beside(engine, service)):
        raise NotMade(f"{twin(service)} was made by another release: begin again with --anew")


async def _swap(
    settings: RebuildSettings, sources: Sources, said: str, *, although_different: bool, output: Output
) -> None:
    service = sources.service
    with _one_sentence():
        async with schemas.owner_of(settings.owner_database_url.get_secret_value()) as engine:
            if twin(service, BEFORE) in await schemas.schemas_there(engine, service):
                raise NotSwapped(f"{twin(service, BEFORE)} is still there: hobbs rebuild {service} --drop")
            async with schemas.fenced(engine, service) as connection:
                await making.make(settings, sources)
                compared = await making.compared(settings, service)
                if (differing := _show(compared, output)) and not although_different:
                    raise NotSwapped(
                        f"{differing} rows differ, and nothing was changed: --although-different"
                    )
                times = [
                    TimesOf(table=one.table.name, key=one.table.key, times=one.table.times)
                    for one in compared
                    if one.table.times
                ]
                taken = await schemas.swap(connection, service, times, said=said)
    say(f"{service} has the tables that were made; what it had is in {twin(service, BEFORE)}")
    say(", ".join(f"{rows} of {table}" for table, rows in sorted(taken.items())) + " taken over")


async def _drop(settings: RebuildSettings, service: str) -> None:
    async with schemas.owner_of(settings.owner_database_url.get_secret_value()) as engine:
        for suffix in (REBUILT, BEFORE):
            there = await schemas.drop(engine, service, suffix)
            say(f"{twin(service, suffix)}: {'dropped' if there else 'there was none'}")


def _say_made(service: str, made: Made) -> None:
    for topic, number in sorted(made.handled.items()):
        say(f"{number} records of {topic} handled")
    for topic, number in sorted(made.thrown_away.items()):
        say(f"{number} events for {topic} thrown away: {service} has published its own")


def _show(compared: Sequence[Compared], output: Output) -> int:
    """Show both sides; how many rows differ."""
    show_rows([_row(one) for one in compared], output, columns=TABLES, right=["live", "rebuilt", "differing"])
    say("not compared: " + ", ".join(TABLES_NOT_COMPARED))
    for one in compared:
        for example in one.examples:
            say(f"{one.table.name} {example['key']}: {_difference(example)}")
    return sum(one.differing for one in compared)


def _row(one: Compared) -> dict[str, Any]:
    return {
        "table": one.table.name,
        "live": one.live,
        "rebuilt": one.rebuilt,
        "same": "yes" if one.digest_live == one.digest_rebuilt else "no" if one.differing else "so far",
        "differing": one.differing,
        "newer": one.newer,
        "digest": one.digest_rebuilt,
        "not_compared": ", ".join(one.table.left_out),
    }


def _difference(example: Mapping[str, Any]) -> str:
    live, rebuilt = example["live"], example["rebuilt"]
    if live is None or rebuilt is None:
        return "only rebuilt" if live is None else "only live"
    names = [name for name in live if live[name] != rebuilt.get(name)]
    plain = [name for name in names if not isinstance(live[name], list | dict)]
    said = [f"{name} {live[name]!r} live, {rebuilt.get(name)!r} rebuilt" for name in plain]
    return "; ".join([*said, *(name for name in names if name not in plain)])


@contextmanager
def _one_sentence() -> Iterator[None]:
    """What stands against it is one sentence, not a traceback."""
    try:
        yield
    except ValidationError as error:
        for sentence in wrong_settings(error):
            say(sentence)
        raise typer.Exit(EXIT_USAGE) from None
    except (NotMade, NotSwapped, Unread) as error:
        raise Unreachable(str(error)) from None
