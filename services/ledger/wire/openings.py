"""What a decision about opening balances names, read without believing it."""

from datetime import UTC, date, datetime
from typing import Annotated

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, StringConstraints

from fleet.envelope import named_uuid
from schemas.fields import Currency, MinorUnits
from services.ledger.domain.journals import EntryRequest, JournalRequest
from services.ledger.domain.openings import (
    LINES_MAX,
    OPENING,
    OPENING_WALLET,
    WORD_CHARS_MAX,
    Chosen,
    KnownLine,
    LineKey,
    NewLine,
    OpeningLine,
    source_of,
)
from services.ledger.domain.reverts import RevertRequest

Word = Annotated[
    str, StringConstraints(max_length=WORD_CHARS_MAX, pattern=r"^[^\x00-\x1f\x7f]*$", strip_whitespace=True)
]


class LoadAsked(BaseModel):
    """The parameters of `load_opening`. lines: kind, key, reference, currency, amount in minor units."""

    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)

    as_of: date
    occurred_at: AwareDatetime
    lines: Annotated[
        list[tuple[Word, Word, Word, Currency, MinorUnits]], Field(min_length=1, max_length=LINES_MAX)
    ]

    def read_lines(self) -> list[OpeningLine]:
        """The lines, in their order."""
        return [OpeningLine(about=LineKey(*line[:4]), amount=line[4]) for line in self.lines]


def line_journal(as_of: date, occurred_at: datetime, new: NewLine) -> JournalRequest:
    """The journal of a line. Its id follows from its source: after a restore it is the same one."""
    line, source = new.line, source_of(as_of, new.line.about, new.attempt)
    at = occurred_at.astimezone(UTC)
    return JournalRequest(
        journal_id=named_uuid(source, at),
        source=source,
        event_type=OPENING,
        occurred_at=at,
        entries=(
            EntryRequest(line.wallet, line.about.currency, line.moved),
            EntryRequest(OPENING_WALLET, line.about.currency, -line.moved),
        ),
        memo=" ".join(part for part in (OPENING, line.about.kind, line.about.reference) if part),
    )


class RevertAsked(BaseModel):
    """The parameters of `revert_opening`: which lines; what is not said is of whatever value."""

    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)

    as_of: date
    kind: Word | None = None
    key: Word | None = None
    reference: Word | None = None
    currency: Currency | None = None

    def chosen(self) -> Chosen:
        """The lines that are meant."""
        return Chosen(kind=self.kind, key=self.key, reference=self.reference, currency=self.currency)


class SignAsked(BaseModel):
    """The parameters of `sign_opening` and `reopen_opening`."""

    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)

    as_of: date


def line_revert(line: KnownLine, memo: str) -> RevertRequest:
    """The request to take a line back, as of the day it was loaded for."""
    return RevertRequest(
        journal_id=named_uuid(f"revert {line.source}", line.occurred_at),
        reverts=line.source,
        occurred_at=line.occurred_at,
        memo=memo,
        of_opening=True,
    )
