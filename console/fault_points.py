"""Places where the console's process can be made to die; see fleet/faults.py."""

POINTS: dict[str, str] = {
    "console.statements_kept": "a part of a month's statements is kept, nothing says how far; not committed",
}
