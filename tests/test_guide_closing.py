"""The accountant's example of a closed month: what the guide states is what a shop gives."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from decimal import Decimal

import pytest
from guide import block_texts, cells, numbers
from shop_database import Shop

from docs.pages import read

LEDGER = """
SELECT
    fecha, fecha_documento, reverso, cantidad, coalesce(precio_unitario, costo_unitario) AS monto,
    existencias, valor, costo_promedio, costo_total
FROM dw.v_kardex
ORDER BY fecha, fecha_documento, orden, id_movimiento, capa
"""
MONTHS = """
SELECT m.venta_neta, m.costo, m.margen, m.mermas, v.valor
FROM dw.mv_margen_producto_mes AS m
CROSS JOIN LATERAL (
    SELECT d.valor FROM dw.mv_valor_diario AS d
    WHERE d.dia < m.mes + interval '1 month'
    ORDER BY d.dia DESC
    LIMIT 1
) AS v
ORDER BY m.mes
"""
LATE = """
SELECT
    cantidad_antes, cantidad_ahora, efecto_existencias, efecto_valor, efecto_costo, efecto_margen
FROM dw.v_correcciones
ORDER BY coalesce(fecha_antes, fecha_ahora)
"""


def noon(month: int, day: int) -> datetime:
    return datetime(2026, month, day, 12, tzinfo=UTC)


@pytest.fixture
def corrected(shop: Shop) -> Shop:
    """The shop of the example: its June is closed, then it corrects, voids and types one in."""
    shop.env["ETL_INITIAL_SINCE"] = "2026-06-01"
    shop.product(1)
    shop.receipt(noon(6, 2), (1, 20, 10))
    (sale,) = shop.sale(noon(6, 10), (1, 8, 15))
    shrinkage = shop.movement("AJUSTE_SALIDA", noon(6, 15), 1, 2)
    shop.sale(noon(7, 3), (1, 2, 15))
    shop.run_in_process(as_of=noon(7, 4))
    (block,) = block_texts("Closing a month", "sh", run=False)
    shop.succeed(*block.splitlines()[0].removeprefix("python -m pipeline ").split())
    shop.correct_line(sale, cantidad=6)
    shop.correct_document(shrinkage, anulada=True)
    shop.receipt(noon(6, 20), (1, 14, 12))
    shop.run_in_process(as_of=noon(7, 5))
    return shop


def test_the_closed_month_is_what_a_shop_gives(corrected: Shop):
    assert "the OLAP equals the OLTP" in corrected.succeed("verify").stdout
    for page in ("docs/en/accountant.md", "docs/es/contador.md"):
        _, _, after = read(page).partition("close --reopen")
        tables = cells(after.partition("\n## ")[0])
        ledger, months, late = tables[1:9], tables[10:12], tables[13:16]

        for row, found in zip(ledger, corrected.olap_rows(LEDGER), strict=True):
            days = [int(re.match(r"\d+", day)[0]) for day in row[:2]]
            assert days == [found["fecha"].day, found["fecha_documento"].day]
            assert row[2].startswith(("reversal: ", "reverso: ")) == found["reverso"]
            said = [Decimal(n) for n in re.findall(r"[\d.]+", row[2])]
            assert said == [found[n] for n in ("cantidad", "monto") if found[n] is not None]
            assert numbers(row[3:]) == list(found.values())[5:]
        assert [numbers(row[1:]) for row in months] == [
            list(row.values()) for row in corrected.olap_rows(MONTHS)
        ]
        assert [[numbers([n])[0] if n else None for n in row[1:]] for row in late] == [
            list(row.values()) for row in corrected.olap_rows(LATE)
        ]
