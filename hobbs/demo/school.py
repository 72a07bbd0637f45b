"""Applies the demo's school and publishes flights, by the commands that an operator types or one by one."""

import os
from pathlib import Path

from pydantic import BaseModel

from fleet import kafka_client
from fleet.envelope import Message, first_cause
from hobbs.local import fork_server
from hobbs.local.fleet_processes import Fleet
from hobbs.local.running_fleet import operator_settings

SCHOOL = Path(__file__).resolve().parents[2] / "school"
SCHOOL_FILE = SCHOOL / "school.toml"
FLIGHTS_FILE = SCHOOL / "flights.csv"


class CommandFailed(Exception):
    """A `hobbs` command of the demo ended with findings or an error."""


def apply_school(fleet: Fleet, file: Path = SCHOOL_FILE) -> None:
    run_hobbs(
        fleet, "school", "apply", str(file), "--yes", "--who", "demo", "--why", f"begin with {file.name}"
    )


def school_with(folder: Path, more: str) -> Path:
    """A file of the demo's school with more in it, such as a reserve."""
    file = folder / "school-with-more.toml"
    file.write_text(SCHOOL_FILE.read_text(encoding="utf-8") + more, encoding="utf-8")
    return file


def publish_flights(fleet: Fleet, file: Path = FLIGHTS_FILE) -> None:
    run_hobbs(fleet, "flights", "publish", str(file))


async def publish(fleet: Fleet, topic: str, flight: str, event: BaseModel) -> None:
    """Publish one event of a flight, as a scheduler does."""
    message = Message(topic=topic, key=flight, event=event, cause=first_cause())
    await kafka_client.publish_once(operator_settings(fleet), [message], service="flights")


def run_hobbs(fleet: Fleet, *arguments: str) -> str:
    """Run a `hobbs` command as the operator; returns its stdout. Raises CommandFailed with its stderr."""
    done = fork_server.run("hobbs", arguments, {**os.environ, **fleet.environment("operator")})
    if done.returncode != 0:
        message = (done.stderr or done.stdout).strip()
        raise CommandFailed(
            f"`hobbs {' '.join(arguments)}` ended with exit code {done.returncode}:\n{message}"
        )
    return done.stdout
