"""Asks billing's rules what they would make of a file, by the school's book as it is now."""

from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Protocol, TypeVar

from pydantic import ValidationError

from fleet.database import Tx
from fleet.settings import Settings
from hobbs.flights.file import FlightsFile, ReadFlight, Rejected
from hobbs.shell.connections import DATABASE_ERRORS, reading
from hobbs.shell.output import say
from schemas.flights import FlightCancelled, FlightCompleted, FlightCorrected
from services.billing.desk import preview
from services.billing.desk.preview import RevisionPreview

T = TypeVar("T")


async def judge_by_book(found: FlightsFile[FlightCompleted]) -> None:
    """Move the flights that the book refuses to the rejected rows; say why when nobody could be asked."""
    flights = found.events()
    refusals = await _asked(lambda tx: preview.refusals(tx, flights)) if flights else None
    if refusals is not None:
        _reject(found, refusals)


async def preview_corrections(found: FlightsFile[FlightCorrected | FlightCancelled]) -> list[RevisionPreview]:
    """What each correction would do; those that would be refused move to the rejected rows."""
    events = found.events()
    previews = await _asked(lambda tx: preview.revisions(tx, events)) if events else None
    if previews is None:
        return []
    _reject(found, [one if one.state == "refused" else None for one in previews])
    return [one for one in previews if one.state != "refused"]


async def _asked(question: Callable[[Tx], Awaitable[T]]) -> T | None:
    """The answer; None when nobody could be asked, which is said."""
    try:
        async with reading(Settings()) as database, database.transaction() as tx:
            return await question(tx)
    except ValidationError:
        say("not checked against the school's book: no database is named (HOBBS_DATABASE_URL)")
    except (OSError, *DATABASE_ERRORS) as error:
        say(f"not checked against the school's book: the database does not answer ({type(error).__name__})")
    return None


class _Refusal(Protocol):
    @property
    def reason(self) -> str: ...

    @property
    def sentence(self) -> str: ...


def _reject(found: FlightsFile[Any], refusals: Sequence[_Refusal | None]) -> None:
    kept: list[ReadFlight[Any]] = []
    for read, refusal in zip(found.flights, refusals, strict=True):
        if refusal is None:
            kept.append(read)
            continue
        found.rejected.append(
            Rejected(
                line=read.line,
                flight_id=read.flight.flight_id,
                reason=refusal.reason,
                sentence=refusal.sentence,
            )
        )
    found.flights = kept
    found.rejected.sort(key=lambda row: row.line)
