"""`hobbs migrate`: create roles, schemas, tables, functions and topics, or bring them up to date."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from typing import Annotated, Any, TypeVar

import typer
from aiokafka.errors import KafkaError
from pydantic import SecretStr, create_model
from sqlalchemy import make_url

from fleet import kafka_client
from fleet.functions import function_names
from fleet.kafka_client import TopicPlan
from fleet.migrate import RolesOfAnother, migrate, owner_engine, roles_without_login
from fleet.outages import is_outage
from fleet.reader import Reader
from fleet.revisions import head_revision
from fleet.settings import Settings
from fleet.shadows import Mark, WrongDatabase, settle_mark
from hobbs.shell.connections import DATABASE_ERRORS, Unreachable, run, settings_or_exit, why
from hobbs.shell.output import EXIT_FINDINGS, Output, OutputOption, say, show_rows
from hobbs.shell.topic_plans import topic_plans
from schemas.services import LOGINS
from schemas.shadow import own_topics, refused_prefix
from schemas.topics import TOPICS

T = TypeVar("T")

app = typer.Typer(no_args_is_help=True)


# A setting for each login. Each role's password is inside its own URL, and kept nowhere else.
_URLS: dict[str, Any] = {f"{login}_database_url": (SecretStr | None, None) for login in LOGINS}
LoginUrls = create_model("LoginUrls", __base__=Settings, **_URLS)


@app.command("migrate")
def migrate_command(
    topics: Annotated[bool, typer.Option(help="Create missing Kafka topics too.")] = True,
    replication: Annotated[
        int, typer.Option(min=1, help="Copies of each new topic; 3 where it matters.")
    ] = 1,
    wait_s: Annotated[
        int, typer.Option("--wait", min=0, help="Seconds to wait for Postgres and Kafka.")
    ] = 60,
    share_roles: Annotated[
        bool,
        typer.Option(
            help="Another database of this server may use the same roles: a copy of this school's.",
            envvar="HOBBS_SHARE_ROLES",
        ),
    ] = False,
    shadow_of: Annotated[
        str | None,
        typer.Option(
            metavar="PREFIX",
            help="Make a shadow's database and topics; the live topics begin with PREFIX, '' as a rule.",
        ),
    ] = None,
    own_book: Annotated[
        bool, typer.Option("--own-book", help="With --shadow-of: its rates are its own.")
    ] = False,
    output: OutputOption = Output.table,
) -> None:
    """Create roles, schemas, tables, functions and topics, or bring them up to date. Safe to run again.

    HOBBS_DATABASE_URL logs in as the database's owner. HOBBS_<SERVICE>_DATABASE_URL (and _FILE), and
    HOBBS_OPERATOR_DATABASE_URL, are the URLs the services will use: each role gets the password in its own.
    A role whose URL is not set keeps the password it has; a new one cannot log in. Rights that somebody took
    away from a role are given again.
    """
    settings = settings_or_exit(LoginUrls)
    passwords = role_passwords(settings)
    mark = _mark_or_exit(settings, shadow_of, own_book=own_book)
    shadow = run(_wait_for("Postgres", wait_s, lambda: _settle(_url(settings), mark, settings)))
    done = run(_wait_for("Postgres", wait_s, lambda: _migrate(_url(settings), passwords, share_roles)))
    rows: list[dict[str, Any]] = [
        {"what": "schema", "name": service, "state": schema_state(service)} for service in done
    ]
    wrong: list[str] = []
    if topics:
        plans = [plan for plan in topic_plans() if shadow is None or plan.name in own_topics()]
        there = run(_wait_for("Kafka", wait_s, lambda: _create_topics(settings, plans, replication)))
        rows += [
            {"what": "topic", "name": name, "state": f"{n} partitions"} for name, n in sorted(there.items())
        ]
        wrong = wrong_topics(there, {plan.name for plan in plans})
    show_rows(rows, output, columns=["what", "name", "state"])
    for service in run(roles_without_login(_url(settings), sorted(done))):
        say(f"hobbs_{service} cannot log in: set HOBBS_{service.upper()}_DATABASE_URL and migrate again")
    for sentence in wrong:
        say(sentence)
    if wrong:
        raise typer.Exit(EXIT_FINDINGS)


def schema_state(service: str) -> str:
    """What a service's schema is at once it is migrated: its revision, and how many functions."""
    functions = len(function_names(service))
    return f"revision {head_revision(service)}" + (f", {functions} functions" if functions else "")


def role_passwords(settings: Settings) -> dict[str, str]:
    """The password in each login's own URL, by service (or "operator")."""
    urls: dict[str, SecretStr | None] = {
        login: getattr(settings, f"{login}_database_url") for login in LOGINS
    }
    passwords = {login: make_url(url.get_secret_value()).password for login, url in urls.items() if url}
    return {login: password for login, password in passwords.items() if password}


def wrong_topics(there: Mapping[str, int], names: Collection[str] = tuple(TOPICS)) -> list[str]:
    """One sentence for each topic that is missing or has another number of partitions than it should."""
    sentences = []
    for topic in (TOPICS[name] for name in TOPICS if name in names):
        found = there.get(topic.name)
        if found is None:
            sentences.append(
                f"topic {topic.name} is missing; run `hobbs migrate` with a user that may create it"
            )
        elif found != topic.partitions:
            sentences.append(
                f"topic {topic.name} has {found} partitions, not {topic.partitions}; "
                "a key's order depends on it: see docs/operations/kafka.md"
            )
    return sentences


def _url(settings: Settings) -> str:
    return settings.database_url.get_secret_value()


async def _migrate(url: str, passwords: Mapping[str, str], share_roles: bool) -> list[str]:
    try:
        return await migrate(url, passwords, share_roles=share_roles)
    except RolesOfAnother as error:
        raise Unreachable(str(error)) from None


def _mark_or_exit(settings: Settings, live: str | None, *, own_book: bool) -> Mark | None:
    """The mark that is asked for; exit when these topics cannot be a shadow's."""
    if live is None:
        if own_book:
            raise typer.BadParameter("only a shadow has a book beside the live one: --shadow-of")
        return None
    if why := refused_prefix(settings.topic_prefix, live):
        raise typer.BadParameter(why, param_hint="--shadow-of")
    return Mark(topic_prefix=settings.topic_prefix, live=live, own_book=own_book)


async def _settle(url: str, mark: Mark | None, settings: Settings) -> Mark | None:
    engine = owner_engine(url)
    try:
        if mark is not None and await settle_mark(engine, None) is None:
            await _refuse_used_topics(settings)
        return await settle_mark(engine, mark)
    except WrongDatabase as error:
        raise Unreachable(str(error)) from None
    finally:
        await engine.dispose()


async def _refuse_used_topics(settings: Settings) -> None:
    """A new shadow would take what another one decided for its own."""
    async with Reader(**kafka_client.connection(settings)) as reader:
        there = await reader.topics()
        for name in (settings.topic_prefix + name for name in own_topics()):
            if name in there and any((await reader.ends_of(name)).values()):
                raise Unreachable(
                    f"{name} has records of another shadow: delete the topics that begin with "
                    f"{settings.topic_prefix}, or choose another prefix"
                )


async def _create_topics(settings: Settings, plans: Sequence[TopicPlan], replication: int) -> dict[str, int]:
    return await kafka_client.create_topics(settings, plans, replication=replication)


async def _wait_for(what: str, seconds: int, step: Callable[[], Awaitable[T]]) -> T:
    """Try again every second while the server does not answer; anything else it says is final."""
    deadline = time.monotonic() + seconds
    while True:
        try:
            return await step()
        except (OSError, KafkaError, *DATABASE_ERRORS) as error:
            if time.monotonic() >= deadline or not is_outage(error):
                raise Unreachable(f"{what}: {why(error)}") from error
        await asyncio.sleep(1)
