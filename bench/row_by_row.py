"""The method that the pipeline replaces: fetch all, then one function call for each movement."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from bench.place import read_bench_sql

if TYPE_CHECKING:
    from psycopg2.extensions import connection as Connection

_READ = """
SELECT d.id_detalle, t.tipo, d.id_producto, d.cantidad, d.precio_unitario, d.costo_unitario, t.fecha
FROM public.detalle_transaccion AS d
INNER JOIN public.transacciones AS t ON t.id_transaccion = d.id_transaccion
ORDER BY t.fecha, t.tipo, d.id_detalle
LIMIT %s
"""
_NOTE = """
INSERT INTO libro
SELECT %s, p.id_producto, %s, %s, %s, %s, %s, p.existencias, p.valor, p.costo_promedio
FROM producto AS p WHERE p.id_producto = %s
"""


def carry(oltp: Connection, olap: Connection, rows: int, ledger: bool) -> float:
    """Carry the first `rows` movements, one commit at the end; returns the seconds.

    With `ledger` each movement also leaves a row with its state, which is the same result
    as the pipeline's. The tables of fila_por_fila.sql are made first, untimed.
    """
    with olap.cursor() as cursor:
        cursor.execute(read_bench_sql("fila_por_fila.sql"))
    with oltp.cursor() as cursor:
        cursor.execute("SELECT id_producto FROM public.productos")
        products = cursor.fetchall()
    with olap.cursor() as cursor:
        cursor.executemany("INSERT INTO producto (id_producto) VALUES (%s)", products)
    olap.commit()

    started = time.monotonic()
    with oltp.cursor() as source:
        source.execute(_READ, (rows,))
        movements = source.fetchall()
    with olap.cursor() as target:
        for number, kind, product, quantity, price, cost, moment in movements:
            if kind == "VENTA":
                target.execute("SELECT vender(%s, %s)", (product, quantity))
            else:
                target.execute("SELECT recibir(%s, %s, %s)", (product, quantity, cost))
            if ledger:
                target.execute(_NOTE, (number, moment, kind, quantity, price, cost, product))
    olap.commit()
    return time.monotonic() - started
