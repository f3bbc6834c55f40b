"""A product that leaves the catalogue while its lines stay: one rule for every OLAP of the OLTP."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from fault_shop import days_ago, loaded, now, olap_tables, run_quickly, settle, stock
from olap_comparison import assert_olap_equals_replay
from shop_database import Shop, new_shop
from shop_server import ShopServer
from test_guards import held
from test_opening import give
from test_verify import verified

GONE = 3
FIGURES = {
    "dw.kardex": "id_movimiento, tipo, id_producto, fecha, id_sucursal, cantidad, precio_unitario,"
    " costo_unitario, costo_total, ajuste, existencias, valor, costo_promedio, provisional",
    "dw.inventario": "id_producto, existencias, valor, costo_promedio, precio_sugerido",
    "dw.resumen_diario": "*",
    "dw.resumen_mensual": "*",
    "dw.resumen_movil": "*",
    "etl.rechazo": "id_movimiento, tipo, id_producto, id_sucursal, cantidad, precio_unitario,"
    " costo_unitario, fecha, motivo",
    "dw.mv_ventas_diarias": "*",
    "dw.mv_margen_producto_mes": "*",
    "dw.mv_abc": "*",
    "dw.mv_valor_diario": "*",
}


def drop(shop: Shop, *products: int) -> None:
    """The products leave the catalogue; their lines stay."""
    shop.till("DELETE FROM productos WHERE id_producto = ANY (%s)", list(products))


def lines_of(shop: Shop, product: int) -> set[int]:
    """The lines that the OLTP has of a product."""
    cursor = shop.oltp.cursor()
    cursor.execute("SELECT id_detalle FROM detalle_transaccion WHERE id_producto = %s", (product,))
    return {line for (line,) in cursor}


def waiting(shop: Shop) -> dict[int, str]:
    """Why each reject waits."""
    rows = shop.olap_rows("SELECT id_movimiento, motivo FROM etl.rechazo")
    return {row["id_movimiento"]: row["motivo"] for row in rows}


def figures(shop: Shop) -> dict[str, list[Any]]:
    """What dashboards count, of the products that have anything."""
    cursor = shop.olap.cursor()
    found = {}
    for table, columns in FIGURES.items():
        cursor.execute(f"SELECT {columns} FROM {table}")
        rows = [tuple(map(str, row)) for row in cursor.fetchall()]
        if table == "dw.inventario":
            # A product that has lost its movements keeps its row, at zero.
            rows = [row for row in rows if any(Decimal(number) for number in row[1:4])]
        found[table] = sorted(rows)
    return found


@pytest.fixture
def few_sales(shop: Shop) -> datetime:
    """A loaded shop of which a product's lines are no guard's business; its initial date."""
    shop.env["ETL_MAX_REMOVED_SHARE"] = "0.5"
    return loaded(shop)


def test_its_lines_wait_and_come_back_with_it(shop: Shop, few_sales: datetime):
    lines = lines_of(shop, GONE)
    drop(shop, GONE)
    # Until then nothing is wrong: the next window has it.
    code, findings = verified(shop)
    assert (code, findings["pending"]) == (0, len(lines))
    settle(shop, few_sales)
    assert waiting(shop) == dict.fromkeys(lines, "producto desconocido")
    assert verified(shop)[:1] == (0,) and not verified(shop)[1]["pending"]
    (run,) = shop.olap_rows("SELECT * FROM etl.corrida ORDER BY numero DESC LIMIT 1")
    assert (run["retiradas"], run["rechazadas"]) == (len(lines), len(lines))
    assert shop.olap_rows("SELECT existencias FROM dw.inventario WHERE id_producto = %s", GONE) == [
        {"existencias": 0}
    ]
    # It sells while it is gone, too.
    lines |= set(shop.sale(now(), (GONE, 1, 5)))
    settle(shop, few_sales)
    assert waiting(shop).keys() == lines

    shop.product(GONE, "Otra")
    assert verified(shop)[0] == 0
    settle(shop, few_sales)
    assert not waiting(shop)
    assert verified(shop)[0] == 0


def test_an_idle_window_reads_no_product(shop: Shop, few_sales: datetime):
    """It asks for a fingerprint; a product that came or went makes it read all, once."""

    def read() -> list[int]:
        run_quickly(shop)
        receipts = (shop.folder / "state").glob("*/extract.json")
        newest = json.loads(max(receipts, key=lambda path: path.parent.name).read_text())
        return [newest["archivos"][name]["rows"] for name in ("products.csv", "movements.csv")]

    assert read() == [0, 0]
    drop(shop, GONE)
    assert read() == [3, len(lines_of(shop, GONE))]
    assert read() == [0, 0]
    shop.product(GONE)
    assert read() == [4, 0]
    assert read() == [0, 0]


def test_two_olaps_of_one_oltp_are_equal(shop_server: ShopServer, tmp_path: Any):
    """One that knew the product, another that never did, with the same openings."""
    (tmp_path / "old").mkdir()
    (tmp_path / "new").mkdir()
    with (
        new_shop(tmp_path / "old", shop_server) as old,
        new_shop(tmp_path / "new", shop_server) as new,
    ):
        old.env["ETL_MAX_REMOVED_SHARE"] = old.env["ETL_MAX_REJECT_SHARE"] = "1"
        initial = stock(old)
        new.env |= {
            name: value
            for name, value in old.env.items()
            if name.startswith("OLTP_") or name in ("ETL_INITIAL_SINCE", "ETL_MAX_REJECT_SHARE")
        }
        opened = "id_producto,existencias,costo_promedio\n1,20,1.5\n3,7,2\n4,8,2.5\n"
        for shop in (old, new):
            give(shop, opened)
            with shop.olap.cursor() as cursor:
                cursor.execute("INSERT INTO dw.politica_precio VALUES (NULL, 'B', 0.5, 0.1, 1)")
        settle(old, initial)
        old.sale(now(), (GONE, 1, Decimal("5.500")), (4, 1, 5))
        old.correct_line(*old.sale(now(), (GONE, 2, 5)), costo_unitario=9)
        old.correct_line(*old.sale(now(), (2, 2, 5)), precio_unitario=None)
        drop(old, GONE, 4)
        # Both count up to today.
        for shop in (old, new):
            shop.run()
        assert figures(old) == figures(new)
        assert len(figures(old)["etl.rechazo"]) > 30
        held_by_opening = old.olap_rows(
            "SELECT categoria, sum(valor) AS valor FROM dw.mv_inventario_valorizado"
            " WHERE id_producto IN (3, 4) GROUP BY 1"
        )
        assert held_by_opening == [{"categoria": "Sin categoría", "valor": 34}]
        # Prices of what is left: by the same policy, since neither has a category.
        for shop in (old, new):
            assert verified(shop)[0] == 0
            give(shop, "id_producto,existencias,costo_promedio\n3,0,0\n")
        old.product(4, "A")
        for shop in (old, new):
            shop.run()
        assert_olap_equals_replay(old, initial)
        assert figures(old) == figures(new)
        for shop in (old, new):
            assert verified(shop)[0] == 0


def test_a_full_read_and_a_backfill_know_that_it_is_gone(shop: Shop, few_sales: datetime):
    since = few_sales - timedelta(days=10)
    for product in (1, GONE):
        shop.sale(since + timedelta(days=2), (product, 1, 5))
    drop(shop, GONE)
    shop.till("VACUUM FULL detalle_transaccion")
    assert shop.succeed("plan").stdout.count("producto desconocido") == 1
    settle(shop, few_sales)
    done = shop.task("Backfill", "--since", since.date().isoformat())
    assert done.returncode == 0, done.stdout
    begins = since.replace(hour=0, minute=0, second=0, microsecond=0)
    settle(shop, begins)
    assert waiting(shop).keys() == lines_of(shop, GONE)
    assert verified(shop)[0] == 0


def test_its_lines_that_are_gone_too_leave_the_ledger(shop: Shop, few_sales: datetime):
    deleted = min(lines_of(shop, GONE))
    shop.till("DELETE FROM detalle_transaccion WHERE id_detalle = %s", deleted)
    drop(shop, GONE)
    settle(shop, few_sales)
    assert waiting(shop).keys() == lines_of(shop, GONE)


def test_a_query_that_leaves_products_out_is_no_other_thing(shop: Shop, few_sales: datetime):
    """Through a view, and back without a new version of any row."""
    shop.till("CREATE TABLE ocultas (categoria text)")
    shop.till("GRANT SELECT ON ocultas TO etl_lector")
    folder = shop.folder / "sql"
    folder.mkdir()
    from pipeline.base.sql_files import read_sql

    for name in ("movimientos", "productos", "sucursales"):
        (folder / f"{name}.sql").write_text(read_sql("oltp", f"{name}.sql"))
    shop.env["ETL_OLTP_SQL_DIR"] = str(folder)
    query = (folder / "productos.sql").read_text()
    (folder / "productos.sql").write_text(
        f"{query.rstrip()}\nWHERE NOT EXISTS (SELECT FROM public.ocultas AS o"
        " WHERE o.categoria = p.categoria)\n"
    )
    settle(shop, few_sales)
    before = olap_tables(shop)["dw.inventario"]
    shop.till("INSERT INTO ocultas VALUES ('B')")
    shop.env["ETL_MAX_REMOVED_SHARE"] = "1"
    run_quickly(shop)
    assert waiting(shop).keys() == lines_of(shop, 1) | lines_of(shop, 3)
    assert verified(shop)[0] == 0
    shop.till("DELETE FROM ocultas")
    settle(shop, few_sales)
    assert len(before) == len(olap_tables(shop)["dw.inventario"])
    assert verified(shop)[0] == 0


@pytest.mark.one_postgres
def test_a_catalogue_that_was_emptied_by_mistake_is_held(shop: Shop):
    initial = loaded(shop)
    cursor = shop.oltp.cursor()
    for empty in ("TRUNCATE productos", "DELETE FROM productos"):
        cursor.execute("CREATE TABLE guardados AS TABLE productos")
        cursor.execute(empty)
        said = held(
            shop,
            "productos.sql yields no product any more",
            "of the 66 movements of the ledger would leave it",
            "nothing was written",
            "--accept-source",
        )
        assert "--accept-source" in said
        assert "yields no product any more" in shop.command("plan").stdout
        cursor.execute("INSERT INTO productos OVERRIDING SYSTEM VALUE TABLE guardados")
        cursor.execute("DROP TABLE guardados")
        settle(shop, initial)
        assert not waiting(shop)


@pytest.mark.one_postgres
def test_few_lines_do_not_empty_a_catalogue_either(shop: Shop):
    initial = stock(shop, sales=4)
    settle(shop, initial)
    drop(shop, 1, 2, 3, 4)
    held(shop, "productos.sql yields no product any more", "10 of the 10 movements")


@pytest.mark.one_postgres
def test_too_many_lines_of_products_that_are_gone_are_held_and_may_be_accepted(shop: Shop):
    initial = stock(shop, sales=100)
    settle(shop, initial)
    drop(shop, GONE)
    said = held(
        shop,
        "productos.sql yields 3 products, and no more 1 that have movements",
        "26 of the 106 movements of the ledger would leave it and wait as rejects",
    )
    accept = said.split("--accept-source ")[1].split()[0].strip(".;:")
    shop.run("--accept-source", accept)
    assert_olap_equals_replay(shop, initial)
    assert waiting(shop).keys() == lines_of(shop, GONE)


DAMAGES = {
    "missing": "DELETE FROM etl.rechazo WHERE id_movimiento = %(reject)s",
    "extra": "INSERT INTO etl.rechazo SELECT (r).* FROM (SELECT json_populate_record(r,"
    " '{\"id_movimiento\": 999}') AS r FROM etl.rechazo AS r LIMIT 1) AS r",
    "twice": "INSERT INTO etl.rechazo (id_movimiento, tipo, id_producto, motivo, primera_desde,"
    " primera_hasta, ultima_desde, ultima_hasta) SELECT 10, 'VENTA', 1, 'sin fecha', now(), now(),"
    " now(), now()",
    "quantity": "UPDATE etl.rechazo SET cantidad = 77 WHERE id_movimiento = %(reject)s",
    "cost": "UPDATE etl.rechazo SET costo_unitario = 77 WHERE id_movimiento = %(reject)s",
    "reason": "UPDATE etl.rechazo SET motivo = 'sin fecha' WHERE id_movimiento = %(reject)s",
    "not a product": "UPDATE dw.producto SET vigente = false WHERE id_producto = 2",
}


@pytest.mark.one_postgres
@pytest.mark.parametrize("damage", DAMAGES)
def test_verify_compares_rejects_and_mends_them(shop: Shop, damage: str):
    initial = stock(shop)
    (reject, *_) = shop.sale(days_ago(1), (99, 1, 5), (99, 2, 5))
    shop.correct_line(*shop.sale(days_ago(1), (1, 1, 5)), precio_unitario=Decimal("NaN"))
    shop.sale(now() + timedelta(days=9), (1, 1, 5))
    settle(shop, initial)
    assert verified(shop)[0] == 0
    with shop.olap.cursor() as cursor:
        cursor.execute(DAMAGES[damage], {"reject": reject})
    if damage == "not a product":
        # Noticed where a line is read again.
        shop.correct_line(20, cantidad=3)
        cursor = shop.oltp.cursor()
        cursor.execute("SELECT id_producto FROM detalle_transaccion WHERE id_detalle = 20")
        with shop.olap.cursor() as it:
            it.execute("UPDATE dw.producto SET vigente = id_producto <> %s", cursor.fetchone())
        run_quickly(shop)
    kind = damage if damage in ("missing", "extra") else "different"
    expected = {"missing": reject, "extra": 999, "twice": 10, "not a product": 20}
    code, findings = verified(shop)
    assert code == 1
    assert findings[kind] == [expected.get(damage, reject)] == findings["rejects"]
    assert "of them rejects" in shop.command("verify").stdout
    done = shop.command("verify", "--repair")
    assert done.returncode == 0, done.stdout
    assert_olap_equals_replay(shop, initial)


@pytest.mark.one_postgres
def test_an_opening_of_0_ends_what_a_product_that_is_gone_had(shop: Shop, few_sales: datetime):
    give(shop, "id_producto,existencias,costo_promedio\n3,7,2\n")
    before = shop.olap_rows("SELECT * FROM dw.apertura")
    # Merged into another, its lines with it.
    shop.till("UPDATE detalle_transaccion SET id_producto = 1 WHERE id_producto = 3")
    drop(shop, GONE)
    settle(shop, few_sales)
    held_still = "SELECT existencias, valor FROM dw.inventario WHERE id_producto = 3"
    assert shop.olap_rows(held_still) == [{"existencias": 7, "valor": 14}]
    for line in ("3,5,2", "3,0.000001,0"):
        said = give(shop, f"id_producto,existencias,costo_promedio\n{line}\n", code=1)
        assert "must be 0: the OLTP has this product no more" in said
        assert len(said.splitlines()) == 1
    for line in ("99,0,0", "99,1,1"):
        said = give(shop, f"id_producto,existencias,costo_promedio\n{line}\n", code=1)
        assert "line 2: id_producto is '99', but must be a product of the OLTP" in said
    assert shop.olap_rows("SELECT * FROM dw.apertura") == before
    give(shop, "codigo,existencias,costo_promedio\nP3,0,2\n")
    assert shop.olap_rows(held_still) == [{"existencias": 0, "valor": 0}]
    assert verified(shop)[0] == 0
    assert_olap_equals_replay(shop, few_sales)
    settle(shop, few_sales)
    assert verified(shop)[0] == 0
