"""Writes registered services into docker-compose.yml, prometheus.yml and the alert on a service that is gone.

What is there stays as it is. People read and edit these files, so a service's lines are written once, after
those of the service registered before it: settings and ports that only one service needs are added by hand.
Standard library only, as make_secrets.py.
"""

import re
import sys
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import Final

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))  # run as a file, it finds only its own folder

from schemas.services import SERVICES, TOGETHER

ROOT: Final = Path(__file__).resolve().parent.parent
COMPOSE: Final = ROOT / "docker-compose.yml"
SMALL: Final = ROOT / "deploy" / "compose.small.yml"
PROMETHEUS: Final = ROOT / "deploy" / "prometheus" / "prometheus.yml"
RULES: Final = PROMETHEUS.with_name("hobbs.rules.yml")
# What a service has outside its own container: its URL and its password for `migrate` and `kafka-rights`.
_URL: Final = "      HOBBS_{upper}_DATABASE_URL_FILE: /run/secrets/{name}_database_url"
_GIVEN: Final = ("      - {name}_database_url", "      - {name}_kafka_password")
LINES: Final = (
    _URL,
    *_GIVEN,
    "  {name}_database_url: {{ file: deploy/secrets/{name}_database_url }}",
    "  {name}_kafka_password: {{ file: deploy/secrets/{name}_kafka_password }}",
)
# What a service is in the variant for a small school: not on its own, and its logins are of `all`.
SMALL_LINES: Final = (
    "  {name}: {{ profiles: [apart] }}",
    _URL,
    "      HOBBS_{upper}_KAFKA_USERNAME: hobbs_${{HOBBS_TOPIC_PREFIX:-}}{name}",
    "      HOBBS_{upper}_KAFKA_PASSWORD_FILE: /run/secrets/{name}_kafka_password",
    *_GIVEN,
)
CONTAINER: Final = """\
  {name}:
    <<: *worker
    command: [work, {name}]
    environment:
      <<: *settings
      HOBBS_DATABASE_URL_FILE: /run/secrets/{name}_database_url
      HOBBS_KAFKA_USERNAME: hobbs_${{HOBBS_TOPIC_PREFIX:-}}{name}
      HOBBS_KAFKA_PASSWORD_FILE: /run/secrets/{name}_kafka_password
    secrets: [{name}_database_url, {name}_kafka_password, kafka_ca, postgres_ca]
"""
_ABSENCES: Final = r"absent\(fleet_outbox_age_seconds.*(?:\n *or absent\(fleet_outbox_age_seconds.*)*"


def main() -> int:
    for path, write, services in (
        (COMPOSE, with_services, SERVICES),
        (SMALL, in_one_container, TOGETHER),
        (PROMETHEUS, with_targets, SERVICES),
        (RULES, with_absences, SERVICES),
    ):
        text = path.read_text(encoding="utf-8")
        written = write(text, services)
        if written != text:
            path.write_text(written, encoding="utf-8")
            sys.stdout.write(f"wrote {path.relative_to(ROOT)}\n")
    return 0


def with_services(compose: str, services: Sequence[str]) -> str:
    """The compose file with what it lacks. ValueError when the service before a missing one is not found."""
    lines = compose.splitlines()
    for before, name in pairwise(services):
        _insert(lines, LINES, before, name)
        if f"  {name}:" not in lines:
            end = lines.index("", _place(lines, f"  {before}:"))
            lines[end:end] = ["", *_filled(CONTAINER, name).splitlines()]
    return "\n".join(lines) + "\n"


def in_one_container(small: str, services: Sequence[str]) -> str:
    """The variant for a small school with what it lacks."""
    lines = small.splitlines()
    for before, name in pairwise(services):
        _insert(lines, SMALL_LINES, before, name)
    return "\n".join(lines) + "\n"


def _insert(lines: list[str], templates: Sequence[str], before: str, name: str) -> None:
    for template in templates:
        if _filled(template, name) not in lines:
            lines.insert(_place(lines, _filled(template, before)) + 1, _filled(template, name))


def with_targets(prometheus: str, services: Sequence[str]) -> str:
    """The Prometheus configuration with every service among the names of its first list."""
    names = ", ".join(services)
    return re.sub(r"(?<=- names: )\[[^\]]*\]", f"[{names}]", prometheus, count=1)


def with_absences(rules: str, services: Sequence[str]) -> str:
    """The alert rules with every service among those that HobbsServiceGone misses."""
    absences = (f'absent(fleet_outbox_age_seconds{{service="{name}"}})' for name in services)
    indent = "\n" + " " * 10
    return re.sub(_ABSENCES, f"{indent}or ".join(absences), rules)


def _filled(template: str, name: str) -> str:
    return template.format(name=name, upper=name.upper())


def _place(lines: Sequence[str], line: str) -> int:
    if line not in lines:
        raise ValueError(f"no line {line!r} to write the next service after")
    return lines.index(line)


if __name__ == "__main__":
    sys.exit(main())
