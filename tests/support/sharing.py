"""How `make test` shares files among its workers: files that use one fleet go to one worker.

A fleet starts once in each worker that needs it, about 40 s of CPU. So files that share one are one piece of
work. All workers but the last begin with the files that start fleets, which take longest and mostly wait, the
longest first; the last one comes to them when nothing else is left, so the last piece is a short one more
often than a long one.
"""

from collections.abc import Sequence
from typing import Any, Final

from xdist.scheduler import LoadFileScheduling
from xdist.workermanage import WorkerController

FLEETS: Final = "tests/system/"
LONGEST: Final = FLEETS + "test_restore.py"
# Each line: files of which all, or nearly all, tests use the same fleet.
SHARED: Final = {
    "the console's fleet": ("tests/system/console/",),
    "the undisturbed run": (
        "tests/system/test_kills.py",
        "tests/system/test_logs_of_a_demo.py",
        "tests/system/test_money_path.py",
        "tests/system/test_outages.py",
        "tests/system/test_published_events.py",
    ),
}


def piece_of(file: str) -> str:
    """The piece of work that a test file belongs to: a shared fleet's, or its own."""
    for piece, beginnings in SHARED.items():
        if file.startswith(beginnings):
            return FLEETS + piece
    return file


def next_piece(waiting: Sequence[str], *, fleets_first: bool) -> str:
    """Which piece a worker gets: the longest, then the first of the kind it prefers, or else the first."""
    if fleets_first and LONGEST in waiting:
        return LONGEST
    return next((piece for piece in waiting if piece.startswith(FLEETS) == fleets_first), waiting[0])


class BySharedFleet(LoadFileScheduling):  # type: ignore[misc]
    """`--dist loadfile`, with the pieces and the order above."""

    def _split_scope(self, nodeid: str) -> str:
        return piece_of(super()._split_scope(nodeid))

    def _assign_work_unit(self, node: WorkerController) -> None:
        fleets_first = node is not self.nodes[-1]
        self.workqueue.move_to_end(next_piece(list(self.workqueue), fleets_first=fleets_first), last=False)
        super()._assign_work_unit(node)


def scheduler(config: Any, log: Any) -> BySharedFleet | None:
    """The scheduler of `--dist loadfile`; None leaves any other way of sharing to xdist."""
    return BySharedFleet(config, log) if config.getvalue("dist") == "loadfile" else None
