"""`hobbs replay`: a closed range of a topic again to one service, into a file, or from one."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any, Final

import typer
from pydantic import ValidationError

from fleet import rehearsal
from fleet.decisions import TAKEN
from fleet.envelope import Record
from fleet.proved import lacks_keys
from fleet.rehearsal import INBOX, NotCounted, Rehearsal
from fleet.settings import Settings
from fleet.shared_batches import Handler
from fleet.worker import Worker
from hobbs.replay import audit, reading, service, span
from hobbs.replay import file as records_file
from hobbs.replay.file import NotAFile
from hobbs.replay.reading import BATCH, Choice, Unread
from hobbs.replay.span import BEGINNING, NOW, NoSpan
from hobbs.shell.connections import Unreachable, run, settings_or_exit, wrong_settings
from hobbs.shell.output import EXIT_FINDINGS, EXIT_USAGE, Output, OutputOption, agreed, say, show_rows
from hobbs.shell.reasons import WhoOption, WhyOption
from schemas.topics import TOPICS

app = typer.Typer(no_args_is_help=True)

COLUMNS: Final = ("what", "change", "rows")
PAST: Final = ("taken_at", "service", "sentence")
EDGE: Final = "an offset (with --partition where there are several), a time with its zone"

Batches = AsyncIterator[Sequence[Record]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """Where records come from, the same ones each time it is opened; said: for people."""

    open: Callable[[], AbstractAsyncContextManager[Batches]]
    said: str


@dataclass(frozen=True, slots=True, kw_only=True)
class _Asked:
    """What is replayed: a range of a topic, or a file."""

    topic: str
    begin: span.Edge
    end: span.Edge
    partition: int | None
    file: Path | None
    choice: Choice


@dataclass(frozen=True, slots=True, kw_only=True)
class _By:
    """Who replays and why; agreed: need not be asked again."""

    who: str
    why: str
    agreed: bool


@app.command("replay")
def replay_command(
    topic: Annotated[
        str | None, typer.Argument(help="Without the deployment's prefix, such as flight.completed.")
    ] = None,
    begin: Annotated[
        str | None, typer.Option("--from", metavar="EDGE", help=f"{EDGE}, or {BEGINNING}.")
    ] = None,
    end: Annotated[
        str | None, typer.Option("--to", metavar="EDGE", help=f"{EDGE}, or {NOW}: not itself part of it.")
    ] = None,
    partition: Annotated[int | None, typer.Option(min=0, help="Only this one.")] = None,
    key: Annotated[str | None, typer.Option(help="Only records with this key.")] = None,
    limit: Annotated[int | None, typer.Option(min=1, help="So many records at most.")] = None,
    rate: Annotated[float | None, typer.Option(min=0.1, help="So many records a second at most.")] = None,
    to_service: Annotated[str | None, typer.Option("--service", help="Whose handlers read them.")] = None,
    to_file: Annotated[Path | None, typer.Option(help="Write them to this new file instead.")] = None,
    from_file: Annotated[
        Path | None, typer.Option(help="Read them from such a file, not from Kafka.")
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would be written.")] = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    past: Annotated[bool, typer.Option("--past", help="Only list the replays there were.")] = False,
    why: WhyOption = "",
    who: WhoOption = "",
    output: OutputOption = Output.table,
) -> None:
    """Read a closed range of a topic again: to one service's own handlers, or into a file.

    \\b
    Examples:
      hobbs replay flight.completed --from 2026-11-01T00:00Z --to now --service billing --dry-run
      hobbs replay flight.completed --from 120 --to 140 --partition 3 --key F123 --service billing
      hobbs replay flight.completed --from beginning --to now --to-file flights.jsonl
      hobbs replay flight.completed --from-file flights.jsonl --service billing
      hobbs replay --past

    First the handlers run in transactions that are rolled back, and what they would write is shown; then a
    person is asked. No group is joined, no offset moves. Who replayed what and why is kept on decision.taken.
    Exit 1: refused, or not readable; 2: usage.
    """
    if past:
        run(_show_past(settings_or_exit(Settings), output))
        return
    if topic is None:
        raise typer.BadParameter("name a topic, or ask for --past")
    asked = _asked(topic, begin, end, partition, from_file, Choice(key=key, limit=limit, rate=rate))
    if (to_service is None) == (to_file is None):
        raise typer.BadParameter("say where to: --service NAME or --to-file FILE")
    if to_file is not None:
        if dry_run or from_file:
            raise typer.BadParameter("--to-file takes records out of Kafka, and has nothing to rehearse")
        run(_write(settings_or_exit(Settings), asked, to_file))
        return
    assert to_service is not None
    if refused := service.refused(to_service, topic):
        say(refused)
        raise typer.Exit(EXIT_USAGE)
    by = None if dry_run else _By(who=who, why=why, agreed=yes)
    run(_replay(settings_or_exit(Settings), asked, to_service, by=by, output=output))


def _asked(
    topic: str, begin: str | None, end: str | None, partition: int | None, file: Path | None, choice: Choice
) -> _Asked:
    if topic not in TOPICS:
        raise typer.BadParameter(f"there is no topic {topic!r}; `schemas/topics.py` lists them")
    if choice.key is not None and choice.key.encode(errors="replace").decode() != choice.key:
        raise typer.BadParameter("--key is no text in UTF-8")
    if file is not None:
        if begin or end or partition is not None:
            raise typer.BadParameter("--from, --to and --partition are of Kafka; the file is read whole")
        return _Asked(topic=topic, begin="", end="", partition=None, file=file, choice=choice)
    if begin is None or end is None:
        raise typer.BadParameter("a range has two ends: say --from and --to")
    try:
        return _Asked(
            topic=topic,
            begin=span.edge(begin, "--from", BEGINNING),
            end=span.edge(end, "--to", NOW),
            partition=partition,
            file=None,
            choice=choice,
        )
    except NoSpan as error:
        raise typer.BadParameter(str(error)) from None


async def _source(settings: Settings, asked: _Asked) -> Source:
    if asked.file is not None:
        path = asked.file
        if (there := records_file.topic_of(path)) != asked.topic:
            raise NotAFile(f"{path}: it holds records of {there}, not of {asked.topic}")

        @asynccontextmanager
        async def from_file() -> AsyncIterator[Batches]:
            yield reading.chosen(records_file.of_file(path, BATCH), asked.choice)

        return Source(open=from_file, said=f"from {path.name}")
    name = settings.topic_prefix + asked.topic
    async with reading.open_reader(settings) as reader:
        parts = await span.parts(
            reader, name, asked.begin, asked.end, partition=asked.partition, now=datetime.now(UTC)
        )
    ranges = [f"partition {part.place.partition}: offsets {part.begin} to {part.end - 1}" for part in parts]
    for one in ranges:
        say(f"{name} {one}")

    @asynccontextmanager
    async def from_kafka() -> AsyncIterator[Batches]:
        if not parts:  # a client that is stopped before it asked anything cancels its caller
            yield reading.of_nothing()
            return
        async with reading.open_reader(settings) as reader:
            yield reading.of_topic(reader, asked.topic, parts, asked.choice)

    return Source(open=from_kafka, said="; ".join([*ranges, *asked.choice.sentences]))


async def _write(settings: Settings, asked: _Asked, path: Path) -> None:
    with _one_sentence():
        source = await _source(settings, asked)
        written = left_out = 0
        with records_file.create(path, asked.topic) as file, _gone_unless_whole(path):
            async with source.open() as batches:
                async for batch in batches:
                    whole = [record for record in batch if record.cut is None]
                    file.writelines(map(records_file.line, whole))
                    written, left_out = written + len(whole), left_out + len(batch) - len(whole)
            _require_the_key(written + left_out, asked)
    say(f"{path}: {written} records of {asked.topic}; they may hold personal data")
    if left_out:
        say(f"{left_out} are left out: too large, or unreadable for Kafka's client")
        raise typer.Exit(EXIT_FINDINGS)


async def _replay(settings: Settings, asked: _Asked, name: str, *, by: _By | None, output: Output) -> None:
    """by: None: only rehearse."""
    with _one_sentence():
        source = await _source(settings, asked)
        worker = _built(name)
        handler = worker.handlers[asked.topic]
        try:
            tried, read = await _rehearse(worker, handler, source)
            _require_the_key(read, asked)
            _show(tried, read, name, output)
            if by is None or not read:
                return
            if not by.agreed and not await asyncio.to_thread(
                agreed, f"Replay these {read} records to {name}?"
            ):
                raise typer.Exit(EXIT_FINDINGS)
            what = f"{read} records ({source.said})"
            await audit.note(
                worker.database, topic=asked.topic, who=by.who, why=by.why, what=what, effects=_changes(tried)
            )
            done = await _hand_over(handler, source)
            say(f"{done} records replayed to {name}")
        finally:
            await worker.database.close()


def _require_the_key(read: int, asked: _Asked) -> None:
    """Nothing was read because of a key that is not there: as a rule it is misspelt."""
    if not read and asked.choice.key is not None:
        raise NotCounted(f"no record of {asked.topic} in this range has the key {asked.choice.key!r}")


async def _rehearse(worker: Worker, handler: Handler, source: Source) -> tuple[Rehearsal, int]:
    tried = await rehearsal.begin(worker.database)
    read = 0
    async with source.open() as batches:
        async for batch in batches:
            if await lacks_keys(worker.database, worker.publishers, batch):
                raise NotCounted(service.without_keys(worker.service))
            await tried.try_out(handler, batch)
            read += len(batch)
    worker.database.watch = None
    return tried, read


async def _hand_over(handler: Handler, source: Source) -> int:
    done = 0
    async with source.open() as batches:
        async for batch in batches:
            await handler(batch)
            done += len(batch)
    return done


def _show(tried: Rehearsal, read: int, name: str, output: Output) -> None:
    """What would be written. Exits when the service may have handled, and forgotten, some of it."""
    rows = _changes(tried)
    show_rows(rows, output, columns=COLUMNS, right=["rows"])
    new = tried.changes[INBOX, "added"]
    say(
        f"{read} records, {new} of them new to {name}: "
        + ("this is what would be written" if rows else "nothing would be written")
    )
    if tried.forgotten:
        say(
            f"refused: {tried.forgotten} of them are older than what {name} remembers "
            f"({tried.epoch.sentence}): it may have handled them before; begin later"
        )
        raise typer.Exit(EXIT_FINDINGS)


def _changes(tried: Rehearsal) -> list[dict[str, Any]]:
    changes = sorted((+tried.changes).items())
    return [{"what": what, "change": change, "rows": number} for (what, change), number in changes]


async def _show_past(settings: Settings, output: Output) -> None:
    with _one_sentence():
        async with reading.open_reader(settings) as reader:
            parts = await span.parts(
                reader,
                settings.topic_prefix + TAKEN,
                BEGINNING,
                NOW,
                partition=None,
                now=datetime.now(UTC),
            )
            rows = await audit.past(reading.of_topic(reader, TAKEN, parts, Choice())) if parts else []
    show_rows(rows, output, columns=PAST)


def _built(name: str) -> Worker:
    try:
        return service.build(name)
    except ValidationError as error:
        for sentence in wrong_settings(error):
            say(f"{name}: {sentence}")
        raise typer.Exit(EXIT_USAGE) from None


@contextmanager
def _gone_unless_whole(path: Path) -> Iterator[None]:
    """Leave no file that holds a part of the range and looks like all of it."""
    try:
        yield
    except BaseException:
        path.unlink(missing_ok=True)
        raise


@contextmanager
def _one_sentence() -> Iterator[None]:
    """What is wrong with the range or the file is one sentence, not a traceback."""
    try:
        yield
    except FileExistsError as error:
        raise Unreachable(f"{error.filename} is there already: name another file") from None
    except (NoSpan, NotAFile, Unread, NotCounted) as error:
        raise Unreachable(str(error)) from None
