"""What arrives late: one old receipt, and a thousand documents of three hundred days ago."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bench.measure import Series
from bench.place import read_bench_sql
from bench.shop import Olap, loaded_shop

if TYPE_CHECKING:
    from bench.place import Place

TAIL = 10_000
DOCUMENTS = 1_000
REVALUED = 0.275  # of all movements: 275,000 of a million


def measure(place: Place, rows: int, rounds: int) -> list[Series]:
    """Each round types the same kind of late documents and runs once."""
    shop, olap = loaded_shop(place, "late", rows)
    tail = min(TAIL, rows // 100)
    one = Series("a late receipt", tail)
    for _ in range(rounds):
        place.settle()
        shop.change(read_bench_sql("recepcion_tardia.sql"), {"tail": tail})
        _run(olap, one)
    many = Series("1,000 late documents", int(REVALUED * rows))
    for _ in range(rounds):
        place.settle()
        shop.change(
            read_bench_sql("documentos_tardios.sql"),
            {"documents": DOCUMENTS, "date": shop.end, "rows": int(REVALUED * rows)},
        )
        _run(olap, many)
    return [one, many]


def _run(olap: Olap, series: Series) -> None:
    run, steps = olap.run()
    revalued = olap.value("SELECT revaluadas FROM etl.corrida ORDER BY numero DESC LIMIT 1")
    series.add(
        run.seconds,
        load=steps["LoadOLAP"],
        refresh=steps["RefreshViews"],
        revalued=revalued,
        server_mb=run.server_mb,
    )
