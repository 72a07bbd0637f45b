"""Long lists: how much of one is shown, and that there is more: one that stops without a word looks whole."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Final, TypeVar

import typer

from hobbs.shell.output import Output, say

T = TypeVar("T")

LISTED_MAX: Final = 100_000
TABLE_ROWS: Final = 200

MostOption = Annotated[
    int | None,
    typer.Option(
        min=1,
        max=LISTED_MAX,
        help=f"At most so many; unless told {TABLE_ROWS} in a table, all in JSON and CSV.",
    ),
]
SkipOption = Annotated[int, typer.Option(min=0, help="Leave out so many: those that were shown before.")]


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """Which part of a list is shown; `asked` rows are read, one more than are shown."""

    most: int
    skip: int

    @property
    def asked(self) -> int:
        return self.most + 1

    def of(
        self, rows: Sequence[T], what: str, *, whose: str = "", order: str = "the newest first"
    ) -> list[T]:
        """The rows to show; says it when there are more. rows: at most `asked`, in this `order`."""
        if len(rows) > self.most:
            after = f" after {self.skip}" if self.skip else ""
            say(
                f"{whose}only the first {self.most} {what} are shown{after}, {order}; "
                f"--skip {self.skip + self.most} shows the next, --most up to {LISTED_MAX} at once"
            )
        return list(rows[: self.most])


def part(most: int | None, skip: int, output: Output) -> Part:
    """What a person asked for; a program that says nothing gets all."""
    return Part(most=most or (TABLE_ROWS if output is Output.table else LISTED_MAX), skip=skip)
