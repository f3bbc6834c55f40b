"""The shop's own stock in the property test: what it says, and where that is not the replay's."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import ROUND_HALF_UP, Decimal, localcontext
from pathlib import Path
from typing import Any

from oracle_adjustments import explained, remains
from oracle_rows import Replay
from oracle_types import COUNT
from shop_database import Shop

# By product and branch; None: all of them.
Levels = Mapping[tuple[int, int | None], Decimal | None]

MICRO = Decimal("0.000001")
MOST = Decimal("1e11")
QUERY = "SELECT id_producto, id_sucursal, existencias{versions} FROM niveles"


def forget(shop: Shop) -> None:
    """A shop that says nothing, and has said nothing yet."""
    shop.till(
        "CREATE TABLE IF NOT EXISTS niveles"
        " (id_producto bigint, id_sucursal bigint, existencias numeric);"
        "GRANT SELECT ON niveles TO etl_lector; TRUNCATE niveles"
    )


def tell(shop: Shop, folder: Path, levels: Levels, *, versions: bool) -> None:
    """What the shop says from now on of these.

    With versions only what changed is read, and of others it says what it said; else nothing.
    """
    with shop.oltp.cursor() as cursor:
        cursor.execute("BEGIN")
        if not versions:
            cursor.execute("DELETE FROM niveles")
        for (product, branch), quantity in levels.items():
            cursor.execute(
                "UPDATE niveles SET existencias = %s"
                " WHERE id_producto = %s AND id_sucursal IS NOT DISTINCT FROM %s",
                (quantity, product, branch),
            )
            if not cursor.rowcount:
                cursor.execute(
                    "INSERT INTO niveles VALUES (%s, %s, %s)", (product, branch, quantity)
                )
        cursor.execute("COMMIT")
    query = QUERY.format(versions=", xmin AS version_1" if versions else "")
    (folder / "existencias.sql").write_text(query, encoding="utf-8")


def right(replayed: Replay) -> Levels:
    """What the shop would say if it had all of a replay."""
    whole = {(product, None): row.existencias for product, row in replayed.inventory.items()}
    branches = {place: stock for place, stock in replayed.branches.items() if place[0] % 2 == 0}
    return {place: stock for place, stock in whole.items() if place[0] % 2} | branches


def wrong_differences(shop: Shop, expected: Replay) -> list[str]:
    """Where dw.v_diferencias_existencias says otherwise than the shop's table and the replay."""
    folder = shop.env.get("ETL_OLTP_SQL_DIR")
    told: dict[tuple[int, int | None], Decimal] = {}
    if folder and (Path(folder) / "existencias.sql").exists():
        with shop.oltp.cursor() as cursor:
            cursor.execute("SELECT * FROM niveles")
            told = {(p, b): q for p, b, q in cursor if q is not None and q.is_finite()}
        told = {
            place: rounded(quantity) for place, quantity in told.items() if abs(quantity) < MOST
        }
    found = {
        (row["id_producto"], row["id_sucursal"]): tuple(
            row[name] for name in ("nuestras", "tienda", "diferencia", "valor")
        )
        for row in shop.olap_rows("SELECT * FROM dw.v_diferencias_existencias")
    }
    wanted = _differences(told, expected) if told else {}
    return [
        f"stock of {place} differs by {found.get(place)} instead of {wanted.get(place)}"
        for place in found.keys() | wanted.keys()
        if found.get(place) != wanted.get(place)
    ]


def _differences(told: Mapping[Any, Decimal], expected: Replay) -> dict[Any, tuple[Any, ...]]:
    by_branch = {product for product, branch in told if branch is not None}
    ours: dict[tuple[int, int | None], Decimal] = {
        place: stock for place, stock in expected.branches.items() if place[0] in by_branch
    }
    for product, row in expected.inventory.items():
        if product not in by_branch:
            ours[product, None] = row.existencias
    services = {n for n, product in expected.products.items() if not product.inventariable}
    differences = {}
    for place in ours.keys() | told.keys():
        if place[0] in services:
            continue
        here, there = ours.get(place, Decimal(0)), told.get(place)
        less = (there or Decimal(0)) - here
        if less:
            row = expected.inventory.get(place[0])
            cost = row.costo_promedio if row else Decimal(0)
            differences[place] = (here, there, less, rounded(less, cost))
    return differences


def not_booked(shop: Shop, expected: Replay) -> list[str]:
    """What is shown as a difference, of what the shop tells, and is not what waits as rejects."""
    waiting = [reject.movement for reject in expected.rejects.values()]
    (last,) = shop.olap_rows("SELECT leida FROM etl.corrida ORDER BY numero DESC LIMIT 1")
    ahead = {
        row.id_producto
        for ledger in expected.ledgers.values()
        for row in ledger
        if row.tipo == COUNT and not row.reverso and row.fecha >= last["leida"]
    }
    found = []
    for row in shop.olap_rows("SELECT * FROM dw.v_diferencias_existencias"):
        product, branch, less = row["id_producto"], row["id_sucursal"], row["diferencia"]
        # What the shop does not tell, what has no product, and what a count to come will tell.
        if row["tienda"] is None or product not in expected.products or product in ahead:
            continue
        waits = explained(waiting, product, branch)
        if waits is not None and less != remains(less, waits) and abs(less) < MOST:
            found.append(f"{less} of {product} in {branch} is not booked; {waits} wait")
    return found


def rounded(*factors: Decimal) -> Decimal:
    """Their product to six digits, half away from zero."""
    with localcontext() as context:
        context.prec = 60
        product = Decimal(1)
        for factor in factors:
            product *= factor
        return product.quantize(MICRO, ROUND_HALF_UP)
