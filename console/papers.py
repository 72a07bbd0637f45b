"""Documents to print: typeset by Typst from a template of ours and data that is never markup."""

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
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
_LETTER_ZONES: Final = ("America/", "US/", "Canada/")


def typeset(template: str, document: Mapping[str, Any]) -> bytes:
    """The PDF of a template with this document's texts. Takes tenths of a second: not for the event loop."""
    import typst  # 80 MB that no other page needs

    source = (TEMPLATES / f"{template}.typ").read_bytes()
    made: bytes = typst.compile(source, format="pdf", sys_inputs={"document": json.dumps(document)})
    return made


def statement_document(
    school: School, *, wallet: str, month: Month, currency: str, own: bool, whole: "Whole", now: datetime
) -> dict[str, Any]:
    """A statement as the texts of its paper. own: changes nothing, the holder's paper is the office's."""
    found, zone = whole.statement, school.zone

    def amount(minor: int | None) -> str:
        return money(minor, currency)

    def table(titles: Sequence[str], rows: Sequence[Sequence[str]], numbers: Sequence[int]) -> dict[str, Any]:
        wide = "For" if "For" in titles else titles[0]
        return {
            "titles": list(titles),
            "rows": [list(row) for row in rows],
            "numbers": list(numbers),
            "wide": wide,
        }

    def lines(listed: Sequence[Mapping[str, Any]]) -> list[list[str]]:
        return [
            [
                shown_instant(one["occurred_at"], zone),
                words(one["event_type"]),
                source_words(one["source"]),
                amount(one["amount"]),
                amount(one.get("balance")),
            ]
            for one in listed
        ]

    titles = ("Occurred", "Kind", "For", "Amount", "Balance")
    parts = [
        [
            part.day.isoformat(),
            part.flight_id,
            part.aircraft or "",
            part.title,
            hours(part.tenths),
            amount(part.rate),
            amount(part.amount),
        ]
        for part in whole.parts
    ]
    transfers = [
        [
            shown_instant(one["created_at"], zone),
            amount(one["amount"]),
            words(one["state"]),
            shown_instant(one["sent_at"], zone),
            shown_instant(one["in_bank_at"], zone),
        ]
        for one in whole.transfers
    ]
    ages = ("not_due", "days_1_30", "days_31_60", "days_61_90", "over_90", "owed")
    is_issued = month.issued_at <= now
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
        "totals": [[words(kind), amount(sum_)] for kind, sum_ in found.totals.items()],
        "lines": table(titles, lines(found.lines), (3, 4)),
        "parts": table(("Day", "Flight", "Aircraft", "For", "Hours", "Rate", "Amount"), parts, (4, 5, 6)),
        "sums": table(
            ("Together", "Hours", "Amount"),
            [[one.title, hours(one.tenths), amount(one.amount)] for one in whole.sums],
            (1, 2),
        ),
        "year": [[words(one["event_type"]), amount(one["amount"])] for one in whole.year],
        "later": table(titles[:4], [row[:4] for row in lines(found.later)], (3,)),
        "closing_now": amount(found.closing_now),
        "difference": amount(found.closing_now - found.closing),
        "transfers": table(("Made", "Amount", "State", "Sent", "In bank"), transfers, (1,)),
        "ageing": table(
            ("Not due", "1 to 30 days", "31 to 60", "61 to 90", "Over 90", "Owed"),
            [[amount(one[name]) for name in ages] for one in whole.ageing],
            range(6),
        ),
    }
