"""What people may have decided in the console: each act with its form, and whose it is. Pure.

The owning service judges each act by its own rules; this table says who is shown the button and may press.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from console.forms import Act, Field
from console.roles import ADMIN, APPROVER, INSTRUCTOR, OPERATIONS, OWNER, PREPARER, STUDENT, Person
from services.receivables.domain.account_notes import WAYS
from services.receivables.domain.auto_charges import DAY_MOST

DECIDES: Final = frozenset({PREPARER, APPROVER, ADMIN})
APPROVES: Final = frozenset({APPROVER, ADMIN})
RUNS: Final = frozenset({OPERATIONS, ADMIN, APPROVER})


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

_BACK: Final = tuple(WAYS.items())
_SECOND: Final = "Above the school's amount a second person has to agree."
_SO_MUCH: Final = Field(name="amount", title="Amount (empty: all that is open of it)", kind="money")
_BY_HAND: Final = (("cash", "cash"), ("cheque", "cheque"), ("bank_transfer", "bank transfer"))
_MOST: Final = (
    Field(name="most", title="At most each time", kind="money", needed=True),
    Field(name="most_a_day", title="At most a day (empty: the same)", kind="money"),
)
# When a saved card is charged by itself: the occasion, its title, what follows, and its fields.
_OCCASIONS: Final[Sequence[tuple[str, str, str, Sequence[Field]]]] = (
    ("each_flight", "Charge after each flight", "What is owed is charged after each flight.", _MOST),
    (
        "threshold",
        "Charge once so much is owed",
        "What is owed is charged as soon as it is this much.",
        (Field(name="threshold", title="From what is owed on", kind="money", needed=True), *_MOST),
    ),
    (
        "day",
        "Charge on a day of each month",
        "What is owed then is charged on this day of each month.",
        (Field(name="day", title=f"Day of the month, 1 to {DAY_MOST}", kind="number", needed=True), *_MOST),
    ),
    ("off", "Charge nothing by itself", "The card stays saved, and nothing is charged by itself.", ()),
)


def _charging(*, own: bool) -> list[Act]:
    """A student's choice of when the saved card is charged: by the office, or by themselves."""
    return [
        Act(
            name=f"{'own' if own else 'charge'}_{occasion}",
            service="receivables",
            action="choose_charges",
            title=title,
            consequence=f"{consequence} Nothing but what is owed is ever charged.",
            roles=frozenset({STUDENT}) if own else DECIDES,
            fields=fields,
            why_needed=False,
            # What is never charged has a largest charge as well.
            fixed={"occasion": occasion, **({} if fields else {"most": 1})},
            own=_key_of if own else None,
        )
        for occasion, title, consequence, fields in _OCCASIONS
    ]


def _pages(*, own: bool) -> list[Act]:
    """A page of Stripe's where a student saves a card or pays: for the office to send, or for themselves."""
    good = "It is good for a day." if own else "It is good for a day; send it to this student only."
    common: dict[str, Any] = {
        "service": "payouts",
        "action": "student_link",
        "roles": frozenset({STUDENT}) if own else DECIDES,
        "why_needed": False,
        "currency": True,
        "own": str if own else None,
    }
    name = "own" if own else "link"
    amount = Field(name="amount", title="Amount to pay", kind="money", needed=True)
    return [
        Act(name=f"{name}_card", title="Save a card or bank account",
            consequence=f"Stripe makes a page where one is saved. No card's number comes to us. {good}",
            **common),
        Act(name=f"{name}_payment", title="Pay by card or bank account", fields=(amount,),
            consequence=f"Stripe makes a page where this amount is paid. {good}", **common),
    ]  # fmt: skip


def _key_of(wallet: str) -> str:
    return wallet.partition(":")[2]


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
        Act(name="record_payment", service="receivables", action="record_payment",
            title="Record cash, a cheque or a transfer", roles=DECIDES, why_needed=False,
            fields=(
                Field(name="method", title="How it came", kind="choice", choices=_BY_HAND, needed=True),
                Field(name="number", title="Number of receipt or cheque, or the bank's", needed=True),
                Field(name="paid_on", title="Day", kind="day", needed=True),
                Field(name="amount", title="Amount", kind="money", needed=True),
            ),
            consequence="It is on the student's account, a cheque by the book once it is cleared. Above the "
                        "school's amount a second person has to agree."),
        Act(name="approve_payment", service="receivables", action="approve_payment", title="Agree",
            roles=APPROVES, why_needed=False, consequence="The payment counts as it was recorded."),
        Act(name="clear_cheque", service="receivables", action="clear_cheque", title="The bank paid it",
            roles=DECIDES, why_needed=False, consequence="The cheque counts as paid from now on."),
        Act(name="bounce_cheque", service="receivables", action="bounce_cheque",
            title="The bank returned it", roles=DECIDES, danger=True,
            consequence="What the cheque paid is owed again, and the student is told."),
        Act(name="revert_payment", service="receivables", action="revert_payment",
            title="Revert a mistake", roles=DECIDES, danger=True,
            consequence="The opposite is posted. Its number may be recorded again."),
        Act(name="refund_credit", service="receivables", action="refund_credit",
            title="Give back what is overpaid", roles=DECIDES, danger=True,
            fields=(
                Field(name="amount", title="Amount", kind="money", needed=True),
                Field(name="way", title="How it goes back", kind="choice", choices=_BACK, needed=True),
                Field(name="number", title="Number of receipt or cheque, or the bank's; not by card"),
                Field(name="paid_on", title="Day; not by card", kind="day"),
            ),
            consequence="Never more than the student has paid ahead. By card Stripe gives it back, the "
                        f"newest payment first. {_SECOND}"),
        Act(name="credit_bill", service="receivables", action="credit_bill", title="Credit a bill",
            roles=DECIDES, about="Flight's id", fields=(_SO_MUCH,),
            consequence=f"The student owes so much less for this flight, and the school bears it. {_SECOND}"),
        Act(name="write_off_bill", service="receivables", action="write_off_bill", title="Write a bill off",
            roles=DECIDES, danger=True, about="Flight's id", fields=(_SO_MUCH,),
            consequence=f"What is open of this flight will not be paid, and the school bears it. {_SECOND}"),
        Act(name="approve_note", service="receivables", action="approve_note", title="Agree",
            roles=APPROVES, why_needed=False, consequence="It is done as it was asked for."),
        Act(name="refuse_note", service="receivables", action="refuse_note", title="Refuse", roles=DECIDES,
            danger=True, consequence="Nothing is given. Whoever asked for it takes it back like this."),
        Act(name="revert_note", service="receivables", action="revert_note", title="Revert a mistake",
            roles=DECIDES, danger=True, consequence="The opposite is posted."),
        Act(name="deposit_payments", service="receivables", action="deposit_payments",
            title="Record a deposit of all that is kept", roles=DECIDES, why_needed=False,
            about="Number of the bank's slip",
            fields=(Field(name="deposited_on", title="Day", kind="day", needed=True),),
            consequence="All cash and cheques that are in no deposit yet are at the bank."),
        Act(name="revert_deposit", service="receivables", action="revert_deposit",
            title="Revert the deposit", roles=DECIDES, danger=True,
            consequence="What it held is in no deposit again."),
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
        Act(name="compare_flights", service="reserves", action="match_flights", title="Compare now",
            roles=RUNS | DECIDES, why_needed=False,
            consequence="The flights of the last weeks are compared with bills, books and payees now."),
        Act(name="pause_dunning", service="receivables", action="pause_dunning", title="Pause",
            roles=DECIDES,
            consequence="Nothing is asked for until somebody resumes it. A block of flights is lifted."),
        Act(name="promise_payment", service="receivables", action="promise_payment",
            title="Note a promise to pay", roles=DECIDES,
            fields=(Field(name="until", title="Until, the last day of it", kind="day", needed=True),),
            consequence="Nothing is asked for until that day is over."),
        Act(name="resume_dunning", service="receivables", action="resume_dunning", title="Resume",
            roles=DECIDES, consequence="What is overdue is asked for again, from the step that follows on."),
        Act(name="accept_limit", service="receivables", action="accept_limit", title="Accept",
            roles=APPROVES, why_needed=False,
            consequence="This is the limit from today on, as long as the book says what it says now. A large "
                        "rise is accepted by two people."),
        Act(name="refuse_limit", service="receivables", action="refuse_limit", title="Refuse",
            roles=APPROVES, danger=True,
            consequence="The limit stays. What speaks for a rise counts anew from today."),
        Act(name="set_limit", service="billing", action="set_limit", title="Set the limit", roles=DECIDES,
            fields=(
                Field(name="limit", title="May owe at most (empty: no limit)", kind="money"),
                Field(name="until", title="Until, the last day of it (empty: for good)", kind="day"),
                Field(name="frozen", title="Frozen: no flight is cleared, whatever is owed", kind="tick"),
            ),
            consequence="It stands from today on, instead of the school's limit and of what changed by "
                        "policy. A rise above the school's amount waits until a second person approves it."),
        Act(name="allow_flight", service="receivables", action="allow_flight", title="Allow one flight",
            roles=DECIDES, about="Flight's id, as it is dispatched",
            fields=(
                Field(name="student", title="Student", kind="hidden", needed=True),
                Field(name="amount", title="How much beyond the limit", kind="money", needed=True),
                Field(name="until", title="For how many hours", kind="hours", needed=True),
            ),
            consequence="The hold of this flight may go so much beyond the limit; then dispatch it again. "
                        "Above the school's amount a second person has to agree."),
        Act(name="approve_allowance", service="receivables", action="approve_allowance", title="Agree",
            roles=APPROVES, why_needed=False, consequence="The flight may go so much beyond the limit."),
        Act(name="close_allowance", service="receivables", action="close_allowance", title="End it now",
            roles=DECIDES, why_needed=False,
            consequence="The limit counts again. A flight that was cleared by it stays cleared."),
        *_pages(own=False),
        *_pages(own=True),
        *_charging(own=False),
        *_charging(own=True),
        Act(name="onboarding_link", service="payouts", action="link",
            title="Make a link to finish the account", roles=DECIDES, why_needed=False,
            fixed={"kind": "onboarding"},
            consequence="Stripe makes a page where the payee finishes the account. Send it to this payee "
                        "only; it is good for minutes."),
        Act(name="own_onboarding", service="payouts", action="link", title="Finish my account at Stripe",
            roles=frozenset({INSTRUCTOR, OWNER}), fixed={"kind": "onboarding"}, why_needed=False, own=str,
            consequence="Stripe makes a page where it asks for what it needs to pay you."),
        Act(name="propose_rates", service="billing", action="propose_rates", title="Propose these rates",
            roles=DECIDES,
            fields=(
                Field(name="effective_from", title="From this day on", kind="day", needed=True),
                Field(name="amounts", title="Amounts", kind="amounts"),
            ),
            consequence="It waits until another person approves it. Nothing is priced by it before."),
        Act(name="approve_rates", service="billing", action="approve_rates", title="Approve",
            roles=APPROVES, why_needed=False,
            consequence="The school's book has these rates from that day on. Flights that are billed stay as "
                        "they are."),
        Act(name="reject_rates", service="billing", action="reject_rates", title="Reject", roles=DECIDES,
            danger=True, consequence="The book stays as it is. Whoever proposed it takes it back like this."),
        Act(name="amend", service="adjustments", action="amend", title="Correct it by amounts",
            roles=DECIDES, fields=(Field(name="amounts", title="Amounts", kind="amounts"),),
            consequence="It waits until another person approves it. The school takes what is left, so that "
                        "all sums to nothing. What still waits of this flight is replaced."),
        Act(name="correct_letter", service="billing", action="correct_letter", title="Correct the record",
            roles=DECIDES, fields=(Field(name="facts", title="Facts", kind="texts"),),
            consequence="The flight is told again with what you write here, and billed like any other. This "
                        "letter is closed and keeps what came."),
        Act(name="redrive", service=None, action="redrive", title="Send again", roles=RUNS, why_needed=False,
            consequence="The record goes back to its topic and is processed like a new one."),
        Act(name="discard", service=None, action="discard", title="Discard", roles=RUNS, danger=True,
            consequence="The record is closed without being processed. It stays here, with your reason."),
    )
}  # fmt: skip


def allowed(person: Person, *names: str) -> list[Act]:
    """Of these acts, those that this person may ask for, in their order."""
    return [ACTS[name] for name in names if person.has(ACTS[name].roles)]


def act_of(person: Person, service: str, action: str, told: Mapping[str, Any]) -> Act | None:
    """The act by which a person asked a service; None when there is none any more, or not for them."""
    fitting = (
        act
        for act in ACTS.values()
        if act.action == action
        and act.service in (service, None)
        and person.has(act.roles)
        and act.fixed.items() <= told.items()
        and {one.name for one in act.fields if one.needed} <= told.keys()
    )
    return max(fitting, key=lambda act: len(act.fields), default=None)
