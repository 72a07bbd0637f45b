"""`hobbs check --chain`: the ledger's hash chain as one more invariant."""

import re
import time

import typer

from fleet.settings import Settings
from hobbs.check.invariants import Invariant, Outcome
from hobbs.shell.connections import acting_as
from hobbs.shell.output import say
from services.ledger.desk import chain

INVARIANT = Invariant(
    service="ledger",
    name="chain_is_unbroken",
    sentence="Every journal, its entries and their order are what was chained when they were new.",
    sql="",
)


_HEAD = re.compile(r"(?P<position>[1-9][0-9]{0,17}):(?P<hash>[0-9a-f]{64})")


def noted_head(text: str | None) -> chain.Head | None:
    """Read POSITION:HASH, as `hobbs check --chain` said it once."""
    if text is None:
        return None
    found = _HEAD.fullmatch(text)
    if found is None:
        raise typer.BadParameter(f"{text!r} is not POSITION:HASH", param_hint="--head")
    return chain.Head(position=int(found["position"]), hash=bytes.fromhex(found["hash"]))


async def check_chain(settings: Settings, noted: chain.Head | None) -> Outcome:
    """Verify the chain from its first link; say the head, for keeping elsewhere."""
    started = time.perf_counter()
    async with acting_as(settings, "ledger") as database:
        found = await chain.verify(database, noted)
        waiting = await chain.waiting(database)
    broken = isinstance(found, chain.Broken)
    if isinstance(found, chain.Head):
        if found.position:
            say(f"chain of {found.position} journals is unbroken; keep this elsewhere: --head {found}")
        if waiting:
            say(f"{waiting} newer journals are not in it yet; the ledger's worker adds them")
    else:
        named = f", journal {found.source or found.journal_id}" if found.journal_id else ""
        say(f"chain breaks at link {found.position}{named}: {found.why}")
    return Outcome(
        invariant=INVARIANT,
        rows=int(broken),
        examples=[
            {
                "position": found.position,
                "journal_id": found.journal_id,
                "source": found.source,
                "why": found.why,
            }
        ]
        if isinstance(found, chain.Broken)
        else [],
        seconds=time.perf_counter() - started,
    )
