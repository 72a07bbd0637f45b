"""What people may have decided in the console: each act with its form, and whose it is. Pure.

The owning service judges each act by its own rules; this table says who is shown the button and may press.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Final, Literal

from console.roles import ADMIN, APPROVER, OPERATIONS, PREPARER, Person
from fleet.money import parse_minor

DECIDES: Final = frozenset({PREPARER, APPROVER, ADMIN})
APPROVES: Final = frozenset({APPROVER, ADMIN})
RUNS: Final = frozenset({OPERATIONS, ADMIN, APPROVER})
TEXT_CHARS_MAX: Final = 200


class Unfit(ValueError):
    """A form that cannot be asked: the sentence names the field."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """A field of an act's form, and the parameter that it becomes. An empty optional field becomes none."""

    name: str
    title: str
    kind: Literal["text", "choice", "day", "money", "tick"] = "text"
    choices: Sequence[tuple[str, str]] = ()
    needed: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Act:
    """One thing that a person may ask a service for. `service` None: the one that the form names."""

    name: str
    service: str | None
    action: str
    title: str
    consequence: str
    roles: frozenset[str]
    fields: Sequence[Field] = ()
    why_needed: bool = True
    danger: bool = False


_CHECKED: Final = Field(
    name="checked", title="I looked at Stripe and vouch that it is not there", kind="tick"
)
_STUDENT: Final = Field(name="student", title="Student's id", needed=True)
_NEW_STUDENT: Final = Field(name="new_student", title="This student is in no book yet", kind="tick")
_METHODS: Final = (
    ("manual_check", "by cheque or transfer outside Stripe"),
    ("forgiven", "forgiven: the school bears it"),
    ("written_off", "written off: it will not be paid"),
    ("refund", "refunded to the card"),
)

ACTS: Final[Mapping[str, Act]] = {
    act.name: act
    for act in (
        Act(name="release", service="payouts", action="release", title="Release", roles=RUNS,
            consequence="It is sent although its hold period runs or its payee's account changed."),
        Act(name="retry", service="payouts", action="retry", title="Retry", roles=RUNS, fields=(_CHECKED,),
            consequence="A refused transfer is sent again; a parked one is looked up at Stripe again."),
        Act(name="cancel", service="payouts", action="cancel", title="Cancel", roles=RUNS,
            fields=(_CHECKED,), danger=True,
            consequence="It is given up. The payee is owed the money until a correction says not."),
        Act(name="unpark", service="payouts", action="unpark", title="Unpark", roles=RUNS,
            fields=(_CHECKED,), consequence="What is parked of this payee is tried again."),
        Act(name="close_movement", service="payouts", action="close_movement", title="Close", roles=DECIDES,
            consequence="The row counts as explained by you. Post what the books lack first."),
        Act(name="approve", service="adjustments", action="approve", title="Approve", roles=APPROVES,
            why_needed=False, consequence="It is posted, and the money follows."),
        Act(name="reject", service="adjustments", action="reject", title="Reject", roles=APPROVES,
            danger=True, consequence="Nothing moves. The correction stays in the flight's history."),
        Act(name="settle", service="adjustments", action="settle", title="Settle otherwise", roles=DECIDES,
            fields=(
                Field(name="wallet", title="Whose", needed=True),
                Field(name="method", title="How", kind="choice", choices=_METHODS, needed=True),
                Field(name="amount", title="Only this much (empty: all of it)", kind="money"),
                Field(name="number", title="Number of the cheque"),
                Field(name="paid_on", title="Paid on", kind="day"),
                Field(name="to_or_from", title="Cheque", kind="choice",
                      choices=(("to", "from the school to them"), ("from", "from them to the school"))),
            ),
            consequence="The way of settling that was chosen before is replaced."),
        Act(name="claw_back", service="adjustments", action="claw_back", title="Take back at Stripe",
            roles=APPROVES, fields=(Field(name="wallet", title="Whose", needed=True),), danger=True,
            consequence="Money is taken back from the payee's Stripe balance now."),
        Act(name="allocate", service="receivables", action="allocate", title="Give to a student",
            roles=DECIDES, fields=(_STUDENT, _NEW_STUDENT), why_needed=False,
            consequence="The payment is on this student's account."),
        Act(name="move", service="receivables", action="move", title="Move to another student",
            roles=DECIDES, fields=(_STUDENT, _NEW_STUDENT),
            consequence="The payment leaves the one student's account and is on the other's."),
        Act(name="redrive", service=None, action="redrive", title="Send again", roles=RUNS, why_needed=False,
            consequence="The record goes back to its topic and is processed like a new one."),
        Act(name="discard", service=None, action="discard", title="Discard", roles=RUNS, danger=True,
            consequence="The record is closed without being processed. It stays here, with your reason."),
    )
}  # fmt: skip


def allowed(person: Person, *names: str) -> list[Act]:
    """Of these acts, those that this person may ask for, in their order."""
    return [ACTS[name] for name in names if person.has(ACTS[name].roles)]


def parameters(act: Act, sent: Mapping[str, str], currency: str) -> dict[str, Any]:
    """The parameters that a form's fields become. Raises Unfit for what cannot be asked."""
    found: dict[str, Any] = {}
    for field in act.fields:
        text = sent.get(f"p.{field.name}", "").strip()
        if field.kind == "tick":
            found[field.name] = text == "yes"
        elif text:
            found[field.name] = _read(field, text, currency)
        elif field.needed:
            raise Unfit(f"{field.title}: this is needed")
    return found


def _read(field: Field, text: str, currency: str) -> Any:
    if len(text) > TEXT_CHARS_MAX:
        raise Unfit(f"{field.title}: at most {TEXT_CHARS_MAX} characters")
    if field.kind == "choice" and text not in {value for value, _ in field.choices}:
        raise Unfit(f"{field.title}: choose one of the list")
    try:
        if field.kind == "day":
            return date.fromisoformat(text).isoformat()
        if field.kind == "money":
            return parse_minor(text.replace(",", ""), currency)
    except ValueError:
        what = (
            "a day such as 2026-05-22" if field.kind == "day" else f"an amount of {currency} such as 165.50"
        )
        raise Unfit(f"{field.title}: write {what}") from None
    return text
