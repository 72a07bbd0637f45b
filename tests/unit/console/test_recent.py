"""What was read seconds ago: shown again, read once by many, and forgotten when somebody decides."""

import asyncio

from console.recent import Recent


class Asked:
    """Counts how often it is read; the answer is how often."""

    def __init__(self) -> None:
        self.times = 0
        self.may_go_on = asyncio.Event()
        self.may_go_on.set()

    async def read(self) -> int:
        self.times += 1
        times = self.times
        await self.may_go_on.wait()
        return times


async def test_it_is_read_once_for_many_and_again_when_it_is_old() -> None:
    recent, asked = Recent(), Asked()
    answers = await asyncio.gather(*(recent.get("x", asked.read) for _ in range(5)))
    assert {found for found, _ in answers} == {1}
    assert len({at for _, at in answers}) == 1, "all say the same time"
    assert (await recent.get("y", asked.read))[0] == 2, "another question is another answer"
    await recent.get("z", asked.read, for_s=0)
    assert (await recent.get("z", asked.read))[0] == 4


async def test_a_decision_forgets_it_and_what_is_being_read_is_not_kept() -> None:
    recent, asked = Recent(), Asked()
    await recent.get("x", asked.read)
    recent.forget()
    asked.may_go_on.clear()
    reading = asyncio.create_task(recent.get("x", asked.read))
    await asyncio.sleep(0)
    recent.forget()
    asked.may_go_on.set()
    assert (await reading)[0] == 2
    assert (await recent.get("x", asked.read))[0] == 3, "it may have been read before the decision"
