"""What was read seconds ago: shown again, read once by many, and forgotten when somebody decides."""

import asyncio

import pytest

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
    assert (await recent.get("z", asked.read, shown_s=0))[0] == 4, "it is too old to be shown"


async def test_what_is_a_little_old_is_shown_at_once_and_read_again_by_one_behind_the_page() -> None:
    recent, asked = Recent(), Asked()
    _, at = await recent.get("x", asked.read, for_s=0)
    asked.may_go_on.clear()
    shown = await asyncio.gather(*(recent.get("x", asked.read) for _ in range(5)))
    assert set(shown) == {(1, at)}, "nobody waits, and the page says how old it is"
    asked.may_go_on.set()
    await asyncio.sleep(0.01)
    found, later = await recent.get("x", asked.read)
    assert found == 2, "one read for all of them"
    assert later > at


async def test_who_wants_it_as_it_is_now_waits_for_it() -> None:
    recent, asked = Recent(), Asked()
    await recent.get("x", asked.read)
    assert (await recent.get("x", asked.read, now=True))[0] == 2
    assert (await recent.get("x", asked.read))[0] == 2, "and so do those who look after"


async def test_a_failure_behind_the_page_is_told_to_who_has_to_wait_and_to_nobody_before() -> None:
    recent, asked = Recent(), Asked()

    async def broken() -> int:
        raise ConnectionError

    await recent.get("x", asked.read, for_s=0)
    assert (await recent.get("x", broken))[0] == 1
    await asyncio.sleep(0.01)
    assert (await recent.get("x", broken))[0] == 1, "what is known is shown meanwhile"
    await asyncio.sleep(0.01)
    with pytest.raises(ConnectionError):
        await recent.get("x", broken, shown_s=0)
    assert (await recent.get("x", asked.read, shown_s=0))[0] == 2, "the next reads anew"


async def test_a_decision_meanwhile_is_seen_by_who_looks_next() -> None:
    recent, asked = Recent(), Asked()
    await recent.get("x", asked.read, for_s=0)
    asked.may_go_on.clear()
    await recent.get("x", asked.read)
    await asyncio.sleep(0)
    recent.forget()
    asked.may_go_on.set()
    assert (await recent.get("x", asked.read))[0] == 3, "what was read behind the page may be older"


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
