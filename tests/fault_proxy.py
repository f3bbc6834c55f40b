"""A TCP proxy that a test cuts: after so many bytes, or with an answer on its way."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable
from contextlib import suppress

# Says whether the connection is cut, from the direction ("up" to the server, "down" to the
# client), the piece that is passing and how much went that way before it.
Cut = Callable[[str, bytes, int], bool]


class Proxy:
    """Listens on `port` of 127.0.0.1 and passes everything on, until `cut` says otherwise.

    A cut resets both sides. `cuts` are how many connections may be cut; the next ones pass.
    """

    def __init__(self, server_port: int, cut: Cut, cuts: int = 1) -> None:
        self._server_port = server_port
        self._cut = cut
        self._left = cuts
        self.done = 0
        self._guard = threading.Lock()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def __enter__(self) -> Proxy:
        return self

    def __exit__(self, *_: object) -> None:
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            try:
                server = socket.create_connection(("127.0.0.1", self._server_port))
            except OSError:
                client.close()
                continue
            both = (client, server)
            for direction, source, target in (("up", client, server), ("down", server, client)):
                threading.Thread(
                    target=self._pass, args=(direction, source, target, both), daemon=True
                ).start()

    def _pass(
        self,
        direction: str,
        source: socket.socket,
        target: socket.socket,
        both: tuple[socket.socket, socket.socket],
    ) -> None:
        passed = 0
        try:
            while piece := source.recv(4096):
                if self._is_cut(direction, piece, passed):
                    break
                target.sendall(piece)
                passed += len(piece)
        except OSError:
            pass
        for end in both:
            # Not close(): the other thread may be in recv() of it.
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)

    def _is_cut(self, direction: str, piece: bytes, passed: int) -> bool:
        with self._guard:
            if self._left <= 0 or not self._cut(direction, piece, passed):
                return False
            self._left -= 1
            self.done += 1
            return True


def after_bytes(direction: str, count: int) -> Cut:
    """Cut when that many bytes have gone that way on one connection."""
    return lambda way, piece, passed: way == direction and passed + len(piece) >= count


def answer_to(statement: bytes) -> Cut:
    """Let the statement through to the server, and cut before its answer is back."""
    asked = threading.Event()

    def cut(way: str, piece: bytes, _: int) -> bool:
        if way == "up" and statement in piece:
            asked.set()
            return False
        if way == "down" and asked.is_set():
            asked.clear()
            return True
        return False

    return cut
