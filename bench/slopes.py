"""Whether a series of samples grows: a straight line through it, and what counts as growth beyond noise."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import sqrt

HOUR_S = 3_600.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """The least squares line through samples: its slope in units an hour, and the slope's standard error."""

    per_hour: float
    error: float
    growth: float  # over the samples' own time


def line(times_s: Sequence[float], values: Sequence[float]) -> Line:
    """Fit at least three samples."""
    count, middle, mean = len(values), sum(times_s) / len(times_s), sum(values) / len(values)
    spread = sum((t - middle) ** 2 for t in times_s)
    slope = sum((t - middle) * (v - mean) for t, v in zip(times_s, values, strict=True)) / spread
    rest = sum((v - mean - slope * (t - middle)) ** 2 for t, v in zip(times_s, values, strict=True))
    return Line(
        per_hour=slope * HOUR_S,
        error=sqrt(rest / max(count - 2, 1) / spread) * HOUR_S,
        growth=slope * (times_s[-1] - times_s[0]),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Bound:
    """A slope is growth when it exceeds `per_hour` by more than twice its standard error, and adds up to more
    than `noise` over the samples: allocators and vacuums move in steps of about that.
    """

    unit: str
    per_hour: float
    noise: float

    def holds(self, found: Line) -> bool:
        return found.per_hour - 2 * found.error <= self.per_hour or found.growth <= self.noise


MEMORY = Bound(unit="MiB", per_hour=1.0, noise=1.0)
TABLES = Bound(unit="MiB", per_hour=1.0, noise=1.0)
FILES = Bound(unit="files", per_hour=2.0, noise=3.0)
