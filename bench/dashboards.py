"""Dashboards while a window is loaded: does a query ever wait?"""

from __future__ import annotations

import threading
import time
from contextlib import closing
from typing import TYPE_CHECKING

from bench.measure import Series
from bench.shop import Olap, loaded_shop

if TYPE_CHECKING:
    from bench.place import Place

QUERIES = (
    "SELECT sum(venta_neta) FROM dw.mv_ventas_diarias",
    "SELECT sum(margen) FROM dw.mv_margen_producto_mes",
    "SELECT sum(valor) FROM dw.mv_inventario_valorizado",
    "SELECT count(*) FROM dw.mv_reposicion WHERE agotado",
    "SELECT avg(rotacion) FROM dw.mv_rotacion",
    "SELECT count(*) FROM dw.mv_abc WHERE clase = 'A'",
    "SELECT datos_al FROM dw.mv_datos_al",
    "SELECT count(*) FROM dw.v_kardex WHERE id_producto = 5",
    "SELECT count(*) FROM dw.v_corridas",
)
_BATCH = 10_000


class _Readers:
    """One session that asks the dashboards' queries in turn, and one that looks for its locks."""

    def __init__(self, olap: Olap, series: Series) -> None:
        self._olap, self._series = olap, series
        self._stop = threading.Event()
        self._threads = [
            threading.Thread(target=work, daemon=True) for work in (self._ask, self._look)
        ]
        self._pid = 0
        self.waits = 0

    def __enter__(self) -> _Readers:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join()

    def _ask(self) -> None:
        with closing(self._olap.place.olap.connect(self._olap.name)) as connection:
            connection.autocommit = True
            self._pid = connection.info.backend_pid
            cursor = connection.cursor()
            while not self._stop.is_set():
                for query in QUERIES:
                    started = time.monotonic()
                    cursor.execute(query)
                    cursor.fetchall()
                    self._series.add(time.monotonic() - started)
                self._stop.wait(0.005)

    def _look(self) -> None:
        with closing(self._olap.place.olap.connect(self._olap.name)) as connection:
            connection.autocommit = True
            cursor = connection.cursor()
            while not self._stop.wait(0.005):
                cursor.execute("SELECT cardinality(pg_blocking_pids(%s))", (self._pid,))
                row = cursor.fetchone()
                self.waits += bool(row and row[0])


def measure(place: Place, rows: int, rounds: int) -> list[Series]:
    """The same loop of queries beside runs that carry 10,000 movements each, and without."""
    shop, olap = loaded_shop(place, "busy", rows)
    beside = Series("a dashboard's query beside a run", 1)
    alone = Series("a dashboard's query alone", 1)
    waits = 0
    for _ in range(rounds):
        shop.sell(_BATCH, 1)
        with _Readers(olap, beside) as readers:
            olap.run()
        waits += readers.waits
        with _Readers(olap, alone) as readers:
            time.sleep(2)
    for series in (beside, alone):
        ordered = sorted(series.seconds)
        series.notes["p99_ms"] = [1000 * ordered[int(len(ordered) * 0.99)]]
        series.notes["longest_ms"] = [1000 * ordered[-1]]
    beside.notes["seen_waiting_for_a_lock"] = [waits]
    return [beside, alone]
