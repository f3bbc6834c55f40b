"""`adapt`: what the shop's queries yield, told before anything is carried."""

from __future__ import annotations

import json
from collections import defaultdict
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from shop_database import Shop
from shop_server import REPOSITORY

pytestmark = pytest.mark.one_postgres

LIMA = ZoneInfo("America/Lima")
NOW = datetime.now(UTC).replace(microsecond=0)
LAST_MONTH = (NOW.astimezone(LIMA).replace(day=1) - timedelta(days=1)).replace(
    day=10, hour=12, minute=0, second=0
)


def adapt(shop: Shop, **env: str) -> dict[str, Any]:
    """What it finds."""
    said: dict[str, Any] = json.loads(shop.succeed("adapt", "--json", **env).stdout)
    return said


def by_type(rows: list[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """Rows by their type."""
    return {row["tipo"]: row for row in rows}


@pytest.fixture
def trading(shop: Shop) -> Shop:
    """A shop whose initial date is three months ago, in Lima, with two products."""
    shop.env |= {
        "ETL_TIMEZONE": "America/Lima",
        "ETL_INITIAL_SINCE": (NOW - timedelta(days=95)).date().isoformat(),
    }
    for product in (1, 2):
        shop.product(product)
    return shop


def test_each_type_has_its_figures(trading: Shop):
    early = NOW - timedelta(days=200)
    trading.receipt(early, (1, 5, "2"))
    trading.receipt(LAST_MONTH, (1, 24, "3.5"), (2, 10, "1"))
    trading.sale(LAST_MONTH + timedelta(days=1), (1, 2, "7.25"), (2, 1, "4"))
    trading.sale(LAST_MONTH + timedelta(days=2), (1, 3, "7"), anulada=True)
    trading.document("VENTA", None, [(1, 1, "5")])
    trading.document("venta", NOW, [(1, 1, "5")])
    found = adapt(trading)
    types = by_type(found["types"])
    sales, receipts = types["VENTA"], types["ENTRADA_MERCANCIA"]
    assert [sales[n] for n in ("movimientos", "cuentan", "rechazados", "anulados")] == [4, 2, 1, 1]
    assert [receipts[n] for n in ("movimientos", "cuentan", "anteriores")] == [3, 2, 1]
    assert sales["sin_fecha"] == 1
    assert (Decimal(sales["precio_menor"]), Decimal(sales["precio_mayor"])) == (4, Decimal("7.25"))
    assert (sales["sin_precio"], receipts["sin_precio"], sales["sin_costo"]) == (0, 3, 4)
    assert receipts["primera"][:10] == f"{early.astimezone(LIMA):%Y-%m-%d}"
    assert found["unknown_types"] == [{"type": "venta", "movements": 1, "meant": "VENTA"}]
    month = by_type(found["month"])
    assert found["last_month"] == f"{LAST_MONTH:%Y-%m}"
    assert Decimal(month["VENTA"]["importe"]) == Decimal("18.5")
    assert Decimal(month["ENTRADA_MERCANCIA"]["cantidad"]) == 34
    assert [r["tipo"] for r in found["samples"]].count("VENTA") == 4
    text = trading.succeed("adapt").stdout
    for said in ("'venta': 1 movement; is VENTA meant?", "18.5", "nothing was written"):
        assert said in text


def test_what_would_wait_is_named_with_why(trading: Shop):
    at = NOW - timedelta(days=1)
    (lost,) = trading.sale(at, (99, 1, "5"))
    trading.sale(at, (1, -1, None), (1, 1, None))
    trading.receipt(NOW + timedelta(days=9), (1, 1, "5"))
    found = adapt(trading)
    reasons = {(r["tipo"], r["motivo"]): r["movimientos"] for r in found["rejects"]}
    assert reasons == {
        ("VENTA", "producto desconocido"): 1,
        ("VENTA", "sin precio"): 2,
        ("ENTRADA_MERCANCIA", "fecha futura"): 1,
    }
    assert found["unknown_products"] == [
        {"id_producto": 99, "movimientos": 1, "ejemplo": lost, "en_total": 1}
    ]
    # A run says the same.
    trading.run()
    waits = trading.olap_rows("SELECT motivo, count(*) AS n FROM etl.rechazo GROUP BY 1")
    told: dict[str, int] = defaultdict(int)
    for row in found["rejects"]:
        told[row["motivo"]] += row["movimientos"]
    assert {row["motivo"]: row["n"] for row in waits} == told


def test_ids_and_versions_that_cannot_do_are_told(trading: Shop):
    folder = trading.folder / "sql"
    folder.mkdir()
    for name in ("movimientos", "productos", "sucursales"):
        text = (REPOSITORY / "sql/oltp" / f"{name}.sql").read_text(encoding="utf-8")
        (folder / f"{name}.sql").write_text(text, encoding="utf-8")
    trading.env["ETL_OLTP_SQL_DIR"] = str(folder)
    trading.sale(NOW - timedelta(days=5), (1, 1, "5"))
    trading.sale(NOW - timedelta(days=1), (1, 1, "5"), (2, 1, "5"))
    found = adapt(trading)
    assert (found["ids"]["lower_than_an_earlier_day"], found["ids"]["repeated"]) == (0, [])
    assert found["versions"] == []
    query = folder / "movimientos.sql"
    text = query.read_text(encoding="utf-8")
    query.write_text(
        text.replace("    d.id_detalle AS id_movimiento", "    10 - d.id_detalle AS id_movimiento")
    )
    assert adapt(trading)["ids"]["lower_than_an_earlier_day"] == 2
    query.write_text(
        text.replace("    d.id_detalle AS id_movimiento", "    d.id_transaccion AS id_movimiento")
    )
    assert adapt(trading)["ids"]["repeated"] == [{"id": 2, "rows": 2}]
    query.write_text(text.replace("d.xmin AS version_1", "'7'::xid AS version_1"))
    (said,) = [s for s in adapt(trading)["versions"] if "version_1" in s]
    assert "movimientos.sql" in said
    query.write_text(text.replace("    d.cantidad,", "    d.cantidad::text,"))
    refused = trading.command("adapt")
    assert refused.returncode == 1
    assert "cantidad" in refused.stdout


def test_nothing_is_written(trading: Shop):
    """Not on either side, nor in the state folder."""
    trading.sale(NOW - timedelta(days=1), (1, 1, "5"))
    tables = "SELECT sum(n_tup_ins + n_tup_upd + n_tup_del) AS n FROM pg_stat_all_tables"
    trading.olap_rows("SELECT pg_stat_force_next_flush()") if trading.server.version >= 15 else None
    before = trading.olap_rows("SELECT * FROM etl.control"), trading.olap_rows(tables)
    adapt(trading)
    trading.olap_rows("SELECT pg_stat_clear_snapshot()")
    assert (trading.olap_rows("SELECT * FROM etl.control"), trading.olap_rows(tables)) == before
    assert not (trading.folder / "state").exists()


AMOUNTS = st.one_of(st.none(), st.decimals("-3", "9", places=2))
LINES = st.tuples(
    st.sampled_from(["VENTA", "ENTRADA_MERCANCIA", "CONTEO", "TRASLADO", "venta", "OTRO"]),
    st.sampled_from([1, 2, 99]),
    AMOUNTS,
    AMOUNTS,
    st.one_of(st.none(), st.integers(-150, 3)),
    st.booleans(),
)


@settings(max_examples=15, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.lists(LINES, max_size=12))
def test_what_it_says_is_what_a_run_does(trading: Shop, lines: list[tuple[Any, ...]]):
    """By type, what counts and what waits, against the ledger that the run makes."""
    with trading.server.databases() as (oltp, olap):
        shop = Shop(trading.server, oltp, olap, trading.folder / oltp)
        shop.env |= {k: trading.env[k] for k in ("ETL_TIMEZONE", "ETL_INITIAL_SINCE")}
        shop.folder.mkdir()
        try:
            for product in (1, 2):
                shop.product(product)
            for kind, product, quantity, amount, days, void in lines:
                at = None if days is None else NOW + timedelta(days=days)
                shop.document(kind, at, [(product, quantity, amount)], anulada=void)
            with shop.environment():
                from pipeline.run.adapt import look_at_queries
                from pipeline.settings import load_settings

                found = look_at_queries(load_settings())
            shop.env["ETL_MAX_REJECT_SHARE"] = "1"
            shop.run_in_process()
            ledger = shop.olap_rows("SELECT count(*) AS n FROM dw.kardex")[0]["n"]
            waits = shop.olap_rows(
                "SELECT tipo, motivo, count(*) AS n FROM etl.rechazo GROUP BY 1, 2"
            )
            assert sum(row["cuentan"] for row in found["types"]) == ledger
            assert {(r["tipo"], r["motivo"]): r["movimientos"] for r in found["rejects"]} == {
                (r["tipo"], r["motivo"]): r["n"] for r in waits
            }
        finally:
            shop.close()
