"""Mutants of what stands behind Kafka's users and rights."""

from tests.mutants.mutant import Edit, Mutant

BOOKS = "tests/integration/payouts/test_books.py"

SECURITY_MUTANTS = (
    Mutant(
        name="announced-is-believed",
        breaks="Who may publish on journal.posted has anybody paid.",
        edits=(
            Edit(
                path="services/payouts/handlers.py",
                old="        posted = await books.believed(tx, posted)\n",
                new="",
            ),
            Edit(
                path="services/payouts/handlers.py",
                old="from services.payouts.steps import agreements, books, charges, clawbacks,",
                new="from services.payouts.steps import agreements, charges, clawbacks,",
            ),
        ),
        catchers=(f"{BOOKS}::test_a_journal_that_the_ledger_never_wrote_pays_nobody",),
    ),
    Mutant(
        name="only-the-journals-id-is-compared",
        breaks="A journal of the ledger is paid with whatever amounts its announcement says.",
        edits=(
            Edit(
                path="services/payouts/domain/books.py",
                old="    if written == announced:\n",
                new="    if written is not None:\n",
            ),
        ),
        catchers=(f"{BOOKS}::test_a_journal_that_says_something_else_than_the_ledger_pays_nobody",),
    ),
    Mutant(
        name="a-webhook-is-believed-unproved",
        breaks="Who may publish on stripe.webhook makes up a payment.",
        edits=(
            Edit(
                path="schemas/attestation.py",
                old="    return not keys or any(",
                new="    return not webhook.mac or any(",
            ),
        ),
        catchers=(
            "tests/unit/fleet/test_attestation.py::test_both_readers_bury_what_nobody_with_the_key_wrote",
        ),
    ),
    Mutant(
        name="the-body-is-not-in-the-proof",
        breaks="A true record may be written again with another amount.",
        edits=(Edit(path="schemas/attestation.py", old="        webhook.body,\n", new=""),),
        catchers=("tests/unit/fleet/test_attestation.py::test_no_field_may_be_changed",),
    ),
)
