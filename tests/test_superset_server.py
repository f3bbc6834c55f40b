"""The start of a Superset of one's own, with a small web server in the place of the real one."""

from __future__ import annotations

import json
import sys
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
from local_servers import free_port, web_server

from demo.superset_demo import started
from demo.superset_server import SupersetServer
from pipeline.errors import PipelineError

# It answers /health with the folder that it runs in.
SERVES = """
import http.server, os, socket, sys

class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.end_headers()
        self.wfile.write(os.getcwd().encode())

server = http.server.HTTPServer(("127.0.0.1", 0), Handler, bind_and_activate=False)
server.socket = socket.socket(fileno=int(sys.argv[sys.argv.index("--bind") + 1][len("fd://"):]))
server.serve_forever()
"""
DIES = "raise SystemExit('no module named superset')"


@pytest.fixture
def superset(tmp_path: Path) -> Iterator[SupersetServer]:
    """One that is made, and stopped afterwards."""
    (tmp_path / "venv/bin").mkdir(parents=True)
    server = SupersetServer(tmp_path / "superset", tmp_path / "venv")
    program(server, "gunicorn", SERVES)
    program(server, "python", "")
    server.make()
    yield server
    server.stop()


def program(server: SupersetServer, name: str, text: str) -> None:
    """Give its environment a program."""
    path = server.venv / "bin" / name
    path.write_text(f"#!{sys.executable}\n{text}")
    path.chmod(0o755)


def answers_as(server: SupersetServer) -> str:
    """Which folder's Superset answers at its address."""
    with urllib.request.urlopen(f"{server.account.url}/health") as answer:
        return str(answer.read().decode())


def process(server: SupersetServer) -> str:
    """The number of its process."""
    return (server.folder / "superset.pid").read_text()


def remember_port(server: SupersetServer, port: int) -> None:
    """Let it have answered there the last time."""
    (server.folder / "port").write_text(str(port))


def test_a_start_takes_the_port_of_the_last_time(superset: SupersetServer):
    port = free_port()
    remember_port(superset, port)
    assert started(superset) == ""
    assert superset.account.url == f"http://127.0.0.1:{port}"
    assert answers_as(superset) == str(superset.folder)


def test_who_else_answers_on_its_port_is_not_taken_for_it(superset: SupersetServer):
    with web_server() as other:
        remember_port(superset, other.port)
        said = started(superset)
        assert superset.port != other.port
        assert said == f" on port {superset.port}, since {other.port} is taken"
        assert answers_as(superset) == str(superset.folder)
        assert not other.asked


def test_one_that_runs_stays_where_it_is(superset: SupersetServer):
    remember_port(superset, free_port())
    started(superset)
    before = process(superset), superset.port
    assert started(superset) == ""
    assert (process(superset), superset.port) == before
    superset.stop()
    started(superset)
    assert superset.port == before[1]
    assert process(superset) != before[0]


def test_one_that_does_not_start_is_said_whoever_answers(superset: SupersetServer):
    program(superset, "gunicorn", DIES)
    with web_server() as other:
        remember_port(superset, other.port)
        with pytest.raises(PipelineError, match=r"did not start \(log: .*superset\.log\)"):
            superset.start()
        assert not other.asked
    assert "no module named superset" in superset.log.read_text()


def test_what_is_made_is_not_made_again(superset: SupersetServer):
    login = superset.folder / "login.json"
    before = login.read_text()
    assert json.loads(before).keys() == {"password", "secret_key"}
    assert login.stat().st_mode & 0o077 == 0
    superset.make()
    assert login.read_text() == before


def test_one_that_cannot_be_made_is_said(superset: SupersetServer):
    (superset.folder / "made").unlink()
    program(superset, "python", "raise SystemExit(1)")
    with pytest.raises(PipelineError, match="cannot be made"):
        superset.make()


def test_stopping_what_never_ran_does_nothing(tmp_path: Path):
    (tmp_path / "superset.pid").write_text("1")
    SupersetServer(tmp_path, tmp_path).stop()
