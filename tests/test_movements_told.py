"""What status, doctor and rejects say of returns, origins, branches and what waits of them."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

from shop_database import Shop
from ten_types import KINDS, movement

from pipeline.base.movement_names import NAMES, name_of
from pipeline.translation import translator


class Till:
    """Types in a line a minute, of product 1 in branch 1 where nothing else is said."""

    def __init__(self, shop: Shop) -> None:
        self.shop = shop
        self.moment = datetime.now(UTC).replace(microsecond=0) - timedelta(days=2)

    def type(self, tipo: str, cantidad: Any, product: int = 1, **columns: Any) -> int:
        """A document of one line; its id."""
        self.moment += timedelta(minutes=1)
        columns = {"id_sucursal": 1, "cantidad": cantidad, **columns}
        with self.shop.transaction() as cursor:
            return movement(cursor, tipo, self.moment, product, **columns)


def opened(shop: Shop) -> Till:
    """A shop with two products and two branches."""
    for number in (1, 2):
        shop.product(number)
        shop.branch(number)
    return Till(shop)


def said(shop: Shop, command: str) -> dict[str, Any]:
    """What a command's --json says."""
    text = shop.command(command, "--json").stdout
    return dict(json.loads(text[text.index("{") :]))


def test_status_tells_what_came_back_too_often_and_which_origins_are_of_no_use(shop: Shop):
    till = opened(shop)
    till.type("ENTRADA_MERCANCIA", 50, costo_unitario=2)
    other = till.type("ENTRADA_MERCANCIA", 50, product=2, costo_unitario=2)
    sold = till.type("VENTA", 3, precio_unitario=5)
    for _ in range(2):
        till.type("DEVOLUCION_VENTA", 2, precio_unitario=5, id_origen=sold)
    enough = till.type("VENTA", 3, precio_unitario=5)
    till.type("DEVOLUCION_VENTA", 3, precio_unitario=5, id_origen=enough)
    voided = till.type("ENTRADA_MERCANCIA", 5, costo_unitario=2)
    shop.correct_document(voided, anulada=True)
    unusable = {}
    for origin, reason in (
        (voided, "no está en el kardex"),
        (other, "es de otro producto"),
        (sold, "es de otro tipo"),
    ):
        tipo = "DEVOLUCION_COMPRA"
        unusable[till.type(tipo, 1, costo_unitario=2, id_origen=origin)] = reason
    till.type("VENTA", 1, precio_unitario=5)
    later = till.type("DEVOLUCION_VENTA", 1, precio_unitario=5)
    future = till.type("VENTA", 1, precio_unitario=5)
    shop.till("UPDATE detalle_transaccion SET id_origen = %s WHERE id_detalle = %s", future, later)
    unusable[later] = "es posterior"
    shop.run_in_process()
    status = said(shop, "status")
    (returned,) = status["returned_beyond_sale"]
    assert (returned["id_movimiento"], returned["cantidad"], returned["devuelta"]) == (sold, 3, 4)
    assert status["returned_beyond_sale_count"] == 1
    found = {row["id_movimiento"]: row["motivo"] for row in status["unusable_origins"]}
    assert found == unusable
    assert status["unusable_origins_count"] == len(unusable)
    shown = shop.succeed("status").stdout
    assert "more came back than was sold: 1," in shown
    assert "id_origen, which is of no use: 4," in shown and "not in the ledger" in shown


def test_status_of_a_shop_without_them_says_nothing(shop: Shop):
    till = opened(shop)
    till.type("ENTRADA_MERCANCIA", 50, costo_unitario=2)
    sold = till.type("VENTA", 3, precio_unitario=5)
    till.type("DEVOLUCION_VENTA", 3, precio_unitario=5, id_origen=sold)
    shop.run_in_process()
    assert said(shop, "status")["returned_beyond_sale"] == []
    shown = shop.succeed("status").stdout
    assert "came back" not in shown and "id_origen" not in shown


def doctor_says(shop: Shop, what: str) -> tuple[str, str]:
    """What doctor says of it."""
    (found,) = (f for f in said(shop, "doctor")["findings"] if f["what"] == what)
    return found["state"], found["found"]


def test_doctor_warns_of_products_that_are_sold_and_never_came_in(shop: Shop):
    till = opened(shop)
    till.type("VENTA", 3, precio_unitario=5)
    shop.run_in_process()
    state, found = doctor_says(shop, "what comes in")
    assert (state, "1 of the 1 products that are sold, such as 1," in found) == ("warning", True)
    till.type("DEVOLUCION_VENTA", 1, precio_unitario=5)
    shop.run_in_process()
    assert doctor_says(shop, "what comes in")[0] == "warning"
    till.type("CONTEO", 47)
    shop.run_in_process()
    assert doctor_says(shop, "what comes in") == ("ok", "of each product that is sold")


def counts_by_branch(shop: Shop) -> tuple[str, str]:
    """What doctor says of them."""
    return doctor_says(shop, "counts by branch")


def test_doctor_warns_of_counts_in_branches_of_what_comes_in_without_one(shop: Shop):
    till = opened(shop)
    till.type("ENTRADA_MERCANCIA", 50, costo_unitario=2, id_sucursal=None)
    till.type("VENTA", 3, precio_unitario=5)
    till.type("CONTEO", 47, id_sucursal=None)
    shop.run_in_process()
    assert counts_by_branch(shop)[0] == "ok"
    till.type("CONTEO", 47)
    shop.run_in_process()
    state, found = counts_by_branch(shop)
    assert (state, "1 products, such as 1," in found) == ("warning", True)
    # Goods that come in at none and are sent from there are where they are sent to.
    till.type("TRASLADO", 50, id_sucursal=None, id_sucursal_destino=1)
    shop.run_in_process()
    assert counts_by_branch(shop)[0] == "ok"


def test_rejects_shows_what_a_line_of_the_new_types_holds(shop: Shop):
    till = opened(shop)
    till.type("VENTA", 0, precio_unitario=5)
    shop.run_in_process()
    assert "id_sucursal_destino" not in shop.succeed("rejects").stdout
    same = till.type("TRASLADO", 2, id_sucursal_destino=1)
    shop.run_in_process()
    shown = shop.succeed("rejects").stdout
    assert "id_sucursal_destino" in shown and "importe" not in shown
    (row,) = (r for r in said(shop, "rejects")["rejects"] if r["id_movimiento"] == same)
    assert (row["motivo"], row["id_sucursal_destino"]) == ("destino igual al origen", 1)


def test_a_type_that_the_shop_took_off_the_table_is_told(shop: Shop):
    till = opened(shop)
    till.type("ENTRADA_MERCANCIA", 50, costo_unitario=2)
    till.type("TRASLADO", 2, id_sucursal_destino=2)
    with shop.olap.cursor() as cursor:
        cursor.execute("DELETE FROM dw.tipo_movimiento WHERE tipo = 'TRASLADO'")
    shop.run_in_process()
    (left,) = said(shop, "status")["out_of_scope_types"]
    assert left == {"type": "TRASLADO", "movements": 1, "meant": None}
    assert shop.olap_rows("SELECT motivo, tipo, movimientos FROM dw.v_fuera_de_alcance") == [
        {"motivo": "tipo desconocido", "tipo": "TRASLADO", "movimientos": 1}
    ]


def test_every_type_has_a_name_in_both_languages(shop: Shop):
    rows = shop.olap_rows("SELECT tipo, nombre FROM dw.tipo_movimiento")
    told = {row["tipo"]: row["nombre"] for row in rows}
    assert set(NAMES) == set(told) == set(KINDS)
    # The dashboards and the pages call a type the same.
    spoken = translator("es")
    assert {tipo: name_of(tipo, spoken) for tipo in NAMES} == told
    assert all(spoken(name) != name for name in NAMES.values())
    assert name_of("PRESTAMO", spoken) == "PRESTAMO"
    assert name_of("PRESTAMO", spoken, "Préstamo") == "Préstamo"


def test_a_type_that_a_shop_adds_is_a_row_of_the_table(shop: Shop):
    """As the guide says; what came before it was out of scope until everything is read."""
    shop.till("ALTER TABLE transacciones DROP CONSTRAINT IF EXISTS transacciones_tipo_check")
    till = opened(shop)
    till.type("ENTRADA_MERCANCIA", 50, costo_unitario=2)
    till.type("CONSUMO", 3)
    shop.run_in_process()
    assert said(shop, "status")["out_of_scope_types"]
    with shop.olap.cursor() as cursor:
        cursor.execute(
            "INSERT INTO dw.tipo_movimiento (tipo, regla, orden, signo, cantidad, precio, costo,"
            " importe, destino, clase, resta, sunat, nombre, descripcion) VALUES ('CONSUMO',"
            " 'al_promedio', 1, -1, 'positiva', false, 'no', false, false, 'merma', false, '12',"
            " 'Consumo', 'Lo que la propia tienda consume')"
        )
    shop.succeed("rebuild")
    till.type("CONSUMO", 2)
    shop.run_in_process()
    (held,) = shop.olap_rows("SELECT existencias, valor FROM dw.inventario")
    assert (held["existencias"], held["valor"]) == (45, 90)
    assert shop.olap_rows("SELECT sum(mermas) AS m FROM dw.mv_ventas_diarias") == [{"m": 10}]
    assert (
        shop.olap_rows("SELECT nombre_tipo AS n FROM dw.v_kardex WHERE tipo = 'CONSUMO'")
        == [{"n": "Consumo"}] * 2
    )
    assert said(shop, "status")["out_of_scope_types"] == []
    shop.succeed("verify", "--all")
    # init keeps what is the shop's own.
    shop.succeed("init")
    assert shop.olap_rows("SELECT 1 AS n FROM dw.tipo_movimiento WHERE tipo = 'CONSUMO'")
