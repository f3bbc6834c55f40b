"""The rules of DESIGN sections 6 and 7 replayed in plain Decimal: what the OLAP must equal.

Written from DESIGN alone and sharing no code with the product, so that the same mistake is
not made twice. It takes the OLTP as it stands and knows nothing of windows, retries or
order of arrival: whatever happened, the OLAP must equal this one ordered replay.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from decimal import ROUND_HALF_UP, Context, Decimal, localcontext
from fractions import Fraction
from math import ceil
from typing import Any

from oracle_rows import (
    ZERO,
    InventoryRow,
    KardexRow,
    Measures,
    Opening,
    Pricing,
    Product,
    Reject,
    Replay,
    Rules,
    State,
)

SALE = "VENTA"
RECEIPT = "ENTRADA_MERCANCIA"
NO_BRANCH = 0
NO_CATEGORY = "Sin categoría"

# Ample, so that the only roundings are those of the rule: with 60 digits a quotient of two
# amounts of at most 38 never looks like a tie at the sixth decimal without being one.
EXACT = Context(prec=60, rounding=ROUND_HALF_UP)
SIXTH_DECIMAL = Decimal("0.000001")
# DESIGN 7.2: what is as large as this would overflow a sum.
LARGEST_FACTOR = Decimal(10) ** 11
LARGEST_AMOUNT = Decimal(10) ** 12
LATEST_AFTER_SNAPSHOT = timedelta(days=1)


def round_six(number: Decimal) -> Decimal:
    """Half up, away from zero on ties as PostgreSQL's numeric; never a negative zero."""
    return EXACT.plus(number.quantize(SIXTH_DECIMAL, context=EXACT))


def on_entry(number: Decimal | None) -> Decimal | None:
    """A quantity, price or cost as it is before anything is checked; NaN and infinite as None."""
    if number is None or not number.is_finite():
        return None
    # What is too large for six decimals in 60 digits is far beyond any limit as it is.
    return round_six(number) if number.adjusted() < 50 else number


def receive(before: State, cantidad: Decimal, costo_unitario: Decimal) -> tuple[State, Decimal]:
    """DESIGN 6, ENTRADA_MERCANCIA: the state after, and the ajuste."""
    costo = round_six(cantidad * costo_unitario)
    existencias = before.existencias + cantidad
    if before.existencias > 0:
        valor = before.valor + costo
        return State(existencias, valor, round_six(valor / existencias)), ZERO
    valor = round_six(existencias * costo_unitario)
    return State(existencias, valor, costo_unitario), valor - before.valor - costo


def sell(before: State, cantidad: Decimal) -> State:
    """DESIGN 6, VENTA: the state after; the cost of the sale is the value that left."""
    existencias = before.existencias - cantidad
    return State(existencias, round_six(existencias * before.costo_promedio), before.costo_promedio)


def suggested_price(costo: Decimal, pricing: Pricing) -> Decimal | None:
    """C / (1 - margin) · (1 + tax), rounded up to the step exactly; None while C = 0."""
    margen, impuesto, redondeo = pricing
    assert margen is not None and impuesto is not None and redondeo is not None
    if costo == 0:
        return None
    price = Fraction(costo) / (1 - Fraction(margen)) * (1 + Fraction(impuesto))
    return ceil(price / Fraction(redondeo)) * redondeo


def in_scope(
    movement: Mapping[str, Any], openings: Mapping[int, Opening], initial: datetime
) -> bool:
    """DESIGN 5 and 6: of the two types, not voided, not before the initial date or the opening.

    Without a date nothing says that it is out of scope: it is in, and rejected for that.
    """
    if movement["tipo"] not in (SALE, RECEIPT) or movement["anulado"]:
        return False
    fecha = movement["fecha"]
    if fecha is None:
        return True
    opening = openings.get(movement["id_producto"])
    return fecha >= initial and (opening is None or opening.fecha is None or fecha >= opening.fecha)


def reasons_to_reject(
    movement: Mapping[str, Any], products: Mapping[int, Product], snapshot: datetime
) -> frozenset[str]:
    """Every reason of DESIGN 7.2 that keeps a movement in scope from being valued."""
    reasons = set()
    if movement["id_producto"] not in products:
        reasons.add("producto")
    cantidad = on_entry(movement["cantidad"])
    amount_of = "precio_unitario" if movement["tipo"] == SALE else "costo_unitario"
    amount = on_entry(movement[amount_of])
    if cantidad is None or cantidad <= 0:
        reasons.add("cantidad")
    if amount is None or amount < 0:
        reasons.add(amount_of)
    if (
        (cantidad is not None and cantidad >= LARGEST_FACTOR)
        or (amount is not None and amount >= LARGEST_FACTOR)
        or (None not in (cantidad, amount) and cantidad * amount >= LARGEST_AMOUNT)
    ):
        reasons.add("magnitud")
    if movement["fecha"] is None:
        reasons.add("sin fecha")
    elif movement["fecha"] > snapshot + LATEST_AFTER_SNAPSHOT:
        reasons.add("fecha futura")
    return frozenset(reasons)


def informative_price(movement: Mapping[str, Any]) -> Decimal | None:
    """A receipt's price takes no part in anything: kept where it can be, else null."""
    price = on_entry(movement["precio_unitario"])
    return price if price is not None and abs(price) < LARGEST_FACTOR else None


def valued(movement: Mapping[str, Any], before: State) -> tuple[KardexRow, State]:
    """The ledger row of a movement, and the state after it."""
    cantidad = round_six(movement["cantidad"])
    if movement["tipo"] == RECEIPT:
        costo_unitario = round_six(movement["costo_unitario"])
        after, ajuste = receive(before, cantidad, costo_unitario)
        costo_total = round_six(cantidad * costo_unitario)
        precio_unitario = informative_price(movement)
        provisional = False
    else:
        after, ajuste = sell(before, cantidad), ZERO
        costo_unitario = before.costo_promedio
        costo_total = before.valor - after.valor
        precio_unitario = round_six(movement["precio_unitario"])
        provisional = after.existencias < 0 or costo_unitario == 0
    row = KardexRow(
        movement["id_movimiento"],
        movement["tipo"],
        movement["id_producto"],
        NO_BRANCH if movement["id_sucursal"] is None else movement["id_sucursal"],
        movement["fecha"],
        cantidad,
        precio_unitario,
        costo_unitario,
        costo_total,
        ajuste,
        *after,
        provisional,
    )
    return row, after


def opening_state(opening: Opening | None) -> State:
    """What a product starts from."""
    if opening is None:
        return State()
    existencias, costo = round_six(opening.existencias), round_six(opening.costo_promedio)
    return State(existencias, round_six(existencias * costo), costo)


def measures(row: KardexRow, rules: Rules, impuesto: Decimal) -> Measures:
    """What one ledger row adds to each of its summary rows."""
    if row.tipo == RECEIPT:
        return Measures(
            movimientos=1,
            ajuste=row.ajuste,
            unidades_recibidas=row.cantidad,
            costo_recibido=row.costo_total,
        )
    assert row.precio_unitario is not None
    sale = row.cantidad * row.precio_unitario
    return Measures(
        movimientos=1,
        unidades_vendidas=row.cantidad,
        venta_bruta=round_six(sale),
        venta_neta=round_six(sale / (1 + impuesto) if rules.prices_include_tax else sale),
        costo_ventas=row.costo_total,
        ajuste=row.ajuste,
    )


def replay(
    movements: Iterable[Mapping[str, Any]],
    products: Mapping[int, Product],
    rules: Rules,
    openings: Mapping[int, Opening] | None = None,
) -> Replay:
    """Value every movement that counts, in order, and sum up.

    A movement is a row of the OLTP: id_movimiento, tipo, id_producto, id_sucursal, cantidad,
    precio_unitario, costo_unitario, fecha (aware), anulado. Raises ValueError on an
    id_movimiento given twice, which no OLTP can hold.
    """
    openings = openings or {}
    with localcontext(EXACT):
        rejects: dict[int, Reject] = {}
        to_value: dict[int, list[Mapping[str, Any]]] = {product: [] for product in openings}
        seen: set[int] = set()
        for movement in movements:
            if movement["id_movimiento"] in seen:
                raise ValueError(f"id_movimiento {movement['id_movimiento']} twice")
            seen.add(movement["id_movimiento"])
            if not in_scope(movement, openings, rules.initial):
                continue
            reasons = reasons_to_reject(movement, products, rules.snapshot)
            if reasons:
                rejects[movement["id_movimiento"]] = Reject(movement, reasons)
            else:
                to_value.setdefault(movement["id_producto"], []).append(movement)

        ledgers: dict[int, list[KardexRow]] = {}
        inventory: dict[int, InventoryRow] = {}
        for id_producto, own in to_value.items():
            state = opening_state(openings.get(id_producto))
            ledgers[id_producto] = []
            for movement in sorted(own, key=order):
                row, state = valued(movement, state)
                ledgers[id_producto].append(row)
            pricing = rules.pricing(id_producto, category(products, id_producto))
            price = suggested_price(state.costo_promedio, pricing)
            inventory[id_producto] = InventoryRow(*state, price)
        return Replay(
            rules, products, openings, ledgers, inventory, rejects,
            *summaries(ledgers, products, rules),
        )  # fmt: skip


def category(products: Mapping[int, Product], id_producto: int) -> str | None:
    """None also for one that the OLTP has no more: only its opening is left of it."""
    known = products.get(id_producto)
    return known.categoria if known else None


def order(movement: Mapping[str, Any]) -> tuple[datetime, bool, int]:
    """DESIGN 6: by date, then receipts before sales, then by id."""
    return movement["fecha"], movement["tipo"] == SALE, movement["id_movimiento"]


def summaries(
    ledgers: Mapping[int, list[KardexRow]], products: Mapping[int, Product], rules: Rules
) -> tuple[dict[Any, Measures], dict[Any, Measures], dict[Any, Measures]]:
    """By day, branch and category; by month, branch and product; by day and product."""
    by_day: dict[Any, Measures] = {}
    by_month: dict[Any, Measures] = {}
    by_product_day: dict[Any, Measures] = {}
    for id_producto, ledger in ledgers.items():
        categoria = category(products, id_producto)
        impuesto = rules.pricing(id_producto, categoria).impuesto
        assert impuesto is not None
        for row in ledger:
            day = rules.day(row.fecha)
            more = measures(row, rules, impuesto)
            for table, key in (
                (by_day, (day, row.id_sucursal, NO_CATEGORY if categoria is None else categoria)),
                (by_month, (day.replace(day=1), row.id_sucursal, id_producto)),
                (by_product_day, (day, id_producto)),
            ):
                so_far = table.get(key, Measures())
                table[key] = Measures(*(a + b for a, b in zip(so_far, more, strict=True)))
    return by_day, by_month, by_product_day
