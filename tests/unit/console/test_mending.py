"""What the console says mends a dead letter, beside the page that says it for `hobbs`."""

import re
from pathlib import Path

from console.mending import mend_of

PAGE = Path(__file__).parents[3] / "docs" / "operations" / "dead-letters.md"
OF_A_RULE = mend_of("meter_in_before_out")


def test_each_reason_that_the_page_names_has_advice_of_its_own() -> None:
    cells = re.findall(r"^\| (`[^|]+) \|", PAGE.read_text(encoding="utf-8"), re.MULTILINE)
    reasons = [reason for cell in cells for reason in re.findall(r"`(\w+)`", cell)]
    assert len(reasons) >= 10
    assert [reason for reason in reasons if mend_of(reason) == OF_A_RULE] == []


def test_what_others_wrote_in_a_service_s_name_is_not_sent_again() -> None:
    assert mend_of("not_proved") == mend_of("belongs_to_a_service") == mend_of("not_attested")
