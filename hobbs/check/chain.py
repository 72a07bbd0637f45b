"""`hobbs check --chain`: the ledger's hash chain as one more invariant."""

import time

import typer

from fleet.invariants import Invariant, Outcome
from fleet.settings import Settings
from hobbs.shell.connections import reading
from hobbs.shell.output import say
from services.ledger.desk import chain
from services.ledger.domain.chain import BrokenLink, Head, read_head

INVARIANT = Invariant(
    service="ledger",
    name="chain_is_unbroken",
    sentence="Every journal and its entries, in their order, are as they were when they were chained.",
    sql="",
)


def noted_head(text: str | None) -> Head | None:
    """Read POSITION:HASH, as `hobbs check --chain` writes it."""
    if text is None:
        return None
    try:
        return read_head(text)
    except ValueError as error:
        raise typer.BadParameter(str(error), param_hint="--head") from None


async def check_chain(settings: Settings, noted: Head | None) -> Outcome:
    """Verify the chain from its first link, and say its head, of which a copy can be kept elsewhere."""
    started = time.perf_counter()
    async with reading(settings) as database:
        found = await chain.verify(database, noted)
        waiting = await chain.waiting(database)
    broken = isinstance(found, BrokenLink)
    if isinstance(found, Head):
        if found.position:
            say(f"chain of {found.position} journals is unbroken; keep its head elsewhere: --head {found}")
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
        if isinstance(found, BrokenLink)
        else [],
        seconds=time.perf_counter() - started,
    )
