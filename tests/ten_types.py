"""A shop that sells, buys, takes back, breaks, counts, sends and pays freight."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from decimal import Decimal
from random import Random
from typing import Any

from shop_database import Shop

HEADER = ("tipo", "fecha", "id_sucursal", "id_sucursal_destino")
LINE = ("id_producto", "cantidad", "precio_unitario", "costo_unitario", "id_origen", "importe")
PRODUCTS = range(1, 9)
# How often each comes among a hundred: enough of all, more sales than anything else.
KINDS = {
    "VENTA": 40,
    "ENTRADA_MERCANCIA": 14,
    "DEVOLUCION_VENTA": 10,
    "DEVOLUCION_COMPRA": 5,
    "AJUSTE_SALIDA": 6,
    "AJUSTE_ENTRADA": 5,
    "CONTEO": 6,
    "TRASLADO": 6,
    "COSTO_ADICIONAL": 4,
    "DESCUENTO_VENTA": 4,
}


def movement(cursor: Any, tipo: str, fecha: datetime, product: int, **columns: Any) -> int:
    """A document of one line, by the names of the example schema; returns the line's id."""
    given = {"tipo": tipo, "fecha": fecha, "id_producto": product, **columns}
    id_transaccion = _insert(cursor, "transacciones", HEADER, given, "id_transaccion")
    given["id_transaccion"] = id_transaccion
    return _insert(cursor, "detalle_transaccion", ("id_transaccion", *LINE), given, "id_detalle")


def _insert(
    cursor: Any, table: str, names: tuple[str, ...], given: Mapping[str, Any], key: str
) -> int:
    used = [name for name in names if name in given]
    cursor.execute(
        f"INSERT INTO {table} ({', '.join(used)}) VALUES ({', '.join(['%s'] * len(used))})"
        f" RETURNING {key}",
        [given[name] for name in used],
    )
    (number,) = cursor.fetchone()
    return int(number)


def trade_of_ten(shop: Shop, until: datetime, days: int = 450) -> None:
    """So many days of it, up to `until`: two branches and none, stock below zero."""
    random = Random(13)
    for branch in (1, 2):
        shop.branch(branch)
    for product in PRODUCTS:
        shop.product(product, [None, "Lácteos", "Abarrotes"][product % 3])
    named: dict[str, list[tuple[int, int]]] = {"VENTA": [], "ENTRADA_MERCANCIA": []}
    origins = {
        "DEVOLUCION_VENTA": "VENTA",
        "DEVOLUCION_COMPRA": "ENTRADA_MERCANCIA",
        "COSTO_ADICIONAL": "ENTRADA_MERCANCIA",
    }
    with shop.transaction() as cursor:
        for day in range(days, -1, -1):
            # Near midnight in Lima, so that the zone decides the day.
            when = until - timedelta(days=day, hours=random.choice([0, 5, 6]), minutes=10)
            (tipo,) = random.choices(list(KINDS), list(KINDS.values()))
            product = random.choice(PRODUCTS[:-1])
            columns = _content(random, tipo)
            known = named.get(origins.get(tipo, ""))
            if known and random.random() < 0.8:
                columns["id_origen"], product = random.choice(known)
            number = movement(cursor, tipo, when, product, **columns)
            if tipo in named:
                named[tipo].append((number, product))
        # On both sides of a quarter's first day, whose sales count.
        for day in range(87, 93):
            when = until - timedelta(days=day, hours=5)
            columns = {"cantidad": day, "precio_unitario": 5, "id_sucursal": 1 + day % 2}
            movement(cursor, "VENTA", when, PRODUCTS[0], **columns)


def _content(random: Random, tipo: str) -> dict[str, Any]:
    branch = random.choice([None, 1, 2])
    content: dict[str, Any] = {"id_sucursal": branch, "cantidad": random.randint(1, 9)}
    price, cost = (Decimal(random.randint(50, 900)) / 100 for _ in range(2))
    if tipo in ("VENTA", "DEVOLUCION_VENTA", "DESCUENTO_VENTA"):
        content["precio_unitario"] = price
    if tipo in ("ENTRADA_MERCANCIA", "COSTO_ADICIONAL") or random.random() < 0.5:
        content["costo_unitario"] = cost
    if tipo == "ENTRADA_MERCANCIA":
        content["cantidad"] = random.randint(5, 40)
        if random.random() < 0.2:
            content["importe"] = cost * content["cantidad"] + Decimal("0.03")
    if tipo == "TRASLADO":
        content["id_sucursal_destino"] = 1 if branch == 2 else 2
    if tipo in ("COSTO_ADICIONAL", "DESCUENTO_VENTA"):
        content["cantidad"] = None
    return content
