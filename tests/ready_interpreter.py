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
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from functools import cache
from pathlib import Path

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


def run_ready(
    arguments: list[str], folder: Path, environment: Mapping[str, str], timeout: float
) -> subprocess.CompletedProcess[str] | None:
    """Run Python with these arguments (`-m`, module, … or a script, …) to its end.

    stdout and stderr are together in stdout. None where `environment` sets what is read before
    the fork otherwise than this process has it. Raises subprocess.TimeoutExpired.
    """
    forker, started_with = _forker()
    if _at_start(environment) != started_with:
        return None
    own, other = socket.socketpair()
    umask = os.umask(0)
    os.umask(umask)
    request = [arguments, str(folder), dict(environment), umask]
    with tempfile.TemporaryFile() as output, own, own.makefile("r") as answer:
        with other:
            descriptors = [output.fileno(), other.fileno()]
            socket.send_fds(forker, [json.dumps(request).encode()], descriptors)
        own.settimeout(timeout)
        # A forker that is gone has closed its end: the line is empty, and int() says so.
        pid = int(answer.readline())
        try:
            code = int(answer.readline())
        except TimeoutError:
            os.kill(pid, signal.SIGKILL)
            raise subprocess.TimeoutExpired(arguments, timeout) from None
        output.seek(0)
        printed = output.read().decode().replace("\r\n", "\n")
    return subprocess.CompletedProcess([sys.executable, *arguments], code, printed)


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


def _serve(requests: socket.socket) -> list[str] | None:
    """Fork a process for each request: the arguments, in it; None in the forker, at the end."""
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
    if pid:
        os.write(answer, f"{pid}\n".encode())
        _, status = os.waitpid(pid, 0)
        os.write(answer, f"{os.waitstatus_to_exitcode(status)}\n".encode())
        os._exit(0)
    arguments, folder, environment, umask = json.loads(message)
    os.dup2(output, 1)
    os.dup2(output, 2)
    os.close(output)
    os.close(answer)
    os.umask(umask)
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environment)
    return list(arguments)


def _run(arguments: list[str]) -> None:
    """As the interpreter runs a module or a script."""
    if arguments[0] == "-m":
        sys.path[0] = str(Path.cwd())
        sys.argv = arguments[1:]
        runpy.run_module(arguments[1], run_name="__main__", alter_sys=True)
    else:
        sys.path[0] = str(Path(arguments[0]).parent)
        sys.argv = arguments
        runpy.run_path(arguments[0], run_name="__main__")


if __name__ == "__main__":
    for _name in _OTHERS:
        importlib.import_module(_name)
    # Else the collector writes in each page that a fork shares.
    gc.freeze()
    given = _serve(socket.socket(fileno=int(sys.argv[1])))
    if given:
        _run(given)
