"""What a list's rows look like in files, and addresses made of a row's fields. Pure."""

from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from string import Formatter
from typing import Any, Final
from urllib.parse import quote

from console import pressed
from console.cards import says
from console.reads.tables import Column, Listing
from console.times import shown_instant
from console.wording import hours
from fleet.money import format_minor

THINGS: Final = ("adjustment", "source", "setting", "what", "wallet")  # what a row of effects is about
# A spreadsheet takes a text that begins so for a formula.
_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r", "\n")


def csv_lines(listing: Listing, rows: Sequence[Mapping[str, Any]], zone: str) -> Iterator[str]:
    """A CSV file of a list: amounts in major units as numbers, instants in the zone, formulas as texts."""
    columns = listing.in_files
    yield ",".join(_quoted(column.title) for column in columns) + "\r\n"
    for row in rows:
        yield ",".join(_cell(column, row, zone) for column in columns) + "\r\n"


def _cell(column: Column, row: Mapping[str, Any], zone: str) -> str:
    value = row[column.name]
    if value is None:
        return ""
    if column.kind == "money":
        return format_minor(value, row["currency"])
    if column.kind == "number":
        return str(value)
    if column.kind == "hours":
        return hours(value)
    if column.kind in ("flag", "date"):
        return in_words(column, row, zone)
    return _quoted(in_words(column, row, zone))


def in_words(column: Column, row: Mapping[str, Any], zone: str) -> str:
    """A cell that is no number, as text."""
    value = row[column.name]
    if column.kind == "flag":
        return "yes" if value else "no"
    if column.kind == "instant":
        return shown_instant(value, zone)
    if column.kind == "date":
        return str(value.isoformat())
    if column.kind == "long":
        return pressed.in_words(str(value))
    if column.kind == "card":
        return says(row["kind"], value, row["currency"])
    return " ".join(map(str, value)) if isinstance(value, list) else str(value)


def _quoted(text: str) -> str:
    """A text in quotes; one that a spreadsheet would compute begins with an apostrophe."""
    guarded = f"'{text}" if text.startswith(_FORMULA) else text
    return '"' + guarded.replace('"', '""') + '"'


def link_of(link: str, row: Mapping[str, Any]) -> str:
    """An address with a row's fields in it, each as one part of the path."""
    return link.format(**{name: quote(str(row[name]), safe="") for name in _names_in(link)})


def way_of(listing: Listing, row: Mapping[str, Any]) -> str | None:
    """Where an amount of a row leads whose column leads nowhere by itself: to what the row is of."""
    link = listing.thing
    if link is None or any(row[name] is None for name in _names_in(link)):
        return None
    return link_of(link, row)


@lru_cache(maxsize=256)
def _names_in(link: str) -> tuple[str, ...]:
    return tuple(name for _, name, _, _ in Formatter().parse(link) if name)


def alike(rows: Sequence[Mapping[str, Any]]) -> list[list[Mapping[str, Any]]]:
    """What follows from a decision, in a table for each kind of thing that it happens to."""
    kinds: dict[str, list[Mapping[str, Any]]] = {}
    for row in rows:
        kinds.setdefault(next((name for name in THINGS if name in row), ""), []).append(row)
    return list(kinds.values())


def filled(rows: Sequence[Mapping[str, Any]], names: Sequence[str]) -> list[dict[str, Any]]:
    """The rows with every name: what a row does not have is None."""
    return [{name: row.get(name) for name in (*names, "currency")} for row in rows]
