"""The forecast of the reserve as a picture: what is free, what must stay, what waits, hour by hour. SVG."""

from collections.abc import Sequence
from typing import Final
from xml.sax.saxutils import escape

from fleet.money import format_minor
from services.reserves.desk.reads.forecast import Looked

WIDTH, HEIGHT = 960, 400
LEFT, RIGHT, TOP, BOTTOM = 110, 20, 40, 50
FREE, STAYS, SHORT, TEXT, GRID = "#1f6feb", "#6b7280", "#d1242f", "#1f2328", "#d0d7de"
TICKS: Final = 5


def drawn(looked: Looked) -> str:
    """The picture: a line for what is free, a dashed one for what must stay, red where something is short."""
    hours = looked.ahead.hours
    after_all = [hour.free - hour.waiting for hour in hours]
    low, high = _bounds([*(hour.free for hour in hours), *after_all, looked.minimum, 0])
    parts = [*_grid(looked, low, high), *_days(looked)]
    for number, hour in enumerate(hours):
        if hour.short:
            x, wide = _x(number, len(hours)), _x(1, len(hours)) - LEFT
            parts.append(
                f'<rect x="{x:.1f}" y="{TOP}" width="{wide:.1f}" height="{HEIGHT - TOP - BOTTOM}" '
                f'fill="{SHORT}" fill-opacity="0.12"/>'
            )
    stays = _y(looked.minimum, low, high)
    parts += [
        f'<line x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{stays:.1f}" y2="{stays:.1f}" stroke="{STAYS}" '
        'stroke-width="2" stroke-dasharray="6 4"/>',
        _steps(after_all, low, high, SHORT),
        _steps([hour.free for hour in hours], low, high, FREE),
        _text(LEFT, 24, _title(looked), size=15),
        _text(
            LEFT,
            HEIGHT - 12,
            "blue: free at Stripe; red: if all that waits went; dashed: must stay; shaded: too little",
            size=12,
        ),
    ]
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" '
        'font-family="system-ui, sans-serif">'
        f"<title>{escape(_title(looked))}</title>"
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="white"/>' + "".join(parts) + "</svg>\n"
    )


def _title(looked: Looked) -> str:
    ahead = looked.ahead
    if ahead.top_up_by is None:
        return f"The next 14 days, {looked.currency}: nothing is short"
    by = ahead.top_up_by.astimezone(looked.zone)
    most = format_minor(ahead.top_up, looked.currency)
    return f"The next 14 days: {most} {looked.currency} short from {by:%a %d %b %H:%M}"


def _bounds(amounts: Sequence[int]) -> tuple[int, int]:
    """The lowest and the highest line of the grid: whole steps."""
    step = _step(min(amounts), max(amounts))
    return min(amounts) // step * step, (max(amounts) // step + 1) * step


def _step(low: int, high: int) -> int:
    """1, 2 or 5 with zeros, so that there are at most as many lines as `TICKS`, and one or two more."""
    step = 1
    while (high - low) // step > TICKS:
        step = step * 5 // 2 if str(step)[0] == "2" else step * 2
    return step


def _x(hour: int, hours: int) -> float:
    return LEFT + hour * (WIDTH - LEFT - RIGHT) / hours


def _y(amount: float, low: int, high: int) -> float:
    return TOP + (high - amount) * (HEIGHT - TOP - BOTTOM) / (high - low)


def _steps(amounts: Sequence[int], low: int, high: int, colour: str) -> str:
    points = []
    for number, amount in enumerate(amounts):
        points += [
            f"{_x(number, len(amounts)):.1f},{_y(amount, low, high):.1f}",
            f"{_x(number + 1, len(amounts)):.1f},{_y(amount, low, high):.1f}",
        ]
    return f'<polyline points="{" ".join(points)}" fill="none" stroke="{colour}" stroke-width="2.5"/>'


def _grid(looked: Looked, low: int, high: int) -> list[str]:
    parts, step = list[str](), _step(low, high)
    for amount in range(low, high + 1, step):
        y = _y(amount, low, high)
        parts += [
            f'<line x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y:.1f}" y2="{y:.1f}" stroke="{GRID}"/>',
            _text(LEFT - 8, y + 4, format_minor(amount, looked.currency), size=12, anchor="end"),
        ]
    return parts


def _days(looked: Looked) -> list[str]:
    """A line and a date at each midnight there; every second date, so that they do not touch."""
    hours, parts = looked.ahead.hours, list[str]()
    days = [number for number, hour in enumerate(hours) if hour.at.astimezone(looked.zone).hour == 0]
    for count, number in enumerate(days):
        x = _x(number, len(hours))
        parts.append(f'<line x1="{x:.1f}" x2="{x:.1f}" y1="{TOP}" y2="{HEIGHT - BOTTOM}" stroke="{GRID}"/>')
        if count % 2 == 0:
            local = hours[number].at.astimezone(looked.zone)
            parts.append(_text(x, HEIGHT - BOTTOM + 18, f"{local:%a %d %b}", size=12, anchor="middle"))
    return parts


def _text(x: float, y: float, words: str, *, size: int, anchor: str = "start") -> str:
    return (
        f'<text x="{x:.1f}" y="{y:.1f}" font-size="{size}" fill="{TEXT}" text-anchor="{anchor}">'
        f"{escape(words)}</text>"
    )
