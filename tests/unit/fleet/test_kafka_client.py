"""What every producer of Hobbs has in common."""

import re
from pathlib import Path

import fleet

ROOT = Path(fleet.__file__).resolve().parents[1]


def test_a_producer_is_made_in_one_place_and_topics_are_planned_in_one() -> None:
    sources = {
        path.relative_to(ROOT).as_posix(): path.read_text(encoding="utf-8")
        for room in ("fleet", "services", "hobbs")
        for path in (ROOT / room).rglob("*.py")
    }
    made = {name for name, text in sources.items() if re.search(r"\bAIOKafkaProducer\(", text)}
    planned = {name for name, text in sources.items() if re.search(r"\bTopicPlan\(", text)}
    assert (made, planned) == ({"fleet/kafka_client.py"}, {"hobbs/shell/topic_plans.py"})
