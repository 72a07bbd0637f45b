"""API keys of schedulers that publish over HTTP: made once, shown once, kept only as a hash."""

from typing import Annotated, Any, Final

import typer

from fleet.settings import Settings
from hobbs.shell.connections import acting_as, run, settings_or_exit
from hobbs.shell.login_name import login_name
from hobbs.shell.output import EXIT_FINDINGS, Output, OutputOption, agreed, say, show_one, show_rows
from services.gateway import store
from services.gateway.desk.new_key import create_key
from services.gateway.domain.flights import SCOPES
from services.gateway.store import KeyListed

NAME_CHARS_MAX: Final = 100

app = typer.Typer(no_args_is_help=True, help=__doc__, rich_markup_mode=None)
NameArgument = Annotated[str, typer.Argument(metavar="NAME", help="Such as the scheduler's name.")]
WhoOption = Annotated[str | None, typer.Option(help="Who does it; your login name unless told.")]


@app.command("create")
def create_command(
    name: NameArgument,
    scope: Annotated[list[str] | None, typer.Option(help=f"Of {', '.join(SCOPES)}; all unless told.")] = None,
    who: WhoOption = None,
    output: OutputOption = Output.table,
) -> None:
    """Make a key and show it: now, and never again. Exit 1 when a living key has the name."""
    scopes = tuple(dict.fromkeys(scope or SCOPES))
    if unknown := [one for one in scopes if one not in SCOPES]:
        raise typer.BadParameter(f"{unknown[0]!r} is not one of {', '.join(SCOPES)}", param_hint="--scope")
    if not 1 <= len(name) <= NAME_CHARS_MAX or not name.isprintable():
        raise typer.BadParameter(f"a name has 1 to {NAME_CHARS_MAX} printable characters", param_hint="NAME")
    key = run(_create(settings_or_exit(Settings), name, scopes, who or login_name()))
    if key is None:
        say(f"there is a key named {name!r}; revoke it first, or choose another name")
        raise typer.Exit(EXIT_FINDINGS)
    show_one({"name": name, "scopes": " ".join(scopes), "key": key}, output)
    say("keep this key now: it is stored only as a hash and cannot be shown again")


@app.command("list")
def list_command(
    everything: Annotated[bool, typer.Option("--all", help="Revoked ones too.")] = False,
    output: OutputOption = Output.table,
) -> None:
    """List keys: names, scopes, when made, last used, revoked."""
    keys = run(_list(settings_or_exit(Settings)))
    rows = [_row(key) for key in keys if everything or key.revoked_at is None]
    show_rows(rows, output, columns=None if rows else ("name", "hint", "scopes"))


@app.command("revoke")
def revoke_command(
    name: NameArgument,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    who: WhoOption = None,
) -> None:
    """Revoke the living key of that name: it is refused from the next request on. Exit 1 when none has it."""
    if not yes and not agreed(f"revoke the key {name!r}?"):
        say("nothing changed")
        raise typer.Exit(EXIT_FINDINGS)
    if not run(_revoke(settings_or_exit(Settings), name, who or login_name())):
        say(f"no living key is named {name!r}")
        raise typer.Exit(EXIT_FINDINGS)
    say(f"revoked {name!r}")


async def _create(settings: Settings, name: str, scopes: tuple[str, ...], who: str) -> str | None:
    made = create_key()
    async with acting_as(settings, "gateway") as database, database.transaction() as tx:
        added = await store.insert_key(
            tx, name=name, key_hash=made.key_hash, hint=made.hint, scopes=scopes, created_by=who
        )
    return made.key if added is not None else None


async def _list(settings: Settings) -> list[KeyListed]:
    async with acting_as(settings, "gateway") as database, database.transaction() as tx:
        return await store.list_keys(tx)


async def _revoke(settings: Settings, name: str, who: str) -> list[int]:
    async with acting_as(settings, "gateway") as database, database.transaction() as tx:
        return await store.revoke_keys(tx, name=name, revoked_by=who)


def _row(key: KeyListed) -> dict[str, Any]:
    return {
        "name": key.name,
        "hint": f"{key.hint}…",
        "scopes": " ".join(key.scopes),
        "created_at": key.created_at,
        "created_by": key.created_by,
        "last_used_at": key.last_used_at,
        "revoked_at": key.revoked_at,
        "revoked_by": key.revoked_by,
    }
