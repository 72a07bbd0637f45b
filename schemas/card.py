"""What the cards of the school's book have in common."""

from typing import Annotated

from pydantic import ConfigDict, Field

from schemas.fields import Event

RATE_MAX = 100_000_000_000

Rate = Annotated[int, Field(strict=True, ge=0, le=RATE_MAX)]
Share = Annotated[int, Field(strict=True, ge=0, le=1_000_000)]


class Card(Event):
    """The settings of one card from its date on; unknown settings are refused."""

    model_config = ConfigDict(extra="forbid")
