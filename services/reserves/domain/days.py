"""The comparison of a business date. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class ComparedDay:
    """Both sides of a business date in one currency, in minor units; the books' as cash.

    explained: what of the difference breaks and matches over several days name. movements: by category.
    """

    business_date: date
    currency: str
    stripe_opening: int
    stripe_moved: int
    books_opening: int
    books_moved: int
    explained: int
    breaks_open: int
    stripe_as_of: datetime | None
    books_as_of: datetime | None
    movements: tuple[Mapping[str, Any], ...]

    @property
    def stripe_closing(self) -> int:
        return self.stripe_opening + self.stripe_moved

    @property
    def books_closing(self) -> int:
        return self.books_opening + self.books_moved

    @property
    def drift(self) -> int:
        return self.stripe_closing - self.books_closing

    @property
    def unexplained(self) -> int:
        return self.drift - self.explained
