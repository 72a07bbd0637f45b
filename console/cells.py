"""The rows of a list as HTML: written here, as a template takes five times as long for each cell. Pure."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final
from urllib.parse import quote

from markupsafe import Markup, escape

from console.cards import says
from console.pressed import linked
from console.reads.school import School
from console.reads.tables import Column, Kind, Listing
from console.shown import link_of, way_of
from console.times import shown_instant
from console.wording import hours, money, source_words, words

NOTHING: Final = Markup('<span class="nothing">–</span>')  # a narrow screen leaves the line out
FIRST_YEAR: Final = 1900

Row = Mapping[str, Any]


def rows(listing: Listing, found: Sequence[Row], school: School) -> Markup:
    """The rows of a list's table, by its columns; an amount leads to what it consists of."""
    columns = [column for column in listing.columns if not column.export_only]
    begins = [
        Markup('<td class="kind-{}" data-title="{}">').format(column.kind, column.title) for column in columns
    ]
    parts: list[str] = []
    for row in found:
        thing = way_of(listing, row)
        parts.append("<tr>\n")
        for column, begin in zip(columns, begins, strict=True):
            parts += (begin, cell(column, row, school, thing), "</td>")
        parts.append("\n</tr>\n")
    return Markup("".join(parts))


def cell(column: Column, row: Row, school: School, thing: str | None = None) -> str:
    """What a column says of a row, with its link. thing: where an amount leads whose column has no link."""
    value = row[column.name]
    if value is None or value == "":
        return NOTHING
    href = link_of(column.link, row) if column.link else thing if column.kind == "money" else None
    if column.kind == "wallet":
        return wallet(column.of + value, school, href)
    says_it = _SAYS.get(column.kind)
    text = says_it(row, value, school) if says_it else escape(value)
    return f'<a href="{escape(href)}">{text}</a>' if href else text


def wallet(address: str | None, school: School, href: str | None = None) -> Markup:
    """A wallet by its holder's name, where it has one, above its address; empty for none."""
    if not address:
        return Markup()
    name, shown = school.people.get(address), escape(address)
    text = f'{escape(name)}<small class="address">{shown}</small>' if name else shown
    return Markup(f'<a href="{escape(href or "/wallets/" + quote(address, safe=""))}">{text}</a>')


def amount(minor: int | None, currency: str | None) -> Markup:
    """An amount of money, marked where it is below zero; empty for None."""
    if minor is None:
        return Markup()
    return Markup(
        f'<span class="money{" minus" if minor < 0 else ""}">{escape(money(minor, currency))}</span>'
    )


def _money(row: Row, value: int, school: School) -> str:
    currency = row["currency"]
    other = f" <small>{escape(currency)}</small>" if currency and currency != school.currency else ""
    return f"{amount(value, currency)}{other}"


def _instant(row: Row, value: Any, school: School) -> str:
    return f'<time datetime="{value.isoformat()}">{shown_instant(value, school.zone)}</time>'


def badge(state: Any) -> Markup:
    """A state as words, in the colour of its kind; empty for none."""
    if state is None or state == "":
        return Markup()
    kind = str(state).replace("_", "-").lower().replace(" ", "-")
    return Markup(f'<span class="state state-{escape(kind)}">{escape(words(str(state)))}</span>')


def day(value: Any) -> str:
    """A day; the first one that a card can have stands for all of the past."""
    return "the beginning" if value.year <= FIRST_YEAR else str(value)


def _who(row: Row, value: str, school: School) -> str:
    login = f'<small class="address">{escape(row["login"])}</small>' if row["login"] else ""
    return f"<span>{escape(value)}{login}</span>"


def _list(row: Row, value: Sequence[str], school: School) -> str:
    return escape(", ".join(map(source_words, value)))


def _card(row: Row, value: Mapping[str, Any], school: School) -> str:
    return escape(says(row["kind"], value, row["currency"])) or NOTHING


_SAYS: Final[Mapping[Kind, Callable[[Row, Any, School], str]]] = {
    "money": _money,
    "instant": _instant,
    "state": lambda row, value, school: badge(value),
    "who": _who,
    "flag": lambda row, value, school: "yes" if value else "no",
    "hours": lambda row, value, school: hours(value),
    "date": lambda row, value, school: day(value),
    "source": lambda row, value, school: escape(source_words(value)),
    "card": _card,
    "list": _list,
    "long": lambda row, value, school: linked(value),
}
