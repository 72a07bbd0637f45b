"""A service that can never be built is tried ever more seldom, and ends as soon as it is asked to."""

import asyncio
from itertools import pairwise

import pytest

from fleet import host
from fleet.host import Host
from fleet.settings import ProcessSettings
from fleet.worker import Worker


async def test_pauses_between_tries_double_up_to_the_longest(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(host, "PAUSE_FIRST_S", 0.1)
    monkeypatch.setattr(host, "PAUSE_MAX_S", 0.4)
    clock = asyncio.get_running_loop().time
    tried: list[float] = []

    def broken() -> Worker:
        tried.append(clock())
        raise RuntimeError("a bug")

    process = Host("sample", ProcessSettings(), {"sample": broken})
    service = process._services[0]
    running = asyncio.create_task(service.run())
    while len(tried) < 6:
        assert not running.done()
        await asyncio.sleep(0.01)
    assert await process._ready_checks()["sample"]() == "down (RuntimeError); it is started again"
    assert await process._live_checks()["sample"]() is None
    service.stop()
    await asyncio.wait_for(running, 5)
    gaps = [later - earlier for earlier, later in pairwise(tried)]
    assert all(gap >= least for gap, least in zip(gaps, (0.1, 0.2, 0.4, 0.4, 0.4), strict=True)), gaps
    assert len(tried) == 6
