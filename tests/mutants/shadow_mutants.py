"""Mutants of a shadow deployment, and of flights that other software billed."""

from tests.mutants.mutant import Edit, Mutant

MARKS = "tests/integration/fleet/test_shadows.py"
RIGHTS = "tests/unit/hobbs/test_kafka_rights.py"
SEEDED = "tests/integration/ops/test_shadow_seeded.py"
ELSEWHERE = "tests/integration/billing/test_billed_elsewhere.py"


def _mutant(name: str, breaks: str, path: str, old: str, new: str, *catchers: str) -> Mutant:
    return Mutant(name=name, breaks=breaks, edits=(Edit(path=path, old=old, new=new),), catchers=catchers)


SHADOW_MUTANTS = (
    _mutant(
        "shadow-on-any-database",
        "A live worker publishes what a shadow decided, and a shadow's swallows the live outbox.",
        "fleet/worker.py",
        "        await self._known.wait()\n",
        "",
        f"{MARKS}::test_a_worker_does_nothing_on_a_database_of_the_other_kind",
    ),
    _mutant(
        "shadow-of-a-live-database",
        "A live deployment's database is marked, and its workers end.",
        "fleet/shadows.py",
        "        if (await connection.execute(text(_HAS_SERVICES))).first():\n",
        "        if False:\n",
        f"{MARKS}::test_an_empty_database_is_marked_once_and_a_live_one_never",
    ),
    _mutant(
        "shadow-with-the-live-prefix",
        "What a shadow decides is published where live services read.",
        "schemas/shadow.py",
        '    return f"{sorted(shared)[0]} would be',
        '    return None and f"{sorted(shared)[0]} would be',
        f"{RIGHTS}::test_a_shadow_writes_nothing_that_a_live_deployment_reads",
    ),
    _mutant(
        "elsewhere-is-corrected-here",
        "A correction of a flight that was billed elsewhere charges the student for all of it again.",
        "services/billing/domain/revisions.py",
        "    if history.first is not None and history.first.elsewhere:\n",
        "    if history.first is not None and not history.first:\n",
        f"{ELSEWHERE}::test_a_correction_or_cancellation_of_it_is_refused_and_says_what_to_do",
    ),
    _mutant(
        "elsewhere-is-priced",
        "Old flights are charged and paid again.",
        "services/billing/domain/billing.py",
        "    if flight.billed_by is not None:\n",
        "    if flight.billed_by == flight.flight_id:\n",
        f"{ELSEWHERE}::test_it_has_a_bill_on_which_nobody_owes_anything_and_no_journal",
    ),
    _mutant(
        "elsewhere-over-http",
        "A scheduler says that a flight costs nothing.",
        "services/gateway/wire.py",
        "        if isinstance(flight, FlightCompleted) and flight.billed_by is not None:\n",
        "        if isinstance(flight, FlightCompleted) and flight.billed_by == flight.flight_id:\n",
        "tests/unit/gateway/test_wire.py::test_what_was_billed_elsewhere_is_not_taken_over_http",
    ),
    _mutant(
        "shadow-other-hours-of-a-lesson-are-unknown",
        "A difference of a lesson's hours has no cause.",
        "hobbs/shadow/causes.py",
        "    for kind in LESSONS:\n",
        "    for kind in LESSONS[:0]:\n",
        f"{SEEDED}::test_what_was_sown_is_found_with_its_cause_and_nothing_else",
    ),
    _mutant(
        "shadow-totals-are-a-flight",
        "A row of totals is a flight that is missing here.",
        "hobbs/shadow/figures_file.py",
        "        if label:\n            found.left_out(number, label)\n            continue\n",
        "",
        "tests/unit/hobbs/shadow/test_compare.py"
        "::test_a_stray_quote_costs_its_own_line_and_a_row_that_is_there_twice_is_said",
    ),
)
