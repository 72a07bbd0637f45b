import socket
from pathlib import Path

from hobbs.local.ports import LOOPBACK, remembered_ports


def test_a_restarted_stack_gets_its_ports_again(tmp_path: Path) -> None:
    file = tmp_path / "ports.json"
    first = remembered_ports(file, ["kafka", "postgres"])
    assert len(set(first.values())) == 2
    assert remembered_ports(file, ["kafka", "postgres"]) == first


def test_ports_that_were_taken_meanwhile_are_replaced(tmp_path: Path) -> None:
    file = tmp_path / "ports.json"
    first = remembered_ports(file, ["kafka"])
    with socket.create_server((LOOPBACK, first["kafka"])):
        assert remembered_ports(file, ["kafka"]) != first
