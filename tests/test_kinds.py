"""Shops of other kinds, whole: weeks of their trade carried by their own queries, then replayed.

A ledger of an accountant's program, whose posting deletes a document's lines and inserts them
under new ids, and a web shop whose keys are text and whose lines have a tax of their own.
"""

from __future__ import annotations

import hashlib
import json
import random
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from olap_comparison import assert_olap_equals
from oltp_reading import read_moment
from oracle import replay
from oracle_rows import Product, Replay, Rules
from oracle_types import RECEIPT, SALE
from psycopg2.extras import RealDictCursor
from shop_database import Shop

BEGINNING = date(2026, 3, 2)
ZONE = "America/Lima"
WEEKS, A_WEEK = 6, 9
RATES = (Decimal("0.18"), Decimal("0.08"), Decimal(0))

LEDGER = """
CREATE TABLE parts (id int PRIMARY KEY, partnumber text, description text, goods boolean NOT NULL);
CREATE TABLE ar (id int PRIMARY KEY, invnumber text, transdate date, approved boolean NOT NULL);
CREATE TABLE ap (LIKE ar INCLUDING ALL);
-- qty: what leaves is positive, what enters negative, in sales and purchases alike.
CREATE TABLE invoice (
    id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, trans_id int NOT NULL, parts_id int NOT NULL,
    qty numeric NOT NULL, netprice numeric NOT NULL, rate numeric
);
CREATE INDEX ON invoice (trans_id);
GRANT SELECT ON parts, ar, ap, invoice TO etl_lector;
INSERT INTO parts VALUES
    (1, 'RICE', 'Rice', true), (2, 'MILK', 'Milk', true), (3, 'WORK', 'Work', false);
"""
LEDGER_QUERIES = {
    "movimientos": """
SELECT i.id AS id_movimiento, 'VENTA' AS tipo, i.parts_id AS id_producto, NULL::int AS id_sucursal,
    i.qty AS cantidad, i.netprice AS precio_unitario, NULL::numeric AS costo_unitario,
    ar.transdate AS fecha, NOT ar.approved AS anulado, i.rate AS impuesto,
    false AS precio_con_impuesto, ar.id AS id_documento, ar.invnumber AS documento,
    i.xmin AS version_1, ar.xmin AS version_2
FROM invoice AS i JOIN ar ON ar.id = i.trans_id
UNION ALL
SELECT i.id, 'ENTRADA_MERCANCIA', i.parts_id, NULL, -i.qty, NULL, i.netprice, ap.transdate,
    NOT ap.approved, NULL, NULL, ap.id, ap.invnumber, i.xmin, ap.xmin
FROM invoice AS i JOIN ap ON ap.id = i.trans_id
""",
    "productos": "SELECT p.id AS id_producto, p.partnumber AS codigo, p.description AS nombre,"
    " NULL::text AS categoria, p.goods AS inventariable, p.xmin AS version_1 FROM parts AS p",
    "sucursales": "SELECT NULL::int AS id_sucursal, '' AS nombre, p.xmin AS version_1"
    " FROM parts AS p WHERE false",
}

WEB = """
CREATE TABLE variant (id text PRIMARY KEY, sku text, title text, tracked boolean NOT NULL);
CREATE TABLE location (id text PRIMARY KEY, name text);
CREATE TABLE "order" (
    id text PRIMARY KEY, display_id int, placed_at timestamptz, canceled_at timestamptz,
    location_id text
);
-- Prices are in cents and have the tax within where the line says so.
CREATE TABLE order_item (
    id text PRIMARY KEY, order_id text NOT NULL, variant_id text, quantity int, cents int,
    rate numeric, is_tax_inclusive boolean NOT NULL
);
CREATE TABLE delivery (
    id uuid PRIMARY KEY, variant_id text, location_id text, quantity int, cost numeric,
    arrived timestamptz
);
CREATE INDEX ON order_item (order_id);
GRANT SELECT ON variant, location, "order", order_item, delivery TO etl_lector;
INSERT INTO location VALUES ('sloc_a', 'North'), ('sloc_b', 'South');
INSERT INTO variant VALUES
    ('variant_rice', 'RICE', 'Rice', true), ('variant_milk', 'MILK', 'Milk', true),
    ('variant_gift', 'GIFT', 'Wrapping', false);
"""
WEB_QUERIES = {
    "movimientos": """
SELECT i.id AS id_movimiento, 'VENTA' AS tipo, i.variant_id AS id_producto,
    o.location_id AS id_sucursal, i.quantity AS cantidad, i.cents / 100.0 AS precio_unitario,
    NULL::numeric AS costo_unitario, o.placed_at AS fecha,
    o.canceled_at IS NOT NULL AS anulado, i.rate AS impuesto,
    i.is_tax_inclusive AS precio_con_impuesto, o.id AS id_documento,
    '#' || o.display_id AS documento, i.xmin AS version_1, o.xmin AS version_2
FROM order_item AS i JOIN "order" AS o ON o.id = i.order_id
UNION ALL
SELECT d.id::text, 'ENTRADA_MERCANCIA', d.variant_id, d.location_id, d.quantity, NULL, d.cost,
    d.arrived, false, NULL, NULL, NULL, NULL, d.xmin, d.xmin
FROM delivery AS d
""",
    "productos": "SELECT v.id AS id_producto, v.sku AS codigo, v.title AS nombre,"
    " NULL::text AS categoria, v.tracked AS inventariable, v.xmin AS version_1 FROM variant AS v",
    "sucursales": "SELECT l.id AS id_sucursal, l.name AS nombre, l.xmin AS version_1"
    " FROM location AS l",
}


def adopt(shop: Shop, tables: str, queries: dict[str, str]) -> None:
    """The shop has these tables, and queries of its own that read them."""
    shop.oltp.cursor().execute(tables)
    folder = shop.folder / "sql"
    folder.mkdir()
    for name, text in queries.items():
        (folder / f"{name}.sql").write_text(text, encoding="utf-8")
    shop.env |= {
        "ETL_OLTP_SQL_DIR": str(folder),
        "ETL_INITIAL_SINCE": datetime.combine(BEGINNING, time(), ZoneInfo(ZONE)).isoformat(),
        "ETL_TIMEZONE": ZONE,
    }


def table(shop: Shop, name: str) -> list[dict[str, Any]]:
    """All rows of a table of the shop's, as they stand."""
    with shop.oltp.cursor(cursor_factory=RealDictCursor) as cursor:
        cursor.execute(f"SELECT * FROM {name}")
        return [dict(row) for row in cursor]


def movement(number: int, tipo: str, **more: Any) -> dict[str, Any]:
    """What the oracle reads."""
    columns = "id_sucursal precio_unitario costo_unitario importe id_origen id_sucursal_destino"
    nothing = dict.fromkeys([*columns.split(), "impuesto", "precio_con_impuesto", "id_documento"])
    return {**nothing, "id_movimiento": number, "tipo": tipo, **more}


def replayed(shop: Shop, movements: list[dict[str, Any]], products: dict[int, Product]) -> Replay:
    """By the oracle."""
    initial = datetime.combine(BEGINNING, time(), ZoneInfo(ZONE))
    return replay(movements, products, Rules(initial, read_moment(shop.oltp), ZONE))


# A ledger whose posting writes all lines anew


def post(shop: Shop, dice: random.Random, day: date, number: int) -> None:
    """A document with its lines: a sale or a purchase, one of seven a credit, at times a draft."""
    header = dice.choice(["ar", "ar", "ap"])
    sign = (1 if header == "ar" else -1) * (-1 if dice.random() < 1 / 7 else 1)
    with shop.transaction() as cursor:
        cursor.execute(
            f"INSERT INTO {header} VALUES (%s, %s, %s, %s)",
            (number, f"{header.upper()}-{number}", day, dice.random() < 0.85),
        )
        for _ in range(dice.randint(1, 3)):
            part, rate = dice.randint(1, 3), dice.choice([*RATES, None])
            units, price = (
                Decimal(dice.randint(1, 400)) / 10,
                Decimal(dice.randint(100, 9999)) / 1000,
            )
            cursor.execute(
                "INSERT INTO invoice (trans_id, parts_id, qty, netprice, rate)"
                " VALUES (%s, %s, %s, %s, %s)",
                (number, part, sign * units, price, rate),
            )


def correct(shop: Shop, dice: random.Random, _day: date, _number: int) -> None:
    """Post once more: the lines go and come under new ids, one of them at times no more."""
    with shop.transaction() as cursor:
        cursor.execute("SELECT DISTINCT trans_id FROM invoice ORDER BY 1")
        found = [row[0] for row in cursor]
        if not found:
            return
        document = dice.choice(found)
        cursor.execute(
            "DELETE FROM invoice WHERE trans_id = %s RETURNING parts_id, qty, netprice, rate",
            (document,),
        )
        lines = cursor.fetchall()
        for part, qty, price, rate in (
            lines[1:] if len(lines) > 1 and dice.random() < 0.3 else lines
        ):
            cursor.execute(
                "INSERT INTO invoice (trans_id, parts_id, qty, netprice, rate)"
                " VALUES (%s, %s, %s, %s, %s)",
                (document, part, qty * dice.choice([1, 2]), price + dice.choice([0, 1]), rate),
            )
        cursor.execute("UPDATE ar SET approved = true WHERE id = %s", (document,))
        cursor.execute("UPDATE ap SET approved = true WHERE id = %s", (document,))


def ledger_rows(shop: Shop) -> tuple[list[dict[str, Any]], dict[int, Product]]:
    """The tables as the oracle reads them."""
    headers = {row["id"]: (name, row) for name in ("ar", "ap") for row in table(shop, name)}
    movements = []
    for line in table(shop, "invoice"):
        kind, header = headers[line["trans_id"]]
        fecha = datetime.combine(header["transdate"], time(), ZoneInfo(ZONE)).astimezone(UTC)
        shared = {
            "id_producto": line["parts_id"], "fecha": fecha, "anulado": not header["approved"],
            "id_documento": header["id"],
        }  # fmt: skip
        if kind == "ar":
            shared |= {"cantidad": line["qty"], "precio_unitario": line["netprice"]}
            shared |= {"impuesto": line["rate"], "precio_con_impuesto": False}
            movements.append(movement(line["id"], SALE, **shared))
        else:
            shared |= {"cantidad": -line["qty"], "costo_unitario": line["netprice"]}
            movements.append(movement(line["id"], RECEIPT, **shared))
    products = {
        part["id"]: Product(part["partnumber"], part["description"], None, part["goods"])
        for part in table(shop, "parts")
    }
    return movements, products


# A web shop whose keys are text


def key(dice: random.Random, prefix: str) -> str:
    return f"{prefix}_{dice.getrandbits(80):020X}"


def order(shop: Shop, dice: random.Random, day: date, number: int) -> None:
    """An order with its lines."""
    moment = datetime.combine(day, time(dice.randint(0, 23), dice.randint(0, 59)), UTC)
    with shop.transaction() as cursor:
        own = key(dice, "order")
        cursor.execute(
            'INSERT INTO "order" VALUES (%s, %s, %s, NULL, %s)',
            (own, number, moment, dice.choice(["sloc_a", "sloc_b"])),
        )
        for _ in range(dice.randint(1, 3)):
            variant = dice.choice(["variant_rice", "variant_milk", "variant_gift"])
            cursor.execute(
                "INSERT INTO order_item VALUES (%s, %s, %s, %s, %s, %s, %s)",
                (key(dice, "ordli"), own, variant, dice.randint(1, 9), dice.randint(1, 9999),
                 dice.choice([*RATES, None]), dice.random() < 0.5),
            )  # fmt: skip


def deliver(shop: Shop, dice: random.Random, day: date, _number: int) -> None:
    """Goods arrive."""
    moment = datetime.combine(day, time(dice.randint(0, 23)), UTC)
    shop.till(
        "INSERT INTO delivery VALUES (md5(%s)::uuid, %s, %s, %s, %s, %s)",
        key(dice, "delivery"), dice.choice(["variant_rice", "variant_milk"]),
        dice.choice(["sloc_a", "sloc_b"]), dice.randint(1, 60),
        Decimal(dice.randint(1, 99999)) / 1000, moment,
    )  # fmt: skip


def cancel(shop: Shop, dice: random.Random, _day: date, number: int) -> None:
    """An order of some time ago is cancelled, or one of its lines taken out."""
    lines = sorted((row["order_id"], row["id"]) for row in table(shop, "order_item"))
    if not lines:
        return
    document, line = dice.choice(lines)
    if number % 2 and sum(document == other for other, _ in lines) > 1:
        shop.till('UPDATE "order" SET display_id = display_id + 1000 WHERE id = %s', document)
        shop.till("DELETE FROM order_item WHERE id = %s", line)
    else:
        shop.till('UPDATE "order" SET canceled_at = placed_at WHERE id = %s', document)


def hashed(own: str | None) -> int | None:
    """The number of a name: the first 60 bits of its md5."""
    if own is None:
        return None
    return int(hashlib.md5(own.encode(), usedforsecurity=False).hexdigest()[:15], 16)


def web_rows(shop: Shop) -> tuple[list[dict[str, Any]], dict[int, Product]]:
    """The tables as the oracle reads them."""
    orders = {row["id"]: row for row in table(shop, '"order"')}
    movements = []
    for line in table(shop, "order_item"):
        header = orders[line["order_id"]]
        movements.append(movement(
            hashed(line["id"]), SALE, id_producto=hashed(line["variant_id"]),
            id_sucursal=hashed(header["location_id"]), cantidad=Decimal(line["quantity"]),
            precio_unitario=Decimal(line["cents"]) / 100, impuesto=line["rate"],
            precio_con_impuesto=line["is_tax_inclusive"], fecha=header["placed_at"],
            anulado=header["canceled_at"] is not None, id_documento=hashed(header["id"]),
        ))  # fmt: skip
    for row in table(shop, "delivery"):
        movements.append(movement(
            hashed(str(row["id"])), RECEIPT, id_producto=hashed(row["variant_id"]),
            id_sucursal=hashed(row["location_id"]), cantidad=Decimal(row["quantity"]),
            costo_unitario=row["cost"], fecha=row["arrived"], anulado=False,
        ))  # fmt: skip
    products = {
        hashed(v["id"]): Product(v["sku"], v["title"], None, v["tracked"])
        for v in table(shop, "variant")
    }
    return movements, products


KINDS: dict[str, tuple[str, dict[str, str], list[Callable[..., None]], Callable[..., Any]]] = {
    "ledger": (LEDGER, LEDGER_QUERIES, [post, post, correct], ledger_rows),
    "web": (WEB, WEB_QUERIES, [order, order, deliver, cancel], web_rows),
}


def trade(
    dice: random.Random, events: list[Callable[..., None]]
) -> Iterator[list[tuple[Any, ...]]]:
    """What happens in each week: an event, its day and a number that no other has."""
    for week in range(WEEKS):
        days = [BEGINNING + timedelta(weeks=week, days=dice.randint(0, 6)) for _ in range(A_WEEK)]
        yield [
            (dice.choice(events), dice.choice(days[: n + 1]), 1 + week * A_WEEK + n)
            for n in range(A_WEEK)
        ]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("seed", [1, 2])
def test_weeks_of_another_kind_of_shop(shop: Shop, kind: str, seed: int):
    tables, queries, events, rows = KINDS[kind]
    adopt(shop, tables, queries)
    for week in trade(random.Random(seed), events):
        for event, day, number in week:
            event(shop, random.Random(f"{seed} {number}"), day, number)
        shop.run_in_process()
        assert_olap_equals(shop.olap, replayed(shop, *rows(shop)))
    # But for the first, ordinary windows, which read what is new and no more.
    (read,) = shop.olap_rows("SELECT count(*) FILTER (WHERE imagen_completa) AS n FROM etl.corrida")
    assert read["n"] == 1
    found = json.loads(shop.command("verify", "--all", "--json").stdout)
    assert found["clean"], found
