"""Mutants of the Stripe simulator: where it would be kinder than Stripe to what our services do next."""

from tests.mutants.mutant import Edit, Mutant

SIM = "hobbs/local/stripe_sim"
DEBITS = "tests/contract/stripe/test_bank_debits.py"
SETUPS = "tests/contract/stripe/test_setup_intents.py"

SIMULATOR_MUTANTS = (
    Mutant(
        name="failed-debit-keeps-its-credit",
        breaks="The credit of a bank debit that failed days later stays on the balance.",
        edits=(
            Edit(
                path=f"{SIM}/ach.py",
                old='        amount=-charge["amount"],\n        fee=-cost,',
                new="        amount=0,\n        fee=0,",
            ),
        ),
        catchers=(f"{DEBITS}::test_a_debit_fails_days_later_and_its_credit_is_taken_back",),
    ),
    Mutant(
        name="one-time-method-pays-again",
        breaks="A payment method without a customer can be charged twice.",
        edits=(Edit(path=f"{SIM}/single_use.py", old='        method["_consumed"] = True\n', new=""),),
        catchers=(f"{SETUPS}::test_a_method_without_a_customer_pays_once",),
    ),
)
