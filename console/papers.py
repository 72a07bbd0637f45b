"""Documents to print: typeset by Typst from a template of ours and data that is never markup."""

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from console.reads.school import School
from console.statements import Month
from console.times import shown_instant
from console.wording import hours, money, source_words, words

if TYPE_CHECKING:
    from console.pages.statements import Whole

TEMPLATES: Final = Path(__file__).parent / "templates"
A4, LETTER = "a4", "us-letter"
# What is owed by age, with how each is called.
AGES: Final[Mapping[str, str]] = {
    "not_due": "Not due",
    "days_1_30": "1 to 30 days",
    "days_31_60": "31 to 60",
    "days_61_90": "61 to 90",
    "over_90": "Over 90",
    "owed": "Owed",
}
_LETTER_ZONES: Final = ("America/", "US/", "Canada/")


def typeset(template: str, document: Mapping[str, Any]) -> bytes:
    """The PDF of a template with this document's texts. Takes tenths of a second: not for the event loop."""
    import typst  # 80 MB that no other page needs

    source = (TEMPLATES / f"{template}.typ").read_bytes()
    made: bytes = typst.compile(source, format="pdf", sys_inputs={"document": json.dumps(document)})
    return made


def statement_document(
    school: School, *, wallet: str, month: Month, currency: str, whole: "Whole", now: datetime
) -> dict[str, Any]:
    """A statement as the texts of its paper: the holder's is the office's."""
    found, zone = whole.statement, school.zone
    is_issued = month.issued_at <= now
    amount = partial(money, currency=currency)
    return {
        "paper": LETTER if zone.startswith(_LETTER_ZONES) else A4,
        "school": school.name,
        "holder": school.people.get(wallet, wallet),
        "wallet": wallet,
        "month": month.name,
        "number": found.number,
        "currency": currency,
        "issued": f"issued {shown_instant(month.issued_at, zone)}" if is_issued else "not issued yet: so far",
        "kept": whole.issued["content_hash"] if whole.issued and not whole.changed else "",
        "zone": zone,
        "now": shown_instant(now, zone),
        "opening": amount(found.opening),
        "closing": amount(found.closing),
        "totals": [[words(kind), amount(total)] for kind, total in found.totals.items()],
        "year": [[words(one["event_type"]), amount(one["amount"])] for one in whole.year],
        "closing_now": amount(found.closing_now),
        "difference": amount(found.closing_now - found.closing),
        **_tables(whole, currency, zone),
    }


def _tables(whole: "Whole", currency: str, zone: str) -> dict[str, Any]:
    amount, at = partial(money, currency=currency), partial(shown_instant, zone=zone)
    lines = [_line(one, currency, zone) for one in whole.statement.lines]
    later = [_line(one, currency, zone)[:4] for one in whole.statement.later]
    parts = [
        [part.day.isoformat(), part.flight_id, part.aircraft or "", part.title, hours(part.tenths),
         amount(part.rate), amount(part.amount)]
        for part in whole.parts
    ]  # fmt: skip
    sums = [[one.title, hours(one.tenths), amount(one.amount)] for one in whole.sums]
    transfers = [
        [at(one["created_at"]), amount(one["amount"]), words(one["state"]), at(one["sent_at"]),
         at(one["in_bank_at"])]
        for one in whole.transfers
    ]  # fmt: skip
    ages = [[amount(one[name]) for name in AGES] for one in whole.ageing]
    return {
        "lines": _table(("Occurred", "Kind", "For", "Amount", "Balance"), lines, (3, 4)),
        "later": _table(("Occurred", "Kind", "For", "Amount"), later, (3,)),
        "parts": _table(("Day", "Flight", "Aircraft", "For", "Hours", "Rate", "Amount"), parts, (4, 5, 6)),
        "sums": _table(("Together", "Hours", "Amount"), sums, (1, 2)),
        "transfers": _table(("Made", "Amount", "State", "Sent", "In bank"), transfers, (1,)),
        "ageing": _table(tuple(AGES.values()), ages, range(len(AGES))),
    }


def _line(one: Mapping[str, Any], currency: str, zone: str) -> list[str]:
    return [
        shown_instant(one["occurred_at"], zone),
        words(one["event_type"]),
        source_words(one["source"]),
        money(one["amount"], currency),
        money(one.get("balance"), currency),
    ]


def _table(titles: Sequence[str], rows: Sequence[Sequence[str]], numbers: Sequence[int]) -> dict[str, Any]:
    """numbers: the columns that stand to the right. The column of causes is the wide one."""
    wide = "For" if "For" in titles else titles[0]
    return {"titles": list(titles), "rows": list(rows), "numbers": list(numbers), "wide": wide}
