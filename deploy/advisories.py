"""Asks an advisory service which pins have known vulnerabilities. Sends names and versions, nothing else.

Exit code 0: asked, nothing is known. 1: something is known. 3: nobody could be asked, which is not "nothing
is known": whoever runs this in CI decides whether 3 may pass. The service speaks OSV's batch API;
ADVISORIES_URL names another address, such as a mirror inside.
"""

import json
import os
import sys
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any, Final

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))  # run as a file, it finds only its own folder

from deploy.pins import Pin, pins

VARIABLE: Final = "ADVISORIES_URL"
SERVICE: Final = "https://api.osv.dev"
BATCH: Final = 1000  # the service's own limit
WITHIN_S: Final = 30
NOT_ASKED: Final = 3


class NotReached(Exception):
    """The service did not answer, or not as it should."""


def main() -> int:
    service = os.environ.get(VARIABLE) or SERVICE
    pinned = pins()
    try:
        known = advisories(service, pinned)
    except NotReached as error:
        sys.stderr.write(f"NOT ASKED: {service} could not be asked about {len(pinned)} pins: {error}\n")
        sys.stderr.write(f"Ask from where it can be reached, or name a mirror in {VARIABLE}.\n")
        return NOT_ASKED
    for pin, names in known:
        where = "in the image" if pin.in_image else "tools only"
        sys.stdout.write(f"{pin.name} {pin.version} ({where}): {', '.join(names)}\n")
    sys.stdout.write(f"asked about {len(pinned)} pins: {len(known)} have known vulnerabilities\n")
    return 1 if known else 0


def advisories(service: str, pinned: list[Pin]) -> list[tuple[Pin, list[str]]]:
    """The pins with known vulnerabilities, and the names of those. Raises NotReached."""
    known = []
    for start in range(0, len(pinned), BATCH):
        batch = pinned[start : start + BATCH]
        results = _ask(service, batch)
        if len(results) != len(batch):
            raise NotReached(f"it answered {len(results)} of {len(batch)} questions")
        for pin, result in zip(batch, results, strict=True):
            if names := sorted(str(found["id"]) for found in (result or {}).get("vulns") or []):
                known.append((pin, names))
    return known


def _ask(service: str, batch: list[Pin]) -> list[Any]:
    question = {"queries": [{"package": {"purl": pin.purl}} for pin in batch]}
    request = urllib.request.Request(
        f"{service.rstrip('/')}/v1/querybatch",
        data=json.dumps(question).encode(),
        headers={"Content-Type": "application/json"},
    )
    try:
        with urllib.request.urlopen(request, timeout=WITHIN_S) as answer:
            said = json.load(answer)
    except (OSError, ValueError) as error:
        raise NotReached(str(error)) from None
    results = said.get("results") if isinstance(said, dict) else None
    if not isinstance(results, list):
        raise NotReached("its answer has no list of results")
    return results


if __name__ == "__main__":
    sys.exit(main())
