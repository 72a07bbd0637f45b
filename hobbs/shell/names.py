"""Reasons are kept for ever, in topics and histories: whoever is kept by name is named there by id."""

from collections.abc import Iterable, Mapping
from functools import cache

import typer

from fleet.grants import OPERATOR
from fleet.persons import named_in
from fleet.settings import Settings
from hobbs.shell.connections import DATABASE_ERRORS, may_not_act, reading, run, settings_or_exit
from hobbs.shell.output import say
from services.payouts.desk.reads import contacts


def refuse_named(*texts: str | None) -> None:
    """The same for texts that a command writes without asking a service. Exits when there are no settings."""
    run(refuse_names(settings_or_exit(Settings), " ".join(text for text in texts if text)))


async def refuse_names(settings: Settings, why: str) -> None:
    """Refuse a reason that has somebody's name or address in it. Raises BadParameter, with the id to write.

    Where the database does not answer, or the login may not read names, the reason is not compared: decisions
    need Kafka only.
    """
    if not why.strip():
        return
    if wallet := named_in(why, await _kept(settings)):
        raise typer.BadParameter(
            f"why: it names {wallet}, and reasons are kept for ever: write {wallet} instead"
        )


async def _kept(settings: Settings) -> Mapping[str, Iterable[str]]:
    try:
        async with reading(settings, role=OPERATOR) as database:
            if await may_not_act(database):
                _say_once("the reason was not compared with names, which your login may not read: write ids")
                return {}
            async with database.transaction() as tx:
                rows = await contacts.every(tx)
    except (OSError, *DATABASE_ERRORS):
        _say_once("the reason was not compared with names: the database does not answer")
        return {}
    return {row.wallet: [text for text in (row.full_name, row.email) if text] for row in rows}


@cache
def _say_once(sentence: str) -> None:
    """One command compares its reason more than once."""
    say(sentence)
