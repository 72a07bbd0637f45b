"""How `hobbs sim` finds the simulator and reads its options. It never talks to Stripe itself."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Annotated

import httpx
import orjson
import typer

from hobbs.local.stripe_sim.control import Control, SimulatorRefused
from hobbs.shell.connections import way_in
from hobbs.shell.output import EXIT_FINDINGS, EXIT_USAGE, say

UrlOption = Annotated[
    str | None,
    typer.Option("--url", envvar="HOBBS_STRIPE_API_BASE", help="The simulator's address.", show_envvar=True),
]
PairsOption = Annotated[
    list[str] | None, typer.Option("--set", metavar="NAME=VALUE", help="More detail; may be repeated.")
]


@contextmanager
def simulator(url: str | None) -> Iterator[Control]:
    """Talk to the simulator; a wrong address or a refusal is a sentence and an exit code."""
    if url is None or "stripe.com" in url:
        say("say where the simulator is: --url http://127.0.0.1:PORT or HOBBS_STRIPE_API_BASE")
        say(way_in())
        raise typer.Exit(EXIT_USAGE)
    with Control(url) as control:
        try:
            yield control
        except SimulatorRefused as refusal:
            say(str(refusal))
            raise typer.Exit(EXIT_USAGE) from None
        except (httpx.HTTPError, httpx.InvalidURL, json.JSONDecodeError, UnicodeError) as failure:
            say(f"no simulator answers at {url}: {failure}")
            raise typer.Exit(EXIT_FINDINGS) from None


def pairs(given: list[str] | None) -> dict[str, object]:
    """NAME=VALUE to a mapping; a value is JSON when it reads as JSON, else text."""
    found: dict[str, object] = {}
    for pair in given or []:
        name, equals, text = pair.partition("=")
        if not equals:
            say(f"{pair!r} is not NAME=VALUE")
            raise typer.Exit(EXIT_USAGE)
        try:
            found[name] = orjson.loads(text)
        except orjson.JSONDecodeError:
            found[name] = text
    return found


def instant(unix: float) -> str:
    return datetime.fromtimestamp(unix, UTC).isoformat(timespec="seconds")
