"""What is written in one turn of the loop leaves together."""

import asyncio

from fleet.serving import TOGETHER_BYTES_MAX, Together


class Line(asyncio.Transport):
    """Remembers what was written on it."""

    def __init__(self) -> None:
        super().__init__()
        self.sent: list[bytes] = []
        self.closed = False

    def write(self, data: bytes | bytearray | memoryview) -> None:
        assert not self.closed
        self.sent.append(bytes(data))

    def close(self) -> None:
        self.closed = True

    def is_closing(self) -> bool:
        return self.closed


async def test_head_body_and_end_of_an_answer_are_one_write() -> None:
    line = Line()
    together = Together(line, asyncio.get_running_loop())
    for part in (b"head", b"body", b""):
        together.write(part)
    assert line.sent == []
    await asyncio.sleep(0)
    together.write(b"next")
    await asyncio.sleep(0)
    assert line.sent == [b"headbody", b"next"]


async def test_what_is_long_does_not_wait() -> None:
    line = Line()
    together = Together(line, asyncio.get_running_loop())
    for _ in range(3):
        together.write(b"x" * TOGETHER_BYTES_MAX)
    assert list(map(len, line.sent)) == [2 * TOGETHER_BYTES_MAX]
    await asyncio.sleep(0)
    assert sum(map(len, line.sent)) == 3 * TOGETHER_BYTES_MAX


async def test_an_answer_is_sent_before_its_connection_closes_and_never_after() -> None:
    line = Line()
    together = Together(line, asyncio.get_running_loop())
    together.write(b"last")
    together.close()
    together.write(b"late")
    await asyncio.sleep(0)
    assert (line.sent, together.is_closing()) == ([b"last"], True)
