"""A product that is deleted while its lines stay: two OLAPs of one OLTP are equal all the same."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import pytest
from fault_shop import loaded, now, olap_tables, settle, stock
from olap_comparison import assert_olap_equals, replay_shop
from shop_database import Shop

pytestmark = pytest.mark.one_postgres

FIGURES = (
    "SELECT dia, id_sucursal, categoria, venta_neta, costo FROM dw.mv_ventas_diarias",
    "SELECT mes, id_producto, categoria, venta_neta, margen FROM dw.mv_margen_producto_mes",
    "SELECT id_producto, categoria, existencias, valor FROM dw.mv_inventario_valorizado"
    " WHERE existencias <> 0",
    "SELECT id_movimiento, motivo FROM etl.rechazo",
)


def gone(shop: Shop, *products: int) -> None:
    """The catalogue forgets these; their lines stay."""
    shop.till("DELETE FROM productos WHERE id_producto = ANY (%s)", list(products))


def figures(olap: Any) -> list[list[tuple[Any, ...]]]:
    """What dashboards show of a shop."""
    cursor = olap.cursor()
    found = []
    for query in FIGURES:
        cursor.execute(query + " ORDER BY 1, 2, 3, 4" if query.count(",") > 2 else query)
        found.append(sorted(map(str, cursor.fetchall())))
    return found


def verified(shop: Shop) -> dict[str, Any]:
    """What verify finds."""
    return json.loads(shop.command("verify", "--json").stdout)


@pytest.mark.parametrize("capture", ["an ordinary window", "a full read", "a repair"])
def test_an_old_olap_and_a_fresh_one_are_equal(shop: Shop, capture: str):
    initial = stock(shop, sales=80)
    shop.env |= {"ETL_MAX_REMOVED_SHARE": "0.7", "ETL_MAX_REJECT_SHARE": "1"}
    settle(shop, initial)
    opening = shop.folder / "apertura.csv"
    opening.write_text("id_producto,existencias,costo_promedio\n3,5,2\n")
    shop.succeed("opening", str(opening), "--drop-earlier")
    gone(shop, 2, 3)
    (sold,) = shop.sale(now(), (2, 1, 5))
    if capture == "a full read":
        shop.till("VACUUM FULL detalle_transaccion")
    if capture == "a repair":
        assert sold not in verified(shop)["missing"], "it comes with the next window"
        shop.succeed("verify", "--repair")
    replayed = settle(shop, initial)
    assert sold in replayed.rejects
    assert {movement["id_producto"] for movement, _ in replayed.rejects.values()} == {2, 3}
    assert verified(shop)["clean"]

    old = figures(shop.olap)
    with shop.server.databases() as (_, other):
        env = {"OLAP_DB_NAME": other, "ETL_STATE_DIR": str(shop.folder / "other")}
        fresh = shop.server.connect(other)
        # An opening is given to both: it is no part of the OLTP.
        fresh.cursor().execute(
            "INSERT INTO dw.apertura SELECT * FROM json_populate_recordset(NULL::dw.apertura, %s)",
            (json.dumps(shop.olap_rows("SELECT * FROM dw.apertura"), default=str),),
        )
        shop.run(**env)
        assert_olap_equals(fresh, replay_shop(shop, initial))
        assert figures(fresh) == old
        fresh.close()

    shop.product(2, "A")
    shop.product(3, "B")
    assert not settle(shop, initial).rejects
    assert verified(shop)["clean"]


def test_a_catalogue_that_is_emptied_is_held(shop: Shop):
    initial = loaded(shop)
    shop.till("TRUNCATE productos")
    before = olap_tables(shop)
    done = shop.run_due()
    assert done.returncode == 30, done.stdout
    assert "productos.sql yields no product any more" in done.stdout
    assert "66 of the 66 movements of the ledger would leave it" in done.stdout
    assert olap_tables(shop) == before
    for product in (1, 2, 3, 4):
        shop.product(product, "AB"[product % 2])
    settle(shop, initial)


def test_half_of_the_catalogue_gone_is_held_with_a_way_through(shop: Shop):
    initial = loaded(shop)
    gone(shop, 1, 2)
    done = shop.run_due()
    assert done.returncode == 30, done.stdout
    assert "productos.sql yields 2 products, and no more 2 that have movements" in done.stdout
    accept = done.stdout.partition("--accept-source ")[2].split()[0]
    shop.run("--accept-source", accept)
    settle(shop, initial)


def test_an_opening_of_a_product_that_is_gone_may_be_set_to_nothing(shop: Shop):
    shop.env["ETL_MAX_REMOVED_SHARE"] = "0.5"
    initial = loaded(shop)
    opening = shop.folder / "apertura.csv"
    opening.write_text(f"id_producto,existencias,costo_promedio,fecha\n4,7,2,{initial.date()}\n")
    shop.succeed("opening", str(opening))
    # Merged into another: its lines name that one now.
    shop.till("UPDATE detalle_transaccion SET id_producto = 3 WHERE id_producto = 4")
    gone(shop, 4)
    settle(shop, initial)
    (left,) = shop.olap_rows("SELECT * FROM dw.inventario WHERE id_producto = 4")
    assert (left["existencias"], left["valor"]) == (7, 14)

    for text, told in (
        ("id_producto,existencias,costo_promedio\n4,1,2\n", "must be 0: the OLTP has this"),
        ("id_producto,existencias,costo_promedio\n77,0,0\n", "must be a product of the OLTP"),
        ("codigo,existencias,costo_promedio\nP77,0,0\n", "must be the code of a product of"),
    ):
        opening.write_text(text)
        refused = shop.command("opening", str(opening))
        assert refused.returncode == 1 and told in refused.stdout, refused.stdout
    opening.write_text("codigo,existencias,costo_promedio\nP4,0,0\n")
    shop.succeed("opening", str(opening))
    (left,) = shop.olap_rows("SELECT * FROM dw.inventario WHERE id_producto = 4")
    assert (left["existencias"], left["valor"]) == (0, 0)
    assert verified(shop)["clean"]
    settle(shop, initial)


REJECTS = {
    "missing": "DELETE FROM etl.rechazo WHERE id_movimiento = {bad}",
    "different": "UPDATE etl.rechazo SET cantidad = 8 WHERE id_movimiento = {bad}",
    "of another reason": "UPDATE etl.rechazo SET motivo = 'sin precio' WHERE id_movimiento = {bad}",
    "extra": "CREATE TEMP TABLE una AS SELECT * FROM etl.rechazo;"
    " UPDATE una SET id_movimiento = 9999; INSERT INTO etl.rechazo SELECT * FROM una",
    "in the ledger": "INSERT INTO etl.rechazo SELECT 20, k.tipo, k.id_producto, k.id_sucursal,"
    " k.cantidad, k.precio_unitario, k.costo_unitario, k.fecha, 'sin precio', now(), now(), now(),"
    " now() FROM dw.kardex AS k WHERE k.id_movimiento = 20;"
    " DELETE FROM dw.kardex WHERE id_movimiento = 20",
}


@pytest.mark.parametrize("damage", REJECTS)
def test_verify_compares_what_waits_too(shop: Shop, damage: str):
    initial = stock(shop)
    (bad,) = shop.sale(now(), (99, 1, Decimal("5.5")))
    settle(shop, initial)
    assert verified(shop)["clean"]
    shop.olap.cursor().execute(REJECTS[damage].format(bad=bad))
    found = verified(shop)
    kind = damage if damage in ("missing", "extra") else "different"
    assert found[kind] == [{"extra": 9999, "in the ledger": 20}.get(damage, bad)]
    shop.command("verify", "--repair")
    if damage == "in the ledger":
        # As for any row that other hands took out of it: the sums are the rebuild's.
        shop.succeed("rebuild")
    settle(shop, initial)
    assert verified(shop)["clean"]
