"""What people may have decided in the console: each act with its form, and whose it is. Pure.

The owning service judges each act by its own rules; this table says who is shown the button and may press.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, Final, Literal

from console.roles import ADMIN, APPROVER, OPERATIONS, PREPARER, Person
from fleet.money import parse_minor

DECIDES: Final = frozenset({PREPARER, APPROVER, ADMIN})
APPROVES: Final = frozenset({APPROVER, ADMIN})
RUNS: Final = frozenset({OPERATIONS, ADMIN, APPROVER})
TEXT_CHARS_MAX: Final = 200
HOURS_MAX: Final = 168


class Unfit(ValueError):
    """A form that cannot be asked: the sentence names the field."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """A field of an act's form, and the parameter that it becomes. An empty optional field becomes none."""

    name: str
    title: str
    kind: Literal["text", "choice", "day", "money", "hours", "tick"] = "text"
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
        Act(name="acknowledge_alert", service="reserves", action="acknowledge_alert", title="Acknowledge",
            roles=RUNS | DECIDES, consequence="Your name and note stand beside it. It ends by itself."),
        Act(name="open_gate", service="reserves", action="open_gate", title="Open the gate", roles=DECIDES,
            fields=(
                Field(name="amount", title="By how much", kind="money", needed=True),
                Field(name="until", title="For how many hours", kind="hours", needed=True),
            ),
            danger=True,
            consequence="So much less stays at Stripe for a time. Above the school's limit a second person "
                        "has to agree."),
        Act(name="approve_opening", service="reserves", action="approve_opening", title="Agree",
            roles=APPROVES, why_needed=False, consequence="The gate is open by this amount until its end."),
        Act(name="close_opening", service="reserves", action="close_opening", title="End it now",
            roles=RUNS | DECIDES, why_needed=False, consequence="What must stay is what it was before."),
        Act(name="accept_break", service="reserves", action="accept", title="Accept", roles=APPROVES,
            fields=(Field(name="wallet", title="Whose money it is (empty: as proposed)"),),
            consequence="What is proposed is done. Above the school's limit two persons have to accept."),
        Act(name="explain_mismatch", service="reserves", action="explain", title="Explain", roles=DECIDES,
            consequence="It counts as explained, with your name and reason, until what differs changes."),
        Act(name="compare_day", service="reserves", action="reconcile", title="Compare again", roles=DECIDES,
            why_needed=False, consequence="The day is compared with what Stripe and the books say now."),
        Act(name="sign_day", service="reserves", action="sign", title="Sign", roles=APPROVES, danger=True,
            consequence="This day and all before it stand from now on: nothing of them changes any more."),
        Act(name="redrive", service=None, action="redrive", title="Send again", roles=RUNS, why_needed=False,
            consequence="The record goes back to its topic and is processed like a new one."),
        Act(name="discard", service=None, action="discard", title="Discard", roles=RUNS, danger=True,
            consequence="The record is closed without being processed. It stays here, with your reason."),
    )
}  # fmt: skip


def allowed(person: Person, *names: str) -> list[Act]:
    """Of these acts, those that this person may ask for, in their order."""
    return [ACTS[name] for name in names if person.has(ACTS[name].roles)]


def act_of(service: str, action: str) -> Act | None:
    """The act by which a service was asked for an action; None when there is none any more."""
    fitting = (act for act in ACTS.values() if act.action == action and act.service in (service, None))
    return next(fitting, None)


def parameters(act: Act, sent: Mapping[str, str], currency: str, now: datetime) -> dict[str, Any]:
    """The parameters that a form's fields become. Raises Unfit for what cannot be asked."""
    found: dict[str, Any] = {}
    for field in act.fields:
        text = sent.get(f"p.{field.name}", "").strip()
        if field.kind == "tick":
            found[field.name] = text == "yes"
        elif text:
            found[field.name] = _read(field, text, currency, now)
        elif field.needed:
            raise Unfit(f"{field.title}: this is needed")
    return found


def _read(field: Field, text: str, currency: str, now: datetime) -> Any:
    if len(text) > TEXT_CHARS_MAX:
        raise Unfit(f"{field.title}: at most {TEXT_CHARS_MAX} characters")
    if field.kind == "choice" and text not in {value for value, _ in field.choices}:
        raise Unfit(f"{field.title}: choose one of the list")
    try:
        if field.kind == "day":
            return date.fromisoformat(text).isoformat()
        if field.kind == "money":
            return parse_minor(text.replace(",", ""), currency)
        if field.kind == "hours":
            return (now + timedelta(hours=_hours(text))).replace(microsecond=0).isoformat()
    except ValueError:
        wanted = {
            "day": "a day such as 2026-05-22",
            "money": f"an amount of {currency} such as 165.50",
            "hours": f"a number of hours such as 4 or 0.5, at most {HOURS_MAX}",
        }
        raise Unfit(f"{field.title}: write {wanted[field.kind]}") from None
    return text


def _hours(text: str) -> float:
    hours = float(text)
    if not 0 < hours <= HOURS_MAX:  # nor for what is no number
        raise ValueError(text)
    return hours
