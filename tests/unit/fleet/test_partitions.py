"""A key goes where every other Kafka client would put it."""

from aiokafka.partitioner import DefaultPartitioner
from hypothesis import given
from hypothesis import strategies as st

from fleet.partitions import partition_of


@given(key=st.binary(max_size=200), count=st.integers(1, 500))
def test_a_key_has_the_partition_that_aiokafka_gives_it(key: bytes, count: int) -> None:
    every = list(range(count))
    assert partition_of(key, count) == DefaultPartitioner()(key, every, every)


def test_records_without_a_key_are_spread() -> None:
    assert {partition_of(None, 3) for _ in range(200)} == {0, 1, 2}
