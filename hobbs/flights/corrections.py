"""A file of corrections: the columns of a flights file, and what changes a flight. Pure.

A row is the next revision of a flight, whole; or it cancels the flight, and then says only that.
"""

from typing import Any, Final

from hobbs.flights.file import COLUMNS, Shape
from schemas.flights import FlightCancelled, FlightCorrected

COLUMNS_MORE: Final = ("reason", "corrected_by", "priced_by", "cancelled")
YES: Final = ("yes", "y", "true", "x", "1", "cancelled", "canceled")
NO: Final = ("no", "n", "false", "0")


def correction_shape(*, why: str | None, who: str) -> Shape[FlightCorrected | FlightCancelled]:
    """How rows are read. `why`, `who`: for the rows that say no reason, or not who corrected them."""

    def read(event: dict[str, Any]) -> FlightCorrected | FlightCancelled:
        said = {"corrected_by": who, **({"reason": why} if why else {}), **event}
        if not _is_cancelled(said.pop("cancelled", None)):
            return FlightCorrected.model_validate(said)
        kept = {name: said[name] for name in ("flight_id", "revision", "reason") if name in said}
        return FlightCancelled.model_validate({**kept, "cancelled_by": said["corrected_by"]})

    return Shape(columns=COLUMNS + COLUMNS_MORE, needed=("flight_id", "revision"), dated=False, read=read)


def _is_cancelled(written: Any) -> bool:
    text = str(written or "no").strip().lower()
    if text not in YES + NO:
        raise ValueError(f"cancelled: {text[:40]!r} is neither yes nor no")
    return text in YES
