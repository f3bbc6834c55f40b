"""Python processes that are ready: what they import of others is there, the pipeline is not.

As a program it is the process that forks them; run_ready() asks it for one. Each is a process of
its own, which imports the pipeline with its own arguments, environment, folder and output, and
ends as an interpreter ends; it is spared the half second in which Luigi is imported.
"""

from __future__ import annotations

import contextlib
import gc
import importlib
import json
import os
import runpy
import select
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import IO, Any

# Read by the interpreter, the C library or Luigi before the pipeline: they ask for a new process.
_READ_AT_START = ("LC_", "LANG", "LD_", "LUIGI_", "PYTHON", "TZ")
# What the pipeline and its commands import. No luigi.cmdline: it takes sys.argv as it is imported.
_OTHERS = (
    "csv",
    "decouple",
    "locale",
    "luigi.retcodes",
    "psycopg2.extras",
    "psycopg2.sql",
    "smtplib",
    "uuid",
    "zoneinfo",
)
_LIMIT = 1 << 20  # bytes of a request


class Ready:
    """A process that was ready and has started: as a subprocess.Popen, leader of its own group."""

    def __init__(self, arguments: list[str], answer: socket.socket) -> None:
        self.args = [sys.executable, *arguments]
        self._answer, self._said = answer, b""
        self.returncode: int | None = None
        # A forker that is gone has closed its end: the line is empty, and int() says so.
        self.pid = int(self._line(None) or b"")

    def _line(self, timeout: float | None) -> bytes | None:
        """The next line of the answer; None where there is none in time."""
        while b"\n" not in self._said:
            if not select.select([self._answer], [], [], timeout)[0]:
                return None
            more = self._answer.recv(64)
            if not more:
                break
            self._said += more
        line, _, self._said = self._said.partition(b"\n")
        return line

    def poll(self) -> int | None:
        """Its exit code, negative for a signal; None while it runs."""
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.wait(0)
        return self.returncode

    def wait(self, timeout: float | None = None) -> int:
        """Its exit code, once it has ended. Raises subprocess.TimeoutExpired."""
        if self.returncode is None:
            line = self._line(timeout)
            if line is None:
                raise subprocess.TimeoutExpired(self.args, timeout or 0)
            self.returncode = int(line)
            self._answer.close()
        return self.returncode

    def kill(self) -> None:
        """SIGKILL, if it runs still."""
        if self.poll() is None:
            os.kill(self.pid, signal.SIGKILL)


def run_ready(
    arguments: list[str], folder: Path, environment: Mapping[str, str], timeout: float
) -> subprocess.CompletedProcess[str] | None:
    """Run Python with these arguments (`-m`, module, … or a script, …) to its end.

    stdout and stderr are together in stdout. None where `environment` sets what is read before
    the fork otherwise than this process has it. Raises subprocess.TimeoutExpired.
    """
    with tempfile.TemporaryFile() as output:
        process = start_ready(arguments, folder, environment, output)
        if process is None:
            return None
        try:
            code = process.wait(timeout)
        except subprocess.TimeoutExpired:
            process.kill()
            raise
        output.seek(0)
        printed = output.read().decode().replace("\r\n", "\n")
    return subprocess.CompletedProcess(process.args, code, printed)


def start_ready(
    arguments: list[str],
    folder: Path,
    environment: Mapping[str, str],
    output: IO[Any],
    hook: Path | None = None,
) -> Ready | None:
    """Start what run_ready() runs, and leave it running; its output goes to that file.

    `hook` is a file whose install() it calls first.
    """
    forker, started_with = _forker()
    if _at_start(environment) != started_with:
        return None
    own, other = socket.socketpair()
    umask = os.umask(0)
    os.umask(umask)
    request = [arguments, str(folder), dict(environment), umask, str(hook or "")]
    with other:
        descriptors = [output.fileno(), other.fileno()]
        socket.send_fds(forker, [json.dumps(request).encode()], descriptors)
    return Ready(arguments, own)


def _at_start(environment: Mapping[str, str]) -> dict[str, str]:
    return {k: v for k, v in environment.items() if k.startswith(_READ_AT_START)}


@cache
def _forker() -> tuple[socket.socket, dict[str, str]]:
    """The socket of this process's forker, which ends when it does, and what it started with."""
    own, other = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    own.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, _LIMIT)
    with other:
        subprocess.Popen(
            [sys.executable, __file__, str(other.fileno())],
            pass_fds=[other.fileno()],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
        )
    return own, _at_start(os.environ)


def _serve(requests: socket.socket) -> tuple[list[str], str] | None:
    """Fork a process for each request: its arguments and hook, in it; at the end None, here."""
    while True:
        message, descriptors, _, _ = socket.recv_fds(requests, _LIMIT, 2)
        if not message:
            return None
        if os.fork() == 0:
            break
        for descriptor in descriptors:
            os.close(descriptor)
        # Those that have told how their child ended.
        with contextlib.suppress(ChildProcessError):
            while os.waitpid(-1, os.WNOHANG)[0]:
                pass
    requests.close()
    output, answer = descriptors
    pid = os.fork()
    # By both, so that it is a group's leader as soon as either goes on.
    with contextlib.suppress(OSError):
        os.setpgid(pid, pid)
    if pid:
        os.write(answer, f"{pid}\n".encode())
        _, status = os.waitpid(pid, 0)
        os.write(answer, f"{os.waitstatus_to_exitcode(status)}\n".encode())
        os._exit(0)
    arguments, folder, environment, umask, hook = json.loads(message)
    os.dup2(output, 1)
    os.dup2(output, 2)
    os.close(output)
    os.close(answer)
    os.umask(umask)
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environment)
    return list(arguments), hook


def _run(arguments: list[str], hook: str) -> None:
    """As the interpreter runs a module or a script."""
    module = arguments[0] == "-m"
    sys.argv = arguments[1:] if module else arguments
    sys.path[0] = str(Path.cwd() if module else Path(arguments[0]).parent)
    if hook:
        runpy.run_path(hook)["install"]()
    if module:
        runpy.run_module(arguments[1], run_name="__main__", alter_sys=True)
    else:
        runpy.run_path(arguments[0], run_name="__main__")


if __name__ == "__main__":
    for _name in _OTHERS:
        importlib.import_module(_name)
    # Else the collector writes in each page that a fork shares.
    gc.freeze()
    given = _serve(socket.socket(fileno=int(sys.argv[1])))
    if given:
        _run(*given)
