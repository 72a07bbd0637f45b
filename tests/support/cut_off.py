"""A TCP proxy that ends a connection in the middle: after so many pieces of what the server answered."""

import socket
import struct
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from hobbs.local.ports import LOOPBACK


@contextmanager
def cut_off(server_port: int, *, after: int, abruptly: bool) -> Iterator[int]:
    """Lend a port that leads to the server's; each connection ends once `after` answers have come through.

    abruptly: by a reset, as a killed machine's; else by an orderly end, as a killed process's.
    """
    listener = socket.create_server((LOOPBACK, 0))
    threading.Thread(target=_serve, args=(listener, server_port, after, abruptly), daemon=True).start()
    try:
        yield listener.getsockname()[1]
    finally:
        listener.close()


def _serve(listener: socket.socket, server_port: int, after: int, abruptly: bool) -> None:
    while True:
        try:
            client, _ = listener.accept()
        except OSError:  # closed: the test is over
            return
        threading.Thread(target=_relay, args=(client, server_port, after, abruptly), daemon=True).start()


def _relay(client: socket.socket, server_port: int, after: int, abruptly: bool) -> None:
    with client, socket.create_connection((LOOPBACK, server_port)) as server:
        threading.Thread(target=_copy, args=(client, server), daemon=True).start()
        for _ in range(after):
            answer = server.recv(65536)
            if not answer:
                break
            client.sendall(answer)
        if abruptly:
            client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        else:
            client.shutdown(socket.SHUT_RDWR)


def _copy(client: socket.socket, server: socket.socket) -> None:
    try:
        while piece := client.recv(65536):
            server.sendall(piece)
    except OSError:
        return
