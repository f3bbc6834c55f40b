"""Many shops for a test: a file of settings each, and a machine that runs them."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from olap_comparison import assert_olap_equals_replay
from shop_database import LUIGI, new_shop
from shop_server import ShopServer, run_command, run_program, run_python

NOW = datetime.now(UTC)
# Where it is noon or so: rounds of the last hours are of one day.
ZONE = f"Etc/GMT{NOW.hour - 12:+d}"
# What is the machine's, and no shop's.
MACHINE = ("PATH", "HOME", "LANG", "LUIGI_CONFIG_PATH", "PYTHON", "COVERAGE")


def stamp(minutes: int) -> str:
    """So many minutes before now, as --as-of takes it."""
    return f"{NOW.replace(microsecond=0) - timedelta(minutes=minutes):%Y-%m-%dT%H:%M:%SZ}"


class Shops:
    """Some shops on one server, each with a file of settings, and a machine that runs them."""

    def __init__(self, folder: Path, server: ShopServer, names: list[str], stack: ExitStack):
        self.folder = folder
        self.place = folder / "shops"
        self.place.mkdir()
        self.of = {name: stack.enter_context(new_shop(folder, server)) for name in names}
        for name, shop in self.of.items():
            shop.env["ETL_TIMEZONE"] = ZONE
            self.write(name, shop.env)
        env = next(iter(self.of.values())).env
        self.env = {k: v for k, v in env.items() if k.startswith(MACHINE)} | {
            "ETL_SHOPS_DIR": str(self.place),
            "ETL_STATE_DIR": str(folder / "state"),
            "ETL_LANG": "en",
            "ETL_TIMEZONE": ZONE,
        }

    def write(self, name: str, env: dict[str, str], **other: str) -> None:
        """The shop's file, from what its environment would be."""
        said = {k: v for k, v in env.items() if k.startswith(("OLTP_", "OLAP_"))} | other
        text = "".join(f"{key}={value}\n" for key, value in said.items())
        (self.place / f"{name}.env").write_text(text)

    def round(
        self,
        *arguments: str,
        program: tuple[str, ...] = (str(LUIGI),),
        task: str = "RunShops",
        local: bool = True,
        **env: str,
    ) -> subprocess.CompletedProcess[str]:
        """`luigi --module pipeline RunShops`, whatever comes of it."""
        asked = ["--module", "pipeline", task, *(["--local-scheduler"] if local else [])]
        run = run_python if program == (str(LUIGI),) else run_program
        return run([*program, *asked, *arguments], self.folder, self.env | env)

    def command(self, *arguments: str, **env: str) -> subprocess.CompletedProcess[str]:
        """`python -m pipeline …`, whatever comes of it."""
        return run_command(list(arguments), self.folder, self.env | env)

    def sell(self, *names: str) -> None:
        """A receipt and a sale at each."""
        for name in names or self.of:
            shop = self.of[name]
            shop.product(1)
            shop.receipt(NOW - timedelta(hours=2), (1, 10, 5))
            shop.sale(NOW - timedelta(hours=1), (1, 2, 9))

    def windows(self, name: str) -> int:
        """How many windows the shop's OLAP has loaded."""
        return int(self.of[name].olap_rows("SELECT count(*) AS n FROM etl.corrida")[0]["n"])

    def assert_right(self, names: Iterable[str] = ()) -> None:
        """Each OLAP, or those of `names`, equals the oracle's replay of its OLTP."""
        for name in names or self.of:
            shop = self.of[name]
            (control,) = shop.olap_rows("SELECT desde_inicial FROM etl.control")
            assert_olap_equals_replay(shop, control["desde_inicial"], zone=ZONE)


@pytest.fixture
def new_shops(shop_server: ShopServer, tmp_path: Path) -> Iterator[Callable[..., Shops]]:
    """Makes shops with these names."""
    with ExitStack() as stack:
        yield lambda *names: Shops(tmp_path, shop_server, list(names), stack)
