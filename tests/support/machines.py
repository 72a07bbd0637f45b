"""State machines of Hypothesis whose rules are coroutines on the tests' event loop.

Hypothesis runs in a thread; each rule hands its coroutine to the loop and waits for it.
"""

import asyncio
import warnings
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

from hypothesis import HealthCheck, Phase, settings
from hypothesis.errors import HypothesisDeprecationWarning
from hypothesis.stateful import RuleBasedStateMachine, run_state_machine_as_test

T = TypeVar("T")

RULE_WITHIN_S = 60.0


class Machine(RuleBasedStateMachine):
    """A machine on a loop; its rules call `self.wait(coroutine)`."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        super().__init__()
        self._loop = loop

    def wait(self, coroutine: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(coroutine, self._loop).result(RULE_WITHIN_S)


async def run_machine(
    machine: Callable[[asyncio.AbstractEventLoop], Machine], *, examples: int, steps: int
) -> None:
    """Run examples of a machine; a failure is shrunk briefly and printed with how to repeat it."""
    loop = asyncio.get_running_loop()
    options = settings(
        max_examples=examples,
        stateful_step_count=steps,
        deadline=None,
        print_blob=True,
        phases=(Phase.explicit, Phase.reuse, Phase.generate, Phase.shrink),
        suppress_health_check=list(HealthCheck),
    )
    with warnings.catch_warnings():
        # aiokafka, on the loop, draws from `random` while Hypothesis chooses;
        # rules never do.
        warnings.simplefilter("ignore", HypothesisDeprecationWarning)
        await asyncio.to_thread(run_state_machine_as_test, _factory(lambda: machine(loop)), settings=options)


def _factory(make: Callable[[], Machine]) -> Any:
    """Hypothesis accepts any callable that makes a machine, although its type says a class."""
    return make
