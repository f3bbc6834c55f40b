"""luigid for a test."""

from __future__ import annotations

import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest
from shop_database import LUIGI

# Seconds after which a silent worker's tasks are given to others; Luigi's default is a minute,
# and as long again until it looks.
FORGETS = 5
CONFIGURATION = f"""[scheduler]
worker_disconnect_delay = {FORGETS}
prune_on_get_work = true
"""


@contextmanager
def luigid(folder: Path, env: dict[str, str], settings: str = "") -> Iterator[int]:
    """luigid on 127.0.0.1, on a port that is free; `settings` are more of [scheduler]."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    configuration = folder / "luigid.cfg"
    configuration.write_text(CONFIGURATION + settings)
    program = [LUIGI.with_name("luigid"), "--address", "127.0.0.1", "--port", str(port)]
    program += ["--state-path", folder / "luigid.pickle", "--logdir", folder]
    with subprocess.Popen(
        program,
        cwd=folder,
        env=env | {"LUIGI_CONFIG_PATH": str(configuration)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    ) as process:
        try:
            while True:
                with suppress(ConnectionRefusedError):
                    socket.create_connection(("127.0.0.1", port), 60).close()
                    break
                with suppress(subprocess.TimeoutExpired):
                    pytest.fail(f"luigid ended with {process.wait(0.05)}")
            yield port
        finally:
            process.terminate()
