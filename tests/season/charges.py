"""When a saved method should be charged, how much, and what follows. Nothing here asks the services.

Written from docs/operations/cards.md and decision 0351. A bank's word about a card is what the simulator's
test card says; a debit of a bank account is answered days later.
"""

from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta

from tests.season.accounts import Account

BURST, REST, MONTH, HALF_A_YEAR = (
    timedelta(minutes=10),
    timedelta(hours=1),
    timedelta(days=30),
    timedelta(days=180),
)
EVER = datetime.min.replace(tzinfo=UTC)
DEBIT_FAILS, DEBIT_SUCCEEDS = timedelta(days=3, minutes=33), timedelta(days=4, minutes=33)
LEAST = 50
GAPS = (1, 3, 7)
# What the bank says of each kind of method, and what has to follow.
LATER, PAYDAY, OTHER, HOLDER, NEVER = "later", "payday", "another_card", "authentication", "stop"
CARDS = {
    "visa": "",
    "chargeDeclined": LATER,
    "chargeDeclinedProcessingError": LATER,
    "chargeDeclinedInsufficientFunds": PAYDAY,
    "chargeDeclinedExpiredCard": OTHER,
    "chargeDeclinedIncorrectCvc": OTHER,
    "authenticationRequired": HOLDER,
    "visa_chargeDeclinedLostCard": NEVER,
    "visa_chargeDeclinedStolenCard": NEVER,
    "radarBlock": NEVER,
}
DEBITS = {"success": "", "insufficient_funds": PAYDAY, "no_account": OTHER, "account_closed": NEVER}


@dataclass(slots=True, kw_only=True)
class Method:
    """A saved card or bank account. says: what its bank answers, "" if it pays."""

    id: str
    is_debit: bool
    says: str
    since: datetime
    stopped: bool = False


@dataclass(slots=True, kw_only=True)
class Choice:
    """What the student allows."""

    occasion: str
    threshold: int
    day: int
    most: int
    most_a_day: int
    at: datetime
    on: date


@dataclass(slots=True, kw_only=True)
class Charge:
    """One charge of a saved method. state: processing, succeeded, declined."""

    cause: str
    attempt: int
    amount: int
    method: Method
    at: datetime
    day: date
    state: str
    ends: datetime | None = None
    declined_at: datetime | None = None
    again_at: datetime | None = None
    newest: datetime  # when it was decided, or its money taken back
    document: str = ""
    taken: bool = False  # the bank paid it, whatever came later
    contested: bool = False  # by a dispute, which is what lowers the limit


@dataclass(slots=True, kw_only=True)
class Charging:
    """One student's saved methods and the charges of them."""

    account: Account
    methods: list[Method] = field(default_factory=list)
    choice: Choice | None = None
    charges: list[Charge] = field(default_factory=list)
    flights: list[tuple[datetime, str]] = field(default_factory=list)  # when each was billed
    setbacks: dict[str, tuple[datetime, date]] = field(default_factory=dict)  # when each happened first
    asks: str = ""  # the cause of the newest step that charges, while its run is open and nothing holds it

    @property
    def under_way(self) -> bool:
        return any(one.state == "processing" for one in self.charges)

    def usable(self) -> Method | None:
        """The one that was set up last, if it may be charged: no other is."""
        last = max(self.methods, key=lambda one: one.since, default=None)
        return None if last is None or last.stopped else last

    def chargeable(self, now: datetime) -> bool:
        """Whether a step may charge: the student lets a method be charged, and it may be tried."""
        method = self.usable()
        allowed = self.choice is not None and self.choice.occasion != "off"
        return allowed and method is not None and self._declines(method, now) < _most(method)

    def due(self, now: datetime, day: date) -> Charge | None:
        """The charge that is to be made now."""
        method, choice, account = self.usable(), self.choice, self.account
        if method is None or choice is None or choice.occasion == "off" or account.balance >= 0:
            return None
        if self.under_way or account.disputed or account.in_question:
            return None
        if sum(now - one.at < BURST for one in self.charges) >= 3:
            return None
        if self._declines(method, now) >= _most(method):
            return None
        cause, attempt = self._cause(method, choice, now, day)
        if not cause or any(one.cause == cause for one in self.charges):
            return None
        amount = self._amount(choice, cause, day)
        if amount < LEAST:
            return None
        return Charge(
            cause=cause,
            attempt=attempt,
            amount=amount,
            method=method,
            at=now,
            day=day,
            state="succeeded",
            newest=now,
        )

    def _declines(self, method: Method, now: datetime) -> int:
        mine = [one for one in self.charges if one.method is method]
        paid = [one.ends for one in mine if method.is_debit and one.state == "succeeded" and one.ends]
        return sum(
            now - one.declined_at < MONTH
            or (
                method.is_debit
                and now - one.declined_at < HALF_A_YEAR
                and one.declined_at > max(paid, default=EVER)
            )
            for one in mine
            if one.state == "declined" and one.declined_at is not None
        )

    def _cause(self, method: Method, choice: Choice, now: datetime, day: date) -> tuple[str, int]:
        last = max(self.charges, key=lambda one: one.newest, default=None)
        if last is not None and last.state == "declined" and last.declined_at is not None:
            if method.since > last.declined_at or (last.again_at is not None and last.again_at <= now):
                return f"{last.cause.partition('#')[0]}#{last.attempt + 1}", last.attempt + 1
            if last.again_at is not None or now < last.declined_at + REST:
                return "", 0
        if self.asks and not any(one.cause == self.asks for one in self.charges):
            return self.asks, 1
        return self._occasion(choice, day), 1

    def _occasion(self, choice: Choice, day: date) -> str:
        match choice.occasion:
            case "each_flight":
                since = [flight for at, flight in self.flights if at >= choice.at]
                return f"flight:{since[-1]}:1" if since else ""
            case "threshold":
                made = sum(one.attempt == 1 and one.cause.startswith("threshold:") for one in self.charges)
                return f"threshold:{made + 1}" if -self.account.balance >= choice.threshold else ""
            case _:
                due = day.replace(day=choice.day)
                return f"day:{due:%Y-%m}" if choice.on <= due <= day else ""

    def _amount(self, choice: Choice, cause: str, day: date) -> int:
        today = sum(one.amount for one in self.charges if one.day == day and one.state != "declined")
        owed = -self.account.balance
        if cause.startswith("dunning:"):
            owed = min(owed, sum(self.account.overdue(day).values()))
        return max(min(owed, choice.most, choice.most_a_day - today), 0)

    def made(self, charge: Charge, name: str, now: datetime, day: date) -> None:
        """What the bank says at once, or will say."""
        self.charges.append(charge)
        charge.document = name
        if charge.method.is_debit:
            fails = charge.method.says
            charge.state, charge.ends = "processing", now + (DEBIT_FAILS if fails else DEBIT_SUCCEEDS)
        elif charge.method.says:
            self._declined(charge, charge.method.says, now, day)
        else:
            charge.taken = True
            self.account.post(name, charge.amount, day)

    def bank_answers(self, now: datetime, day: date) -> None:
        """Debits that end by now."""
        for charge in self.charges:
            if charge.state == "processing" and charge.ends is not None and charge.ends <= now:
                if charge.method.says:
                    self._declined(charge, charge.method.says, now, day)
                else:
                    charge.state, charge.taken = "succeeded", True
                    self.account.post(charge.document, charge.amount, day)

    def taken_back(self, charge: Charge, kind: str, now: datetime, day: date) -> None:
        """A bank took the money back, after it had paid."""
        self.account.post(charge.document, -charge.amount, day)
        charge.newest = now
        self._declined(charge, kind, now, day)

    def _declined(self, charge: Charge, kind: str, now: datetime, day: date) -> None:
        charge.state, charge.declined_at, charge.again_at = "declined", now, None
        if kind in (LATER, PAYDAY, NEVER) and not charge.contested:  # the bank asked for nothing else
            self.setbacks.setdefault(f"declined:{charge.cause.partition('#')[0]}", (now, day))
        most = _most(charge.method)
        if kind in (OTHER, NEVER):
            charge.method.stopped = True
        if kind not in (LATER, PAYDAY) or self._declines(charge.method, now) >= most:
            return
        if charge.attempt <= min(most - 1, len(GAPS)):
            days = GAPS[charge.attempt - 1]
            while kind == PAYDAY and not _is_payday(day + timedelta(days=days)):
                days += 1
            charge.again_at = now + timedelta(days=days)


def _most(method: Method) -> int:
    return 3 if method.is_debit else 4


def _is_payday(day: date) -> bool:
    return day.isoweekday() == 5 or day.day in (1, 15)
