"""`make pin-images`: writes the digest of each image of others behind its tag, where the files name it.

The digest is of the image that this machine pulled and tested: `docker image inspect` says it, no registry is
asked. What cannot be pinned here is listed in deploy/not_pinned.txt; a test compares that list with the
files.
"""

import re
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parent.parent
FILES: Final = (
    ROOT / "docker-compose.yml",
    *sorted((ROOT / "deploy").glob("*.yml")),
    ROOT / "deploy" / "Dockerfile",
)
NOT_PINNED: Final = ROOT / "deploy" / "not_pinned.txt"
HEAD: Final = (
    "# Images of others that are named by tag and not by digest: `make pin-images` where they are pulled.\n"
)
BUILT_HERE: Final = re.compile(r"hobbs(-simulator)?:")

_NAMED: Final = re.compile(
    r"^(?P<before>[ \t]*image:[ \t]*|FROM )(?P<name>[^\s@]+:[^\s@]+)(?P<after>[ \t].*)?$", re.MULTILINE
)


def tagged(text: str) -> set[str]:
    """The images of others that a compose file or a Dockerfile names by tag alone."""
    return {found["name"] for found in _NAMED.finditer(text) if not BUILT_HERE.match(found["name"])}


def pinned(text: str, digests: Mapping[str, str]) -> str:
    """The text with the digests of these images behind their tags; a person still reads the version."""

    def with_digest(found: re.Match[str]) -> str:
        digest = digests.get(found["name"])
        return (
            found[0] if digest is None else f"{found['before']}{found['name']}@{digest}{found['after'] or ''}"
        )

    return _NAMED.sub(with_digest, text)


def digest_of(image: str) -> str | None:
    """The digest under which this machine pulled an image; None where it did not, or has no docker."""
    docker = shutil.which("docker")
    if docker is None:
        return None
    asked = [docker, "image", "inspect", "--format", "{{index .RepoDigests 0}}", image]
    said = subprocess.run(asked, capture_output=True, text=True, check=False)
    found = re.search(r"@(sha256:[0-9a-f]{64})$", said.stdout.strip())
    return found[1] if said.returncode == 0 and found else None


def main() -> int:
    """Pin what can be pinned; 1 when something is left."""
    left = set[str]()
    for path in FILES:
        text = path.read_text(encoding="utf-8")
        digests = {image: digest for image in tagged(text) if (digest := digest_of(image))}
        path.write_text(pinned(text, digests), encoding="utf-8")
        left |= tagged(text) - digests.keys()
    NOT_PINNED.write_text(HEAD + "".join(f"{image}\n" for image in sorted(left)), encoding="utf-8")
    for image in sorted(left):
        sys.stderr.write(f"not pinned: {image} was not pulled by a docker of this machine\n")
    return 1 if left else 0


if __name__ == "__main__":
    sys.exit(main())
