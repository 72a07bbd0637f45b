"""Fetches Apache Kafka's jars once and remembers the class path.

jgo needs no Maven. It runs as a process of its own: importing it and resolving the jars take seconds, which
later starts save by reading the remembered paths. Each jar must be the one whose checksum is committed here:
what a repository or a proxy gave instead is never run.
"""

import fcntl
import hashlib
import os
import subprocess
import sys
from pathlib import Path

from hobbs.local.packages import cache_folder

# The second makes the broker log: without a binding SLF4J drops even the reason of a failed start. Each is
# resolved by itself: resolved together, the logging project's dependency table downgrades Kafka's client.
COORDINATES = ("org.apache.kafka:kafka_2.13:4.3.1", "org.apache.logging.log4j:log4j-slf4j-impl:2.25.4")
RESOLVE = "import jgo, sys; [print(jgo.build(coordinate).path) for coordinate in sys.argv[1:]]"


CHECKSUMS = Path(__file__).with_name("kafka_jars.sha256")


class JarsMissing(Exception):
    """Kafka's jars could not be fetched, or are not those that were expected."""


def class_path() -> str:
    """The class path of COORDINATES; the first call of a user on this machine fetches the jars."""
    if known := remembered_class_path():
        return known
    with memory().with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # two that fetch at once read each other's unfinished files
        if known := remembered_class_path():
            return known
        jars = fetch_jars()
        require_expected(jars)
        paths = os.pathsep.join(str(jar) for jar in jars)
        fresh = memory().with_suffix(f".{os.getpid()}")
        fresh.write_text(paths + "\n")
        fresh.replace(memory())  # atomic: others read it without the lock
        return paths


def remembered_class_path() -> str | None:
    """The class path fetched earlier; None when there is none or one of its jars is missing."""
    if not memory().exists():
        return None
    paths = memory().read_text().strip()
    return paths if all(Path(jar).exists() for jar in paths.split(os.pathsep)) else None


def memory() -> Path:
    expected = " ".join(COORDINATES) + CHECKSUMS.read_text(encoding="utf-8")
    fingerprint = hashlib.sha256(expected.encode()).hexdigest()[:12]
    return cache_folder() / f"kafka-{fingerprint}.classpath"


def fetch_jars() -> list[Path]:
    """Fetch every jar, each name once. Those with a Java module are in modules/; Kafka needs them too."""
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", RESOLVE, *COORDINATES],
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        raise JarsMissing(f"jgo could not resolve {', '.join(COORDINATES)}:\n{done.stderr[-2000:]}")
    folders = [Path(line) for line in done.stdout.split("\n")[-len(COORDINATES) - 1 : -1]]
    jars = [jar for folder in folders for kind in ("jars", "modules") for jar in folder.glob(f"{kind}/*.jar")]
    return sorted({jar.name: jar for jar in reversed(jars)}.values())


def require_expected(jars: list[Path]) -> None:
    """Raise JarsMissing unless these are the jars of CHECKSUMS, all of them and no other."""
    expected = {name: digest for digest, name in map(str.split, CHECKSUMS.read_text("utf-8").splitlines())}
    for jar in jars:
        if hashlib.sha256(jar.read_bytes()).hexdigest() != expected.pop(jar.name, None):
            raise JarsMissing(
                f"{jar} is not the jar whose SHA-256 is in {CHECKSUMS.name}: delete it and fetch it again; "
                "if it is so again, ask who answers for the repository before you run it"
            )
    if expected:
        raise JarsMissing(f"{', '.join(sorted(expected))} of {CHECKSUMS.name} did not come: fetch again")
