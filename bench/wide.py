"""A wide shop: 30,000 products, as a hardware store or a bookshop has, of skewed popularity."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bench.measure import Series
from bench.place import read_bench_sql
from bench.shop import Olap, Shop, new_shop

if TYPE_CHECKING:
    from bench.place import Place

PRODUCTS = 30_000
CATEGORIES = 60
WINDOW = 200


def measure(place: Place, rows: int, rounds: int) -> list[Series]:
    """The first run, windows of 200 movements, a night in which all is renamed, and the proof."""
    shop = new_shop(place, "bench_wide", PRODUCTS)
    _rename(shop, 0)
    shop.sell(rows, 365)
    first = Series("first run, 30,000 products", rows)
    small = Series(f"a window of {WINDOW}", WINDOW)
    night = Series("all renamed and recategorised", PRODUCTS)
    proof = Series("verify", rows)
    olap = Olap(place, shop, "bench_olap_wide")
    for number in range(rounds):
        olap.reset()
        _run(olap, first)
        # Statistics as autovacuum takes them between runs.
        place.olap.run(olap.name, "ANALYZE")
        shop.sell(WINDOW, 1)
        _run(olap, small)
        _rename(shop, number + 1)
        _run(olap, night)
        proof.add(olap.command("verify").seconds)
    return [first, small, night, proof]


def _run(olap: Olap, series: Series) -> None:
    run, steps = olap.run()
    series.add(
        run.seconds,
        load=steps["LoadOLAP"],
        refresh=steps["RefreshViews"],
        server_mb=run.server_mb,
    )


def _rename(shop: Shop, night: int) -> None:
    shop.change(read_bench_sql("renombrar.sql"), {"night": night, "categories": CATEGORIES})
