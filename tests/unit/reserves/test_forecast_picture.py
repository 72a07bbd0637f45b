"""The forecast as a picture: well-formed, says what is short, shades when."""

from datetime import timedelta
from xml.etree import ElementTree
from zoneinfo import ZoneInfo

import pytest

from hobbs.commands.reserve_picture import drawn
from services.reserves.desk.reads.forecast import Looked
from services.reserves.domain.forecast import HOURS, Coming, forecast
from tests.unit.reserves.test_forecast import FRIDAY, due, hours

SVG = "{http://www.w3.org/2000/svg}"


def picture(free: int, *amounts: int) -> ElementTree.Element:
    looked = Looked(
        currency="USD",
        zone=ZoneInfo("America/Denver"),
        minimum=5_000,
        free=free,
        read_at=FRIDAY,
        usual={},
        after=timedelta(),
        others=0,
        others_amount=0,
        ahead=forecast(
            FRIDAY,
            free,
            5_000,
            [Coming(at=hours(30), amount=9_000)],
            [due(f"d{n}", amount, after=24) for n, amount in enumerate(amounts)],
        ),
    )
    return ElementTree.fromstring(drawn(looked))


def shaded(drawing: ElementTree.Element) -> int:
    return sum(1 for box in drawing.iter(f"{SVG}rect") if box.get("fill-opacity"))


def test_a_shortage_is_named_in_the_school_s_time_and_shaded_hour_by_hour() -> None:
    drawing = picture(8_000, 4_000)
    assert drawing.findtext(f"{SVG}title") == "The next 14 days: 10.00 USD short from Sat 23 May 06:00"
    assert shaded(drawing) == 6
    free, after_all = (line.get("points", "").split() for line in drawing.iter(f"{SVG}polyline"))
    assert len(free) == len(after_all) == 2 * HOURS


def test_without_a_shortage_nothing_is_shaded() -> None:
    drawing = picture(30_000, 4_000)
    assert drawing.findtext(f"{SVG}title") == "The next 14 days, USD: nothing is short"
    assert shaded(drawing) == 0


@pytest.mark.parametrize("free", [5_000, 1, -3, 10**15, -(10**15)])
def test_every_amount_stays_on_the_paper(free: int) -> None:
    drawing = picture(free, 1)
    heights = [float(line.get("y1", "0")) for line in drawing.iter(f"{SVG}line")]
    assert all(39 <= height <= 351 for height in heights)
    assert len([text for text in drawing.iter(f"{SVG}text") if text.get("text-anchor") == "end"]) <= 8
