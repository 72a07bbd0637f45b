"""`python -m tests.checker`: exits 0 when every rule holds, else 1 with a sentence for each violation."""

import argparse
import asyncio
import sys
from pathlib import Path

from tests.checker.reading import Place, read_world
from tests.checker.rules import RULES, check

SCHOOL = Path(__file__).resolve().parents[2] / "school" / "school.toml"
SHOWN_MAX = 200


def main() -> int:
    options = parse_options()
    place = Place(
        database_url=options.database, kafka=options.kafka, prefix=options.prefix, stripe=options.stripe
    )
    school = options.school.read_text(encoding="utf-8")
    world = asyncio.run(read_world(place, school, is_compared=options.compared))
    violations = check(world)
    for violation in violations[:SHOWN_MAX]:
        sys.stdout.write(f"{violation.rule}: {violation.sentence}\n")
    records = sum(map(len, world.topics.values()))
    sys.stdout.write(
        f"{len(violations)} violations of {len(RULES)} rules over {records} records, "
        f"{len(world.rows('ledger.journal'))} journals, {len(world.effects)} effects\n"
    )
    return 1 if violations else 0


def parse_options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.checker", description=__doc__)
    parser.add_argument("--database", required=True, help="URL of the database's owner")
    parser.add_argument("--kafka", required=True, help="bootstrap servers")
    parser.add_argument("--prefix", default="", help="prefix of every topic")
    parser.add_argument("--stripe", required=True, help="URL of the Stripe simulator")
    parser.add_argument("--school", type=Path, default=SCHOOL, help="the school's file")
    parser.add_argument("--compared", action="store_true", help="all was compared with Stripe before")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
