"""Opening balances: what a school brings along from the books it kept before, line by line. Pure.

A line has a kind, whom or what it is about (`key`), a reference and an amount, positive as the kind says.
It becomes one journal between the kind's wallet and `external:opening`, which ends at zero when all is there.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from hashlib import sha256
from typing import Final, NamedTuple

from fleet.money import format_minor
from services.ledger.domain.wallets import is_line, unusable_wallet

OPENING: Final = "opening"
OPENING_WALLET: Final = "external:opening"
LINES_MAX: Final = 2_000  # of one decision: all of them are one transaction and one record
WORD_CHARS_MAX: Final = 100
CHANGED_NAMED_MAX: Final = 5
PAYEE_KINDS: Final = ("instructor", "owner")


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """What a positive amount of this kind is. prefix: of the wallet; `fixed`: the wallet needs no key.

    sign: +1 when the school owes a positive amount, -1 when it has it or is owed it.
    referenced: several lines of one key differ by their reference, so each must have one.
    """

    prefix: str
    sign: int
    meaning: str
    fixed: bool = False
    referenced: bool = False


KINDS: Final[Mapping[str, Kind]] = {
    "student_balance": Kind(prefix="student:", sign=1, meaning="what a student has paid in advance"),
    "student_item": Kind(
        prefix="student:", sign=-1, meaning="an unpaid bill of a student's", referenced=True
    ),
    "instructor": Kind(prefix="instructor:", sign=1, meaning="what an instructor has not been paid yet"),
    "owner": Kind(prefix="aircraft_owner:", sign=1, meaning="what an aircraft's owner has not been paid yet"),
    "tax": Kind(prefix="liability:tax", sign=1, meaning="tax that was taken and is owed", fixed=True),
    "reserve": Kind(prefix="liability:reserve-", sign=1, meaning="what was set aside for an aircraft"),
    "stripe": Kind(prefix="external:stripe", sign=-1, meaning="cash at Stripe", fixed=True),
    "bank": Kind(prefix="external:bank", sign=-1, meaning="cash at the bank, by its statement", fixed=True),
    "deposit_under_way": Kind(
        prefix="external:bank",
        sign=-1,
        meaning="a cheque or payout that the bank's statement does not show yet",
        fixed=True,
        referenced=True,
    ),
    "payment_under_way": Kind(
        prefix="external:bank",
        sign=1,
        meaning="a cheque or transfer sent that the bank's statement does not show yet",
        fixed=True,
        referenced=True,
    ),
    "bank_line": Kind(
        prefix="liability:unallocated",
        sign=1,
        meaning="money on the bank's statement of which nobody knows yet whose it is",
        fixed=True,
        referenced=True,
    ),
    "school": Kind(prefix="platform:school", sign=1, meaning="what is left: the school's own", fixed=True),
}


class LineKey(NamedTuple):
    """What a line is about: the same in whatever file it stands."""

    kind: str
    key: str
    reference: str
    currency: str

    def __str__(self) -> str:
        return " ".join(part for part in (self.kind, self.key, self.reference, self.currency) if part)


@dataclass(frozen=True, slots=True, kw_only=True)
class OpeningLine:
    """A line of a file. amount: minor units, positive as the kind says."""

    about: LineKey
    amount: int

    @property
    def wallet(self) -> str:
        return wallet_of(self.about)

    @property
    def moved(self) -> int:
        """What the line puts on its wallet, credit positive."""
        return KINDS[self.about.kind].sign * self.amount


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownLine:
    """A line that was posted once: its newest attempt. amount: as in the file. stands: it is not reverted."""

    about: LineKey
    amount: int
    attempt: int
    source: str
    occurred_at: datetime
    stands: bool

    @property
    def moved(self) -> int:
        """What the line put on its wallet, credit positive."""
        return KINDS[self.about.kind].sign * self.amount


@dataclass(frozen=True, slots=True, kw_only=True)
class NewLine:
    """A line to post, and how often it was posted before and reverted."""

    line: OpeningLine
    attempt: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    """What a load does: the lines it posts, and how many are posted already."""

    new: tuple[NewLine, ...]
    repeated: int


def wallet_of(about: LineKey) -> str:
    """The wallet on which a line stands."""
    kind = KINDS[about.kind]
    return kind.prefix if kind.fixed else f"{kind.prefix}{about.key}"


def source_of(as_of: date, about: LineKey, attempt: int) -> str:
    """The source of a line's journal: it follows from what the line is about, never from the file."""
    digest = sha256("\x1f".join(about).encode()).hexdigest()[:24]
    return f"opening:{as_of.isoformat()}:{digest}:{attempt}"


def line_fault(line: OpeningLine) -> str | None:
    """Why a line cannot be posted, by itself; None: it can."""
    about, kind = line.about, KINDS.get(line.about.kind)
    if kind is None:
        return f"{about.kind!r} is no kind of opening line; the kinds are {', '.join(KINDS)}"
    if kind.fixed and about.key:
        return f"{about}: a line of this kind has no key; it stands on {kind.prefix}"
    if not kind.fixed and not about.key:
        return f"{about}: say whom it is about in the column key"
    if kind.referenced and not about.reference:
        return f"{about}: give it a reference, such as the number of the bill or cheque"
    if unusable := next((f"{n}: {w[:40]!r}" for n, w in about._asdict().items() if not _is_word(w)), None):
        return f"{unusable} is no word of at most {WORD_CHARS_MAX} characters on one line"
    if why_not := unusable_wallet(line.wallet, about.currency):
        return why_not[1]
    if line.amount == 0:
        return f"{about}: the amount is zero; leave the line out"
    return None


def _is_word(text: str) -> bool:
    return not text or is_line(text, WORD_CHARS_MAX)


def decide_load(lines: Sequence[OpeningLine], known: Mapping[LineKey, KnownLine]) -> Load | str:
    """Which lines are new; a sentence when the file cannot be loaded as it is."""
    for line in lines:
        if fault := line_fault(line):
            return fault
    if twice := _twice(line.about for line in lines):
        return f"{twice} is in the file twice; give each line a reference of its own, or add them up"
    changed = [line for line in lines if (old := known.get(line.about)) and _differs(line, old)]
    if changed:
        return _changed(changed, known)
    new = [
        NewLine(line=line, attempt=1 if old is None else old.attempt + 1)
        for line in lines
        if not ((old := known.get(line.about)) and old.stands)
    ]
    return Load(new=tuple(new), repeated=len(lines) - len(new))


def _twice(abouts: Iterable[LineKey]) -> LineKey | None:
    seen: set[LineKey] = set()
    for about in abouts:
        if about in seen:
            return about
        seen.add(about)
    return None


def _differs(line: OpeningLine, old: KnownLine) -> bool:
    return old.stands and old.amount != line.amount


def _changed(changed: Sequence[OpeningLine], known: Mapping[LineKey, KnownLine]) -> str:
    named = "; ".join(
        f"{line.about} is loaded with {_money(known[line.about].amount, line.about.currency)}, "
        f"the file says {_money(line.amount, line.about.currency)}"
        for line in changed[:CHANGED_NAMED_MAX]
    )
    more = f"; and {len(changed) - CHANGED_NAMED_MAX} more" if len(changed) > CHANGED_NAMED_MAX else ""
    return f"{named}{more}. Revert a line that was wrong (hobbs opening revert), then load the file again"


def _money(amount: int, currency: str) -> str:
    return f"{format_minor(amount, currency)} {currency}"


def left_open(moved: Iterable[tuple[str, int]]) -> dict[str, int]:
    """What lines leave on `external:opening`, by currency. moved: what is on the lines' own wallets."""
    left: dict[str, int] = {}
    for currency, amount in moved:
        left[currency] = left.get(currency, 0) - amount
    return {currency: amount for currency, amount in sorted(left.items()) if amount}


def left_after(load: Load, known: Iterable[KnownLine]) -> dict[str, int]:
    """What is left on `external:opening` when the load is posted, by currency."""
    standing = [(one.about.currency, one.moved) for one in known if one.stands]
    return left_open([*standing, *((one.line.about.currency, one.line.moved) for one in load.new)])


def load_sentence(as_of: date, load: Load, left: Mapping[str, int]) -> str:
    """What a load does, for people. left: what is on `external:opening` then, by currency."""
    posted = f"{len(load.new)} opening lines as of {as_of.isoformat()} are posted"
    repeated = f", {load.repeated} were before" if load.repeated else ""
    return f"{posted}{repeated}; {stands_sentence(left)}{_pays(load)}"


def stands_sentence(left: Mapping[str, int]) -> str:
    """Where `external:opening` stands, and what is missing."""
    off = [_money(amount, currency) for currency, amount in sorted(left.items())]
    if not off:
        return f"{OPENING_WALLET} is at zero"
    return f"{OPENING_WALLET} is at {', '.join(off)}, and must be at zero to be signed"


def _pays(load: Load) -> str:
    payees: dict[tuple[str, str], int] = {}
    for one in load.new:
        if one.line.about.kind in PAYEE_KINDS:
            key = (one.line.wallet, one.line.about.currency)
            payees[key] = payees.get(key, 0) + one.line.moved
    paid = _sums((currency, amount) for (_, currency), amount in payees.items() if amount > 0)
    taken = _sums((currency, -amount) for (_, currency), amount in payees.items() if amount < 0)
    said = f"; payouts pays what instructors and owners are owed of it ({paid}) from now on" if paid else ""
    return said + (f"; {taken} is taken off what others of them are paid next" if taken else "")


def _sums(amounts: Iterable[tuple[str, int]]) -> str:
    sums: dict[str, int] = {}
    for currency, amount in amounts:
        sums[currency] = sums.get(currency, 0) + amount
    return ", ".join(_money(amount, currency) for currency, amount in sorted(sums.items()))


def load_effects(load: Load) -> list[dict[str, object]]:
    """A row for each kind and currency, then one for each payee whose money payouts pays."""
    kinds: dict[tuple[str, str], list[int]] = {}
    payees: dict[tuple[str, str], int] = {}
    for one in load.new:
        about = one.line.about
        kinds.setdefault((about.kind, about.currency), []).append(one.line.amount)
        if about.kind in PAYEE_KINDS:
            key = (one.line.wallet, about.currency)
            payees[key] = payees.get(key, 0) + one.line.moved
    of_kinds: list[dict[str, object]] = [
        {"what": kind, "lines": len(amounts), "amount": sum(amounts), "currency": currency}
        for (kind, currency), amounts in sorted(kinds.items())
    ]
    return of_kinds + [
        {
            "what": f"{'paid' if amount > 0 else 'taken'} by payouts: {wallet}",
            "lines": 1,
            "amount": amount,
            "currency": currency,
        }
        for (wallet, currency), amount in sorted(payees.items())
    ]


@dataclass(frozen=True, slots=True, kw_only=True)
class Signature:
    """Who signed an opening, or reopened it. of: the hash of the trial balance that they saw."""

    signs: bool
    of: str
    who: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Chosen:
    """Which lines are meant; None: of whatever value."""

    kind: str | None = None
    key: str | None = None
    reference: str | None = None
    currency: str | None = None

    def among(self, known: Iterable[KnownLine]) -> list[KnownLine]:
        """The standing lines that are meant."""
        asked = (self.kind, self.key, self.reference, self.currency)
        return [
            one
            for one in known
            if one.stands and all(want in (None, has) for want, has in zip(asked, one.about, strict=True))
        ]


def balance_hash(known: Iterable[KnownLine]) -> str:
    """Name what a trial balance is of: every line that stands, with its amount."""
    lines = sorted("\x1f".join((*one.about, str(one.amount))) for one in known if one.stands)
    return sha256("\n".join(lines).encode()).hexdigest()


def must_stay_at_zero(as_of: date, left: Mapping[str, int]) -> str | None:
    """Why what is signed cannot be changed so; None: it can, `external:opening` stays at zero."""
    if not left:
        return None
    off = ", ".join(_money(amount, currency) for currency, amount in sorted(left.items()))
    return (
        f"the opening as of {as_of.isoformat()} is signed, and {OPENING_WALLET} would be at {off}: load both "
        "sides in one file, or reopen it first (hobbs opening reopen)"
    )


def reverted_sentence(as_of: date, reverted: Sequence[KnownLine], left: Mapping[str, int]) -> str:
    """What a revert of lines does, for people."""
    return f"{len(reverted)} opening lines as of {as_of.isoformat()} are reverted; {stands_sentence(left)}"


def reverted_effects(reverted: Sequence[KnownLine]) -> list[dict[str, object]]:
    """A row for each line that is reverted."""
    return [
        {"what": str(one.about), "lines": 1, "amount": one.amount, "currency": one.about.currency}
        for one in reverted
    ]


def trial_effects(known: Iterable[KnownLine]) -> list[dict[str, object]]:
    """The trial balance that is signed: a row for each kind and currency, its amount as the kind says."""
    sums: dict[tuple[str, str], list[int]] = {}
    for one in known:
        if one.stands:
            sums.setdefault((one.about.kind, one.about.currency), []).append(one.amount)
    return [
        {"what": kind, "lines": len(amounts), "amount": sum(amounts), "currency": currency}
        for (kind, currency), amounts in sorted(sums.items())
    ]
