"""Mutants of credit checks: answers by what stood before."""

from tests.mutants.mutant import Edit, Mutant

CHECKS = "services/gateway/http/credit.py"
TESTS = "tests/integration/gateway/test_credit_checks_anew.py"

CHECK_MUTANTS = (
    Mutant(
        name="a-check-is-priced-by-the-rates-of-before",
        breaks="A scheduler is told that a student may fly, by a price that the school changed.",
        edits=(Edit(path=CHECKS, old="and book in (None, told.book)", new=""),),
        catchers=(f"{TESTS}::test_a_rate_that_changed_prices_the_next_check",),
    ),
    Mutant(
        name="a-revoked-key-asks-on",
        breaks="Whoever has a key that was revoked goes on asking how students stand.",
        edits=(Edit(path=CHECKS, old="key = judged(told.key, CREDIT_READ)", new="key = told.key"),),
        catchers=(f"{TESTS}::test_a_key_that_was_revoked_hears_only_that",),
    ),
)
