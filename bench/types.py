"""A shop of every type of movement beside one of sales and receipts alone, in turn."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING

from bench.measure import Series
from bench.place import read_bench_sql
from bench.shop import Olap, Shop, new_shop

if TYPE_CHECKING:
    from bench.place import Place


def measure(place: Place, rows: int, rounds: int) -> list[Series]:
    """A first run of each."""
    plain, mixed = (_shop(place, name, rows) for name in ("plain", "mixed"))
    mixed.change(read_bench_sql("mezclar.sql"), {})
    shops = {"sales and receipts": plain, "every type": mixed}
    series = {name: Series(name, _movements(shop)) for name, shop in shops.items()}
    for _ in range(rounds):
        for name, shop in shops.items():
            olap = Olap(place, shop, f"bench_olap_{shop.oltp}")
            olap.reset()
            run, steps = olap.run()
            series[name].add(run.seconds, load=steps["LoadOLAP"], server_mb=run.server_mb)
    return list(series.values())


def _shop(place: Place, name: str, rows: int) -> Shop:
    shop = new_shop(place, f"bench_{name}")
    shop.sell(rows, 365)
    return shop


def _movements(shop: Shop) -> int:
    with closing(shop.place.oltp.connect(shop.oltp)) as connection:
        cursor = connection.cursor()
        cursor.execute("SELECT count(*) FROM detalle_transaccion")
        (rows,) = cursor.fetchone()
        return int(rows)
