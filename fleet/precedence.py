"""Who goes first where cores are short: a process that answers over HTTP, before those that work off topics.

What works off topics does so in batches, and a batch that begins a little later is a larger one. Who waits
for an answer waits for each turn of the processor (docs/decisions/0382).
"""

import os
from contextlib import suppress
from pathlib import Path
from typing import Final

NICE: Final = 5  # a third of the processor that a process without it gets beside this one
_OF_SESSION: Final = Path("/proc/self/autogroup")


def give_way() -> None:
    """Give this process less precedence than those that are as they were started.

    Where Linux shares the processor among sessions first, niceness counts within a session only: who leads
    one says it of the session too. In a container neither reaches beyond it: its share of the processor does.
    """
    with suppress(OSError):
        os.nice(NICE)
    if os.getsid(0) == os.getpid():
        with suppress(OSError):
            _OF_SESSION.write_text(str(NICE))
