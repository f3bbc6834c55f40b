"""The same movements carried in four ways: the pipeline, row by row, dlt, and the floor."""

from __future__ import annotations

import importlib.util
import sys
from contextlib import closing
from typing import TYPE_CHECKING

from bench import floor, row_by_row
from bench.measure import Series, run_process
from bench.shop import STEPS, Olap, new_shop

if TYPE_CHECKING:
    from bench.place import Place

ROW_BY_ROW = 100_000


def measure(place: Place, rows: int, rounds: int) -> list[Series]:
    """A first batch of rows into an empty OLAP, then a second one onto the first."""
    shop = new_shop(place, "bench_oltp")
    shop.sell(rows, 365, shop.end.replace(year=shop.end.year - 1))
    first = Olap(place, shop, "bench_olap")
    series = {name: Series(name, rows) for name in ("first", "dlt", "floor of the first")}
    parts = {step: Series(f"first: {step}", rows) for step in STEPS}
    few = min(rows, ROW_BY_ROW)
    plain = {
        False: Series("row by row (a)", few),
        True: Series("row by row (b), with a ledger", few),
    }
    for _ in range(rounds):
        first.reset()
        _run(first, series["first"], parts)
        floor.prepare(place, first.name, 1)
        series["floor of the first"].add(floor.carry(place, first.name, 1))
        for ledger, times in plain.items():
            place.olap.create("bench_plain")
            with (
                closing(place.oltp.connect(shop.oltp)) as oltp,
                closing(place.olap.connect("bench_plain")) as olap,
            ):
                times.add(row_by_row.carry(oltp, olap, few, ledger))
        if importlib.util.find_spec("dlt"):
            place.olap.create("bench_dlt")
            place.settle()
            run = run_process(
                [
                    sys.executable,
                    "-m",
                    "bench.with_dlt",
                    place.oltp.url(shop.oltp, "postgresql+psycopg2"),
                    place.olap.url("bench_dlt"),
                ],
                place.environment(shop.oltp, "bench_dlt", place.folder),
                place.server,
            )
            series["dlt"].add(run.seconds, client_mb=run.client_mb, server_mb=run.server_mb)

    shop.sell(rows, 364)
    second, again = Olap(place, shop, "bench_olap_2"), Series("second, onto the first", rows)
    bottom = Series("floor of the second", rows)
    pieces = {step: Series(f"second: {step}", rows) for step in STEPS}
    for _ in range(rounds):
        second.reset(first)
        _run(second, again, pieces)
        floor.prepare(place, second.name, 2)
        bottom.add(floor.carry(place, second.name, 2))
    found = [
        series["first"],
        *parts.values(),
        *plain.values(),
        series["dlt"],
        series["floor of the first"],
        again,
        *pieces.values(),
        bottom,
    ]
    return [one for one in found if one.seconds]


def _run(olap: Olap, whole: Series, steps: dict[str, Series]) -> None:
    run, seconds = olap.run()
    extract = next(olap.state.glob("*--*/movements.csv")).stat().st_size
    whole.add(
        run.seconds,
        client_mb=run.client_mb,
        server_mb=run.server_mb,
        file_mb=extract / 1e6,
        ledger_mb=olap.ledger_mb(),
    )
    for step, series in steps.items():
        series.add(seconds[step])
