"""What a killed session leaves behind, the next one removes; what lives, nobody touches."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from fault_process import wait_for
from server_place import MEMORY, PREFIX, remove_abandoned, server_place

from demo import server as servers

SESSION = f"""
import sys
from pathlib import Path
sys.path[:0] = {[str(Path(__file__).parent), str(Path(__file__).parents[1])]!r}
import server_place
from demo import server as servers
binaries = Path(sys.argv[1])
server_place.MEMORY_WANTED = int(sys.argv[2])
with server_place.server_place(binaries) as place:
    servers.create(place / "server", binaries=binaries).start({{"fsync": "off"}})
    print(place, flush=True)
    sys.stdin.read()
"""


@pytest.fixture(params=[0, 1 << 62], ids=["memory", "disk"])
def session(
    server_binaries: Path, request: pytest.FixtureRequest
) -> Iterator[subprocess.Popen[str]]:
    """A process with a server of its own, in memory where that can be or on the disk."""
    program = [sys.executable, "-c", SESSION, str(server_binaries), str(request.param)]
    with subprocess.Popen(
        program, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def test_what_a_killed_session_left_goes_with_its_server(
    session: subprocess.Popen[str], server_binaries: Path
):
    assert session.stdout is not None
    left = Path(session.stdout.readline().strip())
    assert isinstance(session.args, list)
    may = session.args[-1] == "0" and os.geteuid() == 0 and MEMORY.is_dir()
    assert left.is_relative_to(MEMORY) == may
    server = servers.Server(left / "server", left / "server" / "data", 0, server_binaries)
    postmaster = int((server.data / "postmaster.pid").read_text().split()[0])
    # It lives.
    remove_abandoned(server_binaries)
    assert server.running()
    session.kill()
    session.wait()
    assert server.running()
    with server_place(server_binaries) as place:
        assert not left.exists()
        assert place.is_dir()
        wait_for("its end", lambda: not Path(f"/proc/{postmaster}").exists())
    assert not place.exists()


@pytest.mark.one_postgres
def test_what_is_not_ours_or_not_locked_yet_stays(server_binaries: Path, tmp_path: Path):
    with server_place(server_binaries) as place:
        link = place.with_name(f"{PREFIX}link-{os.getpid()}")
        link.symlink_to(tmp_path)
        (tmp_path / "lock").touch()
        try:
            remove_abandoned(server_binaries)
            assert (tmp_path / "lock").exists()
        finally:
            link.unlink()
