"""What enters the replay: how a line is read, whether it counts, why it would be rejected."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from oracle_rows import Line, Opening, Product
from oracle_rules import on_entry
from oracle_types import (
    ALL_TYPES,
    COST,
    COUNT,
    LANDED_COST,
    PRICE,
    TRANSFER,
    WITH_IMPORTE,
    WITH_ORIGIN,
    Type,
)

# DESIGN 7.2: what is as large as this would overflow a sum.
LARGEST_FACTOR = Decimal(10) ** 11
LARGEST_AMOUNT = Decimal(10) ** 12
LATEST_AFTER_SNAPSHOT = timedelta(days=1)
NO_BRANCH = 0

# The coarse names by which a reject's reasons are compared.
COARSE = {
    "producto desconocido": "producto",
    "sin cantidad": "cantidad",
    "cantidad no positiva": "cantidad",
    "cantidad negativa": "cantidad",
    "cantidad fuera de rango": "magnitud",
    "precio fuera de rango": "magnitud",
    "costo fuera de rango": "magnitud",
    "importe fuera de rango": "magnitud",
    "sin precio": "precio_unitario",
    "precio negativo": "precio_unitario",
    "sin costo": "costo_unitario",
    "costo negativo": "costo_unitario",
    "impuesto negativo": "impuesto",
    "impuesto fuera de rango": "impuesto",
}


def signed(
    movement: Mapping[str, Any], types: Mapping[str, Type] = ALL_TYPES
) -> tuple[str, Decimal | None, Decimal | None]:
    """Type, quantity and importe of a line: a negative quantity makes it the type's opposite."""
    tipo, cantidad, importe = movement["tipo"], movement["cantidad"], movement.get("importe")
    rule = types[tipo]
    if cantidad is None and rule.null_quantity_is_one:
        cantidad = Decimal(1)
    importe = on_entry(importe) if tipo in WITH_IMPORTE else None
    if rule.negative_is and cantidad is not None and is_negative(cantidad):
        return rule.negative_is, -cantidad, None if importe is None else abs(importe)
    return tipo, cantidad, importe


def is_negative(number: Decimal) -> bool:
    """Once it is rounded; NaN is not."""
    entered = on_entry(number)
    return number.is_infinite() and number.is_signed() if entered is None else entered < 0


def as_line(movement: Mapping[str, Any], types: Mapping[str, Type]) -> Line:
    """A movement that has passed, ready to be valued."""
    tipo, cantidad, importe = signed(movement, types)
    entered = on_entry(cantidad)
    assert entered is not None
    return Line(
        movement["id_movimiento"],
        tipo,
        movement["id_producto"],
        movement["id_sucursal"],
        movement["fecha"],
        entered,
        on_entry(movement["precio_unitario"]),
        on_entry(movement["costo_unitario"]),
        importe,
        movement.get("id_origen") if tipo in WITH_ORIGIN else None,
        (movement.get("id_sucursal_destino") or NO_BRANCH) if tipo == TRANSFER else None,
        on_entry(movement.get("impuesto")) if has_price(tipo) else None,
        movement.get("precio_con_impuesto") if has_price(tipo) else None,
    )


def has_price(tipo: str) -> bool:
    """Whether a type has a price, and with it a tax."""
    return ALL_TYPES[tipo].amount == PRICE


def in_scope(
    movement: Mapping[str, Any],
    openings: Mapping[int, Opening],
    initial: datetime,
    types: Mapping[str, Type] = ALL_TYPES,
) -> bool:
    """DESIGN 5 and 6: of a type of the table, not voided, not before initial date or opening.

    Without a date nothing says that it is out of scope: it is in, and rejected for that.
    """
    if movement["tipo"] not in types or movement["anulado"]:
        return False
    if moves_nothing(movement, types):
        return False
    fecha = movement["fecha"]
    if fecha is None:
        return True
    opening = openings.get(movement["id_producto"])
    return fecha >= initial and (opening is None or opening.fecha is None or fecha >= opening.fecha)


def moves_nothing(movement: Mapping[str, Any], types: Mapping[str, Type]) -> bool:
    """A quantity of 0 of what moves goods, but for a count; with an amount it is a mistake."""
    tipo, cantidad, importe = signed(movement, types)
    if tipo == COUNT or types[tipo].null_quantity_is_one or no_number(movement):
        return False
    return on_entry(cantidad) == 0 and not importe


def no_number(movement: Mapping[str, Any]) -> bool:
    """Whether the amount of the line counts, and is NaN or infinite."""
    importe = movement.get("importe")
    counts = importe is not None and movement["tipo"] in WITH_IMPORTE
    return counts and not importe.is_finite()


def motives(
    movement: Mapping[str, Any],
    products: Mapping[int, Product],
    snapshot: datetime,
    types: Mapping[str, Type] = ALL_TYPES,
) -> Iterator[str]:
    """Every reason to reject a movement in scope, in the order of "Rejected" in MOVEMENTS.md."""
    tipo, cantidad, importe = signed(movement, types)
    if movement["id_producto"] not in products:
        yield "producto desconocido"
    if movement["fecha"] is None:
        yield "sin fecha"
    elif movement["fecha"] > snapshot + LATEST_AFTER_SNAPSHOT:
        yield "fecha futura"
    yield from about_quantity(tipo, cantidad)
    if tipo == TRANSFER:
        yield from about_destination(movement)
    if column := ALL_TYPES[tipo].amount:
        yield from about_amount(tipo, column, movement[column])
        factors = on_entry(cantidad), on_entry(movement[column])
        too_large = None not in factors and abs(factors[0] * factors[1]) >= LARGEST_AMOUNT
        if too_large or no_number(movement) or not 0 <= (importe or 0) < LARGEST_AMOUNT:
            yield "importe fuera de rango"
    if has_price(tipo) and movement.get("impuesto") is not None:
        yield from about_tax(movement["impuesto"])


def about_tax(impuesto: Decimal) -> Iterator[str]:
    """A rate is a fraction from 0 to less than 1, as the price policy's."""
    entered = on_entry(impuesto)
    if is_negative(impuesto):
        yield "impuesto negativo"
    elif entered is None or entered >= 1:
        yield "impuesto fuera de rango"


def about_quantity(tipo: str, cantidad: Decimal | None) -> Iterator[str]:
    """The reasons of a quantity; NaN and infinity are out of range."""
    if cantidad is None:
        yield "sin cantidad"
        return
    entered = on_entry(cantidad)
    if entered is None:
        yield "cantidad no positiva" if is_negative(cantidad) else "cantidad fuera de rango"
    elif tipo == COUNT and entered < 0:
        yield "cantidad negativa"
    elif tipo != COUNT and entered <= 0:
        yield "cantidad no positiva"
    elif entered >= LARGEST_FACTOR:
        yield "cantidad fuera de rango"


def about_destination(movement: Mapping[str, Any]) -> Iterator[str]:
    """A transfer goes to another branch than its own."""
    if movement.get("id_sucursal_destino") is None:
        yield "sin destino"
    elif movement["id_sucursal_destino"] == (movement["id_sucursal"] or NO_BRANCH):
        yield "destino igual al origen"


def about_amount(tipo: str, column: str, amount: Decimal | None) -> Iterator[str]:
    """The reasons of the price or cost that a type looks at."""
    name = "precio" if column == PRICE else "costo"
    entered = on_entry(amount)
    if amount is None:
        if ALL_TYPES[tipo].needs_amount:
            yield f"sin {name}"
    elif entered is None:
        below = is_negative(amount) and tipo != LANDED_COST
        yield f"{name} negativo" if below else f"{name} fuera de rango"
    elif entered < 0 and tipo != LANDED_COST:
        yield f"{name} negativo"
    elif abs(entered) >= LARGEST_FACTOR:
        yield f"{name} fuera de rango"


def reasons_to_reject(
    movement: Mapping[str, Any],
    products: Mapping[int, Product],
    snapshot: datetime,
    types: Mapping[str, Type] = ALL_TYPES,
) -> frozenset[str]:
    """The coarse names of every reason that keeps a movement in scope from being valued."""
    return frozenset(coarse(m, movement) for m in motives(movement, products, snapshot, types))


def coarse(motivo: str, movement: Mapping[str, Any]) -> str:
    """A reason's coarse name; what is no number at all is named by its column."""
    columns = {"cantidad": "cantidad", "precio": PRICE, "costo": COST}
    column = columns.get(motivo.split()[0])
    if column and movement[column] is not None and not movement[column].is_finite():
        return column
    return COARSE.get(motivo, motivo)
