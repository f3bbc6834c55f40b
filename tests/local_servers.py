"""Servers of this machine that the pipeline tells of its runs: web and mail."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from email import message_from_bytes, policy
from email.message import EmailMessage
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, NamedTuple

from aiosmtpd.controller import Controller


class Asked(NamedTuple):
    """One request; `body` is the JSON that came with it, or None."""

    method: str
    path: str
    body: Any


class WebServer:
    """Remembers what it is asked, and answers with `status`, once `may_answer` is set.

    The answer is `body`, of which `withheld` bytes are promised and never come.
    """

    def __init__(self) -> None:
        self.asked: list[Asked] = []
        self.status = 200
        self.body, self.withheld = b"", 0
        self.may_answer = threading.Event()
        self.may_answer.set()
        self.port = 0

    @property
    def channel(self) -> str:
        """It as a channel of Apprise, with a secret in user, password and path."""
        return f"json://quien:secreto1@127.0.0.1:{self.port}/secreto2"

    @property
    def heartbeat(self) -> str:
        """It as a heartbeat, with a secret in the path."""
        return f"http://127.0.0.1:{self.port}/secreto3"

    @property
    def told(self) -> list[tuple[str, str]]:
        """Title and text of every notice."""
        return [
            (asked.body["title"], asked.body["message"])
            for asked in self.asked
            if asked.method == "POST"
        ]


@contextmanager
def web_server() -> Iterator[WebServer]:
    """A web server in a thread, on a port that is free."""
    web = WebServer()

    class Handler(BaseHTTPRequestHandler):
        def _answer(self) -> None:
            length = int(self.headers.get("Content-Length", 0))
            body = json.loads(self.rfile.read(length)) if length else None
            web.asked.append(Asked(self.command, self.path, body))
            web.may_answer.wait(60)
            self.send_response(web.status)
            self.send_header("Content-Length", str(len(web.body) + web.withheld))
            self.end_headers()
            self.wfile.write(web.body)

        do_GET = do_POST = _answer

        def log_message(self, *_: Any) -> None:
            """Stay silent."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        web.port = server.server_port
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield web
        finally:
            web.may_answer.set()
            server.shutdown()
            thread.join()


class Mailbox:
    """What aiosmtpd hands over."""

    def __init__(self) -> None:
        self.received: list[EmailMessage] = []

    async def handle_DATA(self, _server: Any, _session: Any, envelope: Any) -> str:
        """Keep a message."""
        message = message_from_bytes(envelope.content, policy=policy.default)
        assert isinstance(message, EmailMessage)
        self.received.append(message)
        return "250 OK"


@contextmanager
def mail_server() -> Iterator[tuple[Mailbox, int]]:
    """An SMTP server in a thread: its mailbox and port."""
    mailbox = Mailbox()
    controller = Controller(mailbox, hostname="127.0.0.1", port=free_port())
    controller.start()
    try:
        yield mailbox, controller.port
    finally:
        controller.stop()


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port: int = free.getsockname()[1]
    return port
