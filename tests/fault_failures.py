"""Runs that must fail clearly, and a shop with enough in it to fail half way."""

from __future__ import annotations

from typing import Any

from fault_process import start_run
from fault_shop import olap_tables, stock
from shop_database import Shop

TASK_FAILED, SCHEDULING_ERROR = 30, 35


def fails(shop: Shop, *expected: str, code: int = TASK_FAILED, **env: str) -> str:
    """A run that fails, says all of `expected` in a line, and leaves the OLAP as it was."""
    before = olap_tables(shop)
    process = start_run(shop, **env)
    assert process.wait() == code, process.output
    check(process.output, *expected)
    assert olap_tables(shop) == before
    return process.output


def check(output: str, *expected: str) -> None:
    """All of `expected` was said, and no traceback shown."""
    for text in expected:
        assert text in output, f"not said: {text}\n{output}"
    assert "Traceback" not in output, output


def many_sales(shop: Shop) -> Any:
    """Enough for a COPY of some 100 kB; returns the initial date."""
    initial = stock(shop)
    shop.till(
        "WITH t AS (INSERT INTO transacciones (tipo, fecha)"
        " SELECT 'VENTA', now() - interval '1 hour' FROM generate_series(1, 1500)"
        " RETURNING id_transaccion)"
        " INSERT INTO detalle_transaccion (id_transaccion, id_producto, cantidad, precio_unitario)"
        " SELECT id_transaccion, 1 + mod(id_transaccion, 4), 1, 9.99 FROM t"
    )
    return initial
