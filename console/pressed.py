"""What a service's sentence says to type, as what a person finds here. Pure.

Services answer two faces: the command line, and these pages. Their sentences name commands; who reads them
in a browser is told the page, or the button on it. What only the command line has stays as it is.
"""

import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final

from markupsafe import Markup, escape

# The command without its arguments: what it is here, and the page of it where that is always the same.
HERE: Final[Mapping[str, tuple[str, str]]] = {
    "accounts items": ("Open items", "/accounts/items"),
    "adjustments amend": ("Correct it by amounts, on the flight's page", ""),
    "adjustments claw-back": ("Take back at Stripe, on the correction's page", ""),
    "adjustments list": ("Corrections", "/corrections/all"),
    "adjustments settle": ("Settle otherwise, on the correction's page", ""),
    "adjustments show": ("the correction's page", ""),
    "credit allowances": ("Allowances", "/allowances"),
    "credit proposals": ("Limit changes", "/credit/changes"),
    "dead redrive": ("Send again, on the dead letter's page", "/dead"),
    "payments allocate": ("Without a student", "/payments/unallocated"),
    "payments deposits": ("Deposits", "/payments/deposits"),
    "payments link": ("Pay by card or bank account, on the student's page", ""),
    "payments notes": ("Refunds, credits", "/notes"),
    "payments recorded": ("By hand", "/payments/by-hand"),
    "reconcile": ("Reconciliation", "/reconciliation"),
    "reconcile breaks": ("Breaks", "/reconciliation/breaks"),
    "reconcile flights": ("Flights compared", "/reconciliation/flights"),
    "reserve alerts": ("Reserve", "/reserve"),
    "reserve openings": ("Reserve", "/reserve"),
    "transfers cancel": ("Cancel, on the transfer's page,", ""),
    "transfers payees link": ("Make a link to finish the account, on the payee's page", ""),
    "transfers payees unpark": ("Unpark, on the payee's page", "/payees?f.parked=yes"),
}
# The same for who sees their own money only; all else is the office's.
OF_HOLDERS: Final[Mapping[str, tuple[str, str]]] = {
    "payments link": ("Pay, and my card", "/own/card"),
    "transfers payees link": ("Finish my account at Stripe", "/own"),
}
THE_OFFICE: Final = ("the office does that", "")
# What an option says, as its field in a form says it.
OPTIONS: Final = (
    (re.compile(r" \(--why\)"), ""),
    (re.compile(r" \(--wallet\)"), ""),
    (re.compile(r"\(--amount\)"), "(Amount)"),
    (re.compile(r"leave --wallet out"), "leave Whose money it is empty"),
    (re.compile(r"\bor --new-student"), "or tick This student is in no book yet"),
    (re.compile(r"with --checked, after looking at Stripe"), "once somebody looked at Stripe and ticks so"),
)
_ARGUMENT: Final = r"(?: --[a-z-]+(?: [\w:.#-]+)?| [A-Z]{2,}\b| (?=[\w:.#-]*[\d_:])[\w:.#-]*\w)"
_COMMAND: Final = re.compile(rf"`?\bhobbs ({'|'.join(sorted(HERE, key=len, reverse=True))})\b{_ARGUMENT}*`?")
_ANY: Final = re.compile(r"`hobbs [^`]+`|\bhobbs [a-z]+(?: [a-z-]+)*")


def in_words(text: str, *, holder: bool = False) -> str:
    """The sentence as plain text, for a file."""
    return _replaced(text, holder, lambda title, _: title)


def linked(text: str | None, *, holder: bool = False) -> Markup:
    """The sentence for a page: what it names is a link, where it has a page of its own."""
    return Markup(_replaced(str(escape(text or "")), holder, _link))


def for_holder(rows: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Rows with a `sentence` each, said to who sees their own money only."""
    return [{**row, "sentence": in_words(row["sentence"] or "", holder=True) or None} for row in rows]


def _link(title: str, address: str) -> str:
    return f'<a href="{escape(address)}">{escape(title)}</a>' if address else f"<b>{escape(title)}</b>"


def _replaced(text: str, holder: bool, say: Callable[[str, str], str]) -> str:
    for option, field in OPTIONS:
        text = option.sub(field, text)
    if not holder:
        return _COMMAND.sub(lambda found: say(*HERE[found[1]]), text)
    text = _COMMAND.sub(lambda found: say(*OF_HOLDERS.get(found[1], THE_OFFICE)), text)
    return _ANY.sub(lambda _: say(*THE_OFFICE), text)
