"""What no decision can hold is a sentence and exit code 2, before anything is asked of Kafka."""

from uuid import uuid4

import pytest
from typer.testing import CliRunner

from hobbs.cli import assemble

LONG = "because " * 300


@pytest.mark.parametrize(
    ("words", "fault"),
    [
        (("transfers", "retry", str(uuid4()), "--reason", LONG), "why: "),
        (("transfers", "release", str(uuid4()), "--reason", "x", "--who", "w" * 500), "who.name: "),
        (("payments", "allocate", "ch_1", "student-01", "--why", LONG), "why: "),
        (("payments", "allocate", "c" * 500, "student-01"), "object: "),
        (("flights", "keys", "revoke", "scheduler", "--yes", "--why", LONG), "why: "),
    ],
)
def test_what_no_decision_holds_is_refused(
    words: tuple[str, ...], fault: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOBBS_DATABASE_URL", "postgresql://nobody@127.0.0.1:1/hobbs")
    monkeypatch.setenv("HOBBS_KAFKA_BOOTSTRAP", "127.0.0.1:1")
    result = CliRunner().invoke(assemble([words[0]]), words)
    assert (result.exit_code, fault in result.output) == (2, True), result.output
    assert LONG not in result.output
