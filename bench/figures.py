"""Figures with their units, limits and baselines, as a table, JSON and a chart."""

import json
import os
import platform
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import pygal
from rich.console import Console
from rich.table import Table

_MET, _MISSED = "#4c8c6b", "#c0504d"


@dataclass(frozen=True, slots=True, kw_only=True)
class Limit:
    """The figure must be at least (or at most) this, in the figure's unit; `source` says whose it is."""

    at_least: float | None = None
    at_most: float | None = None

    def holds(self, value: float) -> bool:
        above = self.at_least is None or value >= self.at_least
        return above and (self.at_most is None or value <= self.at_most)

    def __str__(self) -> str:
        return f"≥ {number(self.at_least)}" if self.at_least is not None else f"≤ {number(self.at_most or 0)}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """One measured number. `baseline` is measured in the same run and unit; `note` says how."""

    name: str
    value: float
    unit: str
    limit: Limit | None = None
    baseline: tuple[str, float] | None = None
    note: str = ""

    @property
    def met(self) -> bool | None:
        return None if self.limit is None else self.limit.holds(self.value)


def at_least(value: float) -> Limit:
    return Limit(at_least=value)


def at_most(value: float) -> Limit:
    return Limit(at_most=value)


def number(value: float) -> str:
    """The number with three significant digits; measurements on two shared cores are no more exact."""
    if value >= 1000:
        return f"{round(value, -1):,.0f}" if value < 100_000 else f"{round(value, -3):,.0f}"
    return f"{value:.3g}"


_COLUMNS = ("what", "measured", "unit", "limit", "met", "baseline of the same run", "how")


def cells(figure: Figure) -> tuple[str, ...]:
    """The table cells of a figure."""
    return (
        figure.name,
        number(figure.value),
        figure.unit,
        str(figure.limit) if figure.limit else "",
        {True: "yes", False: "NO", None: ""}[figure.met],
        f"{figure.baseline[0]}: {number(figure.baseline[1])}" if figure.baseline else "",
        figure.note,
    )


def table(figures: Iterable[Figure], title: str) -> Table:
    shown = Table(title=title, title_justify="left")
    for column in _COLUMNS:
        shown.add_column(column, justify="right" if column in ("measured", "limit") else "left")
    for figure in figures:
        shown.add_row(*cells(figure), style="bold" if figure.met is False else None)
    return shown


def markdown(figures: Iterable[Figure]) -> str:
    """The table as docs/performance.md has it."""
    rows = [_COLUMNS, ("---",) * len(_COLUMNS), *map(cells, figures)]
    return "".join(f"| {' | '.join(row)} |\n" for row in rows)


def show(figures: Sequence[Figure], title: str) -> None:
    console = Console(width=None if os.isatty(1) else 190)
    console.print(table(figures, title))


def machine() -> dict[str, str | int | float]:
    """The machine that the figures were measured on."""
    model = next(
        (
            line.partition(":")[2].strip()
            for line in Path("/proc/cpuinfo").read_text().splitlines()
            if line.startswith("model name")
        ),
        platform.processor(),
    )
    return {
        "processor": model,
        "cores": len(os.sched_getaffinity(0)),
        "memory_gib": round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30, 1),
        "python": platform.python_version(),
        "system": platform.platform(),
        "load_at_start": round(os.getloadavg()[0], 2),
    }


def write(folder: Path, found: Mapping[str, Sequence[Figure]], facts: Mapping[str, Any]) -> None:
    """Write bench.json, bench.md and bench.svg under `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    document = {
        **facts,
        "measurements": {
            name: [{**asdict(figure), "met": figure.met} for figure in figures]
            for name, figures in found.items()
        },
    }
    (folder / "bench.json").write_text(json.dumps(document, indent=2, ensure_ascii=False) + "\n")
    everything = [figure for figures in found.values() for figure in figures]
    (folder / "bench.md").write_text(markdown(everything))
    chart(everything, facts).render_to_file(str(folder / "bench.svg"))


def chart(figures: Sequence[Figure], facts: Mapping[str, Any]) -> pygal.HorizontalBar:
    """A chart of each figure that has a limit, as a multiple of the limit: 1 or more meets it."""
    judged = [figure for figure in figures if figure.limit is not None and figure.value > 0]
    bars = pygal.HorizontalBar(
        title=f"Headroom: measured against the limit ({facts['machine']['cores']} cores, {facts['date']})",
        x_title="times as good as the limit (1 = just met)",
        show_legend=False,
        print_values=True,
        height=120 + 34 * len(judged),
        width=1100,
        truncate_label=60,
        js=(),
    )
    bars.x_labels = [figure.name for figure in judged]
    bars.add("headroom", [_bar(figure) for figure in judged])
    return bars


def _bar(figure: Figure) -> dict[str, Any]:
    return {"value": round(headroom(figure), 2), "color": _MET if figure.met else _MISSED}


def headroom(figure: Figure) -> float:
    assert figure.limit is not None
    if figure.limit.at_least is not None:
        return figure.value / figure.limit.at_least
    return (figure.limit.at_most or 0) / figure.value
