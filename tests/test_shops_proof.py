"""Many shops through rounds of faults: healthy ones get on in each, and all are right at last."""

from __future__ import annotations

import os
import random
import signal
import subprocess
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime

import pytest
from many_shops import Shops, new_shops
from shop_database import LUIGI
from shop_server import must_succeed

__all__ = ["new_shops"]

pytestmark = [pytest.mark.one_postgres, pytest.mark.longest]

SEED = 20261129


def breaking(shops: Shops, name: str, how: str) -> dict[str, str]:
    """The shop's settings with a fault in them, or a fault at its till."""
    env = shops.of[name].env
    if how == "dead server":
        return env | {"OLTP_DB_PORT": "1"}
    if how == "wrong password":
        return env | {"OLAP_DB_PASSWORD": "otra"}
    if how == "reject":
        shops.of[name].receipt(datetime.now(UTC), (1, 3, None))
    return env


def killed(shops: Shops, at: str, env: dict[str, str], whole_group: bool) -> None:
    """A round whose parent dies as soon as a shop is at work, alone or with all that it began."""
    program = [str(LUIGI), "--module", "pipeline", "RunShops", "--local-scheduler"]
    with subprocess.Popen(
        [*program, "--workers", "3", "--as-of", at],
        cwd=shops.folder,
        env=shops.env | env,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    ) as process:
        assert process.stdout is not None
        for line in process.stdout:
            if "ExtractWindow" in line or ": read " in line:
                break
        with suppress(ProcessLookupError):
            (os.killpg if whole_group else os.kill)(process.pid, signal.SIGKILL)
        # What is left of it has the pipe open to its end.
        process.stdout.read()


def now() -> str:
    """This second, as --as-of takes it."""
    return f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}"


def test_any_faults_leave_every_shop_right(
    new_shops: Callable[..., Shops], request: pytest.FixtureRequest
):
    long = request.config.getoption("--long")
    names = [f"t{number:02}" for number in range(50 if long else 4)]
    chance = random.Random(SEED)
    shops = new_shops(*names)
    machines = [{"ETL_STATE_DIR": str(shops.folder / name)} for name in ("one", "two")]
    for number in range(20 if long else 4):
        shops.sell(*chance.sample(names, len(names) // 2))
        # The first in order among them in every other round.
        broken = set(chance.sample(names, max(1, len(names) // 10)))
        broken |= {names[0]} if number % 2 else set()
        faults = {name: chance.choice(["dead server", "wrong password"]) for name in broken}
        rejecting = chance.choice(names)
        for name in names:
            shops.write(name, breaking(shops, name, faults.get(name, "")))
        breaking(shops, rejecting, "reject")
        machine = chance.choice(machines)
        if number % 3 == 1:
            killed(shops, now(), machine, chance.random() < 0.5)
        done = shops.round("--workers", "3", "--as-of", at := now(), **machine)
        assert done.returncode == 30, done.stdout
        assert f"{len(broken)} of {len(names)} shops failed" in done.stdout
        for name in names:
            (control,) = shops.of[name].olap_rows("SELECT hasta FROM etl.control")
            carried = control["hasta"] and f"{control['hasta']:%Y-%m-%dT%H:%M:%SZ}"
            assert name in broken or carried == at
    for name in names:
        shops.write(name, shops.of[name].env)
        shops.of[name].till(
            "UPDATE detalle_transaccion SET costo_unitario = 4"
            " WHERE costo_unitario IS NULL AND precio_unitario IS NULL"
        )
    for machine in machines:
        must_succeed(shops.round("--as-of", now(), **machine))
    shops.assert_right()
