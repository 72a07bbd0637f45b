"""Mutants of opening balances."""

from tests.mutants.mutant import Edit, Mutant

DOMAIN = "services/ledger/domain/openings.py"
DESK = "services/ledger/desk/openings.py"
INVARIANTS = "services/ledger/invariants.sql"
AMOUNTS = "hobbs/opening/amounts.py"
TESTS = "tests/integration/ledger/test_openings.py"
FILES = "tests/unit/hobbs/test_opening_file.py"
CUTOVER = "tests/integration/ops/test_cutover.py"
ASTRIDE = "test_a_flight_of_before_the_day_that_is_charged_here_is_counted_until_it_is_signed_with"
FOREIGN = "tests/unit/hobbs/test_foreign_opening_files.py"
GROUPED = "tests/unit/hobbs/test_grouped_opening_file.py"


def _mutant(name: str, breaks: str, path: str, old: str, new: str, *catchers: str) -> Mutant:
    return Mutant(name=name, breaks=breaks, edits=(Edit(path=path, old=old, new=new),), catchers=catchers)


OPENING_MUTANTS = (
    _mutant(
        "opening-line-changed-silently",
        "A line with another amount is taken for a repeat.",
        DOMAIN,
        "    return old.stands and old.amount != line.amount\n",
        "    return False\n",
        f"{TESTS}::test_a_line_that_was_changed_is_refused_with_the_way_out",
    ),
    _mutant(
        "opening-line-never-again",
        "A line that was reverted cannot be loaded again.",
        DOMAIN,
        "        if not ((old := known.get(line.about)) and old.stands)\n",
        "        if not (old := known.get(line.about))\n",
        f"{TESTS}::test_a_reverted_line_is_loaded_anew_with_what_is_right",
    ),
    _mutant(
        "opening-attempt-is-always-the-first",
        "A line that is loaded again takes the source of the one that was reverted.",
        DOMAIN,
        "attempt=1 if old is None else old.attempt + 1",
        "attempt=1 if old is None else old.attempt",
        f"{TESTS}::test_a_reverted_line_is_loaded_anew_with_what_is_right",
    ),
    _mutant(
        "opening-item-is-a-credit",
        "An unpaid bill is put on the student's wallet as money paid in.",
        DOMAIN,
        'prefix="student:", sign=-1,',
        'prefix="student:", sign=1,',
        f"{TESTS}::test_every_kind_stands_where_the_books_have_it",
    ),
    _mutant(
        "opening-signed-off-zero",
        "A trial balance is signed whose sides differ.",
        DESK,
        "    if left := left_open((one.about.currency, one.moved) for one in known):\n",
        "    if left := left_open(()):\n",
        f"{TESTS}::test_only_a_trial_balance_at_zero_is_signed_and_it_stays_there",
    ),
    _mutant(
        "opening-signed-and-left",
        "What is signed is taken from zero by a later load.",
        DOMAIN,
        "    if not left:\n        return None\n    off",
        "    if left is not None:\n        return None\n    off",
        f"{TESTS}::test_only_a_trial_balance_at_zero_is_signed_and_it_stays_there",
    ),
    _mutant(
        "opening-wallet-is-anybodys",
        "Nobody looks whether other journals move external:opening.",
        INVARIANTS,
        "WHERE balance.amount <> -coalesce(standing.amount, 0);",
        "WHERE false;",
        f"{TESTS}::test_nobody_posts_an_opening_by_hand_and_other_journals_on_its_wallet_are_found",
    ),
    _mutant(
        "opening-comma-is-guessed",
        "1,234 is read as 1234 without being told what a comma is.",
        AMOUNTS,
        '    if decimals is None and "," in body:\n',
        "    if False:\n",
        f"{FILES}::test_what_may_be_either_or_is_no_amount_is_refused",
    ),
    _mutant(
        "opening-total-is-not-compared",
        "A report whose lines do not add up to its totals is loaded.",
        "hobbs/opening/grouped.py",
        "        if amount != group.sums[currency]:\n",
        "        if False:\n",
        f"{GROUPED}::test_a_total_that_is_a_cent_off_and_a_line_that_is_gone_are_refused",
    ),
    _mutant(
        "opening-side-is-turned-about",
        "A debit of a trial balance is loaded as a credit.",
        "hobbs/opening/file.py",
        'read.get("credit", 0) - read.get("debit", 0)',
        'read.get("debit", 0) - read.get("credit", 0)',
        f"{FILES}::test_debit_and_credit_are_what_the_kind_makes_of_them",
    ),
    _mutant(
        "opening-late-flight-is-not-seen",
        "A flight of before the opening's day that comes after the signature is told to nobody.",
        "hobbs/cutover/items.py",
        "newest is None or newest > signed.recorded_at",
        "newest is None",
        f"{CUTOVER}::{ASTRIDE}",
    ),
    _mutant(
        "opening-of-another-currency",
        "An amount with a euro sign is loaded as dollars.",
        AMOUNTS,
        "if sign in bare and currency not in of:",
        "if False:",
        f"{FILES}::test_what_may_be_either_or_is_no_amount_is_refused",
    ),
    _mutant(
        "opening-two-minus-are-none",
        "An amount with two minus signs is loaded as one of the other side.",
        AMOUNTS,
        " + body.startswith(tuple(_MINUS)) > 1",
        " > 1",
        f"{FILES}::test_what_may_be_either_or_is_no_amount_is_refused",
    ),
    _mutant(
        "opening-total-is-a-party",
        "A total whose label nobody knows is loaded as one more party.",
        "hobbs/opening/file.py",
        "sum(one.amount for one in lines) == last.amount",
        "False",
        f"{FOREIGN}::test_a_total_that_is_called_by_an_unknown_name_is_no_party",
    ),
)
