"""Many shops carried by two machines, each an account of its own: their folders are closed."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import sysconfig
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from functools import cache
from pathlib import Path

import pytest
from many_shops import Shops, stamp
from shop_luigid import luigid
from shop_server import REPOSITORY, ShopServer, must_succeed

pytestmark = [
    pytest.mark.one_postgres,
    pytest.mark.skipif(os.geteuid() != 0, reason="only root may run as two other accounts"),
]

# Accounts of nobody's: the kernel asks for no name.
ONE, TWO = 64_001, 64_002


@cache
def python() -> str:
    """A Python of our version that other accounts may run, too."""
    ours = f"python{sys.version_info.major}.{sys.version_info.minor}"
    for program in (sys.executable, f"/usr/bin/{ours}", f"/usr/local/bin/{ours}"):
        try:
            done = run_as(ONE, [program, "-c", "import luigi, psycopg2, pipeline"], {}, Path("/"))
        except OSError:
            continue
        if done.returncode == 0:
            return program
    pytest.skip("no Python here, with what the pipeline needs, that another account may run")


def run_as(
    account: int, program: list[str], env: dict[str, str], folder: Path
) -> subprocess.CompletedProcess[str]:
    """Run it to its end as that account, with nothing that root's environment says."""
    found = f"{REPOSITORY}:{sysconfig.get_path('purelib')}"
    return subprocess.run(
        program,
        cwd=folder,
        env=env | {"USER": f"u{account}", "HOME": "/nonexistent", "PYTHONPATH": found},
        user=account,
        group=account,
        extra_groups=[],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
        timeout=600,
    )


class Machines:
    """Two accounts, each with a state folder that is closed to the other, and the shops of both."""

    def __init__(self, shops: Shops) -> None:
        self.shops = shops
        for account in (ONE, TWO):
            self.state(account).mkdir(mode=0o700)
            os.chown(self.state(account), account, account)

    def state(self, account: int) -> Path:
        return self.shops.folder / str(account)

    def round(self, account: int, *arguments: str, at: Path | None = None) -> str:
        """Its round; what it printed, and the exit code."""
        env = self.shops.env | {"ETL_STATE_DIR": str(at or self.state(account))}
        program = [python(), "-m", "luigi", "--module", "pipeline", "RunShops", *arguments]
        done = run_as(account, program, env, self.shops.folder)
        return f"{done.stdout}\nexit {done.returncode}"


@pytest.fixture
def machines(shop_server: ShopServer) -> Iterator[Machines]:
    """Three shops that have traded, in a folder that other accounts may enter."""
    python()
    folder = Path(tempfile.mkdtemp(prefix="pipeline-users-"))
    folder.chmod(0o755)
    try:
        with ExitStack() as stack:
            shops = Shops(folder, shop_server, ["a", "b", "c"], stack)
            shops.sell()
            yield Machines(shops)
    finally:
        shutil.rmtree(folder)


def test_two_accounts_share_rounds_and_take_turns(machines: Machines):
    shops = machines.shops
    with luigid(shops.folder, shops.env) as port, ThreadPoolExecutor() as pool:
        for minutes in (10, 8):
            shared = ("--scheduler-port", str(port), "--workers", "2", "--as-of", stamp(minutes))
            for told in pool.map(lambda account: machines.round(account, *shared), (ONE, TWO)):  # noqa: B023
                assert told.endswith("exit 0"), told
            shops.assert_right()
            shops.sell()
    for account, minutes in ((TWO, 6), (ONE, 4)):
        told = machines.round(account, "--local-scheduler", "--as-of", stamp(minutes))
        assert told.endswith("exit 0"), told
        shops.assert_right()
        shops.sell("a")
    assert [shops.windows(name) for name in shops.of] == [4, 3, 3]
    for account in (ONE, TWO):
        mine = [machines.state(account), *machines.state(account).rglob("*")]
        assert len(mine) > 1
        for path in mine:
            found = path.stat()
            assert (found.st_uid, found.st_mode & 0o077) == (account, 0), path


def files(folder: Path) -> list[Path]:
    """All below it."""
    return [path for path in folder.rglob("*") if path.is_file()]


def test_anothers_folder_is_refused_in_a_line_and_changes_nothing(machines: Machines):
    shops = machines.shops
    told = machines.round(ONE, "--local-scheduler", "--as-of", stamp(10))
    assert told.endswith("exit 0"), told
    shops.sell()
    before = {path: path.read_bytes() for path in files(machines.state(ONE))}
    told = machines.round(TWO, "--local-scheduler", "--as-of", stamp(8), at=machines.state(ONE))
    assert told.endswith("exit 30") and "Traceback" not in told, told
    assert f"{machines.state(ONE)}/a may not be read by this account" in told, told
    assert {path: path.read_bytes() for path in files(machines.state(ONE))} == before
    assert [shops.windows(name) for name in shops.of] == [1, 1, 1]
    # One that may be written but not listed.
    (machines.state(ONE) / "a").chmod(0o300)
    told = machines.round(ONE, "--local-scheduler", "--as-of", stamp(6))
    assert told.endswith("exit 30") and "Traceback" not in told, told
    assert "1 of 3 shops failed: a: " in told and "may not be read by this account" in told, told
    assert [shops.windows(name) for name in shops.of] == [1, 2, 2]
    (machines.state(ONE) / "a").chmod(0o700)
    # Or with a window of the other's in it.
    (window,) = (machines.state(ONE) / "a").glob("*--*")
    os.chown(window, TWO, TWO)
    told = machines.round(ONE, "--local-scheduler", "--as-of", stamp(5))
    assert told.endswith("exit 30") and "Traceback" not in told, told
    assert f"1 of 3 shops failed: a: {window} may not be read by this account" in told, told
    os.chown(window, ONE, ONE)
    told = machines.round(ONE, "--local-scheduler", "--as-of", stamp(4))
    assert told.endswith("exit 0"), told
    shops.assert_right()
    must_succeed(shops.command("--shop", "a", "verify"))
