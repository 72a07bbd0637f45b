"""98 real flights, from the file to the bank, on real Kafka and Postgres."""

from tests.system.conftest import Run


def test_every_flight_is_billed_once_or_refused_with_its_reason(undisturbed: Run) -> None:
    billed = {(bill["flight_id"], bill["revision"]) for bill in undisturbed.outcome["bills"]}
    assert len(billed) == len(undisturbed.outcome["bills"]) == 98 - 2
    refused = {(letter["subject"], letter["reason"]) for letter in undisturbed.outcome["refused"]}
    assert {subject for subject, _ in refused} == {"flight:a-0054:1", "flight:a-0069:1"}


def test_every_transfer_is_in_the_bank_at_the_end(undisturbed: Run) -> None:
    transfers = undisturbed.outcome["transfers"]
    assert transfers
    assert [transfer for transfer in transfers if transfer["state"] != "in_bank"] == []


def test_every_invariant_holds_and_a_repeated_file_changes_nothing(undisturbed: Run) -> None:
    assert [verdict for verdict in undisturbed.verdicts if not verdict.holds] == []
    assert len(undisturbed.verdicts) > 10
