"""How amounts, wallets and words look: on pages and in files. Pure."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final
from urllib.parse import quote

from console.reads.tables import Column, Listing
from console.times import shown_instant
from fleet.money import format_minor

# A spreadsheet takes a text that begins so for a formula.
_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r", "\n")


def money(amount: int | None, currency: str | None) -> str:
    """-1,234.50: minor units with the currency's own decimals, grouped; empty for None."""
    if amount is None or not currency:
        return "" if amount is None else str(amount)
    text = format_minor(int(amount), currency)  # a sum of the database may be a Decimal
    sign, body = ("-", text[1:]) if text.startswith("-") else ("", text)
    whole, point, part = body.partition(".")
    return f"{sign}{int(whole):,}{point}{part}"


def words(name: str) -> str:
    """A name of ours as words: payee_not_ready is "payee not ready"."""
    return name.replace("_", " ")


def hours(tenths: int | None) -> str:
    """Tenths of an hour as people write them: 13 is 1.3."""
    if tenths is None:
        return ""
    sign = "-" if tenths < 0 else ""
    return f"{sign}{abs(tenths) // 10}.{abs(tenths) % 10}"


def csv_lines(listing: Listing, rows: Sequence[Mapping[str, Any]], zone: str) -> Iterator[str]:
    """A CSV file of a list: amounts in major units as numbers, instants in the zone, formulas as texts."""
    yield ",".join(_quoted(column.title) for column in listing.columns) + "\r\n"
    for row in rows:
        yield ",".join(_cell(column, row, zone) for column in listing.columns) + "\r\n"


def _cell(column: Column, row: Mapping[str, Any], zone: str) -> str:
    value = row[column.name]
    if value is None:
        return ""
    if column.kind == "money":
        return format_minor(value, row["currency"])
    if column.kind == "number":
        return str(value)
    if column.kind == "flag":
        return "yes" if value else "no"
    if column.kind == "instant":
        return _quoted(shown_instant(value, zone))
    if column.kind == "date":
        return str(value.isoformat())
    return _quoted(" ".join(map(str, value)) if isinstance(value, list) else str(value))


def _quoted(text: str) -> str:
    """A text in quotes; one that a spreadsheet would compute begins with an apostrophe."""
    guarded = f"'{text}" if text.startswith(_FORMULA) else text
    return '"' + guarded.replace('"', '""') + '"'


def link_of(link: str, row: Mapping[str, Any]) -> str:
    """An address with a row's fields in it, each as one part of the path."""
    return link.format(**{name: quote(str(value), safe="") for name, value in row.items()})


def filled(rows: Sequence[Mapping[str, Any]], names: Sequence[str]) -> list[dict[str, Any]]:
    """The rows with every name: what a row does not have is None."""
    return [{name: row.get(name) for name in (*names, "currency")} for row in rows]
