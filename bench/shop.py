"""The bench's shop: an OLTP with generated movements, and the pipeline's runs on it."""

from __future__ import annotations

import shutil
import sys
from contextlib import closing
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from bench.measure import Run, run_process
from bench.place import Place, read_bench_sql

LUIGI = Path(sys.executable).with_name("luigi")
STEPS = ("ExtractWindow", "LoadOLAP", "RefreshViews", "WriteMarker")
EMPTY = "bench_olap_empty"
PRODUCTS = 2000


@dataclass
class Shop:
    """An OLTP database with its movements, up to number `last`, dated before `end` (UTC)."""

    place: Place
    oltp: str
    products: int
    end: datetime
    last: int = 0

    def sell(self, rows: int, days: int, until: datetime | None = None) -> None:
        """Add movements with the next numbers, spread over so many days up to `until`."""
        until = until or self.end
        with closing(self.place.oltp.connect(self.oltp)) as connection:
            with connection.cursor() as cursor:
                cursor.execute(
                    read_bench_sql("generar.sql"),
                    {
                        "first": self.last + 1,
                        "last": self.last + rows,
                        "start": until - timedelta(days=days),
                        "days": days,
                        "products": self.products,
                    },
                )
            connection.commit()
            connection.autocommit = True
            connection.cursor().execute("VACUUM ANALYZE")
        self.last += rows

    def change(self, statement: str, parameters: dict[str, Any]) -> None:
        """Something else that happens at the till."""
        with closing(self.place.oltp.connect(self.oltp)) as connection:
            connection.cursor().execute(statement, parameters)
            connection.commit()


@dataclass
class Olap:
    """An OLAP database, the state folder that belongs to it, and settings of its own."""

    place: Place
    shop: Shop
    name: str
    settings: dict[str, str] = field(default_factory=dict)

    @property
    def state(self) -> Path:
        """The pipeline's state folder."""
        return self.place.folder / "state" / self.name

    def reset(self, template: Olap | None = None) -> None:
        """Start from an initialised OLAP, or from a copy of another one, with its state."""
        self.place.olap.create(self.name, template.name if template else EMPTY)
        shutil.rmtree(self.state, ignore_errors=True)
        if template:
            shutil.copytree(template.state, self.state)
        self.place.settle()

    def environment(self) -> dict[str, str]:
        """For a process of the pipeline that carries the shop to it."""
        return self.place.environment(self.shop.oltp, self.name, self.state) | self.settings

    def run(self) -> tuple[Run, dict[str, float]]:
        """RunDue as a process, and the seconds of each of its steps."""
        notes = self.place.folder / "steps.txt"
        notes.unlink(missing_ok=True)
        run = run_process(
            [str(LUIGI), "--module", "bench.steps", "RunDue", "--local-scheduler"],
            self.environment() | {"BENCH_STEPS": str(notes)},
            self.place.server,
        )
        lines = (line.split() for line in notes.read_text().splitlines())
        return run, {name: float(seconds) for name, seconds in lines if name in STEPS}

    def command(self, *arguments: str) -> Run:
        """python -m pipeline …"""
        return run_process(
            [sys.executable, "-m", "pipeline", *arguments], self.environment(), self.place.server
        )

    def value(self, query: str) -> Any:
        """The first column of the first row."""
        with closing(self.place.olap.connect(self.name)) as connection:
            cursor = connection.cursor()
            cursor.execute(query)
            row = cursor.fetchone()
        return row[0] if row else None

    def ledger_mb(self) -> float:
        """Megabytes of the ledger, with its indexes."""
        return float(self.value("SELECT pg_total_relation_size('dw.kardex')")) / 1e6


def new_shop(place: Place, oltp: str, products: int = PRODUCTS) -> Shop:
    """An example OLTP without movements, and the initialised OLAP that the others start from."""
    end = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    shop = Shop(place, oltp, products, end)
    place.oltp.create(oltp)
    place.olap.create(EMPTY)
    Olap(place, shop, EMPTY).command("init", "--example-oltp")
    shop.change(read_bench_sql("catalogo.sql"), {"products": products})
    return shop


def loaded_shop(place: Place, name: str, rows: int, products: int = PRODUCTS) -> tuple[Shop, Olap]:
    """A shop with a year of so many movements, and an OLAP that has loaded them."""
    shop = new_shop(place, f"bench_{name}", products)
    shop.sell(rows, 365)
    olap = Olap(place, shop, f"bench_olap_{name}")
    olap.reset()
    olap.run()
    return shop, olap
