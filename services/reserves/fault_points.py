"""Places where a process of reserves can be made to die; see fleet/faults.py."""

POINTS: dict[str, str] = {
    "reserves.positions_written": "journals are added to the positions, not committed",
    "reserves.judged": "the reserve is judged, gate and health are staged, not committed",
    "reserves.lines_kept": "rows of Stripe's balance are kept, with their days' totals; not committed",
    "reserves.journals_kept": "journals that move Stripe's cash are kept, with the totals; not committed",
    "reserves.matched": "lines and journals are matched; not committed",
    "reserves.breaks_kept": "what is open and differs has its names; not committed",
    "reserves.taken_back": "the revert of what stood in for a late journal is asked for; not committed",
    "reserves.accepted": "a person's acceptance is written, nothing is asked for",
    "reserves.signed": "a date is signed off; not committed",
    "reserves.day_completed": "a date's comparison is kept and told; not committed",
}
