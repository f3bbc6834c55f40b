"""The valuation cases of other systems' suites, in ../shared/cases, as movements of an OLTP."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

from oracle_rows import Opening, Product
from oracle_types import CUSTOMER_RETURN, RECEIPT, SALE, SHRINKAGE, SURPLUS

FOLDER = Path(__file__).resolve().parents[2] / "shared" / "cases"
CASES = FOLDER / "valuation_cases.json"
MOVEMENT_CASES = FOLDER / "movement_cases.json"
PRICE_WHERE_NONE_IS_GIVEN = 1

Case = Mapping[str, Any]


def read_cases(file: Path) -> list[Case]:
    """The cases of one file; none where ../shared is absent."""
    if not file.exists():
        return []
    return list(json.loads(file.read_text(encoding="utf-8"), parse_float=Decimal))


def sale_and_receipt_cases() -> list[Case]:
    """The cases made of sales and receipts alone."""
    return [
        case
        for case in read_cases(CASES)
        if {m["tipo"] for m in case["movements"]} <= {SALE, RECEIPT}
    ]


def last_insertion(case: Case) -> int:
    """The insertion order of the last thing that happens: a line, a correction or a void."""
    happens = [m["insertion_order"] for m in case["movements"]]
    happens += [m["anulado_en_insercion"] for m in case["movements"] if "anulado_en_insercion" in m]
    happens += [
        correction["insertion_order"]
        for m in case["movements"]
        for correction in m.get("correcciones", [])
    ]
    return max(happens)


def products_of(case: Case) -> dict[str, int]:
    """An id for each product that a case names."""
    names = sorted({m["producto"] for m in case["movements"]})
    return {name: number for number, name in enumerate(names, start=1)}


def openings(case: Case) -> dict[int, Opening]:
    """An average that a case starts from, without stock."""
    if "costo_inicial" not in case:
        return {}
    opening = Opening(Decimal(0), Decimal(case["costo_inicial"]))
    return dict.fromkeys(products_of(case).values(), opening)


def as_movement(case: Case, line: Case, insertion: int) -> dict[str, Any]:
    """A line as the OLTP holds it after an insertion; its id is the case's `seq`."""
    line = dict(line)
    for correction in line.get("correcciones", []):
        if correction["insertion_order"] <= insertion:
            line |= {k: v for k, v in correction.items() if k != "insertion_order"}
    price = line["precio_unitario"]
    if line["tipo"] in (SALE, CUSTOMER_RETURN) and price is None:
        price = PRICE_WHERE_NONE_IS_GIVEN
    tipo, cantidad = line["tipo"], Decimal(line["cantidad"])
    if tipo == "AJUSTE":
        tipo, cantidad = (SURPLUS if cantidad > 0 else SHRINKAGE), abs(cantidad)
    return {
        "id_movimiento": line["seq"],
        "tipo": tipo,
        "id_producto": products_of(case)[line["producto"]],
        "id_sucursal": line.get("id_sucursal"),
        "id_sucursal_destino": line.get("id_sucursal_destino"),
        "id_origen": line.get("id_origen", line.get("ref_seq")),
        "cantidad": cantidad,
        "precio_unitario": None if price is None else Decimal(price),
        "costo_unitario": None
        if line["costo_unitario"] is None
        else Decimal(line["costo_unitario"]),
        "fecha": datetime.fromisoformat(line["fecha"]).replace(tzinfo=UTC),
        "anulado": line.get("anulado_en_insercion", insertion + 1) <= insertion,
    }


def final_movements(
    case: Case, insertion: int | None
) -> tuple[list[dict[str, Any]], dict[int, Product]]:
    """What the OLTP holds after an insertion (None: the last), and its catalogue."""
    insertion = last_insertion(case) if insertion is None else insertion
    movements = [
        as_movement(case, line, insertion)
        for line in case["movements"]
        if line["insertion_order"] <= insertion
    ]
    products = {number: Product(name, name, None) for name, number in products_of(case).items()}
    return movements, products


def expected_states(case: Case, insertion: int | None) -> dict[int, tuple[Decimal, ...]]:
    """`recommended` as of an insertion: stock, average and value after each seq."""
    return {
        r["after_seq"]: tuple(Decimal(r[k]) for k in ("stock", "costo_promedio", "valor"))
        for r in case["recommended"]
        if r.get("as_of_insertion") == insertion
    }


STATE = ("stock", "costo_promedio", "valor")


def state(row: Any) -> tuple[Decimal, Decimal, Decimal]:
    """Of a row of the stock or of the ledger, what STATE names."""
    return row.existencias, row.costo_promedio, row.valor


def check_wanted(
    case: Case, want: Case, inventory: Mapping[int, Any], kardex: Mapping[int, Any]
) -> None:
    """Stock by product and ledger by movement are what a case wants after an arrival."""
    arrival = want["after_arrival"]
    standing = inventory[products_of(case).get(want.get("producto"), 1)]
    assert state(standing) == tuple(want[k] for k in STATE), arrival
    # A long case gives no rows for some arrivals.
    assert not want["kardex"] or kardex.keys() == {r["seq"] for r in want["kardex"]}, arrival
    for wanted in want["kardex"]:
        row = kardex[wanted["seq"]]
        found = (*state(row), row.costo_total, row.ajuste, row.provisional)
        expected = (*(wanted[k] for k in (*STATE, "costo_total", "ajuste")),)
        assert found == (*expected, wanted.get("provisional", False)), (arrival, wanted)
