"""The steps of the book's card on credit about bills that are overdue."""

from typing import Annotated, Literal, Self

from pydantic import ConfigDict, Field, model_validator

from schemas.fields import Event, PositiveMinorUnits

DunningAction = Literal["remind", "charge_card", "block_dispatch", "call", "collection"]


class DunningStep(Event):
    """One step of asking for what is overdue; `name` tells it apart from the others.

    Due once the oldest bill is `days_overdue` days overdue and so much (`balance`) is overdue, or by one of
    the two where only one is set.
    """

    model_config = ConfigDict(extra="forbid")

    name: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_-]{0,39}$")]
    action: DunningAction
    days_overdue: Annotated[int, Field(strict=True, ge=1, le=3_650)] | None = None
    balance: PositiveMinorUnits | None = None

    @model_validator(mode="after")
    def says_when(self) -> Self:
        if self.days_overdue is None and self.balance is None:
            raise ValueError(f"step {self.name} needs days_overdue, balance or both")
        return self
